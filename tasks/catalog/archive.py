"""Archiving with care: which courses a reading misses, since when, and what becomes of them."""

from dataclasses import dataclass
from functools import partial

import pandas as pd

from connectors.clock import utc
from connectors.errors import SyncError
from connectors.ledger.bulk_io import records
from connectors.ledger.records import courses, rejects
from connectors.ledger.streams import CATALOG
from connectors.settings import SyncSettings
from tasks.catalog.selection import CourseSelection
from tasks.catalog.usage import usage_by_course
from tasks.extract.accepted_courses import accepted_names
from tasks.reporting.recorder import Section
from tasks.reporting.samples import sample_archived
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.transform.courses import diff
from tasks.transform.plan_rows import missing_course_rows

MOST_TOLD = 10


@dataclass(frozen=True)
class MissingCourses:
    """What a reading misses.

    ``courses``: the live courses that it does not show, with external_id, name, missed, outcome and used
    str (the last three in words) and to_archive bool, whether they are archived; ``live``: how many courses
    are live.
    """

    courses: pd.DataFrame
    live: int

    @property
    def to_archive(self) -> pd.DataFrame:
        """The courses whose grace is over: external_id."""
        return self.courses.loc[self.courses["to_archive"], ["external_id"]].reset_index(drop=True)


@step("find courses missing from the catalog")
async def find_missing_courses(run: RunContext, selection: CourseSelection) -> MissingCourses:
    """Find the live courses that a complete reading misses, and where they are used.

    Only a reading in which every element had a usable id can say that a course is missing.
    """
    known, shown = selection.known, selection.shown_ids
    live = int(known["live"].sum())
    trusted = selection.catalog.read.is_exhaustive and shown.notna().all()
    missed = known[known["external_id"].isin(diff.missing(known, shown))] if trusted else known.iloc[:0]
    missing = MissingCourses(await _told(run, _counted(missed, today(run)), live), live)
    run.recorder.section("missing", _section(missing, run.settings.sync.archive_limit))
    sample_archived(
        run.recorder,
        missing.to_archive["external_id"].tolist(),
        partial(accepted_names, run.ledger, run.target.id),
    )
    if run.dry_run and run.settings.sync.archive_removed:  # else all stay, which is no plan
        run.recorder.plan(missing_course_rows(missing.courses))
    return missing


def check_archive_limit(run: RunContext, missing: MissingCourses) -> None:
    """Raise SyncError where the catalog has collapsed and would be archived; else such a thing is a note."""
    settings, missed = run.settings.sync, len(missing.courses)
    if not diff.exceeds(missed, missing.live, settings.archive_limit):
        return
    limit = f"{settings.archive_limit:.0%}"
    what = f"{missed} of {missing.live} live courses are missing, more than {limit}"
    if settings.archive_removed:
        raise SyncError(
            f"Stopped before anything was written: {what}. See whether Coursera's contract or programs have "
            "changed; if that is right, raise SYNC_ARCHIVE_LIMIT for one run."
        )
    run.note(f"Catalog shrank: {what}. Nothing is archived: SYNC_ARCHIVE_REMOVED is off")


@step("record missed days")
async def record_missing(run: RunContext, selection: CourseSelection, missing: MissingCourses) -> None:
    """Keep count of the days on which courses were missed: those that are back start anew.

    Rejected elements that are gone are forgotten.
    """
    shown, missed = selection.shown_ids.dropna(), missing.courses["external_id"]
    with run.ledger.begin() as db:
        courses.note_present(db, run.target.id, shown.tolist())
        courses.note_missing(db, run.target.id, missed.tolist(), today(run))
        rejects.delete(db, run.target.id, CATALOG, selection.gone)


def today(run: RunContext) -> str:
    """The day it is (UTC, ISO) by Coursera's clock: on a machine that is a day ahead no day counts twice."""
    return utc(run.coursera.now_ms()).date().isoformat()


def _counted(missed: pd.DataFrame, day: str) -> pd.DataFrame:
    """Count a day (ISO) among those on which courses were missed; each counts once."""
    return missed.assign(
        missing_since=missed["missing_since"].fillna(day),
        missed_days=missed["missed_days"] + missed["missed_on"].ne(day).astype("int64"),
    )


async def _told(run: RunContext, missed: pd.DataFrame, live: int) -> pd.DataFrame:
    """Say of each course in words what is known of it, and what becomes of it."""
    settings = run.settings.sync
    ids, days = missed["external_id"].tolist(), missed["missed_days"].tolist()
    grace_over = missed["external_id"].isin(diff.archivable(missed, settings.archive_grace))
    stays = _why_all_stay(settings, len(ids), live)
    outcomes = [stays or _outcome(settings.archive_grace, over=over) for over in grace_over]
    usage = await usage_by_course(run, ids) if settings.archive_removed else {}
    names = accepted_names(run.ledger, run.target.id, ids)
    dates = zip(days, missed["missing_since"], strict=True)
    texts = {
        "name": [names.get(one, "") for one in ids],
        "missed": [f"on {count} day{'' if count == 1 else 's'} since {since}" for count, since in dates],
        "outcome": outcomes,
        "used": [usage.get(one, "") for one in ids],
    }
    told = {column: pd.Series(values, index=missed.index, dtype="str") for column, values in texts.items()}
    return missed.assign(to_archive=grace_over & (stays is None), **told)


def _why_all_stay(settings: SyncSettings, missed: int, live: int) -> str | None:
    """Why nothing is archived, however long it was missed; None where courses are."""
    if not settings.archive_removed:
        return "stays: SYNC_ARCHIVE_REMOVED is off"
    limit = settings.archive_limit
    return f"stays: more than {limit:.0%} are missing" if diff.exceeds(missed, live, limit) else None


def _outcome(grace: int, *, over: bool) -> str:
    days = f"{grace} day{'' if grace == 1 else 's'}"
    return f"archived: missed on {days} or more" if over else f"stays until it is missed on {days}"


def _section(missing: MissingCourses, limit: float) -> Section:
    """The first courses for the report, those to archive before the others."""
    first = missing.courses.sort_values("to_archive", ascending=False, kind="stable").head(MOST_TOLD)
    rows = [
        (f"{row['name']} ({row['external_id']})", row["missed"], row["outcome"], row["used"])
        for row in records(first[["name", "external_id", "missed", "outcome", "used"]])
    ]
    title = (
        f"Missing in Coursera: {len(missing.courses)} of {missing.live} live courses, of which a run "
        f"archives at most {limit:.0%}"
    )
    columns = ("course", "missed", "what becomes of it", "used by")
    return Section(title, columns, rows)
