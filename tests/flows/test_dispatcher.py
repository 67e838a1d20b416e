"""Operations go out on lanes that keep their slot from one to the next, and let others have a turn."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tasks.runtime.handed_in import Pacing
from tests.installation import Sync

ROWS, OPERATION_ROWS = 30, 5


@pytest.fixture
def taken(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many slots were held whenever one more was taken, while progress goes out in six operations."""
    from tasks.runtime.run_context import RunContext  # noqa: PLC0415 - Prefect is prepared by then

    held, seen = 0, list[int]()

    @asynccontextmanager
    async def slot(_: RunContext) -> AsyncIterator[None]:
        nonlocal held
        held += 1
        seen.append(held)
        yield
        held -= 1

    (course,) = sync.add_courses(1)
    sync.catalog()
    for number in range(ROWS):
        sync.sandbox.enroll(f"learner{number}@example.com", course, overallProgress=40)
    monkeypatch.setattr("tasks.load.dispatcher.slot", slot)
    sync.pacing = Pacing(operation_rows=OPERATION_ROWS, least_rows=OPERATION_ROWS)
    return seen


def test_a_slot_is_kept_from_one_operation_to_the_next(sync: Sync, taken: list[int]) -> None:
    assert sync.statistics().accepted == ROWS
    assert sync.requests("POST", "/stats") == ROWS // OPERATION_ROWS
    assert max(taken) <= len(taken) <= 3


def test_others_have_a_turn_once_it_was_kept_for_a_while(sync: Sync, taken: list[int]) -> None:
    sync.pacing = replace(sync.pacing, keep_slot_seconds=0)
    assert sync.statistics().accepted == ROWS
    assert len(taken) == ROWS // OPERATION_ROWS
    assert max(taken) <= 3


@pytest.mark.parametrize(("courses", "operations"), [(10, 3), (2, 2), (1, 1)])
def test_the_last_rows_are_shared_out_among_the_slots(sync: Sync, courses: int, operations: int) -> None:
    sync.pacing = Pacing(operation_rows=10, least_rows=1)
    sync.add_courses(courses)
    assert sync.catalog().accepted == courses
    assert sync.requests("PUT", "/courses") == operations
