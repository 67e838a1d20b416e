"""Says what 360Learning must hold of every learner's course, from the rows that runs have read.

It shares no code with the product, nor with what stands in for the platforms: it says the rules of the README
once more, for one learner's course at a time and without a thought of speed. A person is told by Coursera's
externalId here, so that addresses do not matter.
"""

import copy
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

Row = dict[str, Any]
#: A person and a course.
Key = tuple[str, str]

MS_PER_HOUR = 3_600_000
WHOLE = 100


@dataclass(frozen=True)
class State:
    """What an attempt shows, or a row stands for. Times are epoch milliseconds."""

    first_ms: int
    last_ms: int
    progress: int
    completed: bool
    spent_ms: int

    @property
    def rank(self) -> tuple[bool, int, int, int]:
        """Which of several speaks for their attempt: the greatest."""
        return self.completed, self.progress, self.last_ms, self.spent_ms


@dataclass(frozen=True)
class Verdict:
    """What a run must count: statistics that are accepted, rows and statistics that are rejected."""

    accepted: int
    rejected: int


class Oracle:
    """Follows the runs: each good one is told to it as the rows that it read."""

    def __init__(self) -> None:
        #: The attempts that came of statistics, in the order of their making.
        self.attempts: dict[Key, list[State]] = {}
        #: The rows that cannot be mapped, by their ids.
        self.aside: set[str] = set()
        self._rows: defaultdict[Key, dict[str, State]] = defaultdict(dict)
        #: What a complete reading has missed is not tried again before it is shown again.
        self._missed: set[Key] = set()

    def copy(self) -> "Oracle":
        """Another one that knows the same, to ask what would be."""
        return copy.deepcopy(self)

    def read(self, rows: Iterable[Row], is_known: Callable[[str], bool], *, in_full: bool) -> Verdict:
        """A run has read these rows; `is_known` tells whether 360Learning knows a person."""
        shown = list(rows)
        if in_full:
            self.aside &= {row["id"] for row in shown}
            self._missed = set(self._rows)
        for row in shown:
            self._take(row)
        accepted = rejected = 0
        for key in self._rows.keys() - self._missed:
            before = self.attempts.get(key, [])
            after = _attempts(self._rows[key].values(), before)
            news = sum(one not in before for one in after)
            if is_known(key[0]):
                self.attempts[key] = after
                accepted += news
            else:
                rejected += news
        return Verdict(accepted, rejected + len(self.aside))

    def _take(self, row: Row) -> None:
        if isinstance(row["overallProgress"], str):
            self.aside.add(row["id"])
            return
        self.aside.discard(row["id"])
        key = row["externalId"], row["contentId"]
        self._missed.discard(key)
        self._rows[key][row["programId"]] = _state(row)


def _state(row: Row) -> State:
    """What one row stands for."""
    dates = [row[name] for name in ("enrolledAt", "lastActivityAt", "completedAt") if row.get(name)]
    last = row.get("lastActivityAt") or row["enrolledAt"]
    if row["isCompleted"]:
        last = row.get("completedAt") or last
    spent = max(1, round((row.get("approxTotalCourseHrs") or 0) * MS_PER_HOUR))
    return State(min(dates), last, _percent(row), row["isCompleted"], spent)


def _percent(row: Row) -> int:
    """100 exactly when completed, 1 to 99 once begun, else 0."""
    if row["isCompleted"]:
        return WHOLE
    percent = row["overallProgress"] or 0
    return min(WHOLE - 1, max(1, math.floor(percent))) if percent > 0 else 0


def _attempts(rows: Collection[State], held: list[State]) -> list[State]:
    """The attempts of one learner's course: what was held, moved forward by the rows."""
    attempts = list(held)
    for group in _between_completions([*rows, *held]):
        known = next((number for number, one in enumerate(attempts) if one in group and one in held), None)
        number = len(attempts) if known is None else known
        merged = _merged(group, is_first=number == 0)
        if known is None and merged.progress > 0:
            attempts.append(merged)
        elif known is not None and not attempts[known].completed:
            attempts[known] = merged
    return attempts


def _between_completions(states: list[State]) -> list[list[State]]:
    """What begins after the earliest completion is another attempt, and so on with what is left."""
    done = min((one.last_ms for one in states if one.completed), default=None)
    later = [one for one in states if done is not None and one.first_ms > done]
    group = [one for one in states if one not in later]
    return [group, *_between_completions(later)] if later else [group]


def _merged(group: list[State], *, is_first: bool) -> State:
    best = max(group, key=lambda one: one.rank)
    first = min(one.first_ms for one in group)
    last = min((one.last_ms for one in group if one.completed), default=best.last_ms)
    return replace(
        best,
        first_ms=first,
        last_ms=max(last, first + 1),
        spent_ms=best.spent_ms if is_first else 1,
    )
