"""The three documented rules of what a statistic does, to the millisecond."""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import pytest

from sandbox.learning360.attempts import Attempt, Attempts, Statistic
from sandbox.server import Sandbox
from sandbox.values import iso

T = 1_767_000_000_000


@dataclass(frozen=True)
class Had:
    """An attempt there was: its last activity, its completion."""

    last: int
    completed: int | None = None
    progress: int = 0


def open_at(last: int, progress: int = 30) -> Had:
    return Had(last, None, progress)


def done_at(completed: int, progress: int = 100) -> Had:
    return Had(completed, completed, progress)


def statistic(first: int, *, last: int = T + 90, progress: int = 50, force_new: bool = False) -> Statistic:
    return Statistic("u", "c", "en", progress, 700, first, last, force_new, None)


def attempts_of(had: Sequence[Had]) -> Attempts:
    attempts = Attempts()
    for number, entry in enumerate(had):
        made = Attempt(
            id=f"a{number}",
            user_id="u",
            course_id="c",
            lang="en",
            origin="launch",
            first_ms=entry.last,
            last_ms=entry.last,
            time_spent_ms=0,
            progress=entry.progress,
            completed_ms=entry.completed,
        )
        attempts.add(made)
    return attempts


CREATED = "created"

RULES: dict[str, tuple[list[Had], Statistic, list[str], str]] = {
    # name: (attempts before, the row, which attempts changed, the row's resource)
    "1: no attempt at all": ([], statistic(T), [CREATED], CREATED),
    "1: later than the last activity of an open one": ([open_at(T)], statistic(T + 1), [CREATED], CREATED),
    "1: later than the completion of a completed one": ([done_at(T)], statistic(T + 1), [CREATED], CREATED),
    "1: later than all of two": ([done_at(T), open_at(T + 5)], statistic(T + 6), [CREATED], CREATED),
    "1: forced past an open one": ([open_at(T)], statistic(T - 1, force_new=True), [CREATED], CREATED),
    "1: forced past a launch": ([done_at(T, 0)], statistic(T - 1, force_new=True), [CREATED], CREATED),
    "2: earlier than an open one": ([open_at(T)], statistic(T - 1), ["a0"], "a0"),
    "2: every open one": ([open_at(T), open_at(T + 5)], statistic(T - 1), ["a0", "a1"], "a1"),
    "2: only the open ones it begins before": ([open_at(T), open_at(T + 5)], statistic(T), ["a1"], "a1"),
    "2: later than only the completed": (
        [done_at(T), open_at(T + 5)],
        statistic(T + 1),
        ["a1"],
        "a1",
    ),
    "2: the open one beside a launch": ([open_at(T), done_at(T + 5, 0)], statistic(T - 1), ["a0"], "a0"),
    "3: a launch newer than the enrollment": ([done_at(T, 0)], statistic(T - 1), [], "a0"),
    "3: a launch at the same millisecond": ([done_at(T, 0)], statistic(T), [], "a0"),
    "3: an open one at the same millisecond": ([open_at(T)], statistic(T), [], "a0"),
    "3: completed ones are closed": ([done_at(T), done_at(T + 5)], statistic(T - 1), [], "a1"),
}


@pytest.mark.parametrize(("had", "row", "changed", "resource"), RULES.values(), ids=RULES.keys())
def test_the_rules(had: list[Had], row: Statistic, changed: list[str], resource: str) -> None:
    attempts = attempts_of(had)
    before = {attempt.id: attempt.to_json() for attempt in attempts.all}
    assert attempts.record(row, CREATED).id == resource
    assert [attempt.id for attempt in attempts.all if before.get(attempt.id) != attempt.to_json()] == changed


def test_an_update_takes_over_the_whole_row() -> None:
    attempts = attempts_of([open_at(T)])
    row = Statistic("u", "c", "fr", 60, 700, T - 9, T + 9, force_new=False, score=80)
    updated = attempts.record(row, "new")
    assert (updated.first_ms, updated.last_ms, updated.progress) == (T - 9, T + 9, 60)
    assert (updated.time_spent_ms, updated.score, updated.completed_ms) == (700, 80, None)


def test_a_score_that_is_not_given_stays() -> None:
    attempts = attempts_of([open_at(T)])
    attempts.all[0].score = 70
    assert attempts.record(statistic(T - 1), "new").score == 70


@pytest.mark.parametrize("had", [[], [open_at(T)]], ids=["created", "updated"])
def test_a_hundred_percent_completes_at_the_last_activity(had: list[Had]) -> None:
    attempts = attempts_of(had)
    row = statistic(T - 1, last=T + 7, progress=100)
    assert attempts.record(row, "new").completed_ms == T + 7
    assert attempts.record(statistic(T - 1, progress=20), "new").progress == 100, "completed is closed"


def test_attempts_are_told_apart_by_learner_and_course() -> None:
    attempts = attempts_of([done_at(T)])
    other = Statistic("u", "other", "en", 1, 1, T - 9, T, force_new=False, score=None)
    assert attempts.record(other, "new").id == "new"
    assert not attempts.is_completed("u", "other")
    assert [attempt.id for attempt in attempts.at_courses(["other", "other"])] == ["new"]
    assert [attempt.id for attempt in attempts.of_users(["u"])] == ["a0", "new"]
    assert attempts.of("nobody", "c") == []


def test_a_statistic_behind_a_launch_vanishes_without_an_error_unless_forced(
    served: Sandbox, learning360: httpx.Client
) -> None:
    platform = served.learning360
    platform.add_user("a@example.com")
    integration_id = platform.add_integration(defaultCompletion=True, defaultProgress=0)["_id"]
    platform.add_course("A")
    launched = platform.launch("a@example.com", "A")
    enrolled_ms = served.clock() - 60_000
    row = {
        "courseIdentifier": {"type": "externalId", "value": "A"},
        "userIdentifier": {"type": "mail", "value": "a@example.com"},
        "progress": 45,
        "timeSpent": 1_000,
        "firstActivityAt": iso(enrolled_ms),
        "lastActivityAt": iso(served.clock()),
    }
    for force_new, count in ((False, 1), (True, 2)):
        body = {"input": [row | {"forceNew": force_new}]}
        answer = learning360.post(f"/api/v2/bulk/integrations/{integration_id}/stats", json=body)
        [result] = learning360.get(f"{answer.headers['location']}/results").json()
        assert result["status"] == "success"
        assert len(platform.attempts_of("a@example.com", "A")) == count
    first, second = platform.attempts_of("a@example.com", "A")
    assert (first.id, first.progress, first.origin) == (launched.id, 0, "launch")
    assert (second.progress, second.completed_ms, second.origin) == (45, None, "statistic")
