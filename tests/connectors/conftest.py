"""Connectors meet the stand-ins over HTTP, on a clock that moves only when somebody waits."""

from collections.abc import AsyncIterator, Iterator

import pytest

from connectors.coursera.client import CourseraClient
from connectors.learning360.client import Learning360Client
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
