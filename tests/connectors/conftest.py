"""Connectors meet the sandbox over HTTP, on a clock that moves only when somebody waits; and the ledger."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
from sqlalchemy import Connection

from connectors.clock import Clock
from connectors.coursera.client import CourseraClient
from connectors.learning360.client import Learning360Client
from connectors.ledger.database import Ledger, open_ledger
from connectors.ledger.records.runs import NewRun, start_run
from connectors.ledger.records.targets import Target, find_target
from sandbox.clock import ManualClock
from sandbox.server import Sandbox, running
from tests.connections import clock_on, coursera_settings, learning360_settings
from tests.postgres import new_database


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def served(clock: ManualClock) -> Iterator[Sandbox]:
    """Both platforms, empty, their bulk operations without any duration."""
    sandbox = Sandbox.empty(clock)
    sandbox.learning360.options.operation_base_ms = 0
    sandbox.learning360.options.rows_per_second = 0
    with running(sandbox):
        yield sandbox
    assert sandbox.log.errors == []


@pytest.fixture
def waits() -> list[float]:
    """The waits of a test, in seconds."""
    return []


@pytest.fixture
def client_clock(clock: ManualClock, waits: list[float]) -> Clock:
    return clock_on(clock, waits)


@pytest.fixture
async def coursera(served: Sandbox, client_clock: Clock) -> AsyncIterator[CourseraClient]:
    async with CourseraClient(coursera_settings(served), clock=client_clock) as client:
        yield client


@pytest.fixture
async def learning360(served: Sandbox, client_clock: Clock) -> AsyncIterator[Learning360Client]:
    async with Learning360Client(learning360_settings(served), clock=client_clock) as client:
        yield client


@pytest.fixture
def ledger(state_url: str) -> Iterator[Ledger]:
    """A new ledger, in whatever database."""
    with open_ledger(state_url) as opened:
        yield opened


class _Undone(Exception):  # noqa: N818 - no error: the test is over
    """A test's transaction is not to be kept."""


@pytest.fixture(scope="session")
def sqlite_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with open_ledger(f"sqlite:///{tmp_path_factory.mktemp('state')}/ledger.db") as opened:
        yield opened


@pytest.fixture(scope="session")
def postgresql_ledger(postgres: str) -> Iterator[Ledger]:
    with open_ledger(new_database(postgres)) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """One transaction with an empty ledger, on each database."""
    ledger = request.getfixturevalue(f"{request.param}_ledger")
    with suppress(_Undone), ledger.begin() as connection:
        yield connection
        raise _Undone


@pytest.fixture
def target(db: Connection) -> Target:
    """A target in the ledger, with a run of the id ``run``."""
    made = find_target(db, "https://app.360learning.com", "group", "Coursera for Business")
    start_run(db, NewRun("run", made.id, "catalog", "here", dry_run=False, started_at=1))
    return made
