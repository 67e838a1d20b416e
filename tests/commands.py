"""The `coursera-sync` command in this very process: quick, for commands that need no Prefect."""

import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from flows.cli.app import main


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        (line,) = self.stdout.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found


class Command:
    """Calls the command with its arguments, in the environment and these settings."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str, **settings: str) -> Ended:
        """Run it to its end."""
        self._capsys.readouterr()
        with self._monkeypatch.context() as here:
            for name, value in settings.items():
                here.setenv(name, value)
            here.setattr(sys, "argv", ["coursera-sync", *arguments])
            with pytest.raises(SystemExit) as ending:
                main()
        said = self._capsys.readouterr()
        assert isinstance(ending.value.code, int)
        return Ended(ending.value.code, said.out, said.err)
