"""A flow's work on every target: from one reading of Coursera, and none stops the others."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator, Sequence
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
from tasks.runtime.run_lifecycle import RunRequest, Work, as_sync_error, run_target
from tasks.runtime.shared import SharedResources
from tasks.runtime.target_logging import named_in_log, serving


async def run_for_each_target(
    flow: str,
    work: Work,
    *,
    stream: str | None = None,
    dry_run: bool = False,
    part_of: str | None = None,
) -> Summary:
    """Do a flow's work for each target, at the same time; what ``part_of`` another run is, for its target.

    Each has a run of its own: see `run_target`. Raises a SyncError that carries the summary where the work
    failed, on one of several targets after it was done on the others.
    """
    clock = Clock()
    began = clock.monotonic()
    request = RunRequest(flow, stream, dry_run, part_of)
    async with _prepared(request, clock) as (every, shared):
        works = [_serve(request, settings, shared, work) for settings in every]
        if len(works) == 1:
            return await works[0]
        with named_in_log():
            outcomes = await asyncio.gather(*works, return_exceptions=True)
    summaries = [_summary_of(*one, flow=flow) for one in zip(every, outcomes, strict=True)]
    summary = joint(summaries, round(clock.monotonic() - began, 3))
    await report_all(summary, clock.now_ms())
    if summary.error is not None:
        raise _with_summary(SyncError(summary.error), summary)
    return summary


async def _serve(request: RunRequest, settings: Settings, shared: SharedResources, work: Work) -> Summary:
    """Do the work for one target; however it ends, the others no longer wait for it."""
    try:
        with serving(settings.target):
            return await run_target(request, settings, shared, work)
    finally:
        await shared.meeting.leave()


def _summary_of(settings: Settings, outcome: Summary | BaseException, *, flow: str) -> Summary:
    """What came of one of several targets. What is no error, such as an interrupt, is raised."""
    if isinstance(outcome, Summary):
        return outcome
    if not isinstance(outcome, Exception):
        raise outcome
    failure = as_sync_error(outcome)
    if isinstance(failure.summary, Summary):
        return failure.summary
    return Summary(flow=flow, target=settings.target, state="failed", error=str(failure))


@asynccontextmanager
async def _prepared(
    request: RunRequest, clock: Clock
) -> AsyncIterator[tuple[list[Settings], SharedResources]]:
    """The settings of each target, and what their runs have in shared."""
    began = clock.monotonic()
    async with AsyncExitStack() as stack:
        try:
            settings = await settings_of_run()
            every = by_target(settings)
            ledger = stack.enter_context(open_ledger(settings.sync.state_url))
            if request.part_of is not None:
                every = [_of_run(every, ledger, request.part_of)]
            coursera = await stack.enter_async_context(coursera_client_of_run(settings, ledger, clock))
        except Exception as error:
            failure = as_sync_error(error)
            seconds = round(clock.monotonic() - began, 3)
            summary = Summary(flow=request.flow, state="failed", error=str(failure), seconds=seconds)
            await report_failure(summary, clock.now_ms())
            raise _with_summary(failure, summary) from error
        stack.enter_context(_collecting_by_step())
        yield every, SharedResources(ledger, coursera, clock, runs=len(every))


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
