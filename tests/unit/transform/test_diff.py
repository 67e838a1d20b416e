"""The difference between a reading and the ledger."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transform.courses.diff import archivable, digest, digests, exceeds, missing, plan_courses

BODY = {"externalId": "a", "name": "Ä", "subjects": ["x", "y"], "duration": 5}


@pytest.fixture
def known() -> pd.DataFrame:
    """What the ledger knows: two live courses and one that was archived."""
    return pd.DataFrame(
        {"external_id": ["a", "b", "gone"], "digest": ["1", "2", "3"], "live": [True, True, False]}
    )


def test_a_digest_is_always_the_same() -> None:
    assert digest(BODY) == digest(json.loads(json.dumps(BODY)))
    assert digest(BODY) == "3f87f1456e0105a122e7fc7d3f5158b9"  # a change of it sends every catalog anew


def test_the_order_of_keys_does_not_matter() -> None:
    assert digest(BODY) == digest(dict(reversed(BODY.items())))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({**BODY, "name": "A"}, id="value"),
        pytest.param({**BODY, "duration": "5"}, id="type"),
        pytest.param({**BODY, "subjects": ["y", "x"]}, id="order of a list"),
        pytest.param({**BODY, "imageUrl": ""}, id="another key"),
        pytest.param({}, id="nothing"),
    ],
)
def test_another_body_has_another_digest(other: dict[str, object]) -> None:
    assert digest(other) != digest(BODY)


def test_digests_stand_in_the_order_of_the_bodies() -> None:
    found = digests([BODY, {}])
    assert found.tolist() == [digest(BODY), digest({})]
    assert found.dtype == digests([]).dtype == "str"


@pytest.mark.parametrize(
    ("external_id", "fingerprint", "action"),
    [
        pytest.param("a", "1", "unchanged", id="same digest"),
        pytest.param("a", "9", "update", id="other digest"),
        pytest.param("new", "1", "create", id="unknown"),
        pytest.param("gone", "3", "update", id="archived, same digest: comes back"),
        pytest.param("gone", "9", "update", id="archived, other digest"),
    ],
)
def test_plan_courses(known: pd.DataFrame, external_id: str, fingerprint: str, action: str) -> None:
    courses = pd.DataFrame({"externalId": [external_id], "digest": [fingerprint]}, index=[7])
    planned = plan_courses(courses, known)
    assert planned.tolist() == [action]
    assert planned.index.tolist() == [7]


def test_a_course_known_without_a_digest_is_sent(known: pd.DataFrame) -> None:
    courses = pd.DataFrame({"externalId": ["a"], "digest": ["1"]})
    assert plan_courses(courses, known.assign(digest=None)).tolist() == ["update"]


def test_an_empty_ledger_creates_everything(known: pd.DataFrame) -> None:
    courses = pd.DataFrame({"externalId": ["a", "b"], "digest": ["1", "2"]})
    assert plan_courses(courses, known.head(0)).tolist() == ["create", "create"]
    assert plan_courses(courses, pd.DataFrame(columns=known.columns)).tolist() == ["create", "create"]


def test_an_empty_reading_has_an_empty_plan(known: pd.DataFrame) -> None:
    courses = pd.DataFrame({"externalId": ["a"], "digest": ["1"]}).head(0)
    assert plan_courses(courses, known).empty


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        pytest.param(["a", "b", "gone"], [], id="none"),
        pytest.param(["a"], ["b"], id="one"),
        pytest.param([], ["a", "b"], id="all that live"),
        pytest.param(["a", "b"], [], id="the archived one is not missing"),
        pytest.param(["a", "b", "new"], [], id="a new one is not missing"),
    ],
)
def test_missing(known: pd.DataFrame, read: list[str], expected: list[str]) -> None:
    assert missing(known, read).tolist() == expected
    assert missing(known, pd.Series(read, dtype="str")).tolist() == expected


def test_nothing_is_missing_from_an_empty_ledger(known: pd.DataFrame) -> None:
    assert missing(pd.DataFrame(columns=known.columns), ["a"]).empty


@pytest.mark.parametrize(
    ("grace", "expected"),
    [
        pytest.param(1, ["today", "two days", "long"], id="at once"),
        pytest.param(2, ["two days", "long"], id="two"),
        pytest.param(9, ["long"], id="exactly as many"),
        pytest.param(10, [], id="more"),
    ],
)
def test_archivable(grace: int, expected: list[str]) -> None:
    missed = pd.DataFrame({"external_id": ["today", "two days", "long"], "missed_days": [1, 2, 9]})
    assert archivable(missed, grace).tolist() == expected


@pytest.mark.parametrize(
    ("gone", "live", "limit", "expected"),
    [
        pytest.param(1, 10, 0.1, False, id="exactly the limit"),
        pytest.param(2, 10, 0.1, True, id="more"),
        pytest.param(29, 100, 0.29, False, id="exactly, where floats would say more"),
        pytest.param(30, 100, 0.29, True, id="one more"),
        pytest.param(0, 0, 0.1, False, id="nothing of nothing"),
        pytest.param(1, 3, 0.0, True, id="none may go"),
        pytest.param(3, 3, 1.0, False, id="all may go"),
    ],
)
def test_exceeds(gone: int, live: int, limit: float, *, expected: bool) -> None:
    assert exceeds(gone, live, limit) is expected


@settings(deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=4), st.text(max_size=3), max_size=8))
def test_what_was_just_accepted_is_unchanged(accepted: dict[str, str]) -> None:
    prints = digests({"externalId": key, "name": value} for key, value in accepted.items())
    courses = pd.DataFrame({"externalId": pd.Series(list(accepted), dtype="str"), "digest": prints})
    known = pd.DataFrame({"external_id": courses["externalId"], "digest": prints, "live": True})
    assert plan_courses(courses, known).eq("unchanged").all()
    assert missing(known, accepted).empty
