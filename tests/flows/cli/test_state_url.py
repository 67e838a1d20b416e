"""A password in SYNC_STATE_URL shows nowhere, not even where the URL is odd and cannot be used."""

import pytest

from tests.commands import Command

# Whatever part of the password "alpha", "beta" belong to.
ODD = [
    "postgresql://user:alpha@beta@127.0.0.1/ledger",
    "postgresql://user:alpha@beta:gamma@127.0.0.1/ledger",
    "postgresql://user:alpha@beta:99/gamma@127.0.0.1/ledger",
    "postgresql://user:alpha@beta/gamma@127.0.0.1/ledger",
    "postgresql://user:alpha@beta?gamma@127.0.0.1/ledger",
    "postgresql://user@server:alpha@beta@127.0.0.1/ledger",
    "postgresql://user:alpha",
    "postgresql://user:alpha:beta/ledger",
    "postgresql://user:pass@127.0.0.1:alpha/ledger",
    "postgres//user:alpha@beta",
    "mysql://user:alpha@beta@127.0.0.1/ledger",
]
# These lead to where nothing listens.
USABLE = [
    "postgresql://user:alpha%40beta@127.0.0.1:1/ledger",
    "postgresql://user:alpha:beta@127.0.0.1:1/ledger",
    "postgresql://user@server:alpha@127.0.0.1:1/ledger",
]
PARTS = ("alpha", "beta", "gamma")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capsys)


@pytest.mark.parametrize("option", [None, "--json", "--verbose"])
@pytest.mark.parametrize("url", ODD + USABLE)
def test_no_command_shows_it(here: Command, url: str, option: str | None) -> None:
    ended = here("status", *([option] if option else []), SYNC_STATE_URL=url)
    assert (ended.code, "SYNC_STATE_URL" in ended.stderr) == (2, True)
    said = ended.stdout + ended.stderr
    assert [part for part in PARTS if part in said] == []


@pytest.mark.parametrize("url", ODD)
def test_how_to_write_one_is_said(here: Command, url: str) -> None:
    said = here("status", SYNC_STATE_URL=url).stderr
    assert "%40 for @" in said or "must be an sqlite:// or a postgresql:// URL" in said
