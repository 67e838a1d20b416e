"""Transform, for the catalog: elements become courses, and their difference to what is there a plan."""

from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
import pandas as pd

from connectors.coursera.listing import identity
from connectors.errors import SyncError
from connectors.ledger import courses as ledger
from tasks import aside
from tasks.examples import show_courses
from tasks.extract import Reading
from tasks.mapping import plan
from tasks.mapping.courses import bodies, latest, map_courses
from tasks.run import Run
from tasks.step import step

STREAM = "catalog"
SEND_COLUMNS = ["row_id", "external_id", "body", "raw", "digest", "learning_seconds", "action"]


@dataclass(frozen=True)
class MappedCatalog:
    """The catalog as 360Learning takes it.

    ``courses``: the columns of `map_courses`, and row_id, digest, body and raw (JSON) str; ``aside``: the
    rows put aside, as the ledger keeps them.
    """

    courses: pd.DataFrame
    aside: pd.DataFrame


@dataclass(frozen=True)
class CatalogPlan:
    """``send``: SEND_COLUMNS of the courses to create or update; ``archive``: external_id."""

    send: pd.DataFrame
    archive: pd.DataFrame


@step("map the catalog to external courses")
async def map_catalog(run: Run, reading: Reading) -> MappedCatalog:
    """Map every element, and those that earlier runs put aside; count what is folded or put aside."""
    elements = [*reading.elements, *aside.taken_up_again(run, STREAM, reading)]
    mapped = map_courses(
        elements,
        default_language=run.settings.sync.default_language,
        program_order=run.settings.sync.program_order,
        known_seconds=_known_seconds(run),
    )
    courses = latest(mapped.courses)
    run.summary.extracted += len(elements)
    run.summary.merged += len(mapped.courses) - len(courses)
    run.reject(mapped.rejects["reason"])
    return MappedCatalog(_with_bodies(courses, elements), aside.named(elements, mapped.rejects))


@step("compare the catalog with what 360Learning has accepted")
async def plan_catalog(run: Run, reading: Reading, catalog: MappedCatalog) -> CatalogPlan:
    """Find what is new, changed or gone. A catalog that has collapsed stops the run here."""
    with run.ledger.begin() as db:
        known = ledger.known_courses(db, run.target.id)
    gone = _gone(run, reading, known)
    courses = catalog.courses.assign(action=plan.plan_courses(catalog.courses, known))
    changed = courses["action"].ne("unchanged")
    run.summary.unchanged += int((~changed).sum())
    send = courses.rename(columns={"externalId": "external_id"})
    send = send.loc[changed, SEND_COLUMNS].reset_index(drop=True)
    if not run.dry_run:
        aside.replace(run, STREAM, catalog.aside, send["row_id"].tolist())
        _note_gone(run, reading, gone)
    archive = _to_archive(run, gone)
    show_courses(run, send, archive)
    return CatalogPlan(send, archive)


def _known_seconds(run: Run) -> dict[str, float]:
    """How long the courses are that 360Learning has accepted, for specializations that sum theirs up."""
    with run.ledger.begin() as db:
        known = ledger.known_courses(db, run.target.id).dropna(subset="learning_seconds")
    return dict(zip(known["external_id"], known["learning_seconds"], strict=True))


def _with_bodies(courses: pd.DataFrame, elements: list[object]) -> pd.DataFrame:
    sent = bodies(courses)
    rows = [elements[position] for position in courses["position"]]
    return courses.assign(
        digest=plan.digests(sent),
        body=pd.Series([orjson.dumps(body).decode() for body in sent], dtype="str"),
        raw=pd.Series([orjson.dumps(row).decode() for row in rows], dtype="str"),
        row_id=pd.Series([identity(row) for row in rows], dtype="str"),
    )


def _gone(run: Run, reading: Reading, known: pd.DataFrame) -> pd.DataFrame:
    """The live courses that a complete reading misses, with the days on which they were missed.

    Only a reading in which every element had a usable id can say that a course is gone.
    """
    ids = [_content_id(element) for element in reading.elements]
    if not reading.shows_all or None in ids:
        return known.iloc[:0]
    gone = known[known["external_id"].isin(plan.missing(known, [id_ for id_ in ids if id_ is not None]))]
    live = int(known["live"].sum())
    limit = run.settings.sync.archive_limit
    if plan.exceeds(len(gone), live, limit):
        _collapsed(run, f"the catalog misses {len(gone)} of {live} live courses, more than {limit:.0%}")
    today = _today(run)
    return gone.assign(missed_days=gone["missed_days"] + gone["missed_on"].ne(today).astype("int64"))


def _collapsed(run: Run, what: str) -> None:
    if run.settings.sync.archive_removed:
        raise SyncError(
            f"Stopped before anything was written: {what}. See whether Coursera's contract or programs have "
            "changed; if that is right, raise SYNC_ARCHIVE_LIMIT for one run."
        )
    run.note(f"Look at Coursera: {what}. Nothing is archived: SYNC_ARCHIVE_REMOVED is off")


def _note_gone(run: Run, reading: Reading, gone: pd.DataFrame) -> None:
    """Keep count of the days on which courses were missed; those that are back start anew."""
    shown = [id_ for id_ in map(_content_id, reading.elements) if id_ is not None]
    with run.ledger.begin() as db:
        ledger.note_present(db, run.target.id, shown)
        ledger.note_missing(db, run.target.id, gone["external_id"].tolist(), _today(run))


def _to_archive(run: Run, gone: pd.DataFrame) -> pd.DataFrame:
    settings = run.settings.sync
    due = gone if settings.archive_removed else gone.iloc[:0]
    return plan.archivable(due, settings.archive_grace).to_frame(index=False)


def _content_id(element: object) -> str | None:
    content_id = element.get("contentId") if isinstance(element, dict) else None
    return content_id if isinstance(content_id, str) and content_id.strip() else None


def _today(run: Run) -> str:
    return datetime.fromtimestamp(run.surroundings.now_ms() / 1000, UTC).date().isoformat()
