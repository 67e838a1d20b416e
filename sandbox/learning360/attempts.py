"""Attempts, and the documented rule of what a statistic does to them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sandbox.values import Json, iso

#: How an attempt came about. The platform does not show it; tests and the state do.
Origin = Literal["launch", "statistic"]


@dataclass(slots=True)
class Attempt:
    """One try of a learner at a course. Times are epoch milliseconds, `time_spent_ms` milliseconds."""

    id: str
    user_id: str
    course_id: str
    lang: str
    origin: Origin
    first_ms: int
    last_ms: int
    time_spent_ms: float
    progress: int
    completed_ms: int | None = None
    score: int | None = None
    path_id: str | None = None
    path_session_id: str | None = None

    @property
    def marked_ms(self) -> int:
        """The moment that a statistic's firstActivityAt is held against: completion, else last activity."""
        return self.last_ms if self.completed_ms is None else self.completed_ms

    def to_json(self) -> Json:
        """The attempt as `GET /courses/stats` shows it."""
        shown = {
            "_id": self.id,
            "versionNumber": 1,
            "lang": self.lang,
            "firstActivityAt": iso(self.first_ms),
            "lastActivityAt": iso(self.last_ms),
            "timeSpent": self.time_spent_ms,
            "progress": self.progress,
            "score": self.score,
            "completedAt": None if self.completed_ms is None else iso(self.completed_ms),
            "pathId": self.path_id,
            "pathSessionId": self.path_session_id,
            "courseId": self.course_id,
            "userId": self.user_id,
        }
        return {name: value for name, value in shown.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Statistic:
    """A valid row of a bulk import, its identifiers resolved. Times are epoch milliseconds."""

    user_id: str
    course_id: str
    lang: str
    progress: int
    time_spent_ms: float
    first_ms: int
    last_ms: int
    force_new: bool
    score: int | None


class Attempts:
    """All attempts in the order of their making, found by learner and course."""

    def __init__(self) -> None:
        self.all: list[Attempt] = []
        self._by_pair: defaultdict[tuple[str, str], list[Attempt]] = defaultdict(list)
        self._by_user: defaultdict[str, list[Attempt]] = defaultdict(list)
        self._by_course: defaultdict[str, list[Attempt]] = defaultdict(list)

    def add(self, attempt: Attempt) -> Attempt:
        """Records a new attempt."""
        self.all.append(attempt)
        self._by_pair[attempt.user_id, attempt.course_id].append(attempt)
        self._by_user[attempt.user_id].append(attempt)
        self._by_course[attempt.course_id].append(attempt)
        return attempt

    def of(self, user_id: str, course_id: str) -> list[Attempt]:
        """A learner's attempts at a course, oldest first."""
        return list(self._by_pair.get((user_id, course_id), ()))

    def of_users(self, user_ids: Iterable[str]) -> list[Attempt]:
        """The attempts of these learners."""
        return [attempt for user_id in dict.fromkeys(user_ids) for attempt in self._by_user.get(user_id, ())]

    def at_courses(self, course_ids: Iterable[str]) -> list[Attempt]:
        """The attempts at these courses."""
        return [
            attempt
            for course_id in dict.fromkeys(course_ids)
            for attempt in self._by_course.get(course_id, ())
        ]

    def is_completed(self, user_id: str, course_id: str) -> bool:
        """Whether any of a learner's attempts at a course is completed."""
        return any(
            attempt.completed_ms is not None for attempt in self._by_pair.get((user_id, course_id), ())
        )

    def record(self, row: Statistic, new_id: str) -> Attempt:
        """Does what the platform documents for a statistic; returns the attempt that the row ended up with.

        1. A new attempt, if it is forced, or there is none, or the row begins after all of them.
        2. Else the open attempts are updated that the row begins before.
        3. Else nothing changes; the latest attempt stands for the row.
        """
        existing = self._by_pair.get((row.user_id, row.course_id), [])
        if row.force_new or all(row.first_ms > attempt.marked_ms for attempt in existing):
            return self.add(_made_from(row, new_id))
        touched = [a for a in existing if a.completed_ms is None and row.first_ms < a.marked_ms]
        for attempt in touched:
            _update(attempt, row)
        return (touched or existing)[-1]


def _made_from(row: Statistic, new_id: str) -> Attempt:
    return Attempt(
        id=new_id,
        user_id=row.user_id,
        course_id=row.course_id,
        lang=row.lang,
        origin="statistic",
        first_ms=row.first_ms,
        last_ms=row.last_ms,
        time_spent_ms=row.time_spent_ms,
        progress=row.progress,
        completed_ms=_completion(row),
        score=row.score,
    )


def _update(attempt: Attempt, row: Statistic) -> None:
    attempt.first_ms = row.first_ms
    attempt.last_ms = row.last_ms
    attempt.time_spent_ms = row.time_spent_ms
    attempt.progress = row.progress
    attempt.score = attempt.score if row.score is None else row.score
    attempt.completed_ms = _completion(row)


def _completion(row: Statistic) -> int | None:
    """At 100 % the last activity is the completion."""
    return row.last_ms if row.progress == 100 else None  # noqa: PLR2004 -- percent
