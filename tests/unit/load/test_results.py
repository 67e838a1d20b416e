"""What became of each row: found by its key, whatever the order and the shape of the results."""

from collections.abc import Hashable, Mapping
from typing import Any

import pytest

from connectors.learning360.models import ResultInput, result_of
from tasks.load.results import (
    NO_RESULT,
    OUTCOME_COLUMNS,
    course_key,
    outcomes,
    statistic_key,
)

FIELDS = ("externalId", "courseIdentifier", "userIdentifier", "firstActivityAt")
DONE: dict[str, object] = {"status": "success", "resourceId": "r1"}
STATISTIC = {
    "courseIdentifier": {"type": "externalId", "value": "C1"},
    "userIdentifier": {"type": "mail", "value": "Ann@Example.com"},
    "firstActivityAt": "2026-01-01T00:00:00.000Z",
    "progress": 40,
}


def refused(message: object) -> dict[str, object]:
    return {"status": "error", "errorMessage": message}


def sent(body: dict[str, object]) -> ResultInput:
    """What is used of a result's input."""
    result = result_of({"input": body, "status": "success"})
    assert result.input is not None
    return result.input


def became(keys: list[str], results: Mapping[Hashable, dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Each row's outcome as a tuple of OUTCOME_COLUMNS."""
    frame = outcomes(keys, {key: result_of(row) for key, row in results.items()})
    assert tuple(frame.columns) == OUTCOME_COLUMNS
    assert [str(dtype) for dtype in frame.dtypes] == ["bool", "bool", "str", "str"]
    return list(frame.itertuples(index=False, name=None))


def test_each_row_has_its_own_result_whatever_their_order() -> None:
    results: dict[Hashable, dict[str, object]] = {"b": refused("too long"), "other": DONE, "a": DONE}
    assert became(["a", "b"], results) == [
        (True, True, "r1", ""),
        (True, False, "", "360Learning: too long"),
    ]


def test_a_row_without_a_result_is_not_answered() -> None:
    assert became(["a", "b"], {"b": DONE})[0] == (False, False, "", NO_RESULT)


def test_only_an_error_is_a_refusal() -> None:
    skipped = {"status": "skipped", "resourceId": "r1"}
    assert became(["a", "b"], {"a": skipped, "b": refused("no")}) == [
        (False, False, "", NO_RESULT),
        (True, False, "", "360Learning: no"),
    ]


def test_no_rows_are_an_empty_frame() -> None:
    assert became([], {"a": DONE}) == []


def test_rows_of_the_same_key_have_the_same_result() -> None:
    first, second = became(["a", "a"], {"a": refused("twice")})
    assert first == second == (True, False, "", "360Learning: twice")


@pytest.mark.parametrize(
    ("answer", "accepted", "resource"),
    [
        ({}, False, ""),
        ({"status": "new"}, False, ""),
        ({"status": None, "resourceId": "r1"}, False, ""),
        ({"status": "skipped", "resourceId": "r1"}, False, ""),
        ({"status": "success"}, True, ""),
        ({"status": "success", "resourceId": None}, True, ""),
        ({"status": "success", "resourceId": 7}, True, "7"),
    ],
    ids=["nothing", "a new status", "no status", "skipped", "no resource", "a null resource", "a number"],
)
def test_a_result_of_another_shape(answer: dict[str, object], *, accepted: bool, resource: str) -> None:
    assert became(["a"], {"a": answer})[0][1:3] == (accepted, resource)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("User ann@example.com not found", "User <address> not found"),
        ("<Ann.B+c@mail.example.co.uk>: unknown", "<<address>>: unknown"),
        ('No user "ann@example.com", nor (bob@example.com)', 'No user "<address>", nor (<address>)'),
        ("mail=ann@example.com;", "<address>;"),
        ("ann@example.com", "<address>"),
        ("änn@exämple.com is unknown", "<address> is unknown"),
        ("no \x1b[2Jtwo\nlines", "no \ufffd[2Jtwo lines"),
        ("word " * 99, f"{('word ' * 99)[:299]}…"),
        (f"{'x' * 295} ann@example.com", f"{'x' * 295} <ad…"),
        ("Course not found @ all", "Course not found @ all"),
        ("", "no reason given"),
        (None, "no reason given"),
        (["ann@example.com"], "['<address>']"),
        ({"mail": "ann@example.com"}, "{'mail': '<address>'}"),
    ],
    ids=[
        *("in a sentence", "in brackets", "two of them", "behind a sign", "alone", "with umlauts"),
        *("with what steers a terminal", "long", "cut behind the masking"),
        *("no address", "empty", "null", "in a list", "in an object"),
    ],
)
def test_addresses_in_reasons_are_masked(message: object, shown: str) -> None:
    assert became(["a"], {"a": refused(message)})[0][3] == f"360Learning: {shown}"


def test_a_course_is_its_external_id() -> None:
    assert course_key(sent({"externalId": "C1", "name": "N"})) == "C1"


def test_a_statistic_is_its_course_its_learner_in_lower_case_and_its_beginning() -> None:
    assert statistic_key(sent(STATISTIC)) == ("C1", "ann@example.com", "2026-01-01T00:00:00.000Z")


@pytest.mark.parametrize("key", [course_key, statistic_key])
@pytest.mark.parametrize(
    "body",
    [
        {},
        dict.fromkeys(FIELDS),
        dict.fromkeys(FIELDS, 7),
        {name: ["C1"] for name in FIELDS},
        {"courseIdentifier": {"value": ["C1"]}, "userIdentifier": {"value": {}}},
    ],
    ids=["nothing", "nulls", "numbers", "lists", "lists for values"],
)
def test_inputs_of_another_shape_are_none_of_ours(key: Any, body: dict[str, object]) -> None:
    ours = {"C1", ("C1", "ann@example.com", "2026-01-01T00:00:00.000Z")}
    assert key(sent(body)) not in ours
