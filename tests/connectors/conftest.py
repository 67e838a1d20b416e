"""Connectors meet the stand-ins over HTTP, on a clock that moves only when somebody waits; and the ledger."""

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import Connection

from connectors.coursera.client import CourseraClient
from connectors.learning360.client import Learning360Client
from connectors.ledger.runs import NewRun, Target, find_target, start_run
from connectors.ledger.store import Ledger, open_ledger
from connectors.surroundings import Surroundings
from sandbox.clock import ManualClock
from sandbox.server import Sandbox, running
from tests.connections import coursera_settings, learning360_settings, surroundings_on


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
def surroundings(clock: ManualClock, waits: list[float]) -> Surroundings:
    return surroundings_on(clock, waits)


@pytest.fixture
async def coursera(served: Sandbox, surroundings: Surroundings) -> AsyncIterator[CourseraClient]:
    async with CourseraClient(coursera_settings(served), surroundings=surroundings) as client:
        yield client


@pytest.fixture
async def learning360(served: Sandbox, surroundings: Surroundings) -> AsyncIterator[Learning360Client]:
    async with Learning360Client(learning360_settings(served), surroundings=surroundings) as client:
        yield client


@pytest.fixture
def ledger(state_url: str) -> Iterator[Ledger]:
    """A new ledger, in whatever database."""
    with open_ledger(state_url) as opened:
        yield opened


@pytest.fixture
def db(ledger: Ledger) -> Iterator[Connection]:
    """One transaction with a new ledger."""
    with ledger.begin() as connection:
        yield connection


@pytest.fixture
def target(db: Connection) -> Target:
    """A target in the ledger, with a run of the id ``run``."""
    made = find_target(db, "https://app.360learning.com", "group", "Coursera for Business")
    start_run(db, NewRun("run", made.id, "catalog", "here", dry_run=False, started_at=1))
    return made
