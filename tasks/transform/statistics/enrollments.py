"""Enrollment reports become enrollments: one row a report row, with the progress a statistic can carry.

The rules are the statistics mapping of docs/mapping.md. Only what is sent can reject a row; any other value
that is wrong is ignored. Nothing here depends on other rows: what several rows of one learner and one course
add up to is for `tasks.transform.statistics.attempts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from tasks.transform.columns import Faults, Ignored, Reasons, blank
from tasks.transform.statistics.enrollment_reports import FLAG, NOT_A_ROW, is_wrong

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
    "time_spent",
    "score",
)

MS_PER_HOUR = 3_600_000
MOST_HOURS = 100_000  # more is a date, or in another unit
#: Coursera began in 2012; whatever is dated before is in seconds, or no date.
FIRST_DATE_MS = 1_325_376_000_000
FUTURE_TOLERANCE_MS = 5 * 60_000
#: Progress is rounded somewhere on its way.
MOST_PERCENT = 100.5


@dataclass(frozen=True, eq=False)
class MappedEnrollments:
    """Every report row is in exactly one of the two, by its ``position``, the label it had.

    ``enrollments`` has the columns ENROLLMENT_COLUMNS: position int64; learner (an address in lower case),
    course, program and external_id str ("" where there is none); first_at and last_at int64 epoch
    milliseconds; completed bool; progress int64 percent; time_spent int64 milliseconds; score Int64 percent,
    NA where there is none. ``rejects`` has position int64 and reason str. ``ignored`` has positions of
    enrollments by what is ignored in them.
    """

    enrollments: pd.DataFrame
    rejects: pd.DataFrame
    ignored: Mapping[str, pd.Index]


def map_enrollments(reports: pd.DataFrame, *, now_ms: int, send_scores: bool = False) -> MappedEnrollments:
    """Map report rows (REPORT_COLUMNS, and perhaps learner, the address in 360Learning, else Coursera's).

    ``now_ms`` is epoch milliseconds. A row that cannot be mapped is rejected with its reason.
    """
    reasons, ignored = Reasons(reports.index), Ignored(reports.index)
    reasons.add(is_wrong(reports, NOT_A_ROW), "the row is not a JSON object")
    completed = reports[FLAG]
    reasons.add(is_wrong(reports, FLAG), "isCompleted is not true or false")
    mapped = pd.DataFrame({"position": reports.index, "completed": completed}, index=reports.index)
    mapped["learner"] = _learner(reports, reasons)
    mapped["external_id"] = _text(reports, "externalId", ignored).fillna("").str.strip()
    mapped["course"] = _course(reports, reasons)
    mapped["program"] = _text(reports, "programId", ignored).fillna("")
    mapped["first_at"], mapped["last_at"] = _dates(reports, completed, now_ms, reasons, ignored)
    mapped["progress"] = _progress(reports, completed, reasons, ignored)
    mapped["time_spent"] = _time_spent(reports, ignored)
    mapped["score"] = _score(reports, completed, ignored, send_scores=send_scores)
    _number(reports, "updatedAt", ignored)
    good = mapped.loc[~reasons.bad, list(ENROLLMENT_COLUMNS)].reset_index(drop=True)
    whole = dict.fromkeys(("first_at", "last_at", "progress", "time_spent"), "int64")
    return MappedEnrollments(good.astype(whole), _rejects(reasons), ignored.of(~reasons.bad))


def _learner(reports: pd.DataFrame, reasons: Reasons) -> pd.Series:
    """The address in 360Learning."""
    email, nobody = _text(reports, "email", reasons), reports["address"].isna()
    if nobody.any():
        named = ~blank(email)
        reasons.add(named & nobody, "email is not an address")
        reasons.add(~named & nobody, "no address: email is missing, and externalId is not an address")
    return reports["learner"] if "learner" in reports else reports["address"]


def _course(reports: pd.DataFrame, reasons: Reasons) -> pd.Series:
    course = _text(reports, "contentId", reasons)
    reasons.add(blank(course), "contentId is missing")
    return course


def _dates(
    reports: pd.DataFrame, completed: pd.Series, now_ms: int, reasons: Reasons, ignored: Ignored
) -> tuple[pd.Series, pd.Series]:
    """First and last activity: the earliest date there is, and the completion or the latest one known."""
    enrolled, active = (_date(reports, name, now_ms, reasons) for name in ("enrolledAt", "lastActivityAt"))
    # Of an open row it is not sent.
    done = _date(reports, "completedAt", now_ms, _Either(completed, reasons, ignored))
    first = pd.concat([enrolled, active, done], axis="columns").min(axis="columns")
    reasons.add(first.isna(), "no date at all: enrolledAt, lastActivityAt and completedAt are missing")
    last = active.fillna(enrolled)
    last = done.fillna(last).where(completed, last).fillna(first)
    return first, last


def _date(reports: pd.DataFrame, name: str, now_ms: int, faults: Faults) -> pd.Series:
    date: pd.Series = np.floor(_number(reports, name, faults))
    faults.add(date.lt(FIRST_DATE_MS), f"{name} lies before 2012: epoch seconds?")
    faults.add(date.gt(now_ms + FUTURE_TOLERANCE_MS), f"{name} lies more than five minutes ahead")
    return date.where(date.between(FIRST_DATE_MS, now_ms + FUTURE_TOLERANCE_MS))


def _progress(reports: pd.DataFrame, completed: pd.Series, reasons: Reasons, ignored: Ignored) -> pd.Series:
    """Whole percent, rounded down: 100 exactly when completed, 1 to 99 once begun, else 0."""
    faults = _Either(~completed, reasons, ignored)
    percent = _number(reports, "overallProgress", faults).fillna(0)
    faults.add(~percent.between(0, MOST_PERCENT), "overallProgress is not between 0 and 100")
    whole: pd.Series = np.floor(percent)
    return whole.clip(1, 99).where(percent.gt(0), 0).mask(completed, 100)


def _time_spent(reports: pd.DataFrame, ignored: Ignored) -> pd.Series:
    """Hours to milliseconds, at least 1 (the platform's least). A Video has the hours under another name."""
    hours = _hours(reports, "approxTotalCourseHrs", ignored)
    hours = hours.fillna(_hours(reports, "approxTotalLearningHours", ignored)).fillna(0)
    return (hours * MS_PER_HOUR).round().clip(lower=1)


def _hours(reports: pd.DataFrame, name: str, ignored: Ignored) -> pd.Series:
    hours = _number(reports, name, ignored)
    ignored.add(hours.lt(0), f"{name} is negative")
    ignored.add(hours.gt(MOST_HOURS), f"{name} is more than 100,000 hours")
    return hours.where(hours.between(0, MOST_HOURS))


def _score(reports: pd.DataFrame, completed: pd.Series, ignored: Ignored, *, send_scores: bool) -> pd.Series:
    """The grade in percent, rounded, once completed; none where scores are not sent."""
    if not send_scores:
        return pd.Series(pd.NA, index=reports.index, dtype="Int64")
    grade = _number(reports, "grade", ignored)
    is_grade = grade.between(0, 1)
    ignored.add(grade.notna() & ~is_grade, "grade is not between 0 and 1")
    return (grade * 100).round().where(completed & is_grade).astype("Int64")


@dataclass(frozen=True)
class _Either:
    """What is wrong rejects the rows in which it is needed, and is ignored in the others."""

    needed: pd.Series
    reasons: Reasons
    ignored: Ignored

    def add(self, mask: pd.Series, what: str) -> None:
        """Say what is wrong in the rows of a bool mask."""
        self.reasons.add(mask & self.needed, what)
        self.ignored.add(mask & ~self.needed, what)


def _text(reports: pd.DataFrame, name: str, faults: Faults) -> pd.Series:
    faults.add(is_wrong(reports, name), f"{name} is not text")
    return reports[name]


def _number(reports: pd.DataFrame, name: str, faults: Faults) -> pd.Series:
    faults.add(is_wrong(reports, name), f"{name} is not a number")
    return reports[name]


def _rejects(reasons: Reasons) -> pd.DataFrame:
    bad = reasons.series[reasons.bad]
    return pd.DataFrame({"position": bad.index, "reason": bad.array}).reset_index(drop=True)
