"""Killed with -9 at any moment, a run leaves nothing that the next one does not put right."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox import snapshot
from sandbox.clock import ManualClock, system_clock
from sandbox.server import Sandbox, running
from sandbox.world import Sizes, World
from tests.postgres import BOTH_DATABASES

SIZES = Sizes(40, 8, 30)
FEW, MANY = 2, 60
#: So much longer may the run after a kill take than one that follows none.
SECONDS_MORE = 30


@dataclass(frozen=True)
class Undisturbed:
    """What a run that nobody kills leaves behind, how many moments it has, and how long it waits."""

    state: dict[str, Any]
    moments: int
    seconds: float


class Customer:
    """A sandbox whose clock stands still, a ledger, and processes that run the main job on them."""

    def __init__(self, sandbox: Sandbox, state_url: str) -> None:
        self.sandbox = sandbox
        self.state_url = state_url

    def run(self, kill_at: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the main job; it is killed at that moment, where there is one."""
        environment = os.environ | self.sandbox.environment()
        environment["SYNC_STATE_URL"] = self.state_url
        command = [sys.executable, "-m", "tests.resilience.doomed", str(kill_at)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603

    def state(self) -> dict[str, Any]:
        """What 360Learning holds, without ids and moments of writing."""
        found = snapshot.comparable(snapshot.state(self.sandbox.learning360))
        return {name: found[name] for name in ("integrations", "courses", "attempts")}

    def submissions(self) -> int:
        """How many bulk operations 360Learning has taken."""
        return len(self.sandbox.learning360.operations.all)


@contextmanager
def customer(state_url: str) -> Iterator[Customer]:
    """A believable customer with a launch, the same each time."""
    clock = ManualClock(system_clock() // 86_400_000 * 86_400_000)
    sandbox = Sandbox(World.seeded(clock(), sizes=SIZES), clock)
    sandbox.learning360.options.operation_base_ms = 0
    sandbox.learning360.options.rows_per_second = 0
    with running(sandbox):
        yield Customer(sandbox, state_url)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    with customer(f"sqlite:///{tmp_path_factory.mktemp('undisturbed')}/ledger.db") as one:
        ended = one.run()
        assert ended.returncode == 0, ended.stderr
        moments, seconds = ended.stdout.split()
        return Undisturbed(one.state(), int(moments), float(seconds))


def _survives(state_url: str, kills: list[int], undisturbed: Undisturbed) -> None:
    with customer(state_url) as one:
        for kill_at in kills:
            assert one.run(kill_at).returncode in {-signal.SIGKILL, 0}
        clean = one.run()
        assert clean.returncode == 0, clean.stderr
        assert one.state() == undisturbed.state
        assert float(clean.stdout.split()[1]) <= undisturbed.seconds + SECONDS_MORE
        sent = one.submissions()
        assert one.run().returncode == 0
        assert one.submissions() - sent <= 1  # rejected rows are tried again, nothing else
        assert one.state() == undisturbed.state


@BOTH_DATABASES
@pytest.mark.parametrize("share", range(1, FEW + 1))
def test_a_run_that_is_killed_is_put_right_by_the_next_one(
    share: int, state_url: str, undisturbed: Undisturbed
) -> None:
    _survives(state_url, [undisturbed.moments * share // (FEW + 1)], undisturbed)


def test_statistics_of_unknown_outcome_survive_a_kill(state_url: str, undisturbed: Undisturbed) -> None:
    """Killed among them, without the scope to look for them, which is granted later."""
    with customer(state_url) as one:
        client, options = one.sandbox.learning360.client, one.sandbox.learning360.options
        granted = client.scopes
        client.scopes, options.drop_results = granted - {"courseStats:read"}, 4
        assert one.run(undisturbed.moments * 4 // 5).returncode == -signal.SIGKILL
        assert one.run().returncode == 0
        client.scopes, options.drop_results = granted, 0
        assert one.run().returncode == 0
        assert one.state() == undisturbed.state


@pytest.mark.long
def test_whatever_the_moment(tmp_path: Path, undisturbed: Undisturbed) -> None:
    for kill_at in range(1, undisturbed.moments + 1):
        _survives(f"sqlite:///{tmp_path}/{kill_at}/ledger.db", [kill_at], undisturbed)


@pytest.mark.long
@BOTH_DATABASES
@pytest.mark.parametrize("seed", range(MANY // 3))
def test_runs_that_are_killed_again_and_again(seed: int, state_url: str, undisturbed: Undisturbed) -> None:
    draw = random.Random(seed)  # noqa: S311 - drawn anew, the same each time
    _survives(state_url, [draw.randint(1, undisturbed.moments) for _ in range(3)], undisturbed)
