"""Enrollment reports become enrollments: one row a report row, with the progress a statistic can carry.

The rules are the statistics mapping of the README. Nothing here depends on other rows: what several rows of
one learner and one course add up to is for `tasks.transform.statistics.attempts`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from tasks.transform.columns import Reasons, blank
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
FUTURE_TOLERANCE_MS = 5 * 60_000


@dataclass(frozen=True, eq=False)
class MappedEnrollments:
    """Every report row is in exactly one of the two, by its ``position``, the label it had.

    ``enrollments`` has the columns ENROLLMENT_COLUMNS: position int64; learner (an address in lower case),
    course, program and external_id str ("" where there is none); first_at and last_at int64 epoch
    milliseconds; completed bool; progress int64 percent; time_spent int64 milliseconds; score Int64 percent,
    NA where there is none. ``rejects`` has position int64 and reason str.
    """

    enrollments: pd.DataFrame
    rejects: pd.DataFrame


def map_enrollments(reports: pd.DataFrame, *, now_ms: int, send_scores: bool = False) -> MappedEnrollments:
    """Map report rows (REPORT_COLUMNS, and perhaps learner, the address in 360Learning, else Coursera's).

    ``now_ms`` is epoch milliseconds. A row that cannot be mapped is rejected with its reason.
    """
    reasons = Reasons(reports.index)
    reasons.add(is_wrong(reports, NOT_A_ROW), "the row is not a JSON object")
    mapped = pd.DataFrame({"position": reports.index}, index=reports.index)
    mapped["learner"], mapped["external_id"] = _learner(reports, reasons)
    mapped["course"] = _course(reports, reasons)
    mapped["program"] = _text(reports, "programId", reasons).fillna("")
    mapped["completed"] = reports[FLAG]
    reasons.add(is_wrong(reports, FLAG), "isCompleted is not true or false")
    mapped["first_at"], mapped["last_at"] = _dates(reports, mapped["completed"], now_ms, reasons)
    mapped["progress"] = _progress(reports, mapped["completed"], reasons)
    mapped["time_spent"] = _time_spent(reports, reasons)
    mapped["score"] = _score(reports, mapped["completed"], reasons, send_scores=send_scores)
    _number(reports, "updatedAt", reasons)
    good = mapped.loc[~reasons.bad, list(ENROLLMENT_COLUMNS)].reset_index(drop=True)
    whole = dict.fromkeys(("first_at", "last_at", "progress", "time_spent"), "int64")
    return MappedEnrollments(good.astype(whole), _rejects(reasons))


def _learner(reports: pd.DataFrame, reasons: Reasons) -> tuple[pd.Series, pd.Series]:
    """The address in 360Learning, and Coursera's externalId."""
    email = _text(reports, "email", reasons)
    external_id = _text(reports, "externalId", reasons)
    nobody = reports["address"].isna()
    if nobody.any():
        named = ~blank(email)
        reasons.add(named & nobody, "email is not an address")
        reasons.add(~named & nobody, "no address: email is missing, and externalId is not an address")
    learner = reports["learner"] if "learner" in reports else reports["address"]
    return learner, external_id.fillna("").str.strip()


def _course(reports: pd.DataFrame, reasons: Reasons) -> pd.Series:
    course = _text(reports, "contentId", reasons)
    reasons.add(blank(course), "contentId is missing")
    return course


def _dates(
    reports: pd.DataFrame, completed: pd.Series, now_ms: int, reasons: Reasons
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


def _date(reports: pd.DataFrame, name: str, now_ms: int, reasons: Reasons) -> pd.Series:
    date = _number(reports, name, reasons)
    reasons.add(date.le(0), f"{name} is not a date")
    reasons.add(date.gt(now_ms + FUTURE_TOLERANCE_MS), f"{name} lies more than five minutes ahead")
    whole: pd.Series = np.floor(date)
    return whole


def _progress(reports: pd.DataFrame, completed: pd.Series, reasons: Reasons) -> pd.Series:
    """Whole percent, rounded down: 100 exactly when completed, 1 to 99 once begun, else 0."""
    percent = _number(reports, "overallProgress", reasons).fillna(0)
    reasons.add(~percent.between(0, 100), "overallProgress is not between 0 and 100")
    whole: pd.Series = np.floor(percent)
    return whole.clip(1, 99).where(percent.gt(0), 0).mask(completed, 100)


def _time_spent(reports: pd.DataFrame, reasons: Reasons) -> pd.Series:
    """Hours to milliseconds, at least 1 (the platform's least). A Video has the hours under another name."""
    course_hours = _number(reports, "approxTotalCourseHrs", reasons)
    hours = course_hours.fillna(_number(reports, "approxTotalLearningHours", reasons)).fillna(0)
    reasons.add(hours.lt(0), "the hours spent are negative")
    return (hours * MS_PER_HOUR).round().clip(lower=1)


def _score(reports: pd.DataFrame, completed: pd.Series, reasons: Reasons, *, send_scores: bool) -> pd.Series:
    """The grade in percent, rounded, once completed; none where scores are not sent."""
    if not send_scores:
        return pd.Series(pd.NA, index=reports.index, dtype="Int64")
    grade = _number(reports, "grade", reasons)
    reasons.add(grade.notna() & ~grade.between(0, 1), "grade is not between 0 and 1")
    return (grade * 100).round().where(completed & grade.between(0, 1)).astype("Int64")


def _text(reports: pd.DataFrame, name: str, reasons: Reasons) -> pd.Series:
    reasons.add(is_wrong(reports, name), f"{name} is not text")
    return reports[name]


def _number(reports: pd.DataFrame, name: str, reasons: Reasons) -> pd.Series:
    reasons.add(is_wrong(reports, name), f"{name} is not a number")
    return reports[name]


def _rejects(reasons: Reasons) -> pd.DataFrame:
    bad = reasons.series[reasons.bad]
    return pd.DataFrame({"position": bad.index, "reason": bad.array}).reset_index(drop=True)
