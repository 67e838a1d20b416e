"""`statistics`: the launch rule, and one attempt a learner and course that only goes forward."""

from typing import Any

import pytest

from sandbox.clock import DAY_MS, HOUR_MS
from sandbox.values import Json, iso
from tests.installation import Sync

ANN = "ann@example.com"
COMPLETED_AT_0 = ("completed", 0)


@pytest.fixture
def course(sync: Sync) -> Json:
    """A course that 360Learning has."""
    (made,) = sync.add_courses(1)
    sync.catalog()
    return made


def goes_on(sync: Sync, row: Json, percent: float, **fields: Any) -> None:
    """An hour later the learner has come to this percentage."""
    sync.days_pass(1 / 24)
    row.update(
        {"overallProgress": percent, "lastActivityAt": sync.clock(), "updatedAt": sync.clock()} | fields
    )


def completes(sync: Sync, row: Json, **fields: Any) -> None:
    """An hour later the learner has completed the course."""
    goes_on(sync, row, 100, isCompleted=True, completedAt=sync.clock() + HOUR_MS, **fields)


def in_second_program(sync: Sync, course: Json, **fields: Any) -> Json:
    """The learner holds the course through another program too; returns that row."""
    program = sync.sandbox.world.add_program("Second")
    return sync.sandbox.enroll(ANN, course, programId=program["id"], **fields)


def test_without_any_report_there_is_nothing_to_do(sync: Sync) -> None:
    summary = sync.statistics()
    assert (summary.state, summary.extracted, summary.submitted) == ("completed", 0, 0)
    sync.days_pass(1)
    assert sync.statistics().state == "completed"


@pytest.mark.parametrize(
    "fields",
    [{}, {"overallProgress": None}, {"overallProgress": 0, "lastActivityAt": 1_768_400_000_000}],
    ids=["no activity", "no progress given", "0 % with an activity date"],
)
def test_a_row_without_progress_is_held(sync: Sync, course: Json, fields: dict[str, object]) -> None:
    sync.sandbox.enroll(ANN, course, **fields)
    for _ in range(2):
        summary = sync.statistics(full=True)
        assert (summary.extracted, summary.held, summary.submitted) == (1, 1, 0)
    assert sync.attempts(ANN, course["contentId"]) == []
    assert sync.requests("POST", "/stats") == 0


def test_a_held_row_leaves_the_launch_as_it_is(sync: Sync, course: Json) -> None:
    sync.sandbox.enroll(ANN, course)
    sync.sandbox.learning360.launch(ANN, course["contentId"])
    sync.statistics()
    assert sync.attempts(ANN, course["contentId"]) == [COMPLETED_AT_0]


@pytest.mark.parametrize("enrolled_after_ms", [-DAY_MS, HOUR_MS], ids=["before", "after"])
def test_the_first_activity_opens_an_attempt_beside_the_launch(
    sync: Sync, course: Json, enrolled_after_ms: int
) -> None:
    row = sync.sandbox.enroll(ANN, course, enrolledAt=sync.clock() + enrolled_after_ms)
    sync.sandbox.learning360.launch(ANN, course["contentId"])
    sync.days_pass(1)
    assert sync.statistics().held == 1
    goes_on(sync, row, 0.5)
    assert sync.statistics().accepted == 1
    assert sync.sent()[0]["forceNew"] is True
    assert sync.attempts(ANN, course["contentId"]) == [COMPLETED_AT_0, ("open", 1)]


def test_updates_go_without_force_new_and_change_the_same_attempt(sync: Sync, course: Json) -> None:
    row = sync.sandbox.enroll(ANN, course, overallProgress=10)
    sync.sandbox.learning360.launch(ANN, course["contentId"])
    sync.statistics()
    for percent in (45, 60.9):
        goes_on(sync, row, percent)
        assert sync.statistics().accepted == 1
        assert "forceNew" not in sync.sent()[0]
    assert sync.attempts(ANN, course["contentId"]) == [COMPLETED_AT_0, ("open", 60)]


def test_a_launch_in_between_does_not_catch_the_updates(sync: Sync, course: Json) -> None:
    row = sync.sandbox.enroll(ANN, course, overallProgress=10)
    sync.statistics()
    sync.sandbox.learning360.launch(ANN, course["contentId"])
    goes_on(sync, row, 20)
    sync.statistics()
    assert sync.attempts(ANN, course["contentId"]) == [("open", 20), COMPLETED_AT_0]


def test_a_completion_completes_the_attempt_at_its_own_time(sync: Sync, course: Json) -> None:
    row = sync.sandbox.enroll(ANN, course, overallProgress=10)
    sync.statistics()
    completes(sync, row)
    done_at, row["lastActivityAt"] = row["completedAt"], sync.clock() + HOUR_MS
    sync.days_pass(1)
    sync.statistics()
    assert (sync.sent()[0]["progress"], sync.sent()[0]["lastActivityAt"]) == (100, iso(done_at))
    (attempt,) = sync.sandbox.learning360.attempts_of(ANN, course["contentId"])
    assert (attempt.completed_ms, attempt.last_ms, attempt.progress) == (done_at, done_at, 100)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"overallProgress": 37, "isCompleted": True}, ("completed", 100)),
        ({"overallProgress": 100}, ("open", 99)),
        ({"overallProgress": 99.9}, ("open", 99)),
        ({"isCompleted": True, "completedAt": None, "lastActivityAt": None}, ("completed", 100)),
    ],
    ids=["completed at 37 %", "100 % and not completed", "99.9 %", "completed without a date"],
)
def test_is_completed_is_the_authority(
    sync: Sync, course: Json, fields: dict[str, object], expected: tuple[str, int]
) -> None:
    sync.sandbox.enroll(ANN, course, **fields)
    sync.statistics()
    assert sync.attempts(ANN, course["contentId"]) == [expected]


def test_a_completed_attempt_is_closed(sync: Sync, course: Json) -> None:
    row = sync.sandbox.enroll(ANN, course, isCompleted=True)
    sync.statistics()
    goes_on(sync, row, 100, grade=0.99, completedAt=sync.clock(), approxTotalCourseHrs=12)
    assert sync.statistics().unchanged == 1
    assert sync.requests("POST", "/stats") == 1


@pytest.mark.parametrize(
    "passing",
    [
        {"overallProgress": 0},
        {"overallProgress": None},
        {"overallProgress": 0, "lastActivityAt": None},
        {"overallProgress": 20},
        {"enrolledAt": 1_768_460_000_000},
    ],
    ids=["zero", "nothing", "neither progress nor a date", "less", "a later enrollment"],
)
def test_an_attempt_never_goes_back(sync: Sync, course: Json, passing: dict[str, object]) -> None:
    row = sync.sandbox.enroll(ANN, course, overallProgress=45)
    sync.statistics()
    (before,) = sync.platform()["attempts"]
    good = dict(row)
    row.update(passing)
    summary = sync.statistics(full=True)
    assert (summary.extracted, summary.unchanged) == (1, 1)
    assert sync.platform()["attempts"] == [before]
    row.update(good)
    goes_on(sync, row, 50)
    assert sync.statistics().accepted == 1
    assert sync.attempts(ANN, course["contentId"]) == [("open", 50)]


def test_a_completion_is_never_taken_back(sync: Sync, course: Json) -> None:
    row = sync.sandbox.enroll(ANN, course, isCompleted=True)
    sync.statistics()
    row.update(isCompleted=False, overallProgress=80, completedAt=None)
    assert sync.statistics(full=True).unchanged == 1
    assert sync.attempts(ANN, course["contentId"]) == [("completed", 100)]


def test_a_row_that_is_missing_changes_nothing(sync: Sync, course: Json) -> None:
    row = sync.sandbox.enroll(ANN, course, overallProgress=45)
    sync.statistics()
    sync.sandbox.world.reports.clear()
    assert sync.statistics(full=True).extracted == 0
    sync.sandbox.world.reports.append(row)
    assert sync.statistics(full=True).unchanged == 1
    assert sync.attempts(ANN, course["contentId"]) == [("open", 45)]


@pytest.mark.parametrize("turned", [False, True], ids=["first program first", "second program first"])
def test_the_rows_of_two_programs_on_two_pages_are_one_attempt(
    sync: Sync,
    course: Json,
    turned: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    first = sync.sandbox.enroll(ANN, course, overallProgress=45)
    first["enrolledAt"] -= DAY_MS
    in_second_program(sync, course, overallProgress=60)
    if turned:
        sync.sandbox.world.reports.reverse()
    sync.sandbox.coursera.options.page_cap = 1
    summary = sync.statistics()
    assert (summary.extracted, summary.merged, summary.accepted) == (2, 1, 1)
    assert sync.attempts(ANN, course["contentId"]) == [("open", 60)]
    assert sync.sent()[0]["firstActivityAt"] == iso(first["enrolledAt"])


@pytest.mark.parametrize(
    ("percent", "accepted", "expected"), [(60, 1, 60), (30, 0, 45)], ids=["further on", "not as far"]
)
def test_a_second_program_that_shows_later_is_merged_with_what_is_known(
    sync: Sync, course: Json, percent: int, accepted: int, expected: int
) -> None:
    sync.sandbox.enroll(ANN, course, overallProgress=45, lastActivityAt=sync.clock() - 5 * DAY_MS)
    sync.statistics()
    sync.days_pass(4)
    in_second_program(sync, course, overallProgress=percent, lastActivityAt=sync.clock())
    summary = sync.statistics()
    assert (summary.extracted, summary.accepted, summary.unchanged) == (1, accepted, 1 - accepted)
    assert sync.attempts(ANN, course["contentId"]) == [("open", expected)]


def test_a_second_program_is_part_of_an_attempt_that_was_completed_after_it_began(
    sync: Sync, course: Json
) -> None:
    sync.sandbox.enroll(ANN, course, isCompleted=True)
    sync.statistics()
    in_second_program(sync, course, overallProgress=10, lastActivityAt=sync.clock())
    summary = sync.statistics()
    assert (summary.extracted, summary.merged, summary.unchanged) == (2, 1, 1)
    assert sync.attempts(ANN, course["contentId"]) == [("completed", 100)]


def test_a_completion_through_either_program_completes_the_attempt(sync: Sync, course: Json) -> None:
    long_ago = sync.clock() - 5 * DAY_MS
    sync.sandbox.enroll(ANN, course, overallProgress=45, lastActivityAt=long_ago)
    other = in_second_program(sync, course, overallProgress=30, lastActivityAt=long_ago)
    sync.statistics()
    sync.days_pass(4)
    completes(sync, other)
    assert sync.statistics().extracted == 1
    assert sync.attempts(ANN, course["contentId"]) == [("completed", 100)]


@pytest.mark.parametrize("same_program", [True, False], ids=["same program", "another program"])
def test_an_enrollment_after_the_completion_is_a_second_attempt(
    sync: Sync,
    course: Json,
    same_program: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    row = sync.sandbox.enroll(ANN, course, isCompleted=True, approxTotalCourseHrs=2.5)
    sync.statistics()
    sync.days_pass(3)
    again = row if same_program else in_second_program(sync, course)
    again.update(isCompleted=False, completedAt=None, enrolledAt=sync.clock(), approxTotalCourseHrs=1)
    goes_on(sync, again, 10)
    assert sync.statistics().accepted == 1
    goes_on(sync, again, 30)
    assert sync.statistics().accepted == 1
    completes(sync, again)
    assert sync.statistics().accepted == 1
    assert sync.attempts(ANN, course["contentId"]) == [("completed", 100), ("completed", 100)]
    attempts = sync.sandbox.learning360.attempts_of(ANN, course["contentId"])
    assert [one.time_spent_ms for one in attempts] == [2.5 * HOUR_MS, 1]


def test_an_enrollment_after_the_completion_without_activity_is_held(sync: Sync, course: Json) -> None:
    sync.sandbox.enroll(ANN, course, isCompleted=True)
    sync.statistics()
    in_second_program(sync, course, enrolledAt=sync.clock())
    summary = sync.statistics(full=True)
    assert (summary.held, summary.unchanged) == (1, 1)
    assert sync.attempts(ANN, course["contentId"]) == [("completed", 100)]


def test_time_spent_is_the_first_recorded_attempts_whatever_was_launched(sync: Sync, course: Json) -> None:
    sync.sandbox.learning360.add_user(ANN)
    sync.sandbox.learning360.launch(ANN, course["contentId"])
    sync.sandbox.enroll(ANN, course, overallProgress=10, approxTotalCourseHrs=1.5)
    sync.statistics()
    assert sync.sent()[0]["timeSpent"] == 1.5 * HOUR_MS


def test_an_address_that_changed_moves_the_attempts(sync: Sync, course: Json) -> None:
    row = sync.sandbox.enroll(ANN, course, externalId="emp-1", overallProgress=45)
    sync.statistics()
    sync.sandbox.learning360.change_mail(ANN, "ann.new@example.com")
    row["email"] = "ann.new@example.com"
    goes_on(sync, row, 60)
    summary = sync.statistics()
    assert (summary.accepted, summary.rejected) == (1, 0)
    assert summary.notes == ["Learners moved to their new address, with their attempts: 1"]
    assert sync.attempts("ann.new@example.com", course["contentId"]) == [("open", 60)]
    assert {row["learner"] for row in sync.ledger("attempts")} == {"ann.new@example.com"}


def test_a_learner_is_the_address_in_any_case_or_the_external_id(sync: Sync, course: Json) -> None:
    sync.sandbox.enroll(ANN, course, overallProgress=10, email="  Ann@Example.COM ")
    row = sync.sandbox.enroll("bob@example.com", course, overallProgress=20)
    del row["email"]
    assert sync.statistics().accepted == 2
    assert sync.attempts("bob@example.com", course["contentId"]) == [("open", 20)]


@pytest.mark.parametrize(
    ("setting", "fields", "expected"),
    [
        ("true", {"isCompleted": True, "grade": 0.9267}, 93),
        ("true", {"isCompleted": True}, None),
        ("true", {"overallProgress": 50, "grade": 0.9267}, None),
        ("false", {"isCompleted": True, "grade": 0.9267}, None),
    ],
    ids=["completed with a grade", "completed without one", "not completed", "switched off"],
)
def test_scores_are_sent_where_that_is_on(
    sync: Sync,
    course: Json,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    fields: dict[str, object],
    expected: int | None,
) -> None:
    monkeypatch.setenv("SYNC_SEND_SCORES", setting)
    sync.sandbox.enroll(ANN, course, **fields)
    sync.statistics()
    assert sync.sent()[0].get("score") == expected
    assert "result" not in sync.sent()[0]


def test_under_the_open_rule_the_first_statistic_updates_the_launch(
    sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC_LAUNCH_RULE", "open")
    (course,) = sync.add_courses(1)
    sync.catalog()
    row = sync.sandbox.enroll(ANN, course)
    sync.sandbox.learning360.launch(ANN, course["contentId"])
    assert sync.statistics().held == 1
    assert sync.attempts(ANN, course["contentId"]) == [("open", 0)]
    goes_on(sync, row, 45)
    sync.statistics()
    assert "forceNew" not in sync.sent()[0]
    completes(sync, row)
    sync.statistics()
    assert sync.attempts(ANN, course["contentId"]) == [("completed", 100)]
