"""The backfill: a chosen window of last activity, month by month, again and again without harm."""

import pytest

from sandbox.clock import DAY_MS
from sandbox.values import Json
from tasks.transform.statistics.filters import digest_of
from tests.installation import Sync

ANN, BOB, CAT = "ann@example.com", "bob@example.com", "cat@example.com"


@pytest.fixture
def course(sync: Sync) -> Json:
    """A course on which three learners were last active 100, 40 and 5 days ago."""
    course = sync.sandbox.world.add_content("Machine Learning")
    assert sync.catalog().accepted == 1
    for mail, days in ((ANN, 100), (BOB, 40), (CAT, 5)):
        at = sync.clock() - days * DAY_MS
        sync.sandbox.enroll(mail, course, overallProgress=50, enrolledAt=at - DAY_MS, lastActivityAt=at)
    return course


def reached(sync: Sync, course: Json) -> set[str]:
    return {mail for mail in (ANN, BOB, CAT) if sync.attempts(mail, course["contentId"])}


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        pytest.param(None, None, {ANN, BOB, CAT}, id="no bounds: all"),
        pytest.param(50, None, {BOB, CAT}, id="from"),
        pytest.param(None, 50, {ANN}, id="to"),
        pytest.param(50, 10, {BOB}, id="from and to"),
        pytest.param(40, 5, {BOB}, id="from is in, to is not"),
    ],
)
def test_only_the_window_is_sent(
    sync: Sync, course: Json, since: float | None, until: float | None, expected: set[str]
) -> None:
    bounds = {
        name: sync.days_ago(days) for name, days in (("active_from", since), ("active_to", until)) if days
    }
    summary = sync.backfill(**bounds)
    assert (summary.extracted, summary.accepted) == (len(expected), len(expected))
    assert reached(sync, course) == expected


def test_it_can_be_repeated_and_overlap_without_harm(sync: Sync, course: Json) -> None:
    sync.backfill(active_from=sync.days_ago(50))
    again = sync.backfill()
    assert (again.accepted, again.unchanged) == (1, 2)
    assert sync.backfill().submitted == 0
    assert all(len(sync.attempts(mail, course["contentId"])) == 1 for mail in (ANN, BOB, CAT))


def test_the_watermark_stays(sync: Sync, course: Json) -> None:
    sync.statistics()
    before = sync.watermark("statistics")
    sync.days_pass(1)
    sync.backfill()
    assert sync.watermark("statistics") == before
    assert course


def test_a_dry_run_sends_nothing(sync: Sync, course: Json) -> None:
    summary = sync.backfill(dry_run=True)
    assert (summary.state, summary.submitted) == ("dry_run", 3)
    assert reached(sync, course) == set()


def test_only_chosen_learners(sync: Sync, course: Json) -> None:
    assert sync.backfill(learners=[digest_of(" Bob@Example.com ")]).extracted == 1
    assert reached(sync, course) == {BOB}


def test_only_chosen_programs(sync: Sync) -> None:
    world = sync.sandbox.world
    other = world.add_program("Another")
    first = world.add_content("First")
    second = world.add_content("Second")
    sync.catalog()
    sync.sandbox.enroll(ANN, first, overallProgress=10)
    sync.sandbox.enroll(BOB, second, overallProgress=10, programId=other["id"])
    assert sync.backfill(programs=[other["id"]]).accepted == 1
    assert sync.attempts(BOB, second["contentId"]) == [("open", 10)]
    assert sync.attempts(ANN, first["contentId"]) == []


def test_rows_of_one_course_stay_together_across_months(sync: Sync) -> None:
    world = sync.sandbox.world
    other = world.add_program("Another")
    course = world.add_content("Machine Learning")
    sync.catalog()
    done, later = sync.clock() - 70 * DAY_MS, sync.clock() - 5 * DAY_MS
    sync.sandbox.enroll(
        ANN, course, isCompleted=True, enrolledAt=done - DAY_MS, completedAt=done, lastActivityAt=done
    )
    sync.sandbox.enroll(
        ANN,
        course,
        programId=other["id"],
        overallProgress=20,
        enrolledAt=done - 30 * DAY_MS,
        lastActivityAt=later,
    )
    summary = sync.backfill()
    assert (summary.extracted, summary.merged, summary.accepted) == (2, 1, 1)
    (attempt,) = sync.sandbox.learning360.attempts_of(ANN, course["contentId"])
    assert attempt.first_ms == done - 30 * DAY_MS


def test_rejected_rows_are_tried_again_once(sync: Sync, course: Json) -> None:
    unknown = sync.sandbox.world.add_report("dan@example.com", course, overallProgress=10)
    assert sync.statistics().rejected == 1
    summary = sync.backfill(active_from=sync.days_ago(50))
    assert (summary.extracted, summary.rejected) == (3, 1)
    sync.sandbox.learning360.add_user(unknown["email"])
    assert sync.backfill(active_to=sync.days_ago(50)).accepted == 1
    assert sync.rejected("statistics") == {}


def test_an_empty_window_is_refused_before_anything_is_asked(sync: Sync) -> None:
    asked = len(sync.sandbox.log.entries)
    summary = sync.backfill(active_from=sync.days_ago(1), active_to=sync.days_ago(2))
    assert "--from must lie before --to" in str(summary.error)
    assert len(sync.sandbox.log.entries) == asked
