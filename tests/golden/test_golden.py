"""Every case is run by the flows, and says and leaves behind what its golden file holds.

Where a difference is meant, `make golden` writes the files anew; their diff then shows what it means.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from difflib import unified_diff
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import pytest

from sandbox.sandbox import Sandbox
from tests.golden import files
from tests.golden.cases import CASES, Case
from tests.golden.record import orjson_text
from tests.golden.story import Story, world_of
from tests.installation import Sync

MOST_LINES = 20


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_case_says_and_leaves_behind_is_as_it_was(
    case: Case,
    installed: Callable[[Sandbox], AbstractContextManager[Sync]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with installed(world_of(case)) as sync:
        story = Story(sync, case, tmp_path, monkeypatch)
        story.tell()
    if os.environ.get("GOLDEN") == "write":
        files.write(case.name, story.steps)
    told = list(islice(_differences(files.read(case.name), story.steps), MOST_LINES))
    if told:
        _keep(story, tmp_path / "held")
        pytest.fail("\n".join([f"{case.name}: all that was held is in {tmp_path / 'held'}", *told]))


def _differences(golden: files.Steps, actual: files.Steps) -> Iterator[str]:
    """The first step that differs, as the lines of a diff; nothing where none does."""
    for before, after in zip_longest(golden, actual, fillvalue=dict[str, Any]()):
        found = list(unified_diff(_lines(before), _lines(after), "golden", "now", lineterm="", n=0))
        if found:
            yield f"day {after.get('day')}, {after.get('step', 'no such step')}:"
            yield from found
            return


def _lines(step: dict[str, Any]) -> list[str]:
    told = step.get("summary", {})
    said = [f"{name}: {orjson_text(value)}" for name, value in told.items()]
    return [f"{step.get('day')} {step.get('step')}", *said, *sorted(step.get("holds", []))]


def _keep(story: Story, folder: Path) -> None:
    folder.mkdir()
    for number, (step, held) in enumerate(zip(story.steps, story.held, strict=True)):
        name = f"{number}-{step['step'].replace(', ', '-').replace(' ', '-')}.txt"
        (folder / name).write_text("\n".join(held))
