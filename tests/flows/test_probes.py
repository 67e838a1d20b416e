"""`setup --probe`: what the contracts leave open is found out by reading alone."""

import pytest

from sandbox.clock import DAY_MS
from tests.installation import Sync

DATES, FILTER, IDS, TOTAL, LAUNCH, SENT, REVIVE = range(7)
ANN = "ann@example.com"


def answers(sync: Sync) -> list[str]:
    """What `setup --probe` says, question by question; it has written nothing."""
    sync.setup()
    before = sync.platform()
    summary = sync.setup(probe=True)
    assert (summary.state, len(summary.notes)) == ("completed", 7)
    assert sync.platform() == before
    return [note.partition("? ")[2] for note in summary.notes]


@pytest.fixture
def used(sync: Sync) -> Sync:
    """An installation in use: progress was sent, and a learner has launched a course."""
    first, second = sync.add_courses(2)
    sync.catalog()
    sync.sandbox.enroll(ANN, first, overallProgress=40)
    sync.sandbox.enroll(ANN, second)
    sync.statistics()
    sync.sandbox.learning360.launch(ANN, second["contentId"])
    return sync


def test_before_anything_was_sent_most_is_not_seen_yet(sync: Sync) -> None:
    told = answers(sync)
    assert [one.startswith("Not seen yet: ") for one in told] == [True, True, True, False, True, True, True]


def test_all_that_was_assumed_is_seen_to_hold(used: Sync) -> None:
    told = answers(used)
    assert [one.split(":")[0] for one in told] == ["Yes"] * 4 + ["Not seen yet", "Yes", "Not seen yet"]
    assert ANN not in str(told)


def test_a_launch_is_seen_on_a_course_that_progress_was_sent_of(used: Sync) -> None:
    (course,) = {row["course"] for row in used.ledger("attempts")}
    used.sandbox.learning360.launch(ANN, course)
    assert answers(used)[LAUNCH] == "Yes: 0 of 1 attempts at 0 % are open"
    attempts = used.sandbox.learning360.attempts_of(ANN, course)
    attempts[-1].completed_ms = None
    assert answers(used)[LAUNCH] == "No: 1 of 1 attempts at 0 % are open"


def test_dates_in_seconds_are_noticed(used: Sync) -> None:
    for row in used.sandbox.world.reports:
        row["enrolledAt"] //= 1000
    assert answers(used)[DATES].startswith("No: 2 of ")


def test_a_filter_in_other_units_is_noticed(used: Sync) -> None:
    rows = [{**row, "lastActivityAt": used.clock() - 9 * DAY_MS} for row in used.sandbox.world.reports]
    page = {"elements": rows, "paging": {"total": len(rows)}}
    used.sandbox.faults.add("answer", path="/enrollmentReports", status=200, body=page)
    assert answers(used)[FILTER].startswith("No: ")


def test_a_total_that_is_wrong_is_noticed(used: Sync) -> None:
    used.sandbox.coursera.options.wrong_total = 3
    assert answers(used)[TOTAL] == "No: 2 different rows were read of a listing of 5"


def test_attempts_that_stand_otherwise_are_noticed(used: Sync) -> None:
    (row,) = used.ledger("attempts")
    (attempt,) = used.sandbox.learning360.attempts_of(ANN, row["course"])
    attempt.time_spent_ms += 1
    assert "1 differ in time_spent" in answers(used)[SENT]


@pytest.mark.parametrize(("revives", "said"), [(True, "Yes: 1 courses"), (False, "No: 1 courses")])
def test_whether_an_archived_course_came_back_is_noticed(
    used: Sync,
    monkeypatch: pytest.MonkeyPatch,
    revives: bool,  # noqa: FBT001 - a parameter of the table
    said: str,
) -> None:
    for name, value in (("REMOVED", "true"), ("GRACE", "1"), ("LIMIT", "1")):
        monkeypatch.setenv(f"SYNC_ARCHIVE_{name}", value)
    used.sandbox.learning360.options.upsert_revives = revives
    gone = used.sandbox.world.contents.pop()
    assert used.catalog().archived == 1
    assert used.restore(gone["contentId"]).accepted == 1
    assert answers(used)[REVIVE].startswith(said)


def test_without_the_scopes_it_is_said_and_the_rest_is_found_out(used: Sync) -> None:
    used.sandbox.learning360.client.scopes -= {"courseStats:read", "courses:read", "users:read"}
    used.setup()
    notes = used.setup(probe=True).notes[-7:]
    assert [("a scope is not granted" in one) for one in notes] == [False] * 4 + [True] * 3
