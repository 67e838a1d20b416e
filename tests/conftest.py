"""What all tests share, and flows run for real: on Prefect's test server, against the sandbox over HTTP."""

import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from connectors.errors import SyncError
from flows.cli.run_flow import PREFECT_DEFAULTS, QUIET
from sandbox.clock import ManualClock
from sandbox.sandbox import Sandbox
from sandbox.server import running
from sandbox.world import Sizes, World
from tasks.runtime.handed_in import HandedIn, handing_in
from tests.commands import Command
from tests.installation import Sync, own_tasks
from tests.postgres import new_database, programs, serving

# What no test needs of Prefect's server: it looks for work, judges events, writes them and task runs down.
# That keeps SQLite so busy that flows wait for it, 2 s each.
UNUSED_SERVICES = (
    "CANCELLATION_CLEANUP", "EVENT_PERSISTER", "FOREMAN", "LATE_RUNS", "PAUSE_EXPIRATIONS", "SCHEDULER",
    "TASK_RUN_RECORDER", "TRIGGERS",
)  # fmt: skip
# Prefect asks for its settings when it is imported: they are those of the command. Its server is sent log
# lines only in the tests that read them there.
os.environ |= PREFECT_DEFAULTS | QUIET | {"PREFECT_LOGGING_TO_API_ENABLED": "false"}
os.environ |= {f"PREFECT_SERVER_SERVICES_{service}_ENABLED": "false" for service in UNUSED_SERVICES}


# A slow machine is no failure: speed is measured by benchmarks, not by tests. Thirty examples of a property
# keep the whole suite short; there are many runs.
settings.register_profile(
    "unhurried", deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees only the settings it makes."""
    for name in list(os.environ):
        if name.startswith(("COURSERA_", "LEARNING360_", "SYNC_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _certificates_read_once() -> Iterator[None]:
    """Each of Prefect's clients would read them all anew, a tenth of a flow's time; none here needs any."""
    with pytest.MonkeyPatch.context() as here:
        here.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        yield


@pytest.fixture(scope="session")
def prefect_api() -> Iterator[str]:
    """The URL of Prefect's test server, one for the whole session."""
    # Imported here: tests that run no flow need not wait for Prefect.
    from prefect.events.clients import NullEventsClient  # noqa: PLC0415
    from prefect.events.worker import EventsWorker  # noqa: PLC0415
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415

    # Its server keeps no events: to send them there took a quarter of a flow's processor time.
    EventsWorker.set_client_override(NullEventsClient)
    with prefect_test_harness(server_startup_timeout=90):
        yield str(PREFECT_API_URL.value())
    EventsWorker.set_client_override(None)


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
def command(
    sync: Sync,  # noqa: ARG001 - its settings and its time
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """The command, in this process and on the installation's time."""
    return Command(monkeypatch, capsys)


@pytest.fixture
def workers_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of the deployment begin here and now, as a worker would begin them elsewhere."""

    async def run_here(_deployment: str, parameters: dict[str, Any]) -> bool:
        from flows.backfill_part import backfill_part  # noqa: PLC0415 - Prefect is prepared by then

        try:
            await backfill_part(**parameters)
        except SyncError:
            return False
        return True

    monkeypatch.setattr("tasks.statistics.workers.run_elsewhere", run_here)


@pytest.fixture
def busy_sync(
    prefect_api: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state_url: str
) -> Iterator[Sync]:
    """An installation with a believable customer: 300 contents, 60 learners, 600 enrollments."""
    clock = ManualClock()
    sandbox = Sandbox(World.seeded(clock(), sizes=Sizes(300, 60, 600)), clock)
    yield from _installation(sandbox, prefect_api, monkeypatch, tmp_path, state_url)


@pytest.fixture
def installed(
    prefect_api: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state_url: str
) -> Callable[[Sandbox], AbstractContextManager[Sync]]:
    """Makes an installation on any sandbox whose clock is a manual one."""
    installing = contextmanager(_installation)
    return lambda sandbox: installing(sandbox, prefect_api, monkeypatch, tmp_path, state_url)


def _installation(
    sandbox: Sandbox, prefect_api: str, monkeypatch: pytest.MonkeyPatch, folder: Path, state_url: str
) -> Iterator[Sync]:
    assert isinstance(sandbox.clock, ManualClock)
    sync = Sync(sandbox, sandbox.clock, state_url, prefect_api)
    with running(sandbox):
        for name, value in sync.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)
        for task in own_tasks():  # Prefect's wait before a task's second try is on the real clock
            monkeypatch.setattr(task, "retry_delay_seconds", 0)
        with handing_in(HandedIn(sync.time())):
            yield sync
    assert sandbox.log.errors == []
