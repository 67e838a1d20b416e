"""The backfill: learners' progress of a chosen window of last activity, month by month."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field, StringConstraints

from connectors.ledger.streams import STATISTICS
from flows.final_state import to_final_state
from flows.run_names import run_name
from tasks.extract.coursera import extract_window
from tasks.extract.window import chosen_window
from tasks.load.dispatcher import Outbox
from tasks.load.operations import StatisticImport
from tasks.load.recovery import recover, resolve_uncertain
from tasks.reconcile.adopt import require_known
from tasks.reporting.summary import Summary
from tasks.runtime.run_context import RunContext
from tasks.runtime.run_lifecycle import hold_stream_lock
from tasks.runtime.targets import run_for_each_target
from tasks.setup.integration import ensure_integration
from tasks.statistics.aliases import apply_aliases
from tasks.statistics.compare import put_aside, send_progress
from tasks.statistics.intake import Intake
from tasks.statistics.parts import by_month, parts, whole
from tasks.statistics.settled import Settled
from tasks.statistics.workers import shared

# Prefect's server refuses a run whose parameters are not of their type: an address is not even recorded.
Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


@flow(name="backfill", flow_run_name=run_name, persist_result=False)
async def backfill(
    *,
    active_from: datetime | None = None,
    active_to: datetime | None = None,
    programs: list[str] | None = None,
    learners: list[Digest] | None = None,
    dry_run: bool = False,
    workers: Annotated[int, Field(ge=1, le=64)] = 1,
) -> Summary | State[Summary]:
    """Bring the progress with last activity from (and including) one moment to (and without) another.

    It can be repeated without harm, and never moves the watermark of the daily run. Between months it lets
    a daily run that waits go first; shared by several workers it goes through at once.

    Args:
        active_from: Only rows with last activity at this moment or later. None: from the beginning.
        active_to: Only rows with last activity before this moment. None: to the end.
        programs: Only these Coursera programs, by their ids. None: all of them.
        learners: Only these learners, each by the SHA-256 digest of their address in lower case, so that no
            address is kept here; `printf %s ann@example.com | sha256sum` shows it. None: all of them.
        dry_run: Only say what would be sent, and send nothing. Do this first, and read its report.
        workers: Share the work over so many runs of the deployment backfill-part, on whatever workers; for
            very large windows, with the ledger in PostgreSQL.
    """
    chosen = _Chosen(active_from, active_to, programs or [], learners or [])
    work = partial(_bring_window, chosen=chosen, workers=workers)
    return to_final_state(await run_for_each_target("backfill", work, dry_run=dry_run))


@dataclass(frozen=True)
class _Chosen:
    """What people have chosen to bring."""

    active_from: datetime | None
    active_to: datetime | None
    programs: Sequence[str]
    learners: Sequence[Digest]


async def _bring_window(run: RunContext, chosen: _Chosen, workers: int) -> None:
    window = chosen_window(chosen.active_from, chosen.active_to)
    run = await ensure_integration(run)
    require_known(run)
    with Intake(run) as intake:
        reading = await extract_window(
            run, window, intake, programs=chosen.programs, learners=chosen.learners
        )
        await intake.finish(reading)
        if workers > 1 and not run.dry_run:
            await _together(run, intake, workers)
        else:
            await _month_by_month(run, intake)
    reading.require_complete()


async def _month_by_month(run: RunContext, intake: Intake) -> None:
    with by_month(intake) as months:
        for number, month in enumerate(months):
            async with _ready(run), Outbox(run, StatisticImport()) as outbox:
                if number == 0:
                    await put_aside(run, intake)
                settled = Settled(run, in_full=False)
                await send_progress(run, outbox, parts(run, intake, month), settled)
            await run.progress.of("months", number + 1, len(months))


async def _together(run: RunContext, intake: Intake, workers: int) -> None:
    async with _ready(run), Outbox(run, StatisticImport()) as outbox:
        await put_aside(run, intake)
        every = parts(run, intake, whole(intake, is_exhaustive=False))
        rest = await shared(run, every, workers)
        await send_progress(run, outbox, rest, Settled(run, in_full=False))


@asynccontextmanager
async def _ready(run: RunContext) -> AsyncIterator[None]:
    """Have the stream for oneself, with nothing left open."""
    async with hold_stream_lock(run, STATISTICS):
        await recover(run, [StatisticImport()])
        await resolve_uncertain(run)
        await apply_aliases(run)
        yield
