"""Transform, for the catalog: elements become courses, and their difference to what is there a diff."""

from dataclasses import dataclass

import orjson
import pandas as pd

from connectors.coursera.row_ids import identity
from connectors.ledger import courses as ledger
from connectors.ledger.streams import CATALOG
from tasks.catalog.archive import Gone, note_gone, require_few, to_archive
from tasks.catalog.data_quality import show_quality
from tasks.extract.coursera import CatalogReading
from tasks.load import rejects
from tasks.reporting.plan import show_catalog_plan
from tasks.reporting.samples import show_courses
from tasks.runtime.run_context import Run
from tasks.runtime.step import step
from tasks.transform.courses import diff
from tasks.transform.courses.courses import bodies, latest, map_courses

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
async def map_catalog(run: Run, reading: CatalogReading) -> MappedCatalog:
    """Map every element, and those that earlier runs put aside; count what is folded or put rejects."""
    elements = [*reading.elements, *rejects.taken_up_again(run, CATALOG, reading)]
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
    show_quality(run, courses, elements)
    return MappedCatalog(_with_bodies(courses, elements), rejects.named(elements, mapped.rejects))


@step("compare the catalog with what 360Learning has accepted")
async def plan_catalog(run: Run, catalog: MappedCatalog, gone: Gone) -> CatalogPlan:
    """Find what is new, changed or to be archived. A catalog that has collapsed stops the run here."""
    with run.ledger.read() as db:
        known = ledger.known_courses(db, run.target.id)
    courses = catalog.courses.assign(action=diff.plan_courses(catalog.courses, known))
    changed = courses["action"].ne("unchanged")
    run.summary.unchanged += int((~changed).sum())
    send = courses.rename(columns={"externalId": "external_id"})
    send = send.loc[changed, SEND_COLUMNS].reset_index(drop=True)
    show_catalog_plan(run, send, known.loc[~known["live"], "external_id"].tolist(), gone)
    require_few(run, gone)
    if not run.dry_run:
        rejects.replace(run, CATALOG, catalog.aside, send["row_id"].tolist())
        note_gone(run, gone)
    archive = to_archive(gone)
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
        digest=diff.digests(sent),
        body=pd.Series([orjson.dumps(body).decode() for body in sent], dtype="str"),
        raw=pd.Series([orjson.dumps(row).decode() for row in rows], dtype="str"),
        row_id=pd.Series([identity(row) for row in rows], dtype="str"),
    )
