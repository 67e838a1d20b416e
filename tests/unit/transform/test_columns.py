"""Unproven JSON columns: what is usable, what is wrong, what is only missing."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transform.columns import (
    NOT_AN_OBJECT,
    Reasons,
    blank,
    flag,
    frame,
    identifier,
    number,
    prose,
    text,
)

LONE_SURROGATE = "\ud800"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def column(*values: object) -> pd.Series:
    return frame([{"value": value} for value in values], ["value"])["value"]


def present(values: pd.Series) -> list[object]:
    return values.astype(object).where(values.notna(), None).tolist()


@pytest.mark.parametrize(
    ("values", "usable", "wrong"),
    [
        pytest.param(["a", "b"], ["a", "b"], [False, False], id="all text"),
        pytest.param(["a", None], ["a", None], [False, False], id="null is missing"),
        pytest.param([None, None], [None, None], [False, False], id="all missing"),
        pytest.param(["", " "], ["", " "], [False, False], id="blank is still text"),
        pytest.param([1, 2], [None, None], [True, True], id="all numbers"),
        pytest.param([1.5, None], [None, None], [True, False], id="numbers and null"),
        pytest.param([True, False], [None, None], [True, True], id="booleans"),
        pytest.param(["a", 1, True], ["a", None, None], [False, True, True], id="mixed"),
        pytest.param([["a"], {"a": "b"}, "c"], [None, None, "c"], [True, True, False], id="list and object"),
        pytest.param([LONE_SURROGATE, "b"], [None, "b"], [True, False], id="text that is not Unicode"),
        pytest.param(["a\0", "\x1b", "a\x85"], [None] * 3, [True] * 3, id="control characters"),
        pytest.param(["a\nb", "a\tb\r"], ["a\nb", "a\tb\r"], [False, False], id="line breaks and tabs"),
        pytest.param(["a" * 501], ["a" * 501], [False], id="long text"),
    ],
)
def test_text(values: list[object], usable: list[object], wrong: list[bool]) -> None:
    found, mask = text(column(*values))
    assert present(found) == usable
    assert mask.tolist() == wrong
    assert (str(found.dtype), str(mask.dtype)) == ("str", "bool")


def test_an_id_is_short_text() -> None:
    values, wrong = identifier(column("a" * 500, "a" * 501, "a\0", 7, None))
    assert present(values) == ["a" * 500, None, None, None, None]
    assert wrong.tolist() == [False, True, True, True, False]


def test_prose_may_have_control_characters() -> None:
    values, wrong = prose(column("a\0b", LONE_SURROGATE, 7))
    assert present(values) == ["a\0b", None, None]
    assert wrong.tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("values", "usable", "wrong"),
    [
        pytest.param([1, 2], [1.0, 2.0], [False, False], id="integers"),
        pytest.param([1, 2.5, None], [1.0, 2.5, None], [False, False, False], id="floats and null"),
        pytest.param([None], [None], [False], id="all missing"),
        pytest.param([float("nan")], [None], [False], id="NaN is missing"),
        pytest.param([float("inf"), 1], [None, 1.0], [True, False], id="infinity"),
        pytest.param([10**400, 1], [None, 1.0], [True, False], id="beyond a float"),
        pytest.param([2**70, -1], [float(2**70), -1.0], [False, False], id="beyond 64 bits"),
        pytest.param([True, False], [None, None], [True, True], id="booleans"),
        pytest.param([True, 1], [None, 1.0], [True, False], id="boolean among numbers"),
        pytest.param(["1", "many"], [None, None], [True, True], id="text"),
        pytest.param(["1", 1], [None, 1.0], [True, False], id="text among numbers"),
        pytest.param([[1], {"a": 1}, 1], [None, None, 1.0], [True, True, False], id="list and object"),
    ],
)
def test_number(values: list[object], usable: list[object], wrong: list[bool]) -> None:
    found, mask = number(column(*values))
    assert present(found) == usable
    assert mask.tolist() == wrong
    assert (str(found.dtype), str(mask.dtype)) == ("float64", "bool")


@pytest.mark.parametrize(
    ("values", "usable", "wrong"),
    [
        pytest.param([True, False], [True, False], [False, False], id="booleans"),
        pytest.param([True, None], [True, False], [False, False], id="null is false"),
        pytest.param([1, 0], [False, False], [True, True], id="numbers"),
        pytest.param(["true"], [False], [True], id="text"),
        pytest.param([True, 1, [True]], [True, False, False], [False, True, True], id="mixed"),
    ],
)
def test_flag(values: list[object], usable: list[bool], wrong: list[bool]) -> None:
    found, mask = flag(column(*values))
    assert found.tolist() == usable
    assert mask.tolist() == wrong
    assert (str(found.dtype), str(mask.dtype)) == ("bool", "bool")


@pytest.mark.parametrize("take", [text, number, flag])
def test_a_repeated_index_is_kept(take: object) -> None:
    assert callable(take)
    values, wrong = take(pd.Series(["a", 1], index=[7, 7], dtype=object))
    assert values.index.tolist() == wrong.index.tolist() == [7, 7]


def test_blank_is_missing_or_white_space() -> None:
    values, _ = text(column("a", "", " \t\n\u00a0", None))
    assert blank(values).tolist() == [False, True, True, True]


def test_frame_takes_the_named_keys_only() -> None:
    table = frame([{"a": 1, "b": "x", "z": 0}, {"b": "y"}], ["a", "b", "c"])
    assert table.columns.tolist() == ["a", "b", "c", NOT_AN_OBJECT]
    assert present(table["a"]) == [1.0, None]
    assert table["b"].tolist() == ["x", "y"]
    assert table["c"].isna().all()


@pytest.mark.parametrize("element", [None, 1, "x", True, ["a"], []], ids=repr)
def test_frame_flags_what_is_no_object(element: object) -> None:
    table = frame([{"a": "x"}, element], ["a"])
    assert table[NOT_AN_OBJECT].tolist() == [False, True]
    assert table["a"].isna().tolist() == [False, True]


def test_frame_of_nothing_has_the_columns() -> None:
    table = frame([], ["a"])
    assert table.columns.tolist() == ["a", NOT_AN_OBJECT]
    assert [len(values) for values, _ in (text(table["a"]), number(table["a"]), flag(table["a"]))] == [
        0,
        0,
        0,
    ]


def test_the_first_reason_stays() -> None:
    reasons = Reasons(pd.RangeIndex(3))
    reasons.add(pd.Series([True, False, False]), "first")
    reasons.add(pd.Series([True, True, False]), "second")
    assert present(reasons.series) == ["first", "second", None]
    assert reasons.bad.tolist() == [True, True, False]


@settings(deadline=None)
@given(st.lists(JSON, max_size=6))
def test_each_value_is_usable_or_wrong_or_missing(values: list[object]) -> None:
    cells = column(*values)
    for take in (text, identifier, prose, number):
        found, wrong = take(cells)
        assert (found.notna().astype(int) + wrong.astype(int) + cells.isna().astype(int) == 1).all()


@settings(deadline=None)
@given(st.lists(JSON, max_size=6))
def test_a_value_is_judged_the_same_in_any_company(values: list[object]) -> None:
    together = [present(take(column(*values))[1]) for take in (text, number, flag)]
    alone = [[bool(take(column(value))[1].iloc[0]) for value in values] for take in (text, number, flag)]
    assert together == alone
