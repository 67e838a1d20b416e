"""What became of a submission is found out before anything is sent again, whatever went wrong."""

from typing import Any

import pytest

from sandbox.clock import HOUR_MS
from sandbox.values import Json
from tasks.runtime.handed_in import Pacing
from tests.installation import Sync
from tests.postgres import BOTH_DATABASES

ANN = "ann@example.com"
SUBMIT, RESULTS, OPERATIONS = r"bulk/integrations/.*/stats", r"operations/.*/results", r"bulk/operations$"


@pytest.fixture
def course(sync: Sync) -> Json:
    """A course in 360Learning, and a learner at 45 % of it on Coursera."""
    content = sync.sandbox.world.add_content("Machine Learning")
    assert sync.catalog().accepted == 1
    sync.sandbox.enroll(ANN, content, overallProgress=45)
    return content


def fault(sync: Sync, action: Any, path: str, **fields: Any) -> None:
    sync.sandbox.faults.add(action, path=path, platform="learning360", **fields)


def submissions(sync: Sync) -> int:
    """How many statistics operations 360Learning has taken."""
    return sum(one.type == "importExternalStatistics" for one in sync.sandbox.learning360.operations.all)


def states(sync: Sync) -> list[str]:
    """How the ledger sees the statistics submissions."""
    rows = [row for row in sync.ledger("submissions") if row["type"] == "importExternalStatistics"]
    return [row["state"] for row in sorted(rows, key=lambda row: str(row["intended_at"]))]


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        pytest.param("lose", {}, id="the answer is lost after it was taken"),
        pytest.param("reset", {}, id="the connection breaks before it was taken"),
        pytest.param("half", {"status": 202}, id="half an answer"),
    ],
)
def test_an_answer_that_never_came_is_looked_for_at_once(
    sync: Sync, course: Json, action: str, fields: dict[str, Any]
) -> None:
    fault(sync, action, SUBMIT, method="POST", times=1, **fields)
    assert sync.statistics().accepted == 1
    assert sync.attempts(ANN, course["contentId"]) == [("open", 45)]
    assert submissions(sync) == 1
    assert states(sync) == ["settled"]


def test_an_operation_that_is_listed_late_is_waited_for(sync: Sync, course: Json) -> None:
    sync.sandbox.learning360.options.listed_late_ms = 30_000
    fault(sync, "lose", SUBMIT, method="POST", times=1)
    assert sync.statistics().accepted == 1
    assert (submissions(sync), sync.attempts(ANN, course["contentId"])) == (1, [("open", 45)])


def test_other_operations_are_not_taken_for_ours(sync: Sync, course: Json) -> None:
    other = sync.sandbox.world.add_content("Another")
    sync.catalog()
    integration = sync.integration()["_id"]
    row = {
        "courseIdentifier": {"type": "externalId", "value": other["contentId"]},
        "userIdentifier": {"type": "mail", "value": ANN},
        "progress": 10,
        "timeSpent": 1,
        "firstActivityAt": "2026-01-01T00:00:00.000Z",
        "lastActivityAt": "2026-01-02T00:00:00.000Z",
    }
    sync.sandbox.learning360.submit("importExternalStatistics", integration, [row])
    fault(sync, "reset", SUBMIT, method="POST", times=1)
    assert sync.statistics().accepted == 1
    assert (submissions(sync), sync.attempts(ANN, course["contentId"])) == (2, [("open", 45)])


@BOTH_DATABASES
def test_a_run_that_dies_after_a_submission_is_recovered_by_the_next(sync: Sync, course: Json) -> None:
    fault(sync, "answer", RESULTS, status=400)
    assert sync.statistics().state == "failed"
    assert states(sync) == ["sent"]
    sync.sandbox.faults.clear()
    summary = sync.statistics()
    assert (summary.recovered, summary.unchanged, summary.submitted) == (1, 1, 0)
    assert (submissions(sync), sync.attempts(ANN, course["contentId"])) == (1, [("open", 45)])


@BOTH_DATABASES
@pytest.mark.parametrize("taken", ["lose", "reset"])
def test_an_intent_without_an_operation_is_looked_for_by_the_next_run(
    sync: Sync, course: Json, taken: str
) -> None:
    fault(sync, taken, SUBMIT, method="POST", times=1)
    fault(sync, "answer", OPERATIONS, method="GET", status=400)
    assert sync.statistics().state == "failed"
    assert states(sync) == ["intended"]
    sync.sandbox.faults.clear()
    summary = sync.statistics()
    was_taken = taken == "lose"
    assert (summary.recovered, summary.accepted) == ((1, 0) if was_taken else (0, 1))
    assert sync.attempts(ANN, course["contentId"]) == [("open", 45)]
    assert submissions(sync) == 1


def test_an_operation_that_never_ends_stays_open_and_is_picked_up(sync: Sync, course: Json) -> None:
    sync.sandbox.learning360.options.hold_operations = True
    summary = sync.statistics()
    assert summary.state == "failed"
    assert "has not ended" in str(summary.error)
    assert states(sync) == ["sent"]
    sync.sandbox.learning360.release()
    assert sync.statistics().recovered == 1
    assert (submissions(sync), sync.attempts(ANN, course["contentId"])) == (1, [("open", 45)])


@BOTH_DATABASES
@pytest.mark.parametrize("came", [True, False], ids=["an attempt came of it", "none came of it"])
def test_a_first_statistic_without_a_result_is_read_back(sync: Sync, course: Json, *, came: bool) -> None:
    options = sync.sandbox.learning360.options
    if came:
        options.drop_results = 1
    else:
        options.fail_next = 1
    summary = sync.statistics()
    assert (summary.accepted, summary.rejected) == ((1, 0) if came else (0, 1))
    options.drop_results = 0
    sync.statistics()
    assert sync.attempts(ANN, course["contentId"]) == [("open", 45)]


@BOTH_DATABASES
def test_without_the_scopes_its_outcome_is_unknown_until_they_are_granted(sync: Sync, course: Json) -> None:
    client, options = sync.sandbox.learning360.client, sync.sandbox.learning360.options
    granted = client.scopes
    client.scopes = granted - {"courseStats:read"}
    options.drop_results = 1
    assert sync.statistics().rejected == 1
    options.drop_results = 0
    summary = sync.statistics(full=True)
    assert (summary.rejected, summary.submitted) == (1, 0)
    (reason,) = sync.rejected("statistics").values()
    assert reason.startswith("outcome unknown")
    client.scopes = granted
    assert sync.statistics().recovered == 1
    assert sync.rejected("statistics") == {}
    assert sync.attempts(ANN, course["contentId"]) == [("open", 45)]


@BOTH_DATABASES
@pytest.mark.parametrize("dies", [False, True], ids=["in the same run", "found by the next run"])
def test_rows_carried_out_by_an_operation_that_cannot_be_found_are_read_back(
    sync: Sync, course: Json, *, dies: bool
) -> None:
    bob = "bob@example.com"
    sync.sandbox.enroll(bob, course, overallProgress=45)
    _fails_silently_after_one_row(sync, dies=dies)
    sync.statistics()
    sync.sandbox.learning360.options.drop_results = 0
    sync.sandbox.faults.clear()
    sync.statistics()
    assert [sync.attempts(mail, course["contentId"]) for mail in (ANN, bob)] == [[("open", 45)]] * 2
    assert sync.rejected("statistics") == {}


def _fails_silently_after_one_row(sync: Sync, *, dies: bool) -> None:
    """The next operation's answer is lost; it carries out a row, ends in error, and tells of none."""
    options = sync.sandbox.learning360.options
    options.fail_next = options.fail_after_rows = options.drop_results = 1
    fault(sync, "lose", SUBMIT, method="POST", times=1)
    if dies:
        fault(sync, "answer", OPERATIONS, method="GET", status=400)


@pytest.mark.parametrize("dies", [False, True], ids=["in the same run", "found by the next run"])
def test_without_the_scopes_such_rows_are_of_unknown_outcome(sync: Sync, course: Json, *, dies: bool) -> None:
    client = sync.sandbox.learning360.client
    granted, client.scopes = client.scopes, client.scopes - {"users:read"}
    _fails_silently_after_one_row(sync, dies=dies)
    sync.statistics()
    sync.sandbox.faults.clear()
    sync.statistics()
    assert [reason[:15] for reason in sync.rejected("statistics").values()] == ["outcome unknown"]
    client.scopes = granted
    assert sync.statistics().recovered == 1
    assert sync.attempts(ANN, course["contentId"]) == [("open", 45)]


def test_a_result_that_is_neither_success_nor_error_is_no_result(sync: Sync, course: Json) -> None:
    options = sync.sandbox.learning360.options
    options.success_status = "skipped"
    summary = sync.statistics()
    assert (summary.accepted, summary.rejected) == (1, 0)
    assert sync.attempts(ANN, course["contentId"]) == [("open", 45)]
    (row,) = sync.sandbox.world.reports
    row |= {"overallProgress": 60, "lastActivityAt": sync.clock()}
    assert sync.statistics().rejected == 1  # an update without a result is sent again
    options.success_status = "success"
    assert sync.statistics().accepted == 1
    assert sync.attempts(ANN, course["contentId"]) == [("open", 60)]


def begins_again(sync: Sync, course: Json) -> None:
    """The learner's open attempt has been completed, and another one begun through a second program."""
    assert sync.statistics().accepted == 1
    sync.days_pass(1)
    (row,) = sync.sandbox.world.reports
    done = sync.clock() - 3 * HOUR_MS
    row |= {"overallProgress": 100, "isCompleted": True, "completedAt": done, "lastActivityAt": done}
    program = sync.sandbox.world.add_program("Second")["id"]
    again = {"programId": program, "enrolledAt": sync.clock() - 2 * HOUR_MS, "overallProgress": 30}
    sync.sandbox.enroll(ANN, course, lastActivityAt=sync.clock() - HOUR_MS, **again)
    sync.pacing = Pacing(operation_rows=1, least_rows=1)


def test_the_attempts_of_one_learner_go_in_one_operation_in_order(sync: Sync, course: Json) -> None:
    begins_again(sync, course)
    assert sync.statistics().accepted == 2
    assert [(row["progress"], row.get("forceNew", False)) for row in sync.sent()] == [
        (100, False),
        (30, True),
    ]
    assert sync.attempts(ANN, course["contentId"]) == [("completed", 100), ("open", 30)]


@pytest.mark.parametrize("results", [0, 1])
@pytest.mark.parametrize("carried_out", [0, 1, 2])
@pytest.mark.parametrize("is_granted", [True, False])
def test_the_completion_of_one_attempt_is_not_sent_again_behind_the_next(
    sync: Sync, course: Json, carried_out: int, results: int, *, is_granted: bool
) -> None:
    begins_again(sync, course)
    client, options = sync.sandbox.learning360.client, sync.sandbox.learning360.options
    granted = client.scopes
    if not is_granted:
        client.scopes = granted - {"courseStats:read"}
    options.fail_next, options.fail_after_rows = 1, carried_out
    options.drop_results = max(0, carried_out - results)
    sync.statistics()
    options.fail_next = options.drop_results = 0
    sync.statistics()
    client.scopes = granted
    sync.statistics()
    assert sync.attempts(ANN, course["contentId"]) == [("completed", 100), ("open", 30)]
    assert sync.rejected("statistics") == {}


def test_an_operation_that_360learning_no_longer_knows_does_not_stop_the_runs(
    sync: Sync, course: Json
) -> None:
    fault(sync, "answer", RESULTS, status=400)
    sync.statistics()
    sync.sandbox.faults.clear()
    gone = {"error": {"code": "bulkOperationNotFound", "message": "no such operation"}}
    fault(sync, "answer", r"bulk/operations/[^/]+$", status=404, body=gone, times=1)
    assert sync.statistics().state == "completed"
    assert sync.attempts(ANN, course["contentId"]) == [("open", 45)]


@BOTH_DATABASES
def test_an_unfinished_catalog_is_finished_by_the_next_catalog_run(sync: Sync) -> None:
    sync.sandbox.world.add_content("Machine Learning")
    fault(sync, "answer", RESULTS, status=400)
    assert sync.catalog().state == "failed"
    sync.sandbox.faults.clear()
    assert sync.statistics().recovered == 0
    summary = sync.catalog()
    assert (summary.recovered, summary.unchanged) == (1, 1)


def left_by_a_dead_run(sync: Sync, course: Json, count: int) -> None:
    """Intents without an operation, none of which was taken."""
    for number in range(1, count):
        sync.sandbox.enroll(f"learner{number}@example.com", course, overallProgress=45)
    sync.pacing = Pacing(operation_rows=1, least_rows=1)
    fault(sync, "reset", SUBMIT, method="POST")
    fault(sync, "answer", OPERATIONS, method="GET", status=400, skip=15)  # once all have been begun
    assert sync.statistics().state == "failed"
    assert states(sync)[1:]
    assert set(states(sync)) == {"intended"}
    sync.sandbox.faults.clear()
    sync.waits.clear()


def test_open_intents_are_waited_for_together(sync: Sync, course: Json) -> None:
    left_by_a_dead_run(sync, course, 3)
    assert sync.statistics().accepted == 3
    assert 20 < sum(sync.waits) < 30


def test_patience_counts_from_the_intents_own_moment(sync: Sync, course: Json) -> None:
    left_by_a_dead_run(sync, course, 3)
    sync.days_pass(1 / 24)
    assert sync.statistics().accepted == 3
    assert sum(sync.waits) < 10


def test_how_long_an_operation_is_waited_for_is_a_setting(
    sync: Sync, course: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC_OPERATION_WAIT", "100")
    sync.sandbox.learning360.options.hold_operations = True
    assert "within 100 s (SYNC_OPERATION_WAIT)" in str(sync.statistics().error)
    assert 100 <= sum(sync.waits) < 120
    assert course


def test_so_is_how_long_a_slot_is_waited_for(
    sync: Sync, course: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC_OPERATION_WAIT", "100")
    sync.sandbox.learning360.operations.occupy(3)
    assert "for 100 s (SYNC_OPERATION_WAIT)" in str(sync.statistics().error)
    assert 100 <= sum(sync.waits) < 140
    assert course


def test_a_search_waits_no_longer_than_that_for_all_of_the_others_operations(
    sync: Sync, course: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC_OPERATION_WAIT", "100")
    sync.sandbox.learning360.operations.occupy(2)
    fault(sync, "reset", SUBMIT, method="POST", times=1)
    assert "(SYNC_OPERATION_WAIT)" in str(sync.statistics().error)
    assert 100 <= sum(sync.waits) < 120
    assert course


@pytest.mark.parametrize("odd", ["is gone by then", "in an unknown status"])
def test_others_operations_that_cannot_be_looked_at_are_passed_over(
    sync: Sync, course: Json, odd: str
) -> None:
    operations = sync.sandbox.learning360.operations
    operations.occupy(1)
    operations.occupy(0)
    if odd == "is gone by then":
        gone = {"error": {"code": "bulkOperationNotFound", "message": "no such operation"}}
        fault(sync, "answer", f"{operations.all[-1].id}/results", status=404, body=gone)
    else:
        operations.all[-1].shown_status = "suspended"
    fault(sync, "reset", SUBMIT, method="POST", times=1)
    assert sync.statistics().accepted == 1
    assert sync.attempts(ANN, course["contentId"]) == [("open", 45)]


def test_one_of_ours_in_an_unknown_status_has_not_ended(sync: Sync, course: Json) -> None:
    operations = sync.sandbox.learning360.operations

    def goes_on() -> None:
        operations.all[-1].shown_status = "suspended" if len(sync.waits) < 20 else None

    sync.meanwhile = goes_on
    assert sync.statistics().accepted == 1
    assert len(sync.waits) >= 20
    assert sync.attempts(ANN, course["contentId"]) == [("open", 45)]


def test_a_dry_run_leaves_open_what_is_open_and_says_so(sync: Sync, course: Json) -> None:
    fault(sync, "answer", RESULTS, status=400)
    sync.statistics()
    sync.sandbox.faults.clear()
    notes = sync.statistics(dry_run=True).notes
    assert any("Unfinished bulk operations" in note for note in notes)
    assert states(sync) == ["sent"]
    assert course
