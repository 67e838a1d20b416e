"""A customer lives through days on which nearly anything happens, and 360Learning holds what it must hold.

`make test` lives through a few days of one seed, `make soak` through a month of several. Odd ones have two
groups that share all learners.
"""

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from sandbox.sandbox import Sandbox
from tests.installation import Sync
from tests.soak.soak import Soak

# By themselves: a few days with a silent operation, a lost answer, a kill, and results in an unknown status.
SEEDS = [int(seed) for seed in os.environ.get("SOAK_SEEDS", "141").split(",")]
DAYS = int(os.environ.get("SOAK_DAYS", "5"))
DATABASE = os.environ.get("SOAK_DATABASE", "sqlite")


@pytest.mark.parametrize("state_url", [DATABASE], indirect=True)
@pytest.mark.parametrize("seed", SEEDS)
def test_at_the_end_of_each_day_360learning_holds_what_the_oracle_says(
    seed: int,
    installed: Callable[[Sandbox], AbstractContextManager[Sync]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    targets = 1 + seed % 2
    again = "" if DATABASE == "sqlite" else " --postgres"
    with installed(Sandbox.empty()) as sync:
        monkeypatch.setenv("SYNC_TARGETS", str(_targets(sync, tmp_path, targets)))
        soak = Soak(sync, seed, tmp_path, again=again, targets=targets)
        soak.live(DAYS)
    sys.stdout.write("\n".join([f"seed {seed}, {DAYS} days:", *soak.disturbed, ""]))


def _targets(sync: Sync, folder: Path, count: int) -> Path:
    """The file of so many groups, each with all courses and learners."""
    platform = sync.sandbox.learning360
    groups = [
        platform.group_id,
        *(platform.add_group(f"Group {number}")["_id"] for number in range(1, count)),
    ]
    file = folder / "targets.toml"
    tables = (f'[[target]]\nname = "t{number}"\ngroup_id = "{group}"' for number, group in enumerate(groups))
    file.write_text("\n".join(tables))
    return file
