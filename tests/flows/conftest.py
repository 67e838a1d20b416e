"""Flows run for real: on Prefect's test server, against the stand-ins over HTTP, on a clock of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.testing.utilities import prefect_test_harness

from sandbox.clock import ManualClock
from sandbox.sandbox import Sandbox
from sandbox.server import running
from sandbox.world import Sizes, World
from tests.installation import Sync


@pytest.fixture(scope="session")
def _prefect() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=90):
        yield


@pytest.fixture
def sync(_prefect: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sync]:
    """An installation with nothing on either side yet."""
    yield from _installation(Sandbox.empty(ManualClock()), monkeypatch, tmp_path)


@pytest.fixture
def busy_sync(_prefect: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sync]:
    """An installation with a believable customer: 300 contents, 60 learners, 600 enrollments."""
    clock = ManualClock()
    world = World.seeded(clock(), sizes=Sizes(300, 60, 600))
    yield from _installation(Sandbox(world, clock), monkeypatch, tmp_path)


def _installation(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Sync]:
    assert isinstance(sandbox.clock, ManualClock)
    sync = Sync(sandbox, sandbox.clock)
    with running(sandbox):
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SYNC_STATE_URL", f"sqlite:///{folder}/state/ledger.db")
        monkeypatch.chdir(folder)
        monkeypatch.setattr("tasks.run.Surroundings", sync.surroundings)
        yield sync
