"""How long a content takes: its own figure, or for a specialization the sum of its courses'."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tasks.transform.columns import Ignored
from tasks.transform.nested import distinct, entries, numbers, texts

_SECONDS_PER_MINUTE = 60
_MOST_SECONDS = 100_000 * 3600  # nothing takes longer: it is a date, or in another unit
_LONGEST_MINUTES = 100_000  # ExternalCourseDTO.duration: 1 to 100,000


def own_seconds(column: pd.Series, ignored: Ignored) -> pd.Series:
    """Take estimatedLearningTime in seconds (float64, NaN where absent, 0 or impossible)."""
    seconds = numbers(column, "estimatedLearningTime", ignored)
    ignored.add(seconds.lt(0), "estimatedLearningTime is negative")
    ignored.add(seconds.gt(_MOST_SECONDS), "estimatedLearningTime is longer than 100,000 hours")
    return seconds.where(seconds.gt(0) & seconds.le(_MOST_SECONDS))


def course_ids(column: pd.Series, needed: pd.Series, ignored: Ignored) -> pd.Series:
    """Take the external ids of a specialization's courses where they are needed for a sum.

    Returns one row for each course (str dtype), its index the specialization's row. Coursera writes an id as
    `Course~ID` or `ID`; one that is listed twice is one course.
    """
    found = entries(column[needed], "courseIds", ignored)
    ids = texts(found, "an entry of courseIds", ignored)
    return distinct(ids.str.replace(r"^[A-Za-z]+~", "", regex=True))


def sums(ids: pd.Series, courses: pd.DataFrame, known_seconds: Mapping[str, float]) -> pd.Series:
    """Add up the seconds of each specialization's courses (float64, NaN where one is unknown).

    `ids` comes from `course_ids`. `courses` (externalId, learning_seconds; one row for each id) goes before
    `known_seconds`, which stands for what was read earlier.
    """
    times = courses.set_index("externalId")["learning_seconds"].dropna()
    earlier = pd.Series(known_seconds, dtype="float64")
    seconds = ids.map(times).fillna(ids.map(earlier.where(np.isfinite(earlier) & earlier.gt(0))))
    totals: pd.Series[float] = seconds.astype("float64").groupby(level=0).sum(skipna=False)
    return totals


def minutes(seconds: pd.Series) -> pd.Series:
    """Whole minutes (Int64, NA where unknown), rounded down and held to the platform's 1 to 100,000."""
    whole: pd.Series = np.floor(seconds / _SECONDS_PER_MINUTE).clip(1, _LONGEST_MINUTES)
    return whole.astype("Int64")
