"""The file of SYNC_ALIASES: what is wrong in it is said with its line, and never with an address."""

import logging
from pathlib import Path

import pytest

from connectors.alias_file import load_aliases
from connectors.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the header must be coursera,learning360"),
        ("a@b.c,d@e.f\n", "line 1: the header must be"),
        ("coursera,learning360\n\na@b.c\n", "line 3: 1 cells, where two addresses are wanted"),
        ("coursera,learning360\na@b.c,d@e.f,x\n", "line 2: 3 cells"),
        ("coursera,learning360\na@b.c,ann\n", "line 2: not an address"),
        ("coursera,learning360\n,d@e.f\n", "line 2: not an address"),
        ("coursera,learning360\na@b.c,d\0@e.f\n", "line 2: not an address"),
        (
            "coursera,learning360\na@b.c,d@e.f\n#\nA@B.C,g@h.i\n",
            "line 4: the address at Coursera stands in line 2",
        ),
        ("coursera,learning360\na@b.c,d@e.f\nd@e.f,g@h.i\n", "line 2: a chain"),
        ("coursera,learning360\na@b.c,a@b.c\n", "line 2: a chain"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "aliases.csv"
    file.write_text(text)
    with pytest.raises(SettingsError) as error:
        load_aliases(file)
    assert said in str(error.value)
    assert "@" not in str(error.value)
    assert error.value.exit_code == 2


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        load_aliases(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(b"coursera,learning360\n\xe9@b.c,d@e.f\n")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_aliases(tmp_path / "latin.csv")


@pytest.mark.parametrize(("mode", "warnings"), [(0o600, 0), (0o640, 1), (0o604, 1)])
def test_others_who_can_read_it_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, warnings: int
) -> None:
    file = tmp_path / "aliases.csv"
    file.write_text("\ufeffcoursera,learning360\n A@b.c , D@e.f \ng@h.i,d@e.f\n")
    file.chmod(mode)
    with caplog.at_level(logging.WARNING):
        assert load_aliases(file) == {"a@b.c": "d@e.f", "g@h.i": "d@e.f"}
    assert len(caplog.messages) == warnings
