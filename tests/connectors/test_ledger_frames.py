"""What the ledger holds of courses and of learners, as frames that come out as they went in."""

import sqlite3
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest
from sqlalchemy import Connection, text

from connectors.ledger.keys import key_of
from connectors.ledger.records import courses, rejects
from connectors.ledger.records.attempts import ATTEMPT_COLUMNS, accept_attempts, attempts_of
from connectors.ledger.records.enrollments import ENROLLMENT_COLUMNS, enrollments_of, record_enrollments
from connectors.ledger.records.learners import addresses_of, move_learners, record_addresses
from connectors.ledger.records.targets import Target, find_target

ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@example.com"
DTYPES = {
    "key": "int64",
    "digest": "Int64",
    **dict.fromkeys(("learner", "course", "program", "external_id"), "str"),
    **dict.fromkeys(("first_at", "last_at", "progress", "time_spent", "number"), "int64"),
    "completed": "bool",
    "score": "Int64",
    "attempt": "Int64",
}
COURSE_DTYPES = {
    "external_id": "str",
    "digest": "str",
    "live": "bool",
    "learning_seconds": "float64",
    "missing_since": "str",
    "missed_on": "str",
    "missed_days": "int64",
}


def accept(
    db: Connection, target: Target, *ids: str, digest: str = "d1", seconds: float | None = None
) -> None:
    frame = pd.DataFrame({"external_id": pd.Series(ids, dtype="str"), "digest": digest, "body": "{}"})
    frame = frame.assign(course_id="c-" + frame["external_id"], learning_seconds=seconds)
    courses.accept_courses(db, target.id, frame, run_id="run", operation_id="op-1", now_ms=7)


def known(db: Connection, target: Target) -> dict[str, Any]:
    frame = courses.known_courses(db, target.id)
    return {row["external_id"]: row for row in frame.to_dict("records")}


def missed(db: Connection, target: Target) -> dict[str, int]:
    return {name: row["missed_days"] for name, row in known(db, target).items()}


def test_no_courses_are_an_empty_frame_of_the_same_kinds(db: Connection, target: Target) -> None:
    frame = courses.known_courses(db, target.id)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == COURSE_DTYPES
    assert len(frame) == 0


@pytest.mark.parametrize("rows", [1, 499, 500, 501, 1203])
def test_however_many_there_are_each_comes_out_as_it_went_in(
    db: Connection, target: Target, rows: int
) -> None:
    ids = [f"C{number}" for number in range(rows)]
    accept(db, target, *ids)
    accept(db, target, *ids[::3], digest="d2")
    expected = dict.fromkeys(ids, "d1") | dict.fromkeys(ids[::3], "d2")
    assert {name: row["digest"] for name, row in known(db, target).items()} == expected


def test_an_old_sqlite_that_takes_few_values_a_statement_is_given_few(db: Connection, target: Target) -> None:
    if db.dialect.name == "sqlite":
        driver: Any = db.connection.driver_connection
        driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
    accept(db, target, *(f"C{number}" for number in range(300)))
    assert len(known(db, target)) == 300


def test_accepted_courses_are_known(db: Connection, target: Target) -> None:
    accept(db, target, "C1", seconds=60)
    accept(db, target, "C2")
    frame = courses.known_courses(db, target.id)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == COURSE_DTYPES
    one, two = (known(db, target)[name] for name in ("C1", "C2"))
    assert (one["digest"], one["live"], one["learning_seconds"], one["missed_days"]) == ("d1", True, 60.0, 0)
    assert pd.isna(two["learning_seconds"])
    assert pd.isna(two["missed_on"])


def test_none_accepted_is_nothing_written(db: Connection, target: Target) -> None:
    accept(db, target)
    assert known(db, target) == {}


def test_a_course_accepted_again_has_its_new_state(db: Connection, target: Target) -> None:
    accept(db, target, "C1", "C2", seconds=60)
    accept(db, target, "C1", digest="d2")
    assert [known(db, target)[name]["digest"] for name in ("C1", "C2")] == ["d2", "d1"]
    assert pd.isna(known(db, target)["C1"]["learning_seconds"])


def test_courses_of_another_target_are_not_ours(db: Connection, target: Target) -> None:
    accept(db, find_target(db, "https://other", "group", "name"), "C1")
    assert known(db, target) == {}


def test_ids_of_the_platform_are_found_where_they_are_known(db: Connection, target: Target) -> None:
    accept(db, target, "C1", "C2", "C3", "C4")
    db.execute(text("UPDATE courses SET course_id = NULL WHERE external_id = 'C2'"))
    found = courses.course_ids(db, target.id, ["C1", "C2", "C3", "C9"])
    assert found == {"c-C1": "C1", "c-C3": "C3"}
    assert courses.course_ids(db, target.id, []) == {}


def test_an_archived_course_is_known_but_not_live_until_it_is_accepted_again(
    db: Connection, target: Target
) -> None:
    accept(db, target, "C1", "C2")
    courses.archive_courses(db, target.id, ["C1", "never there"], run_id="run", operation_id="op-2")
    assert {name: row["live"] for name, row in known(db, target).items()} == {"C1": False, "C2": True}
    accept(db, target, "C1")
    assert known(db, target)["C1"]["live"]


def test_a_day_on_which_a_course_is_missed_counts_once(db: Connection, target: Target) -> None:
    accept(db, target, "C1", "C2", "C3")
    for day in ("2026-01-15", "2026-01-15", "2026-01-17"):
        courses.note_missing(db, target.id, ["C1", "C2"], day)
    courses.note_missing(db, target.id, ["C2"], "2026-01-18")
    assert missed(db, target) == {"C1": 2, "C2": 3, "C3": 0}
    since = dict.fromkeys(("C1", "C2"), "2026-01-15")
    rows = db.execute(text("SELECT external_id, missing_since FROM courses WHERE missing_since IS NOT NULL"))
    assert {row.external_id: row.missing_since for row in rows} == since


def test_a_course_that_is_back_starts_anew(db: Connection, target: Target) -> None:
    accept(db, target, "C1", "C2")
    courses.note_missing(db, target.id, ["C1", "C2"], "2026-01-15")
    courses.note_present(db, target.id, ["C1"])
    assert missed(db, target) == {"C1": 0, "C2": 1}
    courses.note_missing(db, target.id, ["C1"], "2026-01-15")
    assert missed(db, target) == {"C1": 1, "C2": 1}


def test_the_day_on_which_a_course_was_restored_does_not_count(db: Connection, target: Target) -> None:
    accept(db, target, "C1")
    courses.note_missing(db, target.id, ["C1"], "2026-01-14")
    courses.note_restored(db, target.id, ["C1"], "2026-01-15")
    accept(db, target, "C1")
    for day, days in (("2026-01-15", 0), ("2026-01-16", 1)):
        courses.note_missing(db, target.id, ["C1"], day)
        assert missed(db, target) == {"C1": days}


def test_a_course_accepted_again_was_never_missed(db: Connection, target: Target) -> None:
    accept(db, target, "C1")
    courses.note_missing(db, target.id, ["C1"], "2026-01-15")
    accept(db, target, "C1")
    assert missed(db, target) == {"C1": 0}


def test_more_courses_than_a_statement_can_bind_are_noted_at_once(db: Connection, target: Target) -> None:
    ours = [f"C{number}" for number in range(5)]
    names = [*ours, *(f"of another target {number}" for number in range(70_000))]
    accept(db, target, *ours)
    courses.note_missing(db, target.id, names, "2026-01-15")
    assert missed(db, target) == dict.fromkeys(ours, 1)
    courses.note_present(db, target.id, names)
    assert missed(db, target) == dict.fromkeys(ours, 0)
    courses.archive_courses(db, target.id, names, run_id="run", operation_id="op-2")
    assert not any(row["live"] for row in known(db, target).values())
    assert set(courses.course_ids(db, target.id, names).values()) == set(ours)


def row(learner: str = ANN, course: str = "C1", program: str = "P1", **fields: object) -> dict[str, object]:
    """An enrollment that is under way, or with ``number`` an attempt."""
    plain: dict[str, object] = {
        "key": key_of(learner, course),
        "digest": 5,
        "learner": learner,
        "course": course,
        "program": program,
        "external_id": "x-1",
    }
    plain |= {"first_at": 1, "last_at": 2, "completed": False, "progress": 40, "time_spent": 9}
    return plain | {"score": None, "attempt": None, "number": 1} | fields


def frame(columns: list[str], *rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns).astype({name: DTYPES[name] for name in columns})


def record(db: Connection, target: Target, *rows: dict[str, object]) -> pd.DataFrame:
    read = frame(ENROLLMENT_COLUMNS, *rows)
    record_enrollments(db, target.id, read, run_id="run")
    return read


def see(db: Connection, target: Target, *addresses: tuple[str, str, int]) -> None:
    """Record addresses: externalId, address, and when that was so."""
    columns = ["external_id", "learner", "updated_at"]
    known = addresses_of(db, target.id, [external_id for external_id, *_ in addresses])
    record_addresses(db, target.id, pd.DataFrame(addresses, columns=columns), known)


def take_attempts(db: Connection, target: Target, *rows: dict[str, object]) -> pd.DataFrame:
    accepted = frame(ATTEMPT_COLUMNS, *rows)
    marked = accepted.assign(rule="first", resource_id="r-1")
    accept_attempts(db, target.id, marked, run_id="run", operation_id="op-1", now_ms=7)
    return accepted


def all_of(*addresses: str) -> Any:
    """The keys of learners on every course of these tests."""
    return np.array([key_of(one, course) for one in addresses for course in ("C1", "C2")], dtype="int64")


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Frames alike in all but the order of their rows."""
    key = [name for name in ("learner", "course", "program", "number") if name in expected]
    found, expected = (one.sort_values(key).reset_index(drop=True) for one in (found, expected))
    pd.testing.assert_frame_equal(found, expected)


VARIED = [
    row(),
    row(course="C2", completed=True, progress=100, score=87, attempt=1),
    row(course="C2", program="P2", score=0, attempt=2, number=2),
    row(BOB, external_id="", first_at=2**45, time_spent=2**40),
]
SHAPES = pytest.mark.parametrize(
    "rows", [[], VARIED[:1], VARIED], ids=["none", "one without a score", "several"]
)


@SHAPES
def test_enrollments_come_out_as_they_went_in(
    db: Connection, target: Target, rows: list[dict[str, object]]
) -> None:
    read = record(db, target, *rows)
    same(enrollments_of(db, target.id, all_of(ANN, BOB, EVE)), read)


@SHAPES
def test_attempts_come_out_as_they_went_in(
    db: Connection, target: Target, rows: list[dict[str, object]]
) -> None:
    accepted = take_attempts(db, target, *rows)
    same(attempts_of(db, target.id, all_of(ANN, BOB, EVE)), accepted)


def test_only_the_learners_asked_for_come_out(db: Connection, target: Target) -> None:
    record(db, target, row(ANN), row(BOB), row(EVE))
    take_attempts(db, target, row(ANN), row(EVE))
    assert set(enrollments_of(db, target.id, all_of(ANN, BOB))["learner"]) == {ANN, BOB}
    same(attempts_of(db, target.id, all_of(ANN, BOB)), frame(ATTEMPT_COLUMNS, row(ANN)))
    for of in (enrollments_of, attempts_of):
        assert len(of(db, target.id, all_of())) == 0
        assert len(of(db, find_target(db, "https://other", "g", "n").id, all_of(ANN))) == 0


def test_what_is_read_again_replaces_what_was_read(db: Connection, target: Target) -> None:
    record(db, target, row(score=1), row(program="P2"))
    record(db, target, row(progress=50, score=None, attempt=1))
    expected = frame(ENROLLMENT_COLUMNS, row(progress=50, attempt=1), row(program="P2"))
    same(enrollments_of(db, target.id, all_of(ANN)), expected)


def test_an_attempt_that_went_on_replaces_its_state(db: Connection, target: Target) -> None:
    take_attempts(db, target, row(), row(number=2))
    take_attempts(db, target, row(progress=100, completed=True))
    expected = frame(ATTEMPT_COLUMNS, row(progress=100, completed=True), row(number=2))
    same(attempts_of(db, target.id, all_of(ANN)), expected)


def test_the_addresses_beside_an_external_id_come_with_their_latest_date(
    db: Connection, target: Target
) -> None:
    see(db, target, ("x-1", ANN, 5), ("x-1", ANN, 9), ("x-1", BOB, 3), ("x-2", EVE, 5), ("", EVE, 5))
    see(db, target, ("x-1", ANN, 7), ("x-3", EVE, 5))
    found = addresses_of(db, target.id, ["x-1", "x-2", "x-9"])
    assert sorted(found.itertuples(index=False, name=None)) == [
        ("x-1", ANN, 9),
        ("x-1", BOB, 3),
        ("x-2", EVE, 5),
    ]
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == {
        "external_id": "str",
        "learner": "str",
        "updated_at": "int64",
    }


@pytest.mark.parametrize("ids", [[], ["x-9"]], ids=["none asked for", "none known"])
def test_no_addresses_are_an_empty_frame(db: Connection, target: Target, ids: list[str]) -> None:
    found = addresses_of(db, target.id, ids)
    assert list(found.columns) == ["external_id", "learner", "updated_at"]
    assert str(found["updated_at"].dtype) == "int64"
    assert len(found) == 0


def held(db: Connection, target: Target) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Who holds enrollments of which course and program, and attempts of which course and number."""
    read = enrollments_of(db, target.id, all_of(ANN, BOB, EVE))[["learner", "course", "program"]]
    accepted = attempts_of(db, target.id, all_of(ANN, BOB, EVE))[["learner", "course", "number"]]
    return tuple(sorted(one.itertuples(index=False, name=None)) for one in (read, accepted))  # type: ignore[return-value]


def test_a_learner_moves_with_all_records(db: Connection, target: Target) -> None:
    rows = [row(ANN), row(ANN, "C2"), row(EVE)]
    record(db, target, *rows, row(ANN, "C2", "P2"))
    take_attempts(db, target, *rows, row(ANN, number=2))
    move_learners(db, target.id, {ANN: BOB})
    assert held(db, target) == (
        [(BOB, "C1", "P1"), (BOB, "C2", "P1"), (BOB, "C2", "P2"), (EVE, "C1", "P1")],
        [(BOB, "C1", 1), (BOB, "C1", 2), (BOB, "C2", 1), (EVE, "C1", 1)],
    )


def test_records_are_joined_where_the_new_address_has_some_of_the_same_course(
    db: Connection, target: Target
) -> None:
    record(db, target, row(ANN, "C1"), row(ANN, "C2", attempt=1), row(BOB, "C2", "P2"), row(BOB, "C2"))
    take_attempts(db, target, row(ANN, "C1"), row(ANN, "C2", progress=70), row(BOB, "C2", progress=30))
    assert move_learners(db, target.id, {ANN: BOB}) == {ANN}
    assert held(db, target) == (
        [(BOB, "C1", "P1"), (BOB, "C2", "P1"), (BOB, "C2", "P2")],
        [(BOB, "C1", 1), (BOB, "C2", 1), (BOB, "C2", 2)],
    )
    found = attempts_of(db, target.id, all_of(BOB)).sort_values(["course", "number"])
    assert found["progress"].tolist() == [40, 30, 70]


def test_two_addresses_that_become_one_are_joined(db: Connection, target: Target) -> None:
    take_attempts(db, target, row(ANN), row(EVE), row(EVE, number=2))
    assert move_learners(db, target.id, {ANN: BOB, EVE: BOB}) == {ANN, EVE}
    assert held(db, target) == ([], [(BOB, "C1", 1), (BOB, "C1", 2), (BOB, "C1", 3)])


def test_what_was_rejected_moves_with_what_it_holds(db: Connection, target: Target) -> None:
    told = {"learner": ANN, "course": "C1", "number": 1, "progress": 40}
    refused = pd.DataFrame(
        {
            "row_id": [f"{ANN}~C1~1", f"{ANN}~C2~1"],
            "learner": ANN,
            "course": ["C1", "C2"],
            "reason": "unknown",
            "raw": None,
            "uncertain": [orjson.dumps(told).decode(), None],
        }
    )
    rejects.upsert(db, target.id, "statistics", refused, run_id="run", now_ms=7)
    take_attempts(db, target, row(BOB, "C1"))
    assert move_learners(db, target.id, {ANN: BOB}) == {ANN}
    known = rejects.known_rejects(db, target.id, "statistics").sort_values("row_id")
    assert known["row_id"].tolist() == [f"{BOB}~C1~2", f"{BOB}~C2~1"]
    assert orjson.loads(known["uncertain"].iloc[0]) == told | {"learner": BOB, "number": 2}


def test_nobody_who_moves_has_nothing_moved(db: Connection, target: Target) -> None:
    record(db, target, row(ANN))
    assert move_learners(db, target.id, {}) == move_learners(db, target.id, {EVE: BOB}) == set()


def test_a_learner_of_another_target_stays(db: Connection, target: Target) -> None:
    other = find_target(db, "https://other", "group", "name")
    record(db, other, row(ANN))
    move_learners(db, target.id, {ANN: BOB})
    assert held(db, other) == ([(ANN, "C1", "P1")], [])
