"""Day after day of a changing world: the runs of each, and at its end what the oracle says."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from random import Random

import pytest

from sandbox.clock import DAY_MS, HOUR_MS, MANUAL_START_MS, MINUTE_MS
from tests.installation import Sync
from tests.soak import held
from tests.soak.disturbing import DISTURBANCES, Outcome
from tests.soak.oracle import Oracle, Row, Verdict
from tests.soak.world import Customer

MOST_LINES = 10
LAUNCHES = 3
#: Shares of the days: disturbed ones, and those of them that are put right on the same day.
DISTURBED, HEALED = 0.5, 0.5
#: The reports lag: a reading goes back so far behind the one before.
OVERLAP_MS = 48 * HOUR_MS


class Soak:
    """The days of one seed. `again` is what else stands in the command that lives them again.

    Each of the ``targets`` has all learners and courses.
    """

    def __init__(self, sync: Sync, seed: int, folder: Path, *, again: str, targets: int = 1) -> None:
        self._sync = sync
        self._targets = targets
        self._customer = Customer(sync.sandbox, seed)
        sync.sandbox.coursera.options.rotate_refresh_token = True
        self._folder = folder
        self._again = again
        self._oracle = Oracle()
        self._draw = Random()  # noqa: S311 - each day draws anew
        self._day, self._hour = 0, 0
        self._read_at = self._full_at = 0
        self._launches: held.Attempts = {}
        #: The days' disturbances, and how they went out.
        self.disturbed: list[str] = []
        #: Whether the last run but one has done all its work, so that the next one's counts are certain.
        self._is_whole = True

    def live(self, days: int) -> None:
        """From the first day to the last, which is put right in any case."""
        for day in range(days):
            self._begin(day)
            self._catalog()
            self._launch()
            is_disturbed = self._is_whole and day > 0 and self._draw.random() < DISTURBED
            if is_disturbed:
                self._disturbed_run()
            # A day that went wrong may end so: the next one puts it right, before rows count as settled.
            if self._is_whole or not is_disturbed or self._draw.random() < HEALED or day == days - 1:
                self._statistics(full=self._draw.random() < 0.1)
                self._something_else()
            assert self._sync.sandbox.log.errors == [], "\n".join(self._sync.sandbox.log.errors)

    def _begin(self, day: int) -> None:
        self._day, self._hour = day, -1
        self._draw = Random(f"{self._customer.seed}/{day}/runs")  # noqa: S311 - the same each time
        self._next_hour()
        self._sync.sandbox.coursera.options.page_cap = self._draw.choice((None, 23, 60))
        if day:
            self._customer.next_day()

    def _next_hour(self) -> None:
        """Each run begins at a time of its own, whatever the one before took."""
        self._hour += 1
        assert self._started_ms >= self._sync.clock(), "a run took more than an hour"
        self._sync.clock.set(self._started_ms)

    def _catalog(self) -> None:
        self._before_run()
        assert self._sync.catalog().state == "completed"

    def _launch(self) -> None:
        """Learners launch courses; what their launches leave behind is there to the end of the soak."""
        self._customer.launch(LAUNCHES)
        self._launches = held.launches_of(self._customer)

    def _disturbed_run(self) -> None:
        """A run that is disturbed, and what may be held after it."""
        self._before_run()
        disturbance = self._draw.choice(DISTURBANCES)
        before = self._oracle.copy()
        outcome = disturbance(self._sync, self._draw, self._folder)
        self.disturbed.append(f"day {self._day}: {disturbance.__name__}, {outcome.value}")
        self._after_disturbance()
        after = self._oracle.copy()
        self._read(after)
        if outcome is not Outcome.BROKEN:
            self._has_read(self._oracle)
        self._is_whole = outcome is Outcome.WHOLE
        name, found = disturbance.__name__, held.statistics_of(self._customer)
        if self._is_whole:
            self._require(name, held.differing(self._due(self._oracle), found))
        else:
            self._require(name, held.out_of_bounds(self._due(before), self._due(after), found))

    def _after_disturbance(self) -> None:
        """No disturbance any more; what the platform has taken it brings to its end, whoever sent it."""
        self._sync.sandbox.faults.clear()
        self._sync.clock.advance(ms=MINUTE_MS)
        self._sync.sandbox.learning360.operations.settle()

    def _statistics(self, *, full: bool) -> None:
        """An undisturbed run: whatever went wrong before, 360Learning then holds what it must hold."""
        self._before_run()
        summary = self._sync.statistics(full=full)
        expected = "completed_with_rejects" if summary.rejected else "completed"
        assert summary.state == expected, (self._day, summary.error, self.disturbed)
        since = self._since()
        if full or self._sync.clock() - self._full_at > 7 * DAY_MS + HOUR_MS:
            assert since is None, "all is to be read"
        verdict = self._has_read(self._oracle)
        self._require(
            "statistics", held.differing(self._due(self._oracle), held.statistics_of(self._customer))
        )
        told = Verdict(summary.accepted, summary.rejected)
        verdict = Verdict(verdict.accepted * self._targets, verdict.rejected * self._targets)
        if self._is_whole and told != verdict:
            self._fail("statistics", [f"counted {told}, to be counted {verdict}"])
        self._is_whole = True

    def _something_else(self) -> None:
        """What people do now and then; none of it may change what must be held."""
        what = self._draw.choice(
            (None, None, None, self._dry_run, self._backfill, self._reconcile, self._once_more)
        )
        if what is not None:
            self._before_run()
            what()
            name = what.__name__.strip("_")
            self._require(name, held.differing(self._due(self._oracle), held.statistics_of(self._customer)))

    def _dry_run(self) -> None:
        summary = self._sync.statistics(dry_run=True)
        assert (summary.state, summary.accepted) == ("dry_run", 0)

    def _backfill(self) -> None:
        first, last = sorted(self._draw.sample(range(1, 100), 2))
        now_ms = self._sync.clock()
        since, until = now_ms - last * DAY_MS, now_ms - first * DAY_MS
        self._sync.backfill(active_from=_moment(since), active_to=_moment(until))
        window = [row for row in self._customer.rows if since <= row.get("lastActivityAt", 0) < until]
        self._oracle.read(window, self._knows, in_full=False)

    def _reconcile(self) -> None:
        repair = self._draw.random() < 0.5
        summary = self._sync.reconcile(repair=repair)
        # It reads in full, and so finds rows that are back and too old for the daily run to see.
        repaired = self._oracle.copy()
        verdict = repaired.read(self._customer.rows, self._knows, in_full=False)
        assert summary.accepted == (verdict.accepted * self._targets if repair else 0)
        if repair:
            self._oracle.attempts = repaired.attempts

    def _once_more(self) -> None:
        summary = self._sync.statistics()
        assert summary.accepted == 0
        self._has_read(self._oracle)

    def _due(self, oracle: Oracle) -> held.Attempts:
        """What all targets must hold, as the oracle says."""
        return held.in_each(oracle.attempts, self._targets)

    def _before_run(self) -> None:
        self._next_hour()
        self._sync.sandbox.log.entries.clear()

    def _since(self) -> int | None:
        """From when on the last run has read; from when on it was to read, where it did not come to that."""
        asked = self._sync.queries("enrollmentReports")
        if asked and "lastActivityAfter" not in asked[-1]:
            return None
        due = self._read_at - OVERLAP_MS
        return min(due, int(asked[-1]["lastActivityAfter"])) if asked else due

    def _read(self, oracle: Oracle) -> Verdict:
        """The oracle is told the rows that the last run has read."""
        since = self._since()
        shown: Iterable[Row] = self._customer.rows
        if since is not None:
            shown = [row for row in shown if row.get("lastActivityAt", 0) > since]
        return oracle.read(shown, self._knows, in_full=since is None)

    def _has_read(self, oracle: Oracle) -> Verdict:
        """The same, of a run that is done: the next one begins from there."""
        verdict, started_ms = self._read(oracle), self._started_ms
        self._full_at = started_ms if self._since() is None else self._full_at
        self._read_at = started_ms
        return verdict

    @property
    def _started_ms(self) -> int:
        return MANUAL_START_MS + self._day * DAY_MS + self._hour * HOUR_MS

    def _knows(self, external_id: str) -> bool:
        return self._customer.person(external_id).is_known

    def _require(self, run: str, differences: Iterable[str]) -> None:
        """Nothing differs, of the launches neither; else say what, and how to see it again."""
        launches = held.differing(self._launches, held.launches_of(self._customer))
        found = list(islice(chain(differences, launches), MOST_LINES))
        if found:
            self._fail(run, found)

    def _fail(self, run: str, found: list[str]) -> None:
        where = f"seed {self._customer.seed}, day {self._day}, after {run}:"
        days = self._day + 1
        again = f"again: python -m tests.soak --seeds {self._customer.seed} --days {days}{self._again}"
        pytest.fail("\n".join([where, *found, again, "until then:", *self.disturbed]))


def _moment(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)
