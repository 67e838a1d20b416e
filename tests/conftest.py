"""What all tests share, and flows run for real: on Prefect's test server, against the stand-ins over HTTP."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sandbox.clock import ManualClock
from sandbox.sandbox import Sandbox
from sandbox.server import running
from sandbox.world import Sizes, World
from tests.installation import Sync, own_tasks
from tests.postgres import new_database, programs, serving

# Prefect asks for its settings when it is imported. It looks for names outside otherwise; and its server's
# records of events and task runs, which no test reads, keep SQLite so busy that flows wait for it, 2 s each.
os.environ |= {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED": "false",
    # As the command sets it: our own log lines go to Prefect's too.
    "PREFECT_LOGGING_EXTRA_LOGGERS": "coursera_sync",
}


# A slow machine is no failure: speed is measured by benchmarks, not by tests.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server of the tests' own: its URL, without a database's name."""
    folder = programs()
    if folder is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed: make system")
        pytest.skip("PostgreSQL is not installed: make system")
    with serving(folder) as url:
        yield url


@pytest.fixture(params=["sqlite"])
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new ledger's URL: in SQLite, or where a test is marked so on both databases."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state/ledger.db"
    return new_database(request.getfixturevalue("postgres"))


@pytest.fixture
def sync(prefect_api: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state_url: str) -> Iterator[Sync]:
    """An installation with nothing on either side yet."""
    sandbox = Sandbox.empty(ManualClock())
    yield from _installation(sandbox, prefect_api, monkeypatch, tmp_path, state_url)


@pytest.fixture
def busy_sync(
    prefect_api: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state_url: str
) -> Iterator[Sync]:
    """An installation with a believable customer: 300 contents, 60 learners, 600 enrollments."""
    clock = ManualClock()
    sandbox = Sandbox(World.seeded(clock(), sizes=Sizes(300, 60, 600)), clock)
    yield from _installation(sandbox, prefect_api, monkeypatch, tmp_path, state_url)


def _installation(
    sandbox: Sandbox, prefect_api: str, monkeypatch: pytest.MonkeyPatch, folder: Path, state_url: str
) -> Iterator[Sync]:
    assert isinstance(sandbox.clock, ManualClock)
    sync = Sync(sandbox, sandbox.clock, state_url, prefect_api)
    with running(sandbox):
        for name, value in sync.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)
        monkeypatch.setattr("tasks.run.Surroundings", sync.surroundings)
        for task in own_tasks():  # Prefect's wait before a task's second try is on the real clock
            monkeypatch.setattr(task, "retry_delay_seconds", 0)
        yield sync
    assert sandbox.log.errors == []
