"""Whose an operation is, where several targets or installations send the same learners' progress."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.values import Json
from tests.installation import Sync
from tests.postgres import BOTH_DATABASES

ANN, BOB = "ann@example.com", "bob@example.com"
OPERATIONS = r"bulk/operations$"


@pytest.fixture
def course(sync: Sync, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Json:
    """A course in two groups, and two learners at 45 % of it on Coursera."""
    group = sync.sandbox.learning360.add_group("Sales")["_id"]
    targets = f'[[target]]\nname = "all"\n[[target]]\nname = "sales"\ngroup_id = "{group}"\n'
    (tmp_path / "targets.toml").write_text(targets)
    monkeypatch.setenv("SYNC_TARGETS", str(tmp_path / "targets.toml"))
    content = sync.sandbox.world.add_content("Machine Learning")
    assert sync.catalog().accepted == 2
    for mail in (ANN, BOB):
        sync.sandbox.enroll(mail, content, overallProgress=45)
    return content


def integrations(sync: Sync) -> list[str]:
    """The integrations' ids: that of all, then that of sales."""
    platform = sync.sandbox.learning360
    found = platform.integrations.values()
    return [one["_id"] for one in sorted(found, key=lambda one: one["groupId"] != platform.group_id)]


def attempts(sync: Sync, mail: str) -> list[int]:
    """How many attempts of a learner each integration's courses have."""
    platform = sync.sandbox.learning360
    platform.operations.settle()
    user = platform.user_of(mail)
    assert user is not None
    courses = {course.id: course.integration_id for course in platform.courses.by_id.values()}
    held = [courses[one.course_id] for one in platform.attempts.all if one.user_id == user["_id"]]
    return [held.count(integration) for integration in integrations(sync)]


def fault(sync: Sync, action: Any, integration: str, **fields: Any) -> None:
    """One fault of the next submission of statistics to an integration."""
    path = f"bulk/integrations/{integration}/stats"
    sync.sandbox.faults.add(action, platform="learning360", method="POST", path=path, times=1, **fields)


@BOTH_DATABASES
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(
    ("action", "fields"),
    [
        pytest.param("answer", {"status": 504}, id="504, not taken"),
        pytest.param("reset", {}, id="not taken"),
        pytest.param("lose", {}, id="taken"),
    ],
)
def test_the_operation_of_one_target_is_not_anothers(
    sync: Sync, course: Json, action: str, fields: dict[str, Any], which: int
) -> None:
    fault(sync, action, integrations(sync)[which], **fields)
    assert sync.statistics().accepted == 4
    assert course
    assert attempts(sync, ANN) == attempts(sync, BOB) == [1, 1]


@pytest.mark.parametrize(
    "taken", [("lose", "lose"), ("lose", "reset"), ("reset", "lose"), ("reset", "reset")]
)
def test_answers_that_both_lose_are_told_apart_by_what_was_made(
    sync: Sync, course: Json, taken: tuple[str, str]
) -> None:
    for action, integration in zip(taken, integrations(sync), strict=True):
        fault(sync, action, integration)
    assert sync.statistics().accepted == 4
    assert course
    assert attempts(sync, ANN) == attempts(sync, BOB) == [1, 1]


@BOTH_DATABASES
@pytest.mark.parametrize(
    "taken", [("lose", "lose"), ("lose", "reset"), ("reset", "lose"), ("reset", "reset")]
)
def test_so_are_those_that_a_dead_run_has_lost(sync: Sync, course: Json, taken: tuple[str, str]) -> None:
    for action, integration in zip(taken, integrations(sync), strict=True):
        fault(sync, action, integration)
    sync.sandbox.faults.add("answer", platform="learning360", method="GET", path=OPERATIONS, status=400)
    assert sync.statistics().state == "failed"
    sync.sandbox.faults.clear()
    summary = sync.statistics()
    assert summary.recovered == 2 * taken.count("lose")
    assert attempts(sync, ANN) == attempts(sync, BOB) == [1, 1]
    assert course


def other_installation(sync: Sync, *, learners: tuple[str, ...]) -> None:
    """Another installation of the company has sent these learners' progress to a group of its own."""
    platform = sync.sandbox.learning360
    group = platform.add_group("Test")["_id"]
    integration = platform.add_integration(groupId=group)["_id"]
    (mine,) = [one for one in platform.courses.by_id.values() if one.integration_id != integration]
    platform.submit("importExternalCourses", integration, [mine.data])
    sync.days_pass(0.01)
    ours = {row["externalId"]: row for row in sync.sandbox.world.reports}
    rows = [_statistic(mine.external_id, mail, ours[mail]["enrolledAt"]) for mail in learners]
    platform.submit("importExternalStatistics", integration, rows)


def _statistic(course: str, mail: str, first_ms: int) -> Json:
    from connectors.clock import utc  # noqa: PLC0415

    return {
        "courseIdentifier": {"type": "externalId", "value": course},
        "userIdentifier": {"type": "mail", "value": mail},
        "progress": 45,
        "timeSpent": 1,
        "firstActivityAt": utc(first_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "lastActivityAt": "2026-01-02T00:00:00.000Z",
        "forceNew": True,
    }


@pytest.fixture
def alone(sync: Sync) -> Json:
    """A course in the one group of this installation, and two learners at 45 % of it on Coursera."""
    content = sync.sandbox.world.add_content("Machine Learning")
    assert sync.catalog().accepted == 1
    for mail in (ANN, BOB):
        sync.sandbox.enroll(mail, content, overallProgress=45)
    return content


@pytest.mark.parametrize("learners", [(ANN,), (ANN, BOB)], ids=["some of our rows", "exactly our rows"])
@pytest.mark.parametrize("taken", ["lose", "reset"])
def test_the_operation_of_another_installation_is_not_ours(
    sync: Sync, alone: Json, taken: Any, learners: tuple[str, ...]
) -> None:
    ours = sync.integration()["_id"]
    other_installation(sync, learners=learners)
    fault(sync, taken, ours)
    assert sync.statistics().accepted == 2
    assert [attempts(sync, mail)[0] for mail in (ANN, BOB)] == [1, 1]
    assert alone


@pytest.mark.parametrize("learners", [(ANN,), (ANN, BOB)], ids=["some of our rows", "exactly our rows"])
def test_where_nobody_may_read_back_whose_it_is_the_outcome_is_unknown(
    sync: Sync, alone: Json, learners: tuple[str, ...]
) -> None:
    client, ours = sync.sandbox.learning360.client, sync.integration()["_id"]
    granted, client.scopes = client.scopes, client.scopes - {"courseStats:read"}
    other_installation(sync, learners=learners)
    fault(sync, "reset", ours)
    assert sync.statistics().rejected == 2
    assert {reason[:15] for reason in sync.rejected("statistics").values()} == {"outcome unknown"}
    client.scopes = granted
    assert sync.statistics().accepted == 2
    assert [attempts(sync, mail)[0] for mail in (ANN, BOB)] == [1, 1]
    assert alone


def test_without_the_scopes_it_is_ours_where_no_other_integration_has_the_course(
    sync: Sync, alone: Json
) -> None:
    client = sync.sandbox.learning360.client
    client.scopes = client.scopes - {"courseStats:read"}
    fault(sync, "lose", sync.integration()["_id"])
    assert sync.statistics().accepted == 2
    assert [sync.attempts(mail, alone["contentId"]) for mail in (ANN, BOB)] == [[("open", 45)]] * 2


@pytest.mark.parametrize("which", [0, 1])
def test_nor_is_a_catalogs_operation_anothers(sync: Sync, course: Json, which: int) -> None:
    sync.sandbox.world.add_content("Deep Learning")
    path = f"bulk/integrations/{integrations(sync)[which]}/courses"
    sync.sandbox.faults.add("reset", platform="learning360", method="PUT", path=path, times=1)
    assert sync.catalog().accepted == 2
    held = [one.integration_id for one in sync.sandbox.learning360.courses.by_id.values()]
    assert [held.count(one) for one in integrations(sync)] == [2, 2]
    assert course
