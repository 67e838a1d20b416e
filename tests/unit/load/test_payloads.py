"""Attempts as the statistics to send."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.load import payloads
from tasks.transform.timestamps import iso_times

DAY = 86_400_000


def attempts(**columns: list[object]) -> pd.DataFrame:
    """An attempt or several, each column by what is given of it."""
    size = max((len(values) for values in columns.values()), default=1)
    plain: dict[str, list[object]] = {
        "course": ["C1"],
        "learner": ["ann@example.com"],
        "progress": [40],
        "time_spent": [3_600_000],
        "first_at": [DAY],
        "last_at": [2 * DAY + 5],
        "force_new": [False],
        "score": [None],
    }
    filled = {name: values * size for name, values in plain.items()} | columns
    return pd.DataFrame(filled).astype({"score": "Int64", "force_new": bool})


def statistics(attempts: pd.DataFrame) -> list[dict[str, Any]]:
    """The attempts as they are sent."""
    sent: list[dict[str, Any]] = json.loads(msgspec.json.encode(payloads.statistics(attempts)))
    return sent


def test_an_attempt_is_written_as_the_contract_has_it() -> None:
    assert statistics(attempts()) == [
        {
            "courseIdentifier": {"type": "externalId", "value": "C1"},
            "userIdentifier": {"type": "mail", "value": "ann@example.com"},
            "progress": 40,
            "timeSpent": 3_600_000,
            "firstActivityAt": "1970-01-02T00:00:00.000Z",
            "lastActivityAt": "1970-01-03T00:00:00.005Z",
        }
    ]


def test_a_new_attempt_is_forced_and_an_update_says_nothing_of_it() -> None:
    forced, update = statistics(attempts(force_new=[True, False]))
    assert forced["forceNew"] is True
    assert "forceNew" not in update


def test_a_score_goes_out_where_there_is_one_zero_too() -> None:
    sent = statistics(attempts(score=[87, None, 0]))
    assert [body.get("score") for body in sent] == [87, None, 0]
    assert "score" not in sent[1]


def test_a_result_is_never_set() -> None:
    assert "result" not in statistics(attempts(score=[100], progress=[100]))[0]


@pytest.mark.parametrize("score", [[None], [87]], ids=["without a score", "with a score"])
def test_the_values_are_plain_numbers(score: list[object]) -> None:
    (body,) = statistics(attempts(score=score))
    assert {type(body[name]) for name in ("progress", "timeSpent")} == {int}


def test_no_attempts_are_no_statistics() -> None:
    assert statistics(attempts().iloc[:0]) == []


def test_the_order_is_kept_whatever_the_index() -> None:
    frame = attempts(course=["C1", "C2", "C3"], force_new=[True, False, True])
    sent = statistics(frame.set_axis([7, 7, 3]))
    assert [body["courseIdentifier"]["value"] for body in sent] == ["C1", "C2", "C3"]


@given(st.integers(0, 4_102_444_800_000))
def test_a_moment_is_written_to_the_millisecond_in_utc(moment: int) -> None:
    (written,) = iso_times(pd.Series([moment], dtype="int64"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", written)
    read = datetime.fromisoformat(written)
    assert read.tzinfo == UTC
    assert round(read.timestamp() * 1000) == moment
