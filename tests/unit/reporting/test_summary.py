"""The counts that people and scripts rely on."""

import json

import pytest

from tasks.reporting.summary import State, Summary

COUNTS = {"extracted": 21, "merged": 1, "held": 2, "unchanged": 3, "accepted": 4, "rejected": 11}
FIELDS = [
    *("flow", "state", "extracted", "merged", "held", "unchanged", "submitted", "accepted", "rejected"),
    *("archived", "recovered", "seconds", "notes"),
]


def test_a_new_summary_has_nothing_in_it() -> None:
    summary = Summary(flow="catalog")
    assert summary.as_json() == {
        **dict.fromkeys(FIELDS, 0),
        "flow": "catalog",
        "state": "running",
        "notes": [],
    }
    assert summary.unaccounted == 0


def test_every_row_is_accounted_for() -> None:
    assert Summary(flow="statistics", state="completed", **COUNTS).unaccounted == 0


@pytest.mark.parametrize("count", [name for name in COUNTS if name != "extracted"])
def test_a_row_in_no_count_shows(count: str) -> None:
    less = COUNTS | {count: COUNTS[count] - 1}
    assert Summary(flow="statistics", state="completed", **less).unaccounted == 1


def test_a_dry_run_counts_what_it_would_have_sent() -> None:
    counts = COUNTS | {"accepted": 0, "submitted": 4}
    assert Summary(flow="statistics", state="dry_run", **counts).unaccounted == 0
    assert Summary(flow="statistics", state="completed", **counts).unaccounted == 4


@pytest.mark.parametrize("count", ["submitted", "archived", "recovered"])
def test_other_counts_are_not_of_the_rows_that_were_read(count: str) -> None:
    assert Summary(flow="catalog", state="completed", **COUNTS | {count: 5}).unaccounted == 0


@pytest.mark.parametrize(
    ("state", "code"), [("completed", 0), ("dry_run", 0), ("completed_with_rejects", 3), ("failed", 1)]
)
def test_the_state_decides_the_exit_code(state: State, code: int) -> None:
    assert Summary(flow="catalog", state=state).exit_code == code


def test_an_error_shows_where_there_is_one() -> None:
    failed = Summary(flow="catalog", state="failed", error="No.").as_json()
    assert list(failed) == [*FIELDS, "error"]
    assert failed["error"] == "No."
    assert list(Summary(flow="catalog").as_json()) == FIELDS


def test_a_summary_survives_json() -> None:
    summary = Summary(flow="catalog", state="failed", error="No.", notes=["N"], seconds=1.5, **COUNTS)
    assert Summary.model_validate(json.loads(json.dumps(summary.as_json()))) == summary
