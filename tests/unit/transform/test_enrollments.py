"""The statistics mapping, row by row of its table, and every rule about odd values."""

import re
import sys
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.coursera.models import report_fields, report_rows
from connectors.coursera.row_ids import row_ids
from tasks.transform.statistics.enrollment_reports import read_reports
from tasks.transform.statistics.enrollments import (
    ENROLLMENT_COLUMNS,
    FIRST_DATE_MS,
    MappedEnrollments,
    map_enrollments,
)

NOW = 1_790_000_000_000
DAY = 86_400_000
HOUR_MS = 3_600_000


def report(**changes: object) -> dict[str, object]:
    """A report row in order, but for the given fields; a field set to ... is absent."""
    row: dict[str, object] = {
        "id": "ann@example.com~C1~P1",
        "email": "ann@example.com",
        "externalId": "x-1",
        "contentId": "C1",
        "programId": "P1",
        "enrolledAt": NOW - 10 * DAY,
        "lastActivityAt": NOW - 2 * DAY,
        "overallProgress": 37,
        "isCompleted": False,
        "grade": 0.9,
        "approxTotalCourseHrs": 1.5,
        "updatedAt": NOW - DAY,
    } | changes
    return {name: value for name, value in row.items() if value is not ...}


def mapping(elements: list[object], **options: Any) -> MappedEnrollments:
    rows = report_rows(elements)
    reports = read_reports(report_fields(rows) | {"row_id": row_ids(rows)})
    return map_enrollments(reports, now_ms=NOW, **options)


def mapped(**changes: object) -> dict[str, Any]:
    """The one enrollment that a report becomes."""
    result = mapping([report(**changes)], send_scores=True)
    assert result.rejects.empty, result.rejects["reason"].tolist()
    return {str(name): value for name, value in result.enrollments.iloc[0].items()}


def reason(**changes: object) -> str:
    """Why a report is rejected."""
    result = mapping([report(**changes)], send_scores=True)
    assert result.enrollments.empty
    return str(result.rejects["reason"].iloc[0])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, {"course": "C1"}, id="contentId"),
        pytest.param({"contentId": " C1 "}, {"course": " C1 "}, id="contentId as it is"),
        pytest.param({"email": " Ann@Example.COM "}, {"learner": "ann@example.com"}, id="email, lower case"),
        pytest.param(
            {"email": None, "externalId": "Bob@Example.com"},
            {"learner": "bob@example.com"},
            id="else externalId where it is an address",
        ),
        pytest.param(
            {"email": "  ", "externalId": "b@c.d"}, {"learner": "b@c.d"}, id="blank email, else externalId"
        ),
        pytest.param({"externalId": ...}, {"external_id": ""}, id="no externalId"),
        pytest.param({"programId": None}, {"program": ""}, id="no program"),
        pytest.param({"overallProgress": 37.9}, {"progress": 37}, id="progress rounded down"),
        pytest.param({"overallProgress": 0.3}, {"progress": 1}, id="begun is at least 1"),
        pytest.param({"overallProgress": 100}, {"progress": 99}, id="100 without completion is 99"),
        pytest.param({"overallProgress": 99.7}, {"progress": 99}, id="99.7 is 99"),
        pytest.param({"overallProgress": ...}, {"progress": 0}, id="progress absent"),
        pytest.param({"overallProgress": None}, {"progress": 0}, id="progress null"),
        pytest.param(
            {"overallProgress": 37, "isCompleted": True, "completedAt": NOW - 5 * DAY},
            {"progress": 100, "completed": True, "last_at": NOW - 5 * DAY},
            id="completed at 37 %: 100, at completedAt",
        ),
        pytest.param(
            {"isCompleted": False, "completedAt": NOW - 5 * DAY},
            {"completed": False, "last_at": NOW - 2 * DAY},
            id="completedAt alone is no completion",
        ),
        pytest.param({"isCompleted": None}, {"completed": False}, id="isCompleted null"),
        pytest.param({}, {"last_at": NOW - 2 * DAY, "first_at": NOW - 10 * DAY}, id="lastActivityAt"),
        pytest.param({"lastActivityAt": ...}, {"last_at": NOW - 10 * DAY}, id="else enrolledAt"),
        pytest.param(
            {"isCompleted": True},
            {"last_at": NOW - 2 * DAY},
            id="completed without completedAt: last activity",
        ),
        pytest.param(
            {"isCompleted": True, "lastActivityAt": ...},
            {"last_at": NOW - 10 * DAY},
            id="completed without any later date: enrolledAt",
        ),
        pytest.param(
            {"enrolledAt": ...}, {"first_at": NOW - 2 * DAY}, id="no enrolledAt: the earliest date there is"
        ),
        pytest.param(
            {"lastActivityAt": NOW - 20 * DAY, "isCompleted": True, "completedAt": NOW - 30 * DAY},
            {"first_at": NOW - 30 * DAY, "last_at": NOW - 30 * DAY},
            id="dates before enrolledAt: the earliest is the first activity",
        ),
        pytest.param(
            {"lastActivityAt": NOW + 5 * 60_000},
            {"last_at": NOW + 5 * 60_000},
            id="five minutes ahead is fine",
        ),
        pytest.param({"approxTotalCourseHrs": 2.98}, {"time_spent": 10_728_000}, id="hours to milliseconds"),
        pytest.param({"approxTotalCourseHrs": ...}, {"time_spent": 1}, id="no hours: 1 ms"),
        pytest.param({"approxTotalCourseHrs": 0}, {"time_spent": 1}, id="0 hours: 1 ms"),
        pytest.param(
            {"approxTotalCourseHrs": ..., "approxTotalLearningHours": 0.5},
            {"time_spent": HOUR_MS // 2},
            id="a Video's hours",
        ),
        pytest.param({"isCompleted": True, "grade": 0.925}, {"score": 92}, id="score of a completed one"),
        pytest.param({}, {"score": pd.NA}, id="no score before completion"),
        pytest.param({"isCompleted": True, "grade": ...}, {"score": pd.NA}, id="no grade, no score"),
    ],
)
def test_a_field_is_mapped(changes: dict[str, object], expected: dict[str, object]) -> None:
    row = mapped(**changes)
    for name, value in expected.items():
        assert row[name] is value or row[name] == value  # NA is itself, and equal to nothing


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"contentId": ...}, "contentId is missing", id="no contentId"),
        pytest.param({"contentId": " "}, "contentId is missing", id="blank contentId"),
        pytest.param({"contentId": 7}, "contentId is not text", id="contentId a number"),
        pytest.param({"email": "nobody"}, "email is not an address", id="email is no address"),
        pytest.param({"email": "a b@c.d"}, "email is not an address", id="email with a space"),
        pytest.param({"email": "a@b@c.d"}, "email is not an address", id="email with two @"),
        pytest.param(
            {"email": ...}, "no address: email is missing, and externalId is not an address", id="no address"
        ),
        pytest.param({"email": ["a@b.c"]}, "email is not text", id="email a list"),
        pytest.param({"overallProgress": "many"}, "overallProgress is not a number", id="progress many"),
        pytest.param({"overallProgress": True}, "overallProgress is not a number", id="progress a flag"),
        pytest.param({"overallProgress": 101}, "overallProgress is not between 0 and 100", id="progress 101"),
        pytest.param(
            {"overallProgress": 100.6}, "overallProgress is not between 0 and 100", id="progress 100.6"
        ),
        pytest.param({"overallProgress": -1}, "overallProgress is not between 0 and 100", id="progress -1"),
        pytest.param({"isCompleted": "yes"}, "isCompleted is not true or false", id="isCompleted a word"),
        pytest.param({"enrolledAt": "2026-01-01"}, "enrolledAt is not a number", id="a date as text"),
        pytest.param({"enrolledAt": 0}, "enrolledAt lies before 2012: epoch seconds?", id="a date of 0"),
        pytest.param(
            {"lastActivityAt": NOW // 1000},
            "lastActivityAt lies before 2012: epoch seconds?",
            id="a date in seconds",
        ),
        pytest.param(
            {"isCompleted": True, "completedAt": FIRST_DATE_MS - 1},
            "completedAt lies before 2012: epoch seconds?",
            id="a completion before 2012",
        ),
        pytest.param(
            {"isCompleted": True, "completedAt": "soon"}, "completedAt is not a number", id="completedAt text"
        ),
        pytest.param(
            {"lastActivityAt": 1e300}, "lastActivityAt lies more than five minutes ahead", id="1e300"
        ),
        pytest.param(
            {"lastActivityAt": -1e300}, "lastActivityAt lies before 2012: epoch seconds?", id="-1e300"
        ),
        pytest.param(
            {"email": 5, "externalId": "b@c.d"}, "email is not text", id="email a number beside an externalId"
        ),
        pytest.param(
            {"lastActivityAt": NOW + 5 * 60_000 + 1},
            "lastActivityAt lies more than five minutes ahead",
            id="a date in the future",
        ),
        pytest.param(
            {"enrolledAt": ..., "lastActivityAt": ...},
            "no date at all: enrolledAt, lastActivityAt and completedAt are missing",
            id="no date",
        ),
    ],
)
def test_a_row_is_rejected(changes: dict[str, object], expected: str) -> None:
    assert reason(**changes) == expected


DONE = {"isCompleted": True, "completedAt": NOW - 5 * DAY}


@pytest.mark.parametrize(
    ("changes", "what", "expected"),
    [
        ({"updatedAt": "yesterday"}, "updatedAt is not a number", {}),
        ({"updatedAt": 10**400}, "updatedAt is not a number", {}),
        ({"updatedAt": 1e300}, "updatedAt is not a number", {}),
        ({"updatedAt": 260_000_000_000_000}, "updatedAt is not a number", {}),
        ({"programId": 7}, "programId is not text", {"program": ""}),
        ({"externalId": ["x"]}, "externalId is not text", {"external_id": ""}),
        ({"completedAt": "soon"}, "completedAt is not a number", {"last_at": NOW - 2 * DAY}),
        (
            {"completedAt": NOW // 1000},
            "completedAt lies before 2012: epoch seconds?",
            {"first_at": NOW - 10 * DAY},
        ),
        (
            {"completedAt": NOW + DAY},
            "completedAt lies more than five minutes ahead",
            {"last_at": NOW - 2 * DAY},
        ),
        ({**DONE, "overallProgress": "all"}, "overallProgress is not a number", {"progress": 100}),
        ({**DONE, "overallProgress": -3}, "overallProgress is not between 0 and 100", {"progress": 100}),
        ({**DONE, "overallProgress": 250}, "overallProgress is not between 0 and 100", {"progress": 100}),
        ({**DONE, "grade": 1.5}, "grade is not between 0 and 1", {"score": None}),
        ({**DONE, "grade": "A+"}, "grade is not a number", {"score": None}),
        ({"approxTotalCourseHrs": "1"}, "approxTotalCourseHrs is not a number", {"time_spent": 1}),
        ({"approxTotalCourseHrs": -1}, "approxTotalCourseHrs is negative", {"time_spent": 1}),
        (
            {"approxTotalCourseHrs": 1e300},
            "approxTotalCourseHrs is more than 100,000 hours",
            {"time_spent": 1},
        ),
        (
            {"approxTotalCourseHrs": 1.7e9},
            "approxTotalCourseHrs is more than 100,000 hours",
            {"time_spent": 1},
        ),
        (
            {"approxTotalCourseHrs": -1, "approxTotalLearningHours": 2},
            "approxTotalCourseHrs is negative",
            {"time_spent": 2 * HOUR_MS},
        ),
        (
            {"approxTotalCourseHrs": ..., "approxTotalLearningHours": 1e303},
            "approxTotalLearningHours is more than 100,000 hours",
            {"time_spent": 1},
        ),
    ],
)
def test_what_is_not_sent_is_ignored(
    changes: dict[str, object], what: str, expected: dict[str, object]
) -> None:
    result = mapping([report(**changes)], send_scores=True)
    assert result.rejects.empty
    assert {one: rows.tolist() for one, rows in result.ignored.items()} == {what: [0]}
    plain = mapping([report(**(DONE if "isCompleted" in changes else {}))], send_scores=True)
    whole = plain.enrollments.iloc[0].to_dict() | expected
    assert all(
        value is whole[name] or value == whole[name]
        for name, value in result.enrollments.iloc[0].to_dict().items()
    )


def test_a_little_more_than_all_is_all() -> None:
    assert mapped(overallProgress=100.5)["progress"] == 99
    assert mapped(overallProgress=100.5, **DONE)["progress"] == 100


def test_grades_are_not_looked_at_where_scores_are_not_sent() -> None:
    result = mapping([report(grade="A+", isCompleted=True)])
    assert result.enrollments["score"].isna().all()
    assert result.ignored == {}


@pytest.mark.parametrize("progress", [..., None, 0], ids=["absent", "null", "0"])
def test_a_row_without_activity_stands_at_0(progress: object) -> None:
    row = mapped(overallProgress=progress, lastActivityAt=...)
    assert (row["progress"], row["completed"]) == (0, False)


def test_an_element_that_is_no_object_is_rejected() -> None:
    result = mapping([report(), "junk", None, 3])
    assert result.enrollments["position"].tolist() == [0]
    assert result.rejects["position"].tolist() == [1, 2, 3]


def test_an_empty_batch_maps_to_empty_frames() -> None:
    result = mapping([])
    assert list(result.enrollments.columns) == list(ENROLLMENT_COLUMNS)
    assert len(result.enrollments) == len(result.rejects) == 0


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
reports = st.fixed_dictionaries({}, optional=dict.fromkeys(report(), anything)) | st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from(["a@b.c", "B@C.D ", "none"]),
        "contentId": st.sampled_from(["C1", "C2", ""]),
        "enrolledAt": st.integers(NOW - 9 * DAY, NOW),
        "lastActivityAt": st.integers(NOW - 9 * DAY, NOW),
        "completedAt": st.integers(NOW - 9 * DAY, NOW),
        "overallProgress": st.floats(0, 100),
        "isCompleted": st.booleans(),
        "approxTotalCourseHrs": st.floats(0, 1e4),
    },
)


@settings(deadline=None)
@given(st.lists(reports | anything, max_size=12))
def test_every_row_is_mapped_or_rejected_and_what_is_mapped_is_sound(elements: list[object]) -> None:
    result = mapping(elements)
    positions = [*result.enrollments["position"], *result.rejects["position"]]
    assert sorted(positions) == list(range(len(elements)))
    rows = result.enrollments
    assert rows["first_at"].le(rows["last_at"]).all()
    assert rows["progress"].between(0, 100).all()
    assert rows["progress"].eq(100).eq(rows["completed"]).all()
    assert rows["time_spent"].ge(1).all()
    assert result.rejects["reason"].str.len().gt(0).all()


def test_no_address_has_white_space_in_it_of_whatever_kind() -> None:
    spaces = [chr(code) for code in range(sys.maxunicode) if re.match(r"\s", chr(code))]
    result = mapping([report(email=f"an{space}n@example.com") for space in spaces])
    assert (len(result.enrollments), len(result.rejects)) == (0, len(spaces))


@settings(deadline=None)
@given(st.lists(reports, max_size=10), st.integers(0, 10))
def test_batches_map_as_the_whole_does(elements: list[object], cut: int) -> None:
    whole = mapping(elements).enrollments.drop(columns="position")
    parts = [mapping(part).enrollments for part in (elements[:cut], elements[cut:])]
    joined = pd.concat(parts, ignore_index=True).drop(columns="position")
    pd.testing.assert_frame_equal(whole, joined)
