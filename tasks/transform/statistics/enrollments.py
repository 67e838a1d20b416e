"""Enrollment reports become enrollments: one row a report row, with the progress a statistic can carry.

The rules are the statistics mapping of the README. Nothing here depends on other rows: what several rows of
one learner and one course add up to is for `tasks.transform.statistics.attempts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from tasks.transform.columns import Reasons, blank
from tasks.transform.statistics.enrollment_reports import FLAG, NOT_A_ROW, Reports

LaunchRule = Literal["completed", "open"]

ENROLLMENT_COLUMNS = (
    "position",
    "learner",
    "course",
    "program",
    "external_id",
    "first_at",
    "last_at",
    "completed",
    "progress",
    "completion",
    "time_spent",
    "score",
    "updated_at",
)

MS_PER_HOUR = 3_600_000
FUTURE_TOLERANCE_MS = 5 * 60_000
COMPLETED, IN_PROGRESS = "completed", "in progress"
# An address has one @ with something on both sides, and no white space; the platforms judge the rest. Spelled
# out: for Arrow, which looks at a whole column at once, ``\s`` is ASCII's alone.
WHITE_SPACE = "\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
ADDRESS = f"[^@{WHITE_SPACE}]+@[^@{WHITE_SPACE}]+"
NO_ALIASES: Mapping[str, str] = {}


@dataclass(frozen=True)
class MappedEnrollments:
    """Every element of a batch is in exactly one of the two, by its ``position`` in the batch.

    ``enrollments`` has the columns ENROLLMENT_COLUMNS: position int64; learner (an address in lower case),
    course, program and external_id str ("" where there is none); first_at, last_at and updated_at int64 epoch
    milliseconds; completed bool; progress int64 percent; completion str; time_spent int64 milliseconds;
    score Int64 percent, NA where there is none. ``rejects`` has position int64 and reason str.
    """

    enrollments: pd.DataFrame
    rejects: pd.DataFrame


def map_enrollments(
    reports: Reports,
    *,
    now_ms: int,
    send_scores: bool = False,
    launch_rule: LaunchRule = "completed",
    aliases: Mapping[str, str] = NO_ALIASES,
) -> MappedEnrollments:
    """Map a batch of report rows; ``now_ms`` is epoch milliseconds.

    ``aliases`` gives the address in 360Learning by the one at Coursera, where they differ; in lower case.
    A row that cannot be mapped is put aside with its reason.
    """
    reasons = Reasons(reports.fields.index)
    reasons.add(reports.wrong[NOT_A_ROW], "the row is not a JSON object")
    mapped = pd.DataFrame({"position": reports.fields.index}, index=reports.fields.index)
    mapped["learner"], mapped["external_id"] = _learner(reports, reasons, aliases)
    mapped["course"] = _course(reports, reasons)
    mapped["program"] = _text(reports, "programId", reasons).fillna("")
    mapped["completed"] = reports.fields[FLAG]
    reasons.add(reports.wrong[FLAG], "isCompleted is not true or false")
    mapped["first_at"], mapped["last_at"] = _dates(reports, mapped["completed"], now_ms, reasons)
    mapped["progress"] = _progress(reports, mapped["completed"], reasons)
    mapped["completion"] = completion(mapped["completed"], mapped["progress"], launch_rule)
    mapped["time_spent"] = _time_spent(reports, reasons)
    mapped["score"] = _score(reports, mapped["completed"], reasons, send_scores=send_scores)
    mapped["updated_at"] = _number(reports, "updatedAt", reasons).fillna(0).astype("int64")
    good = mapped.loc[~reasons.bad, list(ENROLLMENT_COLUMNS)].reset_index(drop=True)
    whole = dict.fromkeys(("first_at", "last_at", "progress", "time_spent"), "int64")
    return MappedEnrollments(good.astype(whole), _rejects(reasons))


def completion(completed: pd.Series, progress: pd.Series, launch_rule: LaunchRule) -> pd.Series:
    """The state that a learner sees: a row without activity stands as a launch leaves it.

    Under the rule ``completed`` a launch marks the course completed at 0 %, and a row without activity has
    that state and no other; under ``open`` it is in progress.
    """
    untouched = ~completed & progress.eq(0)
    stands_completed = completed | (untouched if launch_rule == "completed" else False)
    return pd.Series(IN_PROGRESS, index=completed.index, dtype="str").mask(stands_completed, COMPLETED)


def _learner(reports: Reports, reasons: Reasons, aliases: Mapping[str, str]) -> tuple[pd.Series, pd.Series]:
    """The address in 360Learning (of email, else of an externalId that is one), and Coursera's externalId."""
    email = _text(reports, "email", reasons)
    external_id = _text(reports, "externalId", reasons)
    named = ~blank(email)
    candidate = email.where(named, external_id).str.strip().str.lower()
    is_address = candidate.str.fullmatch(ADDRESS).fillna(value=False).astype(bool)
    reasons.add(named & ~is_address, "email is not an address")
    reasons.add(~named & ~is_address, "no address: email is missing, and externalId is not an address")
    if aliases:
        candidate = candidate.map(aliases).astype("str").fillna(candidate)
    return candidate, external_id.fillna("").str.strip()


def _course(reports: Reports, reasons: Reasons) -> pd.Series:
    course = _text(reports, "contentId", reasons)
    reasons.add(blank(course), "contentId is missing")
    return course


def _dates(
    reports: Reports, completed: pd.Series, now_ms: int, reasons: Reasons
) -> tuple[pd.Series, pd.Series]:
    """First and last activity: the earliest date there is, and the completion or the latest one known."""
    enrolled, active, done = (
        _date(reports, name, now_ms, reasons) for name in ("enrolledAt", "lastActivityAt", "completedAt")
    )
    first = pd.concat([enrolled, active, done], axis="columns").min(axis="columns")
    reasons.add(first.isna(), "no date at all: enrolledAt, lastActivityAt and completedAt are missing")
    last = active.fillna(enrolled)
    last = done.fillna(last).where(completed, last).fillna(first)
    return first, last


def _date(reports: Reports, name: str, now_ms: int, reasons: Reasons) -> pd.Series:
    date = _number(reports, name, reasons)
    reasons.add(date.le(0), f"{name} is not a date")
    reasons.add(date.gt(now_ms + FUTURE_TOLERANCE_MS), f"{name} lies more than five minutes ahead")
    whole: pd.Series = np.floor(date)
    return whole


def _progress(reports: Reports, completed: pd.Series, reasons: Reasons) -> pd.Series:
    """Whole percent, rounded down: 100 exactly when completed, 1 to 99 once begun, else 0."""
    percent = _number(reports, "overallProgress", reasons).fillna(0)
    reasons.add(~percent.between(0, 100), "overallProgress is not between 0 and 100")
    whole: pd.Series = np.floor(percent)
    return whole.clip(1, 99).where(percent.gt(0), 0).mask(completed, 100)


def _time_spent(reports: Reports, reasons: Reasons) -> pd.Series:
    """Hours to milliseconds, at least 1 (the platform's least). A Video has the hours under another name."""
    course_hours = _number(reports, "approxTotalCourseHrs", reasons)
    hours = course_hours.fillna(_number(reports, "approxTotalLearningHours", reasons)).fillna(0)
    reasons.add(hours.lt(0), "the hours spent are negative")
    return (hours * MS_PER_HOUR).round().clip(lower=1)


def _score(reports: Reports, completed: pd.Series, reasons: Reasons, *, send_scores: bool) -> pd.Series:
    """The grade in percent, rounded, once completed; none where scores are not sent."""
    if not send_scores:
        return pd.Series(pd.NA, index=reports.fields.index, dtype="Int64")
    grade = _number(reports, "grade", reasons)
    reasons.add(grade.notna() & ~grade.between(0, 1), "grade is not between 0 and 1")
    return (grade * 100).round().where(completed & grade.between(0, 1)).astype("Int64")


def _text(reports: Reports, name: str, reasons: Reasons) -> pd.Series:
    reasons.add(reports.wrong[name], f"{name} is not text")
    return reports.fields[name]


def _number(reports: Reports, name: str, reasons: Reasons) -> pd.Series:
    reasons.add(reports.wrong[name], f"{name} is not a number")
    return reports.fields[name]


def _rejects(reasons: Reasons) -> pd.DataFrame:
    bad = reasons.series[reasons.bad]
    return pd.DataFrame({"position": bad.index, "reason": bad.array}).reset_index(drop=True)
