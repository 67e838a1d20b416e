"""Progress goes out while the reading goes on, in small pieces here, and comes to the same in the end."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.clock import DAY_MS
from sandbox.values import Json
from tests.installation import Sync

ANN = "ann@example.com"


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page is mapped at once, every two attempts fill an operation, and little fits into memory."""
    monkeypatch.setattr("tasks.statistics.intake.BATCH", 2)
    monkeypatch.setattr("tasks.load.operations.StatisticImport.max_rows", 2)
    monkeypatch.setattr("tasks.statistics.spool.ROWS_AT_ONCE", 3)


@pytest.fixture
def course(sync: Sync) -> Json:
    (course,) = sync.add_courses(1)
    sync.sandbox.world.add_program("Second")
    sync.catalog()
    sync.sandbox.coursera.options.page_cap = 2
    return course


def learners(count: int) -> list[str]:
    return [f"learner{number}@example.com" for number in range(count)]


def row(
    sync: Sync, mail: str, course: Json, days_ago: int, *, second: bool = False, **fields: object
) -> Json:
    """An enrollment of so many days ago, through the first program or the second."""
    enrolled_at = sync.clock() - days_ago * DAY_MS
    program = sync.sandbox.world.programs[int(second)]["id"]
    return sync.sandbox.enroll(mail, course, enrolledAt=enrolled_at, programId=program, **fields)


def moving(sync: Sync, days_ago: int, percent: int, hours: float = 2.0) -> Json:
    """Progress, with activity an hour after the enrollment."""
    active_at = sync.clock() - days_ago * DAY_MS + 3_600_000
    return {"overallProgress": percent, "lastActivityAt": active_at, "approxTotalCourseHrs": hours}


def done(sync: Sync, days_ago: int, hours: float = 2.0) -> Json:
    """A completion an hour after the enrollment."""
    at = sync.clock() - days_ago * DAY_MS + 3_600_000
    return {
        "overallProgress": 100,
        "isCompleted": True,
        "completedAt": at,
        "lastActivityAt": at,
        "approxTotalCourseHrs": hours,
    }


def times_spent(sync: Sync, mail: str, course: Json) -> list[tuple[int | None, float]]:
    """A learner's attempts by their beginning: when they were completed, and the time spent."""
    attempts = sync.sandbox.learning360.attempts_of(mail, course["contentId"])
    return [(one.completed_ms, one.time_spent_ms) for one in sorted(attempts, key=lambda one: one.first_ms)]


# Every two attempts fill an operation; or half of one does not wait for the rest, while a slot is idle.
@pytest.mark.parametrize("operation_rows", [2, 40])
def test_open_attempts_go_out_before_the_reading_has_ended(
    sync: Sync, course: Json, monkeypatch: pytest.MonkeyPatch, operation_rows: int
) -> None:
    from tasks.load.dispatcher import Outbox  # noqa: PLC0415
    from tasks.statistics.intake import Intake  # noqa: PLC0415 - Prefect is prepared by then

    told: list[str] = []
    monkeypatch.setattr(Outbox, "add", noting(told, "sent", Outbox.add))
    monkeypatch.setattr(Intake, "take", noting(told, "page", Intake.take))
    monkeypatch.setattr("tasks.load.operations.StatisticImport.max_rows", operation_rows)
    for mail in learners(40):
        row(sync, mail, course, 9, **moving(sync, 9, 30))
    summary = sync.statistics()
    assert (summary.extracted, summary.accepted) == (40, 40)
    assert "page" in told[told.index("sent") :]
    assert {type(one[name]) for one in sync.sent() for name in ("progress", "timeSpent")} == {int}


def test_what_waits_for_a_slot_goes_out_with_the_next_page_once_one_is_idle(
    sync: Sync, course: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.load.dispatcher import Outbox  # noqa: PLC0415
    from tasks.statistics.ahead import Ahead  # noqa: PLC0415 - Prefect is prepared by then
    from tasks.statistics.intake import Intake  # noqa: PLC0415

    told: list[str] = []
    monkeypatch.setattr(Outbox, "add", noting(told, "sent", Outbox.add))
    monkeypatch.setattr(Intake, "take", noting(told, "page", Intake.take))
    monkeypatch.setattr(Ahead, "send", noting(told, "mapped", Ahead.send))
    monkeypatch.setattr("tasks.statistics.intake.BATCH", 6)
    # All slots are busy while a batch, of three pages, comes: then more rows are worth waiting for.
    monkeypatch.setattr(Outbox, "enough", property(lambda _: 1 if told.count("page") > 3 else 100))
    for mail in learners(10):
        row(sync, mail, course, 9, **moving(sync, 9, 30))
    assert sync.statistics().accepted == 10
    assert told[:6] == ["page", "page", "page", "mapped", "page", "sent"]


def noting(told: list[str], what: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, which says that it was called."""

    async def noted(*arguments: Any) -> Any:
        told.append(what)
        return await method(*arguments)

    return noted


def test_completions_wait_until_all_is_read(sync: Sync, course: Json) -> None:
    for mail in learners(6):
        row(sync, mail, course, 9, **done(sync, 9))
    assert sync.statistics().accepted == 6
    entries = [(entry.method, entry.path) for entry in sync.sandbox.log.entries]
    last_page = max(at for at, (_, path) in enumerate(entries) if "enrollmentReports" in path)
    first = min(at for at, (method, path) in enumerate(entries) if (method, path[-6:]) == ("POST", "/stats"))
    assert last_page < first


@pytest.mark.parametrize("late", ["the further one", "the completed one", "one without activity"])
def test_what_a_later_page_adds_mends_what_went_ahead(sync: Sync, course: Json, late: str) -> None:
    others = learners(9)
    row(sync, ANN, course, 9, **moving(sync, 9, 30))
    for mail in others:
        row(sync, mail, course, 9, **moving(sync, 9, 20))
    later = {
        "the further one": moving(sync, 8, 70),
        "the completed one": done(sync, 8),
        "one without activity": {},
    }[late]
    last = row(sync, ANN, course, 12, second=True, **later)
    sync.statistics()
    expected = {
        "the further one": ("open", 70),
        "the completed one": ("completed", 100),
        "one without activity": ("open", 30),
    }[late]
    assert sync.attempts(ANN, course["contentId"]) == [expected]
    (attempt,) = sync.sandbox.learning360.attempts_of(ANN, course["contentId"])
    assert attempt.first_ms == last["enrolledAt"]
    assert sync.statistics(full=True).accepted == 0


@pytest.mark.parametrize("completed_first", [True, False], ids=["completion first", "second attempt first"])
def test_the_order_of_pages_does_not_say_which_attempt_is_the_first(
    sync: Sync,
    course: Json,
    completed_first: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    old = row(sync, ANN, course, 90, **done(sync, 90, hours=5))
    new = row(sync, ANN, course, 5, second=True, **moving(sync, 5, 40, hours=1))
    for mail in learners(9):
        row(sync, mail, course, 9, **moving(sync, 9, 20))
    others = sync.sandbox.world.reports[2:]
    first, last = (old, new) if completed_first else (new, old)
    sync.sandbox.world.reports[:] = [first, *others, last]
    sync.statistics()
    assert times_spent(sync, ANN, course) == [(old["completedAt"], 5 * 3_600_000), (None, 1)]
    numbers = {(one["number"], one["completed"]) for one in sync.ledger("attempts") if one["learner"] == ANN}
    assert numbers == {(1, True), (2, False)}
    assert sync.statistics(full=True).accepted == 0


def test_who_is_refused_ahead_is_put_aside_once_and_arrives_when_known(sync: Sync, course: Json) -> None:
    stranger = sync.sandbox.world.add_report("stranger@example.com", course, **moving(sync, 9, 30))
    row_count = 9
    for mail in learners(row_count):
        row(sync, mail, course, 9, **moving(sync, 9, 20))
    sync.sandbox.world.reports.append(
        stranger | {"id": "another", "programId": sync.sandbox.world.programs[1]["id"], "overallProgress": 60}
    )
    summary = sync.statistics()
    assert (summary.accepted, summary.rejected) == (row_count, 1)
    sync.sandbox.learning360.add_user("stranger@example.com")
    assert sync.statistics().accepted == 1
    assert sync.attempts("stranger@example.com", course["contentId"]) == [("open", 60)]


@pytest.mark.parametrize("shift", ["appear", "vanish"])
def test_a_listing_that_is_read_again_sends_nothing_twice(sync: Sync, course: Json, shift: str) -> None:
    for mail in learners(9):
        row(sync, mail, course, 9, **moving(sync, 9, 20))
    options = sync.sandbox.coursera.options
    options.shifting, options.shifting_readings = shift, 1  # type: ignore[assignment]
    assert sync.statistics().accepted == 9
    for mail in learners(9):
        assert sync.attempts(mail, course["contentId"]) == [("open", 20)]


def test_a_dry_run_sends_nothing_ahead(sync: Sync, course: Json) -> None:
    for mail in learners(6):
        row(sync, mail, course, 9, **moving(sync, 9, 20))
    assert sync.statistics(dry_run=True).submitted == 6
    assert sync.requests("POST", "/stats") == 0
