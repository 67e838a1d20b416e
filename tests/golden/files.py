"""The golden files: one a case, each step with what it changed in 360Learning, so that they stay small."""

import json
from pathlib import Path
from typing import Any

from tests.golden import record

FOLDER = Path(__file__).parent

Steps = list[dict[str, Any]]


def write(name: str, steps: Steps) -> None:
    """Keep a case's steps."""
    kept, before = [], list[str]()
    for step in steps:
        kept.append(step | {"holds": record.difference(before, step["holds"])})
        before = step["holds"]
    _path(name).write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def read(name: str) -> Steps:
    """A case's steps as they were kept, each with all lines that were held after it."""
    steps, held = [], list[str]()
    for step in json.loads(_path(name).read_text()):
        held = record.applied(held, step["holds"])
        steps.append(step | {"holds": held})
    return steps


def _path(name: str) -> Path:
    return FOLDER / f"{name}.json"
