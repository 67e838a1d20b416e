"""Files with secrets or addresses that others can read are warned of, by every run and command."""

import logging
from pathlib import Path

import pytest

from tests.commands import Command
from tests.installation import Sync

MODES = [(0o600, 0), (0o640, 1), (0o604, 1)]


@pytest.fixture
def files(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """The files of an installation that has run."""
    sync.setup()
    aliases = Path("aliases.csv").absolute()
    aliases.write_text("coursera,learning360\n")
    Path(".env").write_text("SYNC_DEFAULT_LANGUAGE=en\n")
    monkeypatch.setenv("SYNC_ALIASES", str(aliases))
    files = {
        "The ledger": Path(sync.state_url.removeprefix("sqlite:///")),
        ".env": Path(".env"),
        "SYNC_ALIASES": aliases,
    }
    for file in files.values():
        file.chmod(0o600)
    return files


@pytest.mark.parametrize("what", ["The ledger", ".env", "SYNC_ALIASES"])
@pytest.mark.parametrize(("mode", "warnings"), MODES)
def test_a_run_warns(
    sync: Sync, files: dict[str, Path], caplog: pytest.LogCaptureFixture, what: str, mode: int, warnings: int
) -> None:
    files[what].chmod(mode)
    with caplog.at_level(logging.WARNING, "coursera_sync"):
        sync.statistics()
    said = [line for line in caplog.messages if "others can read" in line]
    assert (len(said), all(what in line and "chmod 600" in line for line in said)) == (warnings, True)


@pytest.mark.parametrize("what", ["The ledger", ".env"])
def test_a_command_that_runs_nothing_warns_too(files: dict[str, Path], command: Command, what: str) -> None:
    files[what].chmod(0o644)
    ended = command("status")
    assert (ended.code, "others can read" in ended.stderr.replace("\n", " ")) == (0, True)
