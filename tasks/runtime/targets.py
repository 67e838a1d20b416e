"""A flow's work on every target: from one reading of Coursera, and none stops the others."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from connectors.clock import Clock
from connectors.errors import SyncError
from connectors.ledger.database import Ledger, open_ledger
from connectors.ledger.targets import identity_of_target
from connectors.settings import Settings
from connectors.target_file import by_target
from tasks.reporting.publish import report_all, report_failure
from tasks.reporting.summary import Summary, joint
from tasks.runtime.credentials import coursera_client_of_run, settings_of_run
from tasks.runtime.run_context import Run
from tasks.runtime.run_lifecycle import as_sync_error, open_run
from tasks.runtime.shared import Common
from tasks.runtime.target_logging import named_in_log, serving

Work = Callable[[Run], Awaitable[None]]


async def on_each_target(
    flow: str,
    work: Work,
    *,
    stream: str | None = None,
    dry_run: bool = False,
    part_of: str | None = None,
) -> Summary:
    """Do a flow's work for each target, at the same time; what ``part_of`` another run is, for its target.

    Each has a run of its own: see `open_run`. Raises a SyncError that carries the summary where the work
    failed, on one of several targets after it was done on the others.
    """
    clock = Clock()
    began = clock.monotonic()
    async with _prepared(flow, clock, part_of) as (every, common):
        summaries = [Summary(flow=flow, target=settings.target) for settings in every]

        async def serve(settings: Settings, summary: Summary) -> None:
            try:
                with serving(settings.target):
                    async with open_run(
                        summary, settings, common, stream=stream, dry_run=dry_run, part_of=part_of
                    ) as run:
                        await work(run)
            finally:
                await common.meeting.leave()

        if not common.is_shared:
            await serve(every[0], summaries[0])
            return summaries[0]
        with named_in_log():
            await _all_to_the_end([serve(*one) for one in zip(every, summaries, strict=True)])
    summary = joint(summaries, round(clock.monotonic() - began, 3))
    await report_all(summary, clock.now_ms())
    if summary.error is not None:
        raise _with_summary(SyncError(summary.error), summary)
    return summary


async def _all_to_the_end(works: Sequence[Awaitable[None]]) -> None:
    """Bring all to their end, whatever becomes of some; the summaries say so. What is no error is raised."""
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, Exception):
            raise outcome


@asynccontextmanager
async def _prepared(
    flow: str, clock: Clock, part_of: str | None
) -> AsyncIterator[tuple[list[Settings], Common]]:
    """The settings of each target, and what their runs have in common."""
    began = clock.monotonic()
    async with AsyncExitStack() as stack:
        try:
            settings = await settings_of_run()
            every = by_target(settings)
            ledger = stack.enter_context(open_ledger(settings.sync.state_url))
            if part_of is not None:
                every = [_of_run(every, ledger, part_of)]
            coursera = await stack.enter_async_context(coursera_client_of_run(settings, ledger, clock))
        except Exception as error:
            failure = as_sync_error(error)
            seconds = round(clock.monotonic() - began, 3)
            summary = Summary(flow=flow, state="failed", error=str(failure), seconds=seconds)
            await report_failure(summary, clock.now_ms())
            raise _with_summary(failure, summary) from error
        stack.enter_context(_collecting_by_step())
        yield every, Common(ledger, coursera, clock, runs=len(every))


def _of_run(every: Sequence[Settings], ledger: Ledger, run_id: str) -> Settings:
    """The settings of the target that a run serves."""
    with ledger.read() as db:
        served = identity_of_target(db, run_id)
    for settings in every:
        if settings.learning360.identity == served:
            return settings
    raise SyncError("The settings here name no target like that of the run that shares this work.")


def _with_summary(error: SyncError, summary: Summary) -> SyncError:
    error.summary = summary
    return error


@contextmanager
def _collecting_by_step() -> Iterator[None]:
    """Leave Python's search for garbage to the end of each step (see `tasks.runtime.step`).

    A run makes millions of rows, none of which needs it to go. Left to itself it took an eighth of the
    processor time, mostly over modules that are there to stay.
    """
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
