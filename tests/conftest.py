"""What all tests share, and flows run for real: on Prefect's test server, against the stand-ins over HTTP."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.clock import ManualClock
from sandbox.sandbox import Sandbox
from sandbox.server import running
from sandbox.world import Sizes, World
from tests.installation import Sync, own_tasks

# Prefect asks for its settings when it is imported. It looks for names outside otherwise; and its server's
# records of events and task runs, which no test reads, keep SQLite so busy that flows wait for it, 2 s each.
os.environ |= {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED": "false",
}


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees only the settings it makes."""
    for name in list(os.environ):
        if name.startswith(("COURSERA_", "LEARNING360_", "SYNC_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def prefect_api() -> Iterator[str]:
    """The URL of Prefect's test server, one for the whole session."""
    # Imported here: tests that run no flow need not wait for Prefect.
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415

    with prefect_test_harness(server_startup_timeout=90):
        yield str(PREFECT_API_URL.value())


@pytest.fixture
def sync(prefect_api: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sync]:
    """An installation with nothing on either side yet."""
    yield from _installation(Sandbox.empty(ManualClock()), prefect_api, monkeypatch, tmp_path)


@pytest.fixture
def busy_sync(prefect_api: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sync]:
    """An installation with a believable customer: 300 contents, 60 learners, 600 enrollments."""
    clock = ManualClock()
    world = World.seeded(clock(), sizes=Sizes(300, 60, 600))
    yield from _installation(Sandbox(world, clock), prefect_api, monkeypatch, tmp_path)


def _installation(
    sandbox: Sandbox, prefect_api: str, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> Iterator[Sync]:
    assert isinstance(sandbox.clock, ManualClock)
    sync = Sync(sandbox, sandbox.clock, f"sqlite:///{folder}/state/ledger.db", prefect_api)
    with running(sandbox):
        for name, value in sync.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)
        monkeypatch.setattr("tasks.run.Surroundings", sync.surroundings)
        for task in own_tasks():  # Prefect's wait before a task's second try is on the real clock
            monkeypatch.setattr(task, "retry_delay_seconds", 0)
        yield sync
    assert sandbox.log.errors == []
