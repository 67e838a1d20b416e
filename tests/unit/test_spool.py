"""Rows kept by key: all of them, those of a key together, in private files that are gone afterwards."""

import stat
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.ledger.keys import key_of
from tasks.statistics.spool import Spool

Batches = list[list[tuple[str, int]]]


def frame(rows: list[tuple[str, int]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "learner": pd.Series([name for name, _ in rows], dtype="str"),
            "key": pd.Series([key_of(name, "C1") for name, _ in rows], dtype="int64"),
            "progress": pd.Series([number for _, number in rows], dtype="int64"),
            "score": pd.Series([number if number % 2 else None for _, number in rows], dtype="Int64"),
        }
    )


@pytest.mark.parametrize("rows_at_once", [1, 4, 1000])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(batches=st.lists(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 99)))))
def test_all_rows_come_back_and_those_of_a_key_together(
    monkeypatch: pytest.MonkeyPatch, rows_at_once: int, batches: Batches
) -> None:
    monkeypatch.setattr("tasks.statistics.spool.ROWS_AT_ONCE", rows_at_once)
    with Spool() as spool:
        spool.expect(sum(map(len, batches)))
        for batch in batches:
            spool.add(frame(batch))
        parts = list(spool.partitions())
    for part in parts:
        assert part.dtypes.to_dict() == frame([]).dtypes.to_dict()
    found = [(row.learner, row.progress) for part in parts for row in part.itertuples()]
    assert sorted(found) == sorted(row for batch in batches for row in batch)
    homes = [set(part["learner"]) for part in parts]
    assert sum(map(len, homes)) == len(set().union(*homes))


def test_its_files_are_private_and_gone_when_it_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tasks.statistics.spool.ROWS_AT_ONCE", 2)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Spool() as spool:
        spool.add(frame([("a", 1), ("b", 2), ("c", 3)]))
        (folder,) = tmp_path.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert list(folder.iterdir())
    assert list(tmp_path.iterdir()) == []


def test_few_rows_touch_no_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Spool() as spool:
        spool.add(frame([("a", 1)]))
        assert [len(part) for part in spool.partitions()] == [1]
        assert list(tmp_path.iterdir()) == []
