"""The comparison of attempts: whatever is on either side, each is told once and nothing is taken back."""

from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from connectors.ledger.keys import keyed
from tasks.transform.comparison import (
    DIFFERENCES,
    FOUND_COLUMNS,
    MISSING,
    REPAIRABLE,
    SAME,
    Compared,
    compare_attempts,
    expected_attempts,
    found_attempts,
)
from tasks.transform.row_keys import KEY
from tasks.transform.statistics.attempts import ATTEMPT_COLUMNS, STATE

WHOLE = ("first_at", "last_at", "progress", "time_spent")
TEXTS = ("learner", "course")

progress = st.integers(0, 100)
states = st.builds(
    lambda learner, first, more, percent, spent: {
        "learner": learner,
        "course": "C1",
        "first_at": first,
        "last_at": first + more,
        "completed": percent == 100,
        "progress": percent,
        "time_spent": spent,
        "score": pd.NA,
    },
    st.sampled_from(["ann@example.com", "bob@example.com"]),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from([1, 40, 99, 100]),
    st.integers(1, 2),
)
remote_states = st.builds(
    lambda state, percent, number: (
        state | {"progress": percent, "completed": percent in {0, 100}, "resource_id": str(number)}
    ),
    states,
    st.sampled_from([0, 1, 40, 99, 100]),
    st.integers(),
)


def frame(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    kinds = (
        dict.fromkeys(WHOLE, "int64") | dict.fromkeys(TEXTS, "str") | {"completed": "bool", "score": "Int64"}
    )
    return pd.DataFrame(rows, columns=columns, dtype=object).astype(kinds)


def accepted(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Accepted attempts, numbered; of one first activity there is one."""
    every = frame(rows, [*KEY, *STATE]).drop_duplicates([*KEY, "first_at"])
    number = every.groupby(KEY).cumcount() + 1
    return keyed(every.assign(number=number, external_id=""))[list(ATTEMPT_COLUMNS)]


def compare(known: pd.DataFrame, remote: pd.DataFrame) -> Compared:
    nothing_read = known.iloc[:0].assign(action="", rows=0)
    return compare_attempts(expected_attempts(nothing_read, known), remote, launch_rule="completed")


@given(st.lists(states, max_size=6), st.lists(remote_states, max_size=6))
def test_each_attempt_of_either_side_is_told_once(
    known: list[dict[str, Any]], remote: list[dict[str, Any]]
) -> None:
    ours, theirs = accepted(known), frame(remote, [*KEY, *STATE, "resource_id"])
    compared = compare(ours, theirs)
    assert len(compared.attempts) == len(ours)
    matched = compared.attempts["difference"].ne(MISSING).sum()
    assert matched + len(compared.remote_only) == theirs["progress"].gt(0).sum()
    assert set(compared.attempts["difference"]) <= {SAME, *DIFFERENCES}
    found = found_attempts(compared, {}, learners=[], courses=[])
    assert list(found.columns) == FOUND_COLUMNS


@given(st.lists(states, max_size=6))
def test_what_is_held_as_it_was_accepted_is_no_difference(known: list[dict[str, Any]]) -> None:
    ours = accepted(known)
    compared = compare(ours, ours.assign(resource_id="r").drop(columns=["key", "number", "external_id"]))
    assert compared.attempts["difference"].eq(SAME).all()
    assert compared.remote_only.empty
    assert compared.repairable.empty


@given(st.lists(states, max_size=6), st.lists(remote_states, max_size=6))
def test_a_repair_takes_nothing_back_and_changes_nothing_completed(
    known: list[dict[str, Any]], remote: list[dict[str, Any]]
) -> None:
    compared = compare(accepted(known), frame(remote, [*KEY, *STATE, "resource_id"]))
    send = compared.repairable
    assert set(send["difference"]) <= set(REPAIRABLE)
    updates = send.loc[send["difference"].ne(MISSING)]
    assert (updates["progress"] >= updates["progress_remote"]).all()
    assert not updates["completed_remote"].any()
    assert send["force_new"].eq(send["difference"].eq(MISSING)).all()
