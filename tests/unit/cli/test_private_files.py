"""Tables that people open with a spreadsheet."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import SettingsError
from connectors.files.csv_cells import guarded, unguarded
from flows.cli.output.private_files import require_writable, try_to_write_table, write_privately


def test_texts_are_guarded_and_numbers_are_not(tmp_path: Path) -> None:
    table = pd.DataFrame({"text": ["=1+1", "plain", None], "number": [-1, 2, 3]})
    try_to_write_table("--plan", tmp_path / "plan.csv", table)
    assert (tmp_path / "plan.csv").read_text() == "text,number\n'=1+1,-1\nplain,2\n,3\n"
    try_to_write_table("--plan", tmp_path / "plan.parquet", table)
    assert pd.read_parquet(tmp_path / "plan.parquet")["text"][0] == "=1+1"


@given(st.text())
def test_a_cell_can_be_read_back(text: str) -> None:
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    if not text.startswith("'"):
        assert unguarded(guarded(text)) == text


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(IsADirectoryError):
        write_privately(tmp_path / "there", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_what_is_no_file_is_refused() -> None:
    with pytest.raises(SettingsError, match="no plain file"):
        require_writable("--csv", Path("/dev/null"))
