"""Asking both platforms about one learner, apart from any run and without Prefect."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from connectors.clock import Clock
from connectors.coursera.pagination import ListingCheck
from connectors.coursera.row_ids import row_ids
from connectors.errors import SyncError
from connectors.learning360.client import Learning360Client
from connectors.learning360.errors import MissingScopeError, NotFoundError
from connectors.ledger.bulk_io import records
from connectors.ledger.database import Ledger
from connectors.settings import Settings
from tasks.extract.staging import typed
from tasks.runtime.refresh_token import coursera_client
from tasks.transform.statistics.enrollments import map_enrollments

# Whoever asks waits at a terminal.
PATIENCE_SECONDS = 30

Row = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a platform says now: rows, or in words why there are none."""

    rows: list[Row] = field(default_factory=list)
    said: str | None = None


async def answer(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """A platform's answer; one that cannot be had is said, and stops nothing else."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await ask()
    except TimeoutError:
        return Answer(said=f"no answer within {PATIENCE_SECONDS} s")
    except SyncError as error:
        return Answer(said=str(error))


async def ask_coursera(
    settings: Settings,
    ledger: Ledger,
    clock: Clock,
    course: str,
    known: Iterable[tuple[str, str]],
) -> Answer:
    """What Coursera reports now of a learner on a course, as `map_enrollments` gives it.

    ``known``: the program and the externalId of each of their rows that the ledger knows; without any the
    whole listing would have to be read, and Coursera is not asked.
    """
    every = sorted({pair for pair in known if all(pair)})
    if not every:
        return Answer(said="not asked: the ledger knows no program and externalId to ask for")
    async with coursera_client(settings, ledger, clock) as client:
        elements = [
            element
            for program_id, external_id in every
            async for page in client.reports_of(ListingCheck(), program_id, external_id)
            for element in page.elements
            if getattr(element, "contentId", None) == course
        ]
    mapped = map_enrollments(
        typed(elements, row_ids(elements)),
        now_ms=clock.now_ms(),
        send_scores=settings.sync.send_scores,
    )
    refused = [f"a row that cannot be mapped: {reason}" for reason in mapped.rejects["reason"]]
    rows = mapped.enrollments[["program", "first_at", "last_at", "completed", "progress"]]
    return Answer(records(rows), "; ".join(refused) or (None if len(rows) else "reports nothing of it now"))


async def ask_learning360(
    settings: Settings, clock: Clock, integration_id: str | None, learner: str, course: str
) -> Answer:
    """The attempts that 360Learning holds now of a learner on a course, as its API gives them."""
    if integration_id is None:
        return Answer(said="not asked: the integration is not set up yet")
    async with Learning360Client(settings.learning360, clock=clock) as client:
        try:
            users = [user["_id"] async for page in client.users([learner]) for user in page]
            if not users:
                return Answer(said="knows no user of this address")
            held = await client.external_course(integration_id, course)
            pages = client.course_attempts([str(held["courseId"])], users)
            attempts = [attempt async for page in pages for attempt in page]
        except MissingScopeError:
            return Answer(said="not read back: that needs the scopes users:read and courseStats:read")
        except NotFoundError:
            return Answer(said="does not have this course")
    return Answer(attempts, None if attempts else "holds no attempt")
