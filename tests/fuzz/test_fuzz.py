"""Values of every odd kind among good ones: what is good arrives as it should, and no run fails.

`make test` draws some hundred rows, `make fuzz` thousands from each of several seeds.
"""

import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from sandbox.sandbox import Sandbox
from tests.commands import Command
from tests.fuzz.fuzz import Fuzz
from tests.installation import Sync
from tests.vendor import Contract

#: Seeds and how many rows of each kind, those that once found a fault among them: run always.
CASES = ("1x200",)
DATABASES = os.environ.get("FUZZ_DATABASES", "sqlite,postgresql").split(",")


def _cases() -> list[tuple[int, int]]:
    drawn = os.environ.get("FUZZ_CASES", "").split()
    return [(int(seed), int(count)) for seed, _, count in (one.partition("x") for one in [*CASES, *drawn])]


@pytest.mark.parametrize("state_url", DATABASES, indirect=True)
@pytest.mark.parametrize(("seed", "count"), _cases())
def test_what_is_good_arrives_whatever_stands_beside_it(
    seed: int,
    count: int,
    installed: Callable[[Sandbox], AbstractContextManager[Sync]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with installed(Sandbox.empty()) as sync:
        Fuzz(sync, Command(monkeypatch, capsys), seed, count, _contract()).live()


def _contract() -> Contract | None:
    folder = os.environ.get("CONTRACTS_DIR")
    if folder is None:
        return None
    return Contract(json.loads(Path(folder, "360learning-openapi.json").read_text(encoding="utf-8")))
