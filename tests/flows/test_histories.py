"""Random histories of learners, shown with passing zeros and gaps, come to what the rules say."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import pytest

from sandbox.clock import DAY_MS, HOUR_MS, MINUTE_MS
from sandbox.values import Json
from tasks.runtime.handed_in import Pacing
from tests.installation import Sync

LEARNERS, DAYS = 40, 6
#: What a row may look like for a day, though nothing of it is true.
PASSING: tuple[Json, ...] = (
    {"overallProgress": 0, "isCompleted": False, "completedAt": None},
    {"overallProgress": None},
    {"isCompleted": False, "completedAt": None},
)


@dataclass
class Attempt:
    """What an attempt has come to, by the rules."""

    percent: int = 0
    done_at: int | None = None


@dataclass
class History:
    """One learner at one course: the true rows by program, and what those that were shown add up to."""

    mail: str
    course: Json
    rows: dict[str, Json] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)

    def lives_on(self, sync: Sync, rng: Random) -> None:
        """A day passes."""
        for program in sync.sandbox.world.programs:
            if program["id"] in self.rows:
                self._goes_on(self.rows[program["id"]], sync.clock(), rng.random(), rng.randrange(1, 30))
            elif rng.random() < (0.1 if self.rows else 0.5):
                enrolled = {"enrolledAt": sync.clock() - HOUR_MS, "programId": program["id"]}
                self.rows[program["id"]] = sync.sandbox.enroll(self.mail, self.course, **enrolled)

    def _goes_on(self, row: Json, now_ms: int, chance: float, percent: int) -> None:
        moment = now_ms - MINUTE_MS
        if row["isCompleted"] and chance < 0.15:
            fresh = {"enrolledAt": now_ms - HOUR_MS // 2, "completedAt": None, "lastActivityAt": None}
            row |= fresh | {"isCompleted": False, "overallProgress": 0}
        elif not row["isCompleted"] and chance < 0.1:
            row |= {
                "isCompleted": True,
                "overallProgress": 100,
                "completedAt": moment,
                "lastActivityAt": moment,
            }
        elif not row["isCompleted"] and chance < 0.4:
            row |= {"overallProgress": min(99, row["overallProgress"] + percent), "lastActivityAt": moment}

    def shown(self, rng: Random) -> Iterator[Json]:
        """The rows as the reports have them today: now and then wrong, or missing."""
        for row in self.rows.values():
            if rng.random() > 0.05:
                yield row | (rng.choice(PASSING) if rng.random() < 0.2 else {})

    def saw(self, rows: list[Json]) -> None:
        """Rows were read. Completions come first: they decide what an enrollment is part of."""
        for row in sorted(rows, key=lambda row: (not row["isCompleted"], row["enrolledAt"])):
            attempt = self._attempt_of(row)
            if attempt.done_at is None:
                percent = 100 if row["isCompleted"] else min(99, row["overallProgress"] or 0)
                attempt.percent = max(attempt.percent, percent)
                attempt.done_at = row["completedAt"] if row["isCompleted"] else None

    def _attempt_of(self, row: Json) -> Attempt:
        first = min(row[name] for name in ("enrolledAt", "lastActivityAt", "completedAt") if row.get(name))
        for attempt in self.attempts:
            if attempt.done_at is None or attempt.done_at >= first:
                return attempt
        self.attempts.append(Attempt())
        return self.attempts[-1]

    @property
    def expected(self) -> list[tuple[str, int]]:
        """What 360Learning must hold."""
        begun = [attempt for attempt in self.attempts if attempt.percent]
        return [("open" if one.done_at is None else "completed", one.percent) for one in begun]


@pytest.fixture
def _in_small_pieces(sync: Sync) -> None:
    """A reading is cut into batches, files, parts and many operations."""
    sync.pacing = Pacing(batch_rows=10, held_rows=20, part_rows=20, operation_rows=5, least_rows=2)


@pytest.mark.usefixtures("_in_small_pieces")
def test_random_histories_read_in_full_and_in_small_pieces_come_to_what_the_rules_say(sync: Sync) -> None:
    _live_through(sync, full=True)


def test_random_histories_of_which_only_what_is_new_is_read_come_to_what_the_rules_say(sync: Sync) -> None:
    _live_through(sync, full=False)


@pytest.mark.long
@pytest.mark.usefixtures("_in_small_pieces")
def test_the_same_in_small_pieces(sync: Sync) -> None:
    _live_through(sync, full=False)


@pytest.mark.long
def test_the_same_in_full_and_in_one_piece(sync: Sync) -> None:
    _live_through(sync, full=True)


def _live_through(sync: Sync, *, full: bool) -> None:
    rng = Random(7)  # noqa: S311 - the same each time
    world = sync.sandbox.world
    world.add_program("Second")
    (course,) = sync.add_courses(1)
    sync.catalog()
    histories = [History(f"learner{number}@example.com", course) for number in range(LEARNERS)]
    for day in range(DAYS):
        for history in histories:
            history.lives_on(sync, rng)
        shown = [list(history.shown(rng)) for history in histories]
        since = 0 if full or day == 0 else sync.clock() - 3 * DAY_MS
        for history, rows in zip(histories, shown, strict=True):
            history.saw([row for row in rows if not since or (row.get("lastActivityAt") or 0) > since])
        world.reports[:] = [row for rows in shown for row in rows]
        assert sync.statistics(full=full).state == "completed"
        for history in histories:
            assert sync.attempts(history.mail, course["contentId"]) == history.expected, (day, history)
        sync.days_pass(1)
    assert any(len(history.expected) > 1 for history in histories)
