"""Restoring: courses that were archived go to 360Learning again, as the ledger keeps them."""

from collections.abc import Iterable, Sequence
from functools import partial

import pandas as pd

from connectors.errors import SettingsError
from connectors.ledger.records import courses as ledger
from tasks.catalog.archive import today
from tasks.extract.accepted_courses import accepted_bodies
from tasks.reporting.samples import sample_courses
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.transform.plan_rows import course_rows


def known_here(run: RunContext) -> set[str]:
    """The courses (externalIds) that this target ever had."""
    with run.ledger.read() as db:
        return set(ledger.known_courses(db, run.target.id)["external_id"])


def require_known_anywhere(external_ids: Sequence[str], known: Iterable[set[str]]) -> None:
    """Raise SettingsError where no target ever had a course; ``known``: those of each."""
    anywhere = set[str]().union(*known)
    unknown = [one for one in external_ids if one not in anywhere]
    if unknown:
        raise SettingsError(
            "360Learning never had a course from here that is called "
            f"{', '.join(unknown)}: give Coursera's contentId. `coursera-sync restore --dry-run` "
            "lists the courses that can be brought back."
        )


@step("find the courses that were archived")
async def find_archived(run: RunContext, external_ids: Sequence[str]) -> pd.DataFrame:
    """Find the courses to bring back, of these ids or of all: the columns of `CourseUpsert`, and action.

    Their grace begins anew: where Coursera still misses them, the next catalog run does not archive them.
    """
    with run.ledger.read() as db:
        archived = ledger.archived_courses(db, run.target.id)
    chosen = archived[archived["external_id"].isin(external_ids)] if external_ids else archived
    live = set(external_ids) - set(chosen["external_id"])
    run.recorder.add(extracted=len(chosen) + len(live), unchanged=len(live))
    if live:
        run.note(f"Not archived, and left as they are: {', '.join(sorted(live))}")
    elif chosen.empty:
        run.note("There is nothing to bring back: no course is archived")
    if not run.dry_run:
        with run.ledger.begin() as db:
            ledger.note_restored(db, run.target.id, chosen["external_id"].tolist(), today(run))
    # Rejected, should 360Learning refuse it, until the next catalog run: there is no row of Coursera's.
    rows = chosen.assign(row_id=chosen["external_id"], raw=None, action="restore").reset_index(drop=True)
    sample_courses(run.recorder, rows, partial(accepted_bodies, run.ledger, run.target.id))
    if run.dry_run:
        run.recorder.plan(course_rows(rows, {}, rows["external_id"].tolist()))
    return rows
