"""A flow's work on every target: from one reading of Coursera, and none stops the others."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from connectors.clock import Clock
from connectors.errors import SyncError
from connectors.files.env_file import ENV_FILE
from connectors.files.private_files import warn_of_readers
from connectors.ledger.database import Ledger, open_ledger
from connectors.ledger.records.targets import identity_of_target
from connectors.settings import Settings
from connectors.target_file import by_target
from tasks.reporting.publish import report_all, report_failure
from tasks.reporting.summary import Summary, joint
from tasks.runtime.credentials import coursera_client_of_run, settings_of_run
from tasks.runtime.handed_in import handed_in
from tasks.runtime.process import prepare_process
from tasks.runtime.run_context import RunContext
from tasks.runtime.run_lifecycle import RunRequest, TargetRun, as_sync_error
from tasks.runtime.shared import SharedResources
from tasks.runtime.target_logging import named_in_log

P = TypeVar("P")
R = TypeVar("R")
Work = Callable[[RunContext], Awaitable[None]]


async def run_for_each_target(request: RunRequest, work: Work) -> Summary:
    """Do a flow's work for each target, side by side, as a run of its own: see `run_from_one_reading`."""

    async def prepare(run: RunContext) -> RunContext:
        return run

    async def read(_shared: SharedResources, _runs: Sequence[RunContext]) -> None:
        return None

    async def do(run: RunContext, _: None) -> None:
        await work(run)

    return await run_from_one_reading(request, prepare, read, do)


async def run_from_one_reading(
    request: RunRequest,
    prepare: Callable[[RunContext], Awaitable[P]],
    read: Callable[[SharedResources, Sequence[P]], Awaitable[R]],
    work: Callable[[P, R], Awaitable[None]],
) -> Summary:
    """Do a flow's work for each target as a run of its own, all from one reading.

    Each target is prepared, then what all of them need is read, then each works with it. One that fails is
    out, and the others go on. Raises a SyncError that carries the summary where the work failed, on one of
    several targets after it was done on the others.
    """
    try:
        summary = await _run(request, prepare, read, work)
    except SyncError as error:
        handed_in().on_end(error.summary)
        raise
    handed_in().on_end(summary)
    return summary


async def _run(
    request: RunRequest,
    prepare: Callable[[RunContext], Awaitable[P]],
    read: Callable[[SharedResources, Sequence[P]], Awaitable[R]],
    work: Callable[[P, R], Awaitable[None]],
) -> Summary:
    clock = handed_in().clock
    began = clock.monotonic()
    async with _opened(request, clock) as (every, shared):
        runs = [TargetRun(request, settings, shared) for settings in every]
        with named_in_log():
            await _in_phases(runs, shared, prepare, read, work)
    if not shared.is_shared:
        return runs[0].result()
    summary = joint([one.summary for one in runs], round(clock.monotonic() - began, 3))
    await report_all(summary, clock.now_ms())
    if summary.error is not None:
        raise _with_summary(SyncError(summary.error), summary)
    return summary


async def _in_phases(
    runs: Sequence[TargetRun],
    shared: SharedResources,
    prepare: Callable[[RunContext], Awaitable[P]],
    read: Callable[[SharedResources, Sequence[P]], Awaitable[R]],
    work: Callable[[P, R], Awaitable[None]],
) -> None:
    prepared: dict[TargetRun, P] = {}

    async def first(one: TargetRun) -> None:
        async def keep(run: RunContext) -> None:
            prepared[one] = await prepare(run)

        await one.phase(keep)

    async def last(one: TargetRun, reading: R) -> None:
        async def do(_: RunContext) -> None:
            await work(prepared[one], reading)
            one.done()

        await one.phase(do)
        await one.close()

    try:
        await _side_by_side([first(one) for one in runs])
        ready = [one for one in runs if one in prepared]
        if not ready:
            return
        try:
            reading = await read(shared, [prepared[one] for one in ready])
        except Exception as error:  # noqa: BLE001 - it is the failure of each
            for one in ready:
                await one.fail(error)
            return
        for one in ready:
            one.recorder.take_over(shared.recorder)
        await _side_by_side([last(one, reading) for one in ready])
    finally:
        for one in runs:
            await one.close()


async def _side_by_side(works: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Bring all to their end; what is no error of theirs, such as an interrupt, is raised."""
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


@asynccontextmanager
async def _opened(request: RunRequest, clock: Clock) -> AsyncIterator[tuple[list[Settings], SharedResources]]:
    """The settings of each target, and what their runs share."""
    began = clock.monotonic()
    prepare_process()
    async with AsyncExitStack() as stack:
        try:
            warn_of_readers(ENV_FILE, ".env")
            settings = await settings_of_run()
            every = by_target(settings)
            ledger = stack.enter_context(open_ledger(settings.sync.state_url))
            if request.part_of is not None:
                every = [_of_run(every, ledger, request.part_of)]
            coursera = await stack.enter_async_context(coursera_client_of_run(settings, ledger, clock))
            folder = stack.enter_context(TemporaryDirectory(prefix="coursera-sync-"))
        except Exception as error:
            failure = as_sync_error(error)
            seconds = round(clock.monotonic() - began, 3)
            summary = Summary(flow=request.flow, state="failed", error=str(failure), seconds=seconds)
            await report_failure(summary, clock.now_ms())
            raise _with_summary(failure, summary) from error
        stack.enter_context(_collecting_by_step())
        yield (
            every,
            SharedResources(ledger, coursera, clock, Path(folder), sync=settings.sync, runs=len(every)),
        )


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
