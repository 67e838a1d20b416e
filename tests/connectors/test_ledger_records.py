"""The ledger's small records: targets, runs, watermarks, renewed tokens, submissions, and the overview."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from sqlalchemy import Connection, text

from connectors.ledger.lookups.status import overview, rejected_rows
from connectors.ledger.records import courses, rejects, submissions
from connectors.ledger.records.refresh_tokens import keep_renewed_token, renewed_token
from connectors.ledger.records.runs import NewRun, finish_run, holder_of, note_crashed, note_stream, start_run
from connectors.ledger.records.submissions import Submission
from connectors.ledger.records.targets import Target, find_target, set_integration, trust
from connectors.ledger.records.watermarks import Watermark, move_watermark, read_watermark

HERE = ("https://app.360learning.com", "group", "Coursera for Business")


def run(db: Connection, target: Target, run_id: str, *, stream: str | None = None, at: int = 1) -> None:
    start_run(db, NewRun(run_id, target.id, "catalog", f"{run_id}'s", dry_run=False, started_at=at))
    note_stream(db, run_id, stream)


def test_a_target_is_made_once(db: Connection) -> None:
    made = find_target(db, *HERE)
    assert (made.integration_id, made.knows_remote) == (None, False)
    assert find_target(db, *HERE) == made


@pytest.mark.parametrize("position", range(3), ids=["API", "group", "name"])
def test_another_place_is_another_target(db: Connection, position: int) -> None:
    elsewhere = [*HERE]
    elsewhere[position] = "another"
    made, other = find_target(db, *HERE), find_target(db, *elsewhere)
    assert made.id != other.id
    assert made.key != other.key


def test_an_integration_is_noted_and_the_target_stays(db: Connection, target: Target) -> None:
    noted = set_integration(db, target, "run", "i-1", knows_remote=True)
    assert noted == replace(target, integration_id="i-1", knows_remote=True)
    assert find_target(db, *HERE) == noted


def test_another_integration_retires_the_target_with_its_records(db: Connection, target: Target) -> None:
    old = set_integration(db, target, "run", "i-1", knows_remote=True)
    run(db, old, "second")
    move_watermark(db, old.id, "catalog", 1, in_full=True)
    new = set_integration(db, old, "second", "i-2", knows_remote=False)
    assert new.id != old.id
    assert (new.key, new.integration_id, new.knows_remote) == (old.key, "i-2", False)
    assert find_target(db, *HERE) == new
    assert read_watermark(db, new.id, "catalog") is None
    assert read_watermark(db, old.id, "catalog") is not None
    of_runs = {row.id: row.target_id for row in db.execute(text("SELECT * FROM runs"))}
    assert of_runs == {"run": old.id, "second": new.id}


def test_trust_is_kept(db: Connection, target: Target) -> None:
    assert trust(db, target).knows_remote
    assert find_target(db, *HERE).knows_remote


@pytest.mark.usefixtures("target")
def test_a_run_begins_and_ends(db: Connection) -> None:
    finish_run(db, "run", "completed", '{"extracted": 3}', 9)
    ((state, ended, summary),) = db.execute(text("SELECT state, ended_at, summary FROM runs")).all()
    assert (state, ended, json.loads(summary)) == ("completed", 9, {"extracted": 3})


def test_the_holder_of_a_lock_is_the_latest_run_of_its_stream(db: Connection, target: Target) -> None:
    assert holder_of(db, target.id, "catalog") == "another run"
    run(db, target, "first", stream="catalog", at=1)
    run(db, target, "second", stream="catalog", at=2)
    run(db, target, "other", stream="statistics", at=3)
    assert holder_of(db, target.id, "catalog") == "a catalog run (second's)"
    finish_run(db, "second", "completed", "{}", 9)
    assert holder_of(db, target.id, "catalog") == "a catalog run (first's)"


def test_runs_that_never_ended_are_noted_as_crashed(db: Connection, target: Target) -> None:
    for name, stream in (("dead", "catalog"), ("done", "catalog"), ("other", "statistics")):
        run(db, target, name, stream=stream)
    finish_run(db, "done", "completed", "{}", 2)
    note_crashed(db, target.id, "catalog", 9)
    states = {row.id: (row.state, row.ended_at) for row in db.execute(text("SELECT * FROM runs"))}
    assert states == {
        "run": ("running", None),
        "dead": ("crashed", 9),
        "done": ("completed", 2),
        "other": ("running", None),
    }


def test_there_is_no_watermark_before_the_first_good_run(db: Connection, target: Target) -> None:
    assert read_watermark(db, target.id, "statistics") is None


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([(10, True)], Watermark(10, 10)),
        ([(10, False)], Watermark(10, None)),
        ([(10, True), (20, False)], Watermark(20, 10)),
        ([(10, True), (20, False), (30, True)], Watermark(30, 30)),
    ],
    ids=["in full", "incremental", "in full, then incremental", "in full again"],
)
def test_a_watermark_remembers_the_last_reading_in_full(
    db: Connection, target: Target, moves: list[tuple[int, bool]], expected: Watermark
) -> None:
    for read_at, in_full in moves:
        move_watermark(db, target.id, "statistics", read_at, in_full=in_full)
    assert read_watermark(db, target.id, "statistics") == expected
    assert read_watermark(db, target.id, "catalog") is None


def test_a_renewed_token_takes_the_place_of_the_setting(db: Connection) -> None:
    assert renewed_token(db, "org", "setting") is None
    for token in ("first", "second"):
        keep_renewed_token(db, "org", "setting", token, 1)
    assert renewed_token(db, "org", "setting") == "second"
    assert renewed_token(db, "another org", "setting") is None


def test_a_setting_that_was_changed_since_wins(db: Connection) -> None:
    keep_renewed_token(db, "org", "setting", "renewed", 1)
    assert renewed_token(db, "org", "changed") is None
    keep_renewed_token(db, "org", "changed", "renewed anew", 2)
    assert renewed_token(db, "org", "changed") == "renewed anew"
    assert renewed_token(db, "org", "setting") is None


def test_of_the_setting_only_a_digest_is_kept(db: Connection) -> None:
    keep_renewed_token(db, "org", "the-setting", "renewed", 1)
    assert "the-setting" not in str(db.execute(text("SELECT * FROM renewed_tokens")).all())


ROWS = pd.DataFrame(
    {
        "learner": pd.Series(["ann@example.com", "bob@example.com"], dtype="str"),
        "score": pd.Series([pd.NA, 90], dtype="Int64"),
        "completed": [False, True],
        "first_at": [1, 2],
        "reason": pd.Series([None, "none"], dtype="str"),
    }
)
STATISTICS, CATALOG = "importExternalStatistics", "importExternalCourses"


def submission(target: Target, name: str, *, kind: str = STATISTICS, rows: pd.DataFrame = ROWS) -> Submission:
    return Submission(name, target.id, "run", kind, rows, intended_at=5)


@pytest.mark.parametrize(
    "rows", [ROWS, ROWS.iloc[:0], ROWS.iloc[:1]], ids=["two", "none", "one without a score"]
)
def test_an_intent_is_found_with_its_rows_as_they_were(
    db: Connection, target: Target, rows: pd.DataFrame
) -> None:
    submissions.intend(db, submission(target, "s", rows=rows), 1)
    found = submissions.find(db, "s")
    assert found is not None
    pd.testing.assert_frame_equal(found.rows, rows)
    assert replace(found, rows=ROWS) == replace(submission(target, "s"), rows=ROWS)


def test_a_submission_is_intended_then_sent_then_closed(db: Connection, target: Target) -> None:
    submissions.intend(db, submission(target, "s"), 1)
    assert submissions.known_operations(db) == set()
    submissions.mark_sent(db, "s", "op-1", 2)
    found = submissions.find(db, "s")
    assert found is not None
    assert found.operation_id == "op-1"
    submissions.close(db, "s", "settled", 3)
    assert submissions.find(db, "s") is None
    assert submissions.known_operations(db) == {"op-1"}
    row = db.execute(text("SELECT state, rows, row_count, settled_at FROM submissions")).one()
    assert tuple(row) == ("settled", None, 2, 3)


def test_an_intent_may_be_written_down_anew(db: Connection, target: Target) -> None:
    submissions.intend(db, submission(target, "s"), 1)
    submissions.intend(db, submission(target, "s", rows=ROWS.iloc[:1]), 2)
    found = submissions.find(db, "s")
    assert found is not None
    assert len(found.rows) == 1


def test_what_was_left_open_is_listed_by_kind_oldest_first(db: Connection, target: Target) -> None:
    other = find_target(db, "https://other", "group", "name")
    for at, name in enumerate(("late", "closed", "early", "failed")):
        submissions.intend(db, submission(target, name), 10 - at)
    submissions.intend(db, submission(target, "catalog", kind=CATALOG), 1)
    submissions.intend(db, submission(other, "other"), 1)
    submissions.mark_sent(db, "late", "op-1", 11)
    submissions.close(db, "closed", "settled", 12)
    submissions.close(db, "failed", "failed", 12)
    open_ones = submissions.left_open(db, target.id, (STATISTICS,))
    assert [one.id for one in open_ones] == ["early", "late"]
    assert [one.id for one in submissions.left_open(db, target.id, (CATALOG,))] == ["catalog"]
    assert submissions.known_operations(db) == {"op-1"}


def rejected(*rows: tuple[str, str]) -> pd.DataFrame:
    columns = {"row_id": [row[0] for row in rows], "reason": [row[1] for row in rows]}
    nothing = dict.fromkeys(("learner", "course", "raw"))
    return pd.DataFrame(columns, dtype="str").assign(**nothing)


def reject(db: Connection, target: Target, rows: pd.DataFrame, at: int, stream: str = "catalog") -> None:
    rejects.upsert(db, target.id, stream, rows, run_id="run", now_ms=at)


def known(db: Connection, target: Target, stream: str = "catalog") -> dict[str, str]:
    frame = rejects.known_rejects(db, target.id, stream)
    return dict(zip(frame["row_id"], frame["reason"], strict=True))


def test_a_row_rejected_again_keeps_its_first_date(db: Connection, target: Target) -> None:
    reject(db, target, rejected(("a", "old"), ("b", "old")), 1)
    reject(db, target, rejected(("a", "new"), ("c", "new")), 2)
    assert known(db, target) == {"a": "new", "b": "old", "c": "new"}
    dates = {row.row_id: (row.first_at, row.last_at) for row in db.execute(text("SELECT * FROM rejects"))}
    assert dates == {"a": (1, 2), "b": (1, 1), "c": (2, 2)}


def test_a_row_that_comes_twice_is_aside_once_with_its_last_reason(db: Connection, target: Target) -> None:
    reject(db, target, rejected(("a", "first"), ("b", "one"), ("a", "last")), 1)
    assert known(db, target) == {"b": "one", "a": "last"}


def test_streams_and_targets_have_their_own_rows_aside(db: Connection, target: Target) -> None:
    other = find_target(db, "https://other", "group", "name")
    reject(db, target, rejected(("a", "catalog's")), 1)
    reject(db, target, rejected(("a", "statistics'")), 2, "statistics")
    reject(db, other, rejected(("a", "the other's")), 3)
    rejects.delete(db, target.id, "catalog", ["a", "never there"])
    assert (known(db, target), known(db, target, "statistics")) == ({}, {"a": "statistics'"})
    assert known(db, other) == {"a": "the other's"}


def test_an_unknown_outcome_is_kept_until_it_is_known(db: Connection, target: Target) -> None:
    reject(db, target, rejected(("a", "unknown")).assign(uncertain="{}", learner="ann@example.com"), 1)
    assert rejects.known_rejects(db, target.id, "catalog")["uncertain"].tolist() == ["{}"]
    rejects.clear_uncertain(db, target.id, "catalog")
    frame = rejects.known_rejects(db, target.id, "catalog")
    assert frame["uncertain"].isna().all()
    assert frame["learner"].tolist() == ["ann@example.com"]


def test_nothing_aside_is_an_empty_frame_of_text(db: Connection, target: Target) -> None:
    reject(db, target, rejected(), 1)
    frame = rejects.known_rejects(db, target.id, "catalog")
    assert list(frame.columns) == list(rejects.COLUMNS)
    assert {str(dtype) for dtype in frame.dtypes} == {"str"}


@pytest.fixture
def lived(db: Connection, target: Target) -> Target:
    """A target with something of everything."""
    integrated = set_integration(db, target, "run", "i-1", knows_remote=True)
    accepted = pd.DataFrame({"external_id": ["C1", "C2"], "course_id": "c", "digest": "d", "body": "{}"})
    courses.accept_courses(
        db, target.id, accepted.assign(learning_seconds=None), run_id="run", operation_id="o", now_ms=1
    )
    courses.archive_courses(db, target.id, ["C2"], run_id="run", operation_id="o")
    move_watermark(db, target.id, "catalog", 1_768_464_000_999, in_full=True)
    finish_run(db, "run", "completed", '{"extracted": 2}', 1_768_464_001_000)
    for number in range(11):
        run(db, target, f"run {number}", at=1_768_464_001_000 + 1000 * number)
    for name in ("open", "closed"):
        submissions.intend(db, submission(target, name), 1_768_464_002_000)
    submissions.close(db, "closed", "failed", 3)
    reject(db, target, rejected(("a", "rare"), ("b", "often"), ("c", "often")), 1_768_464_003_000)
    return integrated


def test_the_overview_of_a_new_ledger_is_empty(db: Connection) -> None:
    assert (overview(db), list(rejected_rows(db))) == ([], [])


@pytest.mark.usefixtures("lived")
def test_the_overview_tells_all_at_a_glance(db: Connection) -> None:
    (told,) = overview(db)
    assert (told["group_id"], told["platform_name"], told["integration_id"]) == ("group", HERE[2], "i-1")
    assert told["live_courses"] == 1
    assert told["watermarks"] == [
        {"stream": "catalog", "read_at": "2026-01-15T08:00:00Z", "read_in_full_at": "2026-01-15T08:00:00Z"}
    ]
    assert [one["id"] for one in told["runs"]] == [f"run {number}" for number in range(10, 0, -1)]
    assert [(one["state"], one["operation_id"]) for one in told["open_operations"]] == [("intended", None)]
    assert [(one["reason"], one["count"]) for one in told["rejected"]] == [("often", 2), ("rare", 1)]
    json.dumps(told)


@pytest.mark.usefixtures("target")
def test_a_finished_run_shows_its_summary(db: Connection) -> None:
    finish_run(db, "run", "completed", '{"extracted": 2}', 1_768_464_001_000)
    (told,) = overview(db)
    (only,) = told["runs"]
    assert (only["summary"], only["ended_at"]) == ({"extracted": 2}, "2026-01-15T08:00:01Z")


def test_a_retired_target_is_not_shown(db: Connection, lived: Target) -> None:
    set_integration(db, lived, "run 1", "i-2", knows_remote=True)
    (told,) = overview(db)
    assert (told["integration_id"], told["live_courses"], told["rejected"]) == ("i-2", 0, [])
    assert list(rejected_rows(db)) == []


@pytest.mark.usefixtures("lived")
def test_the_rows_aside_are_told_one_by_one(db: Connection) -> None:
    told = list(rejected_rows(db))
    assert [one["row_id"] for one in told] == ["a", "b", "c"]
    assert told[0]["first_at"] == "2026-01-15T08:00:03Z"
