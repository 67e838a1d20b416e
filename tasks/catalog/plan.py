"""Some elements of the catalog at a time: mapped, compared, and what is true of them at once written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec
import pandas as pd

from connectors.coursera.row_ids import row_ids
from connectors.ledger.records import rejects
from connectors.ledger.streams import CATALOG
from tasks.catalog.selection import CourseSelection
from tasks.extract.accepted_courses import accepted_bodies
from tasks.reporting.samples import sample_courses
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.transform.courses import diff
from tasks.transform.courses.courses import bodies
from tasks.transform.courses.outline import outline
from tasks.transform.courses.quality import findings
from tasks.transform.plan_rows import course_rows

SEND_COLUMNS = ["row_id", "external_id", "body", "raw", "digest", "learning_seconds", "action"]


@dataclass(frozen=True, eq=False)
class CatalogPlan:
    """What comes of some elements.

    ``send``: the courses to create or update (SEND_COLUMNS); ``unchanged``: row_ids of the others;
    ``unmappable``: rejected elements, as the ledger keeps them; ``ignored``: names of courses by what is
    ignored in them; ``odd``: see `findings`.
    """

    send: pd.DataFrame
    unchanged: Sequence[str]
    unmappable: pd.DataFrame
    ignored: Mapping[str, Sequence[str]]
    odd: pd.DataFrame


@step("compare courses with what 360Learning has accepted")
async def compare_courses(
    run: RunContext, elements: Sequence[object], selection: CourseSelection
) -> CatalogPlan:
    """Find what is new or changed; what needs nothing, or can only be rejected, is known from now on."""
    plan = await run.shared.frames.do(_compared, elements, selection)
    run.recorder.add(unchanged=len(plan.unchanged))
    run.recorder.reject(plan.unmappable["reason"])
    run.recorder.ignore(plan.ignored)
    sample_courses(run.recorder, plan.send, partial(accepted_bodies, run.ledger, run.target.id))
    if run.dry_run:
        run.recorder.add(submitted=len(plan.send))
        run.recorder.plan(_plan_rows(run, plan.send, selection))
    else:
        await run.shared.frames.do(_record, run, plan, selection)
    return plan


def _compared(elements: Sequence[object], selection: CourseSelection) -> CatalogPlan:
    mapped = selection.map(elements)
    courses, ids = mapped.courses, row_ids(elements)
    by_position = courses.set_index("position")["externalId"]
    sent = bodies(courses)
    rows = courses[["position", "externalId", "learning_seconds"]].assign(
        row_id=pd.Series([ids[position] for position in courses["position"]], dtype="str"),
        body=pd.Series([msgspec.json.encode(body).decode() for body in sent], dtype="str"),
        digest=diff.digests(sent),
    )
    rows["action"] = diff.plan_courses(rows, selection.known)
    is_unchanged = rows["action"].eq("unchanged")
    send = rows[~is_unchanged].reset_index(drop=True)
    return CatalogPlan(
        send.rename(columns={"externalId": "external_id"}).assign(raw=_raw(elements, send["position"]))[
            SEND_COLUMNS
        ],
        rows.loc[is_unchanged, "row_id"].tolist(),
        _as_rejects(elements, mapped.rejects),
        {what: by_position.loc[at].tolist() for what, at in mapped.ignored.items()},
        findings(courses, elements),
    )


def _record(run: RunContext, plan: CatalogPlan, selection: CourseSelection) -> None:
    """Courses to send are not among these: they are known once their operation is settled."""
    settled = [row for row in plan.unchanged if row in selection.rejected]
    if plan.unmappable.empty and not settled:
        return
    with run.ledger.begin() as db:
        rejects.delete(db, run.target.id, CATALOG, settled)
        now_ms = run.clock.now_ms()
        rejects.upsert(db, run.target.id, CATALOG, plan.unmappable, run_id=run.id, now_ms=now_ms)


def _plan_rows(run: RunContext, send: pd.DataFrame, selection: CourseSelection) -> pd.DataFrame:
    known = accepted_bodies(run.ledger, run.target.id, send["external_id"].tolist())
    archived = selection.known.loc[~selection.known["live"], "external_id"].tolist()
    return course_rows(send, known, archived)


def _as_rejects(elements: Sequence[object], unmapped: pd.DataFrame) -> pd.DataFrame:
    """Elements that could not be mapped (position, reason), as the ledger keeps them."""
    rows = [elements[position] for position in unmapped["position"]]
    return pd.DataFrame(
        {
            "row_id": pd.Series(row_ids(rows), dtype="str"),
            "reason": unmapped["reason"],
            "learner": None,
            "course": outline(rows)["externalId"],
            "raw": _raw(elements, unmapped["position"]),
        }
    )


def _raw(elements: Sequence[object], positions: pd.Series) -> pd.Series:
    """Elements as JSON, so that they can be mapped again."""
    return pd.Series([msgspec.json.encode(elements[at]).decode() for at in positions], dtype="str")
