"""A machine's clock that is off: nothing is lost by it, and people are told."""

import pytest
from sqlalchemy import create_engine, update

from connectors.ledger.schema import watermarks
from sandbox.clock import DAY_MS, MINUTE_MS, SECOND_MS
from sandbox.values import Json
from tests.installation import Sync

ANN = "ann@example.com"
CLOCK = "This machine's clock is "


@pytest.fixture
def row(sync: Sync) -> Json:
    """A learner at 45 % of a course, which 360Learning knows."""
    (course,) = sync.add_courses(1)
    sync.catalog()
    row = sync.sandbox.enroll(ANN, course, overallProgress=45)
    assert sync.statistics().accepted == 1
    return row


def test_a_clock_that_was_ahead_for_one_run_makes_the_next_ones_miss_nothing(sync: Sync, row: Json) -> None:
    sync.ahead_ms = 30 * DAY_MS
    assert sync.statistics().state == "completed"
    sync.ahead_ms = 0
    row |= {"overallProgress": 60, "lastActivityAt": sync.clock() + DAY_MS}
    sync.days_pass(5)
    assert sync.statistics().accepted == 1
    assert sync.attempts(ANN, row["contentId"]) == [("open", 60)]


@pytest.mark.parametrize("run", ["statistics", "catalog"])
def test_the_watermark_is_set_by_courseras_clock(sync: Sync, row: Json, run: str) -> None:
    sync.ahead_ms = 30 * DAY_MS
    getattr(sync, run)()
    watermark = sync.watermark(run)
    assert watermark is not None
    assert abs(watermark - sync.clock()) < 5 * SECOND_MS
    assert row


@pytest.mark.parametrize("name", ["read_at", "read_in_full_at"])
def test_a_watermark_ahead_of_now_is_ignored_and_said(sync: Sync, row: Json, name: str) -> None:
    engine = create_engine(sync.ledger_url)
    with engine.begin() as db:
        db.execute(update(watermarks).values({name: sync.clock() + 30 * DAY_MS}))
    engine.dispose()
    row |= {"overallProgress": 60, "lastActivityAt": sync.clock() - 3 * DAY_MS}
    summary = sync.statistics()
    assert summary.accepted == 1
    assert [note for note in summary.notes if "watermark lies ahead" in note]
    assert "lastActivityAfter" not in sync.queries("enrollmentReports")[-1]
    assert not [note for note in sync.statistics().notes if "watermark" in note]


@pytest.mark.parametrize("run", ["catalog", "statistics", "setup", "reconcile"])
@pytest.mark.parametrize(("minutes", "told"), [(10, "10 minutes ahead"), (-10, "10 minutes behind")])
def test_a_clock_that_is_off_is_told_in_every_run(
    sync: Sync, row: Json, run: str, minutes: int, told: str
) -> None:
    sync.ahead_ms = minutes * MINUTE_MS
    (note,) = [note for note in getattr(sync, run)().notes if note.startswith(CLOCK)]
    assert note.startswith(f"{CLOCK}{told} of Coursera's and 360Learning's")
    assert row


@pytest.mark.parametrize("minutes", [-4, 0, 4])
def test_one_that_is_nearly_right_is_not(sync: Sync, row: Json, minutes: int) -> None:
    sync.ahead_ms = minutes * MINUTE_MS
    assert not [note for note in sync.statistics().notes if note.startswith(CLOCK)]
    assert row


def test_it_is_told_where_all_rows_are_rejected_for_it(sync: Sync, row: Json) -> None:
    sync.days_pass(1)
    row |= {"overallProgress": 60, "lastActivityAt": sync.clock() - MINUTE_MS}
    sync.ahead_ms = -60 * MINUTE_MS
    summary = sync.statistics()
    assert summary.rejected == 1
    assert [note for note in summary.notes if "dates" in note]
