"""The merge: what the rows of one learner and one course add up to, and what is sent of it."""

from itertools import permutations
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transform.statistics.attempts import ATTEMPT_COLUMNS, merge
from tasks.transform.statistics.enrollments import LaunchRule

DAY = 86_400_000
HELD, UNCHANGED, SEND = "held", "unchanged", "send"


def row(
    first: int, last: int | None = None, progress: int = 0, *, program: str = "P1", time_spent: int = 60
) -> dict[str, Any]:
    """An enrollment, by days; progress 100 is a completion on its last day."""
    return {
        "key": 7,
        "learner": "ann@example.com",
        "course": "C1",
        "program": program,
        "external_id": "x-1",
        "first_at": first * DAY,
        "last_at": (first if last is None else last) * DAY,
        "completed": progress == 100,
        "progress": progress,
        "time_spent": time_spent,
        "score": pd.NA,
        "updated_at": 0,
        "read": True,
    }


def accepted(number: int, first: int, last: int, progress: int, *, time_spent: int = 60) -> dict[str, Any]:
    """What 360Learning has accepted of an attempt."""
    return row(first, last, progress, time_spent=time_spent) | {"number": number}


def merged(
    rows: list[dict[str, Any]], known: list[dict[str, Any]] | None = None, rule: LaunchRule = "completed"
) -> list[dict[str, Any]]:
    """Attempts in order: days, progress, number, action and so on."""
    kinds = {"score": "Int64"}
    enrollments = pd.DataFrame(rows).astype(kinds)
    held = pd.DataFrame(known or [], columns=list(ATTEMPT_COLUMNS))
    whole = dict.fromkeys(("key", "number", "first_at", "last_at", "progress", "time_spent"), "int64")
    held = held.astype(kinds | whole | {"completed": bool})
    attempts, parts = merge(enrollments, held, launch_rule=rule)
    assert len(parts) == len(rows)
    return attempts.to_dict("records")  # type: ignore[return-value]


def days(attempt: dict[str, Any]) -> tuple[float, float, int]:
    return attempt["first_at"] / DAY, attempt["last_at"] / DAY, attempt["progress"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([row(1, 5, 40)], (1, 5, 40), id="one row"),
        pytest.param([row(1, 5, 40), row(2, 9, 20, program="P2")], (1, 5, 40), id="most progress speaks"),
        pytest.param([row(3, 5, 40), row(2, 9, 40, program="P2")], (2, 9, 40), id="then latest activity"),
        pytest.param([row(2, 9, 99), row(3, 5, 100, program="P2")], (2, 5, 100), id="completed before not"),
        pytest.param(
            [row(1, 8, 100), row(2, 6, 100, program="P2")], (1, 6, 100), id="the earliest completion counts"
        ),
        pytest.param(
            [row(1), row(2, 6, 30, program="P2")], (1, 6, 30), id="first activity: earliest enrollment"
        ),
    ],
)
def test_the_rows_of_two_programs_are_one_attempt(
    rows: list[dict[str, Any]], expected: tuple[float, float, int]
) -> None:
    for order in permutations(rows):
        (attempt,) = merged(list(order))
        assert days(attempt) == expected
        assert (attempt["number"], attempt["action"], attempt["force_new"]) == (1, SEND, True)
        assert attempt["rows"] == len(rows)


def test_an_enrollment_after_a_completion_is_a_new_attempt_and_carries_no_time() -> None:
    first, second = merged([row(1, 5, 100), row(6, 8, 30, program="P2")])
    assert (days(first), days(second)) == ((1, 5, 100), (6, 8, 30))
    assert (first["number"], second["number"]) == (1, 2)
    assert (first["time_spent"], second["time_spent"]) == (60, 1)
    assert second["force_new"]


def test_an_enrollment_before_a_completion_is_part_of_it() -> None:
    (attempt,) = merged([row(1, 5, 100), row(4, 8, 30, program="P2")])
    assert days(attempt) == (1, 5, 100)


def test_the_same_enrollment_anew_after_an_accepted_completion_is_a_new_attempt() -> None:
    first, second = merged([row(7, 9, 20)], [accepted(1, 1, 5, 100)])
    assert (first["action"], first["rows"]) == (UNCHANGED, 0)
    assert (second["number"], second["action"], second["force_new"]) == (2, SEND, True)


def test_an_earlier_completion_that_shows_late_is_recorded_after_the_one_that_is_known() -> None:
    attempts = merged([row(1, 3, 100, program="P2"), row(5, 9, 50)], [accepted(1, 5, 9, 50)])
    by_number = {attempt["number"]: attempt for attempt in attempts}
    assert by_number[1]["action"] == UNCHANGED
    assert (days(by_number[2]), by_number[2]["force_new"], by_number[2]["time_spent"]) == (
        (1, 3, 100),
        True,
        1,
    )


def test_a_row_without_activity_is_held_until_the_first_real_activity() -> None:
    (attempt,) = merged([row(3)])
    assert (attempt["action"], attempt["progress"]) == (HELD, 0)
    (attempt,) = merged([row(3, 4, 10)])
    assert attempt["action"] == SEND


@pytest.mark.parametrize(
    ("known", "seen", "expected"),
    [
        pytest.param(accepted(1, 1, 5, 40), row(1, 5, 40), (UNCHANGED, (1, 5, 40)), id="nothing new"),
        pytest.param(accepted(1, 1, 5, 40), row(1, 6, 50), (SEND, (1, 6, 50)), id="went on"),
        pytest.param(accepted(1, 1, 5, 40), row(1), (UNCHANGED, (1, 5, 40)), id="a passing zero"),
        pytest.param(
            accepted(1, 1, 5, 40), row(1, 6, 30), (UNCHANGED, (1, 5, 40)), id="progress never goes back"
        ),
        pytest.param(accepted(1, 1, 5, 40), row(3, 6, 45), (SEND, (1, 6, 45)), id="first never moves later"),
        pytest.param(accepted(1, 3, 5, 40), row(2, 5, 40), (SEND, (2, 5, 40)), id="first may move earlier"),
        pytest.param(accepted(1, 1, 5, 40), row(1, 7, 100), (SEND, (1, 7, 100)), id="completed"),
        pytest.param(accepted(1, 1, 5, 100), row(1, 9, 60), (UNCHANGED, (1, 5, 100)), id="never taken back"),
        pytest.param(
            accepted(1, 2, 5, 100), row(1, 4, 100), (UNCHANGED, (1, 4, 100)), id="completed is closed"
        ),
    ],
)
def test_an_accepted_attempt_only_goes_forward(
    known: dict[str, Any], seen: dict[str, Any], expected: tuple[str, tuple[float, float, int]]
) -> None:
    (attempt,) = merged([seen], [known])
    assert (attempt["action"], days(attempt)) == expected
    assert not attempt["force_new"]


def test_last_activity_lies_after_the_first_by_a_millisecond_at_least() -> None:
    (attempt,) = merged([row(3, 3, 100)])
    assert attempt["last_at"] - attempt["first_at"] == 1
    (again,) = merged([row(3, 3, 20)], [accepted(1, 3, 3, 20) | {"last_at": 3 * DAY + 1}])
    assert again["action"] == UNCHANGED


def test_the_open_rule_never_forces_a_new_attempt() -> None:
    assert not any(
        one["force_new"] for one in merged([row(1, 5, 100), row(6, 8, 30, program="P2")], rule="open")
    )


enrollment = st.builds(
    lambda first, length, progress, program, time_spent: row(
        first, first + length, progress, program=program, time_spent=time_spent
    ),
    st.integers(1, 12),
    st.integers(0, 5),
    st.sampled_from([0, 10, 50, 99, 100, 100]),
    st.sampled_from(["P1", "P2", "P3"]),
    st.sampled_from([1, 60, 120]),
)


@settings(deadline=None)
@given(st.lists(enrollment, min_size=1, max_size=5), st.randoms())
def test_the_outcome_does_not_depend_on_the_order_of_the_rows(
    rows: list[dict[str, Any]], random: Any
) -> None:
    shuffled = random.sample(rows, len(rows))
    assert str(merged(rows)) == str(merged(shuffled))


@settings(deadline=None)
@given(st.lists(enrollment, min_size=1, max_size=5))
def test_every_row_is_in_one_attempt_and_sending_settles_it(rows: list[dict[str, Any]]) -> None:
    attempts = merged(rows)
    assert sum(one["rows"] for one in attempts) == len(rows)
    assert [one["number"] for one in attempts] == list(range(1, len(attempts) + 1))
    sent = [one for one in attempts if one["action"] == SEND]
    again = merged(rows, sent)
    assert all(one["action"] != SEND for one in again)


@settings(deadline=None)
@given(st.lists(enrollment, min_size=1, max_size=5), st.lists(enrollment, min_size=1, max_size=5))
def test_what_was_accepted_never_goes_back(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    known = {one["number"]: one for one in merged(before) if one["action"] == SEND}
    for one in merged(after, list(known.values())):
        held = known.get(one["number"])
        if held is None:
            continue
        assert one["progress"] >= held["progress"]
        assert one["first_at"] <= held["first_at"]
        assert one["completed"] or not held["completed"]
