"""`reconcile`: what 360Learning holds beside what Coursera says, shown, repaired and adopted."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import typer

from connectors.errors import SettingsError
from sandbox.clock import DAY_MS
from sandbox.learning360.attempts import Attempts
from sandbox.values import Json
from tests.installation import Sync
from tests.observer import Observer, observed

ANN, BOB, CY = "ann@example.com", "bob@example.com", "cy@example.com"
NOTHING = {"missing": 0, "different": 0, "closed": 0, "further": 0, "only": 0}


@pytest.fixture
def observer(prefect_api: str) -> Iterator[Observer]:
    """Someone who is told the differences."""
    assert prefect_api
    with observed() as observer:
        yield observer


@pytest.fixture
def course(sync: Sync) -> Json:
    """A course on which Ann is at 45 % beside a launch, Bob has completed, and Cy has only launched."""
    (made,) = sync.add_courses(1)
    sync.catalog()
    for mail in (ANN, CY):
        sync.sandbox.learning360.add_user(mail)
        sync.sandbox.learning360.launch(mail, made["contentId"])
    sync.sandbox.enroll(ANN, made, overallProgress=45)
    sync.sandbox.enroll(BOB, made, isCompleted=True)
    sync.sandbox.enroll(CY, made)
    assert sync.statistics().accepted == 2
    return made


def forget(sync: Sync, mail: str) -> None:
    """360Learning loses a learner's attempts."""
    platform = sync.sandbox.learning360
    user = platform.user_of(mail)
    assert user is not None
    kept = [one for one in platform.attempts.all if one.user_id != user["_id"]]
    platform.attempts = Attempts()
    for one in kept:
        platform.attempts.add(one)


def held(sync: Sync, mail: str, course: Json) -> list[tuple[str, int]]:
    return sync.attempts(mail, course["contentId"])


def lose_ledger(sync: Sync, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    sync.state_url = f"sqlite:///{folder}/new/ledger.db"
    monkeypatch.setenv("SYNC_STATE_URL", sync.state_url)


def counted(**counts: int) -> dict[str, int]:
    return NOTHING | counts


def test_after_a_good_run_there_is_nothing_to_find(sync: Sync, course: Json, observer: Observer) -> None:
    before = sync.platform(), sync.remembered()
    summary = sync.reconcile()
    assert (summary.state, summary.differences) == ("completed", NOTHING)
    assert (summary.extracted, summary.unchanged, summary.held, summary.submitted) == (3, 2, 1, 0)
    assert (sync.platform(), sync.remembered()) == before
    assert observer.section("Differences").rows == []
    assert course


def test_a_believable_customer_holds_what_coursera_says(busy_sync: Sync) -> None:
    busy_sync.catalog()
    busy_sync.statistics()
    summary = busy_sync.reconcile()
    assert summary.differences is not None
    refused = len(busy_sync.rejected("statistics"))
    assert {one for one, count in summary.differences.items() if count} <= {"missing"}
    assert summary.differences["missing"] <= refused
    busy_sync.sandbox.next_day()
    found = busy_sync.reconcile().differences
    assert found is not None
    assert found != summary.differences


def test_launches_whose_learner_did_not_go_on_are_told_with_their_age(
    sync: Sync, course: Json, observer: Observer
) -> None:
    sync.days_pass(12)
    summary = sync.reconcile()
    assert summary.differences == NOTHING
    assert observer.section("Launches completed at 0 %").rows == [
        [course["contentId"], "Course 0", "1", "12 days", "learner 1"]
    ]
    assert any("did not go on at Coursera: 1, the oldest for 12 days" in note for note in summary.notes)


def test_an_attempt_that_is_missing_is_found_and_repaired(
    sync: Sync, course: Json, observer: Observer
) -> None:
    forget(sync, BOB)
    summary = sync.reconcile()
    assert summary.differences == counted(missing=1)
    assert (summary.unchanged, summary.submitted, held(sync, BOB, course)) == (2, 0, [])
    (row,) = observer.differences[observer.differences["difference"].eq("missing")].to_dict("records")
    assert (row["learner"], row["coursera"], row["learning360"]) == (BOB, "100", "")
    ((sort, who, *_),) = observer.section("Differences").rows
    assert (sort, who) == ("missing", "learner 1")
    repaired = sync.reconcile(repair=True)
    assert (repaired.accepted, repaired.unchanged, repaired.differences) == (1, 1, counted(missing=1))
    assert held(sync, BOB, course) == [("completed", 100)]
    assert sync.reconcile().differences == NOTHING
    assert sync.statistics(full=True).submitted == 0


def test_an_open_attempt_that_differs_is_updated(sync: Sync, course: Json, observer: Observer) -> None:
    _, attempt = sync.sandbox.learning360.attempts_of(ANN, course["contentId"])
    attempt.progress = 30
    assert sync.reconcile().differences == counted(different=1)
    (row,) = observer.differences[observer.differences["difference"].eq("different")].to_dict("records")
    assert (row["field"], row["coursera"], row["learning360"]) == ("progress", "45", "30")
    assert sync.reconcile(repair=True).accepted == 1
    assert held(sync, ANN, course) == [("completed", 0), ("open", 45)]
    assert "forceNew" not in sync.sent()[0]
    assert sync.reconcile().differences == NOTHING


def test_what_coursera_says_since_the_last_run_shows_and_is_repaired(sync: Sync, course: Json) -> None:
    sync.days_pass(1)
    row = sync.sandbox.world.report_of(ANN, course["contentId"])
    row.update(overallProgress=80, lastActivityAt=sync.clock() - 1000)
    assert sync.reconcile().differences == counted(different=1)
    sync.reconcile(repair=True)
    assert held(sync, ANN, course) == [("completed", 0), ("open", 80)]
    assert sync.statistics().submitted == 0


def test_a_completed_attempt_is_listed_and_left(sync: Sync, course: Json) -> None:
    (attempt,) = sync.sandbox.learning360.attempts_of(BOB, course["contentId"])
    attempt.last_ms = attempt.completed_ms = attempt.last_ms - DAY_MS
    for repair in (False, True):
        summary = sync.reconcile(repair=repair)
        assert (summary.differences, summary.submitted) == (counted(closed=1), 0)


def test_progress_is_never_taken_back(sync: Sync, course: Json) -> None:
    _, attempt = sync.sandbox.learning360.attempts_of(ANN, course["contentId"])
    attempt.progress = 90
    summary = sync.reconcile(repair=True)
    assert (summary.differences, summary.submitted) == (counted(further=1), 0)
    assert held(sync, ANN, course) == [("completed", 0), ("open", 90)]


def test_a_passing_zero_or_gap_at_coursera_is_no_difference(sync: Sync, course: Json) -> None:
    sync.sandbox.world.report_of(ANN, course["contentId"]).update(overallProgress=0)
    sync.sandbox.world.reports.remove(sync.sandbox.world.report_of(BOB, course["contentId"]))
    assert sync.reconcile().differences == NOTHING
    forget(sync, BOB)
    forget(sync, ANN)
    repaired = sync.reconcile(repair=True)
    assert (repaired.differences, repaired.accepted) == (counted(missing=2), 2)
    assert held(sync, BOB, course) == [("completed", 100)]
    assert held(sync, ANN, course) == [("open", 45)]


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("/courses/stats$", "progress", None),
        ("/courses/stats$", "progress", 1e300),
        ("/courses/stats$", "timeSpent", None),
        ("/courses/stats$", "userId", None),
        ("/courses/stats$", "score", "x"),
        ("/courses/stats$", "firstActivityAt", "soon"),
        ("/courses/stats$", "firstActivityAt", "2026-01-01"),
        ("/courses/stats$", "completedAt", 5),
        ("/users$", "mail", 5),
        ("/users$", "_id", None),
        ("/api/v2/courses$", "status", None),
    ],
)
def test_an_answer_of_another_shape_is_told(
    sync: Sync, course: Json, path: str, field: str, value: object
) -> None:
    assert course
    one = {"_id": "a", "courseId": "b", "userId": "c", "progress": 3, "timeSpent": 4, "status": "published"}
    sync.sandbox.faults.add("answer", path=path, status=200, body=[one | {field: value}])
    error = sync.reconcile().error
    assert error is not None
    assert "does not have the shape of the contract: " in error
    assert error.endswith(f"at `$.{field}`.")


def test_an_attempt_that_is_not_from_us_is_only_named(sync: Sync, course: Json, observer: Observer) -> None:
    sync.sandbox.learning360.add_user("dee@example.com")
    sync.sandbox.learning360.add_attempt("dee@example.com", course["contentId"], progress=20)
    before = sync.platform()
    assert sync.reconcile().differences == counted(only=1)
    assert observer.section("Differences").rows[0][0] == "only"
    assert sync.reconcile(repair=True).submitted == 0
    assert sync.platform()["attempts"] == before["attempts"]


def test_a_learner_whom_360learning_does_not_know_is_missing_and_refused(
    sync: Sync, course: Json, observer: Observer
) -> None:
    sync.sandbox.enroll("new@example.com", course, overallProgress=5)
    platform = sync.sandbox.learning360
    user_id = platform._user_ids.pop("new@example.com", "")  # noqa: SLF001
    platform.users.pop(user_id, None)
    assert sync.reconcile().differences == counted(missing=1)
    assert "360Learning does not know the learner" in observer.section("Differences").rows[0]
    repaired = sync.reconcile(repair=True)
    assert (repaired.state, repaired.rejected) == ("completed_with_rejects", 1)


def test_courses_that_differ_are_missing_or_only_there(sync: Sync, course: Json, observer: Observer) -> None:
    world, platform = sync.sandbox.world, sync.sandbox.learning360
    platform.course(course["contentId"]).data["name"] = "Somebody's name"
    world.add_content("New")
    platform.add_course("by-hand")
    summary = sync.reconcile()
    assert summary.differences == counted(missing=1, different=1, only=1)
    rows = observer.differences.query("kind == 'course'").to_dict("records")
    assert {(one["difference"], one["field"], one["learning360"]) for one in rows} == {
        ("different", "name", "Somebody's name"),
        ("missing", "", ""),
        ("only", "", ""),
    }


@pytest.mark.parametrize("scope", ["courseStats:read", "users:read"])
def test_without_a_scope_courses_are_compared_all_the_same(sync: Sync, course: Json, scope: str) -> None:
    sync.sandbox.learning360.course(course["contentId"]).data["name"] = "Somebody's name"
    sync.sandbox.learning360.client.scopes -= {scope}
    summary = sync.reconcile()
    assert (summary.state, summary.differences) == ("completed", counted(different=1))
    assert any(scope in note for note in summary.notes)
    for parameter in ("repair", "adopt"):
        refused = sync.reconcile(**{parameter: True})
        assert (refused.state, scope in str(refused.error)) == ("failed", True)


def test_without_courses_read_attempts_are_compared_all_the_same(sync: Sync, course: Json) -> None:
    sync.sandbox.learning360.client.scopes -= {"courses:read"}
    forget(sync, BOB)
    summary = sync.reconcile()
    assert summary.differences == counted(missing=1)
    assert any("courses:read" in note for note in summary.notes)
    assert course


def test_a_lost_ledger_is_rebuilt_and_statistics_send_nothing(
    sync: Sync, course: Json, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = sync.platform()
    lose_ledger(sync, monkeypatch, tmp_path)
    refused = sync.reconcile(repair=True)
    assert refused.state == "failed"
    summary = sync.reconcile(adopt=True)
    assert (summary.state, summary.differences, summary.submitted) == ("completed", NOTHING, 0)
    assert len(sync.ledger("attempts")) == 2
    again = sync.statistics()
    assert (again.submitted, again.unchanged, again.held) == (0, 2, 1)
    assert sync.catalog().accepted == 1
    assert sync.platform()["attempts"] == before["attempts"]
    assert course


def test_adopting_again_adds_nothing_and_lets_all_rows_be_looked_at(sync: Sync, course: Json) -> None:
    attempts = sync.ledger("attempts")
    sync.reconcile(adopt=True)
    assert sync.ledger("attempts") == attempts
    assert {row["digest"] for row in sync.ledger("enrollments")} == {None}
    summary = sync.statistics(full=True)
    assert (summary.submitted, summary.unchanged) == (0, 2)
    assert course


def test_there_is_nothing_to_read_back_without_an_integration(sync: Sync) -> None:
    summary = sync.reconcile()
    assert (summary.state, summary.exit_code) == ("failed", 1)
    assert "coursera-sync setup" in str(summary.error)
    assert sync.sandbox.learning360.integrations == {}


def test_rows_that_cannot_be_mapped_are_counted(sync: Sync, course: Json) -> None:
    sync.sandbox.enroll("dee@example.com", course, overallProgress="much")
    summary = sync.reconcile()
    assert (summary.state, summary.rejected, summary.extracted) == ("completed_with_rejects", 1, 4)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_all_differences_are_kept_in_a_private_file(
    sync: Sync, course: Json, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows.cli import run_flow  # noqa: PLC0415 - Prefect is imported once its test server runs
    from flows.reconcile import reconcile  # noqa: PLC0415

    forget(sync, BOB)
    path = tmp_path / f"differences{suffix}"
    with pytest.raises(typer.Exit) as ended:
        run_flow.run(reconcile, {}, as_json=False, export=path)
    assert ended.value.exit_code == 0
    out, err = capsys.readouterr()
    assert "differences: 1 missing" in out
    assert "@" not in out + err
    table = pd.read_csv(path) if suffix == ".csv" else pd.read_parquet(path)
    assert table["learner"].tolist() == [BOB, CY]
    assert table["difference"].tolist() == ["missing", "launch"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert course


def test_a_file_of_another_kind_is_refused_before_the_run_begins(sync: Sync, tmp_path: Path) -> None:
    from flows.cli import run_flow  # noqa: PLC0415
    from flows.reconcile import reconcile  # noqa: PLC0415

    requests = len(sync.sandbox.log.entries)
    with pytest.raises(SettingsError, match=r"--export .* must end in \.csv or \.parquet"):
        run_flow.run(reconcile, {}, as_json=False, export=tmp_path / "differences.xlsx")
    assert len(sync.sandbox.log.entries) == requests
