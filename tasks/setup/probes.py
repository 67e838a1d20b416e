"""Probing: what docs/assumptions.md leaves open, found out as far as reading shows it. Nothing is written."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from connectors.addresses import fold
from connectors.clock import DAY_MS
from connectors.coursera.client import CourseraClient
from connectors.coursera.models import Page, report_fields
from connectors.coursera.pagination import ListingCheck
from connectors.errors import SyncError
from connectors.learning360.errors import MissingScopeError
from connectors.ledger.database import Ledger
from connectors.ledger.records import courses
from connectors.ledger.records.attempts import latest_attempts
from tasks.extract.learning360 import as_one, attempts_on
from tasks.reporting.recorder import Section
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.transform.columns import number
from tasks.transform.row_keys import KEY

#: So many attempts and courses, the latest, are looked at: enough to see what is the rule.
SAMPLE = 50
#: Coursera began in 2012; in seconds today's dates would lie in 1970.
EARLIEST_MS = 1_325_376_000_000
DATES = ("enrolledAt", "lastActivityAt", "completedAt")
AS_SENT = ("last_at", "progress", "time_spent")

Answer = Literal["yes", "no", "not seen yet"]


@dataclass(frozen=True)
class Finding:
    """What was found out of a question, and what it was seen by."""

    question: str
    answer: Answer
    seen: str


#: Asks both platforms: the answer, and in words what was seen.
Probe = Callable[[RunContext], Awaitable[tuple[Answer, str]]]


@step("probe the platforms' assumptions")
async def run_probes(run: RunContext) -> None:
    """Ask both platforms; what cannot be found out is said with the reason, and stops nothing."""
    found = [await _asked(run, question, probe) for question, probe in PROBES.items()]
    rows = [(one.question, one.answer, one.seen) for one in found]
    columns = ("question", "answer", "seen by")
    section = Section("Found out by reading (docs/assumptions.md)", columns, rows, artifact_key="probe")
    run.recorder.section("probe", section)
    for one in found:
        run.note(f"{one.question} {one.answer.capitalize()}: {one.seen}")


async def _asked(run: RunContext, question: str, probe: Probe) -> Finding:
    try:
        return Finding(question, *await probe(run))
    except MissingScopeError:
        return Finding(question, "not seen yet", "a scope is not granted that reading back needs")
    except SyncError as error:
        return Finding(question, "not seen yet", str(error))


async def _dates_are_milliseconds(run: RunContext) -> tuple[Answer, str]:
    page = await _first_reports(run.coursera)
    dates = pd.concat([_numbers(page, name) for name in DATES])
    if dates.empty:
        return "not seen yet", "Coursera reports no enrollment"
    latest = run.clock.now_ms() + DAY_MS
    odd = int((~dates.between(EARLIEST_MS, latest)).sum())
    told = f"{odd} of {len(dates)} dates of the first reports are not between 2012 and tomorrow"
    return "no" if odd else "yes", told


async def _filter_is_in_milliseconds(run: RunContext) -> tuple[Answer, str]:
    active = _numbers(await _first_reports(run.coursera), "lastActivityAt")
    if active.empty:
        return "not seen yet", "no enrollment among the first reports has any activity"
    bound = int(active.max()) - 1
    after = _numbers(await _first_reports(run.coursera, after_ms=bound), "lastActivityAt")
    tomorrow = run.clock.now_ms() + DAY_MS
    ahead = await _first_reports(run.coursera, after_ms=tomorrow)
    holds = len(after) > 0 and bool(after.gt(bound).all()) and not ahead.elements
    told = f"of {len(after)} rows after {bound}, {int(after.le(bound).sum())} are earlier"
    return "yes" if holds else "no", f"{told}; after tomorrow there are {len(ahead.elements)}"


async def _ids_are_repeated(run: RunContext) -> tuple[Answer, str]:
    before, again = [_ids(await _first_reports(run.coursera)) for _ in range(2)]
    both = before.keys() & again.keys()
    if not both:
        return "not seen yet", "no row stands on the first page twice in a row"
    changed = sum(before[one] != again[one] for one in both)
    return "no" if changed else "yes", f"{changed} of {len(both)} rows, read twice, had another id"


async def _total_is_exact(run: RunContext) -> tuple[Answer, str]:
    check = ListingCheck()
    async for _ in run.coursera.contents(check):
        pass
    if check.total is None:
        return "no", "the catalog has no total: whether a reading of it is all cannot be told"
    told = f"{check.distinct_count} different elements were read of a catalog of {check.total}"
    return "no" if check.incomplete_reason else "yes", check.incomplete_reason or told


async def _launches_are_completed(run: RunContext) -> tuple[Answer, str]:
    pages = run.learning360.course_attempts(list(_latest_courses(run.ledger, run.target.id)))
    attempts = [one async for page in pages for one in page]
    launches = [one for one in attempts if not one.get("progress")]
    if not launches:
        return (
            "not seen yet",
            f"none of {len(attempts)} attempts stands at 0 %: launch a course as a colleague",
        )
    left_open = sum(one.get("completedAt") is None for one in launches)
    told = f"{left_open} of {len(launches)} attempts at 0 % are open"
    return "yes" if left_open < len(launches) else "no", told


async def _attempts_stand_as_sent(run: RunContext) -> tuple[Answer, str]:
    with run.ledger.read() as db:
        sent = latest_attempts(db, run.target.id, SAMPLE)
    if sent.empty:
        return "not seen yet", "nothing was sent so far"
    pages = run.learning360.users(sent["learner"].unique().tolist())
    mails = {one["_id"]: fold(str(one["mail"])) async for page in pages for one in page}
    with run.ledger.read() as db:
        by_id = courses.course_ids(db, run.target.id, sent["course"].unique().tolist())
    both = sent.merge(
        await as_one(attempts_on(run.learning360, by_id, mails)),
        on=[*KEY, "first_at"],
        suffixes=("", "_held"),
    )
    others = {name: int(both[name].ne(both[f"{name}_held"]).sum()) for name in AS_SENT}
    different = ", ".join(f"{count} differ in {name}" for name, count in others.items() if count)
    told = f"{len(both)} of the last {len(sent)} are there with the same first activity"
    return "no" if different or both.empty else "yes", f"{told}, {different}" if different else told


async def _upserts_revive(run: RunContext) -> tuple[Answer, str]:
    with run.ledger.read() as db:
        known = courses.known_courses(db, run.target.id)
        live = known.loc[known["live"]]
        ours = courses.course_ids(db, run.target.id, live["external_id"].tolist())
    group_id = run.settings.learning360.group_id
    pages = run.learning360.external_courses(group_id)
    archived = [one async for page in pages for one in page if one["status"] == "archived"]
    asleep = sum(str(one["_id"]) in ours for one in archived)
    if asleep:
        return "no", f"{asleep} courses that were accepted are archived in 360Learning"
    back = int((live["missed_on"].notna() & live["missed_days"].eq(0)).sum())
    if not back:
        return "not seen yet", "no course has come back after it was archived"
    return "yes", f"{back} courses that had been archived are there again"


PROBES: dict[str, Probe] = {
    "Are the dates of Coursera's reports epoch milliseconds?": _dates_are_milliseconds,
    "Does lastActivityAfter take epoch milliseconds, and leave out the rest?": _filter_is_in_milliseconds,
    "Do the reports repeat a row's id?": _ids_are_repeated,
    "Is paging.total of Coursera's catalog exact?": _total_is_exact,
    "Does a launch leave an attempt completed at 0 %?": _launches_are_completed,
    "Do attempts stand in 360Learning as they were sent?": _attempts_stand_as_sent,
    "Does an upsert bring back a course that was archived?": _upserts_revive,
}


async def _first_reports(coursera: CourseraClient, *, after_ms: int | None = None) -> Page:
    """The first page of the enrollment reports; no other is read."""
    pages = coursera.enrollment_reports(ListingCheck(), last_activity_after_ms=after_ms)
    async with aclosing(pages):
        return await anext(pages)


def _numbers(page: Page, name: str) -> pd.Series:
    """The numbers in a field of the reports, float64."""
    values, _ = number(pd.Series(list(report_fields(page.elements)[name]), dtype=object))
    return values.dropna()


def _ids(page: Page) -> dict[tuple[object, ...], object]:
    fields = report_fields(page.elements)
    names = zip(
        *(map(str, fields[name]) for name in ("email", "externalId", "contentId", "programId")), strict=True
    )
    return dict(zip(names, fields["id"], strict=True))


def _latest_courses(ledger: Ledger, target_id: int) -> Sequence[str]:
    """360Learning's ids of the courses that were last sent progress of, or of any that are there."""
    with ledger.read() as db:
        sent = latest_attempts(db, target_id, SAMPLE)["course"]
        every = sent if len(sent) else courses.known_courses(db, target_id)["external_id"]
        return list(courses.course_ids(db, target_id, every.unique()[:SAMPLE].tolist()))
