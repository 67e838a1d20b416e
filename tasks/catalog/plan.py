"""Transform, for the catalog: elements become courses, and their difference to what is there a diff."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

import orjson
import pandas as pd

from connectors.coursera.row_ids import row_id
from connectors.ledger.records import courses as ledger
from connectors.ledger.streams import CATALOG
from tasks.catalog.archive import MissingCourses, count_missed_day, courses_to_archive, today
from tasks.catalog.data_quality import add_quality_section
from tasks.extract.accepted_courses import accepted_bodies, accepted_seconds
from tasks.extract.coursera import CatalogSnapshot
from tasks.load import rejects
from tasks.reporting.samples import sample_courses
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.transform.courses import diff
from tasks.transform.courses.courses import bodies, latest, map_courses
from tasks.transform.plan_rows import course_rows, missing_course_rows

SEND_COLUMNS = ["row_id", "external_id", "body", "raw", "digest", "learning_seconds", "action"]


@dataclass(frozen=True)
class MappedCatalog:
    """The catalog as 360Learning takes it.

    ``courses``: the columns of `map_courses`, and row_id, digest, body and raw (JSON) str; ``rejects``: the
    rejected rows, as the ledger keeps them.
    """

    courses: pd.DataFrame
    rejects: pd.DataFrame


@dataclass(frozen=True)
class CatalogPlan:
    """``send``: SEND_COLUMNS of the courses to create or update; ``archive``: external_id."""

    send: pd.DataFrame
    archive: pd.DataFrame


@step("map the catalog to external courses")
async def map_catalog(run: RunContext, catalog: CatalogSnapshot) -> MappedCatalog:
    """Map every element, and those that earlier runs rejected; count what is folded or rejected."""
    again = rejects.rows_to_retry(run.ledger, run.target.id, CATALOG, catalog)
    elements = [*catalog.elements, *again]
    mapped = map_courses(
        elements,
        default_language=run.settings.sync.default_language,
        program_order=run.settings.sync.program_order,
        known_seconds=accepted_seconds(run.ledger, run.target.id),
    )
    courses = latest(mapped.courses)
    run.recorder.add(extracted=len(elements), merged=len(mapped.courses) - len(courses))
    run.recorder.reject(mapped.rejects["reason"])
    add_quality_section(run, courses, elements)
    return MappedCatalog(_with_bodies(courses, elements), rejects.as_rejects(elements, mapped.rejects))


@step("compare the catalog with what 360Learning has accepted")
async def plan_catalog(run: RunContext, catalog: MappedCatalog, missing: MissingCourses) -> CatalogPlan:
    """Find what is new, changed or to be archived."""
    with run.ledger.read() as db:
        known = ledger.known_courses(db, run.target.id)
    courses = catalog.courses.assign(action=diff.plan_courses(catalog.courses, known))
    changed = courses["action"].ne("unchanged")
    run.recorder.add(unchanged=int((~changed).sum()))
    send = courses.rename(columns={"externalId": "external_id"})
    send = send.loc[changed, SEND_COLUMNS].reset_index(drop=True)
    if run.dry_run:
        _record_plan(run, send, known.loc[~known["live"], "external_id"].tolist(), missing)
    archive = courses_to_archive(missing)
    sample_courses(run.recorder, send, archive, partial(accepted_bodies, run.ledger, run.target.id))
    return CatalogPlan(send, archive)


@step("record rejected courses and missed days")
async def record_catalog(
    run: RunContext, catalog: MappedCatalog, plan: CatalogPlan, missing: MissingCourses
) -> None:
    """Let the ledger know the rejected rows, and count the day on which courses were missed."""
    rejects.replace(run, CATALOG, catalog.rejects, plan.send["row_id"].tolist())
    count_missed_day(run.ledger, run.target.id, missing, today(run.clock))


def _record_plan(
    run: RunContext, send: pd.DataFrame, archived: Collection[str], missing: MissingCourses
) -> None:
    """Plan courses to send (SEND_COLUMNS), and those that Coursera misses.

    ``archived`` are the ids of courses that were archived before. Where archiving is off, courses that are
    missing stay, which is no plan.
    """
    known = accepted_bodies(run.ledger, run.target.id, send["external_id"].tolist())
    missed = missing.courses if run.settings.sync.archive_removed else missing.courses.iloc[:0]
    run.recorder.plan(course_rows(send, known, archived))
    run.recorder.plan(missing_course_rows(missed))


def _with_bodies(courses: pd.DataFrame, elements: list[object]) -> pd.DataFrame:
    sent = bodies(courses)
    rows = [elements[position] for position in courses["position"]]
    return courses.assign(
        digest=diff.digests(sent),
        body=pd.Series([orjson.dumps(body).decode() for body in sent], dtype="str"),
        raw=pd.Series([orjson.dumps(row).decode() for row in rows], dtype="str"),
        row_id=pd.Series([row_id(row) for row in rows], dtype="str"),
    )
