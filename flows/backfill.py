"""The backfill: learners' progress of a chosen window of last activity, part by part."""

from collections.abc import Sequence
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
from tasks.extract.coursera import Reports, read_reports
from tasks.extract.window import ActivityWindow, chosen_window
from tasks.load.dispatcher import BulkDispatcher
from tasks.load.operations import StatisticImport
from tasks.load.recovery import recover, resolve_uncertain
from tasks.reconcile.adopt import ensure_adopted
from tasks.reporting.summary import Summary
from tasks.runtime.run_context import RunContext
from tasks.runtime.run_lifecycle import RunRequest, hold_stream_lock
from tasks.runtime.shared import SharedResources
from tasks.runtime.targets import run_from_one_reading
from tasks.setup.integration import ensure_integration
from tasks.statistics.addresses import settle_addresses
from tasks.statistics.newer import without_newer
from tasks.statistics.record import compare_part, drop_mended
from tasks.statistics.selection import Selection
from tasks.statistics.target_parts import parts_of_target
from tasks.statistics.workers import share
from tasks.transform.statistics.learner_moves import AddressMap

# Prefect's server refuses a run whose parameters are not of their type: an address is not even recorded. Of a
# moment it looks at the pattern alone.
Moment = Annotated[
    datetime, Field(json_schema_extra={"pattern": r"^\d{4}-[01]\d-[0-3]\d([T ][0-2]\d:[0-5]\d.*)?$"})
]
Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


@flow(name="backfill", flow_run_name=run_name, persist_result=False)
async def backfill(
    *,
    active_from: Moment | None = None,
    active_to: Moment | None = None,
    programs: list[str] | None = None,
    learners: list[Digest] | None = None,
    dry_run: bool = False,
    workers: Annotated[int, Field(ge=1, le=64)] = 1,
) -> Summary | State[Summary]:
    """Bring the progress with last activity from (and including) one moment to (and without) another.

    It can be repeated without harm, and never moves the watermark of the daily run. Every ten minutes it lets
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
    request = RunRequest("backfill", dry_run=dry_run)
    prepare, read = partial(_prepare, chosen=chosen), partial(_read, chosen=chosen)
    work = partial(_bring_window, chosen=chosen, workers=workers)
    return to_final_state(await run_from_one_reading(request, prepare, read, work))


@dataclass(frozen=True)
class _Chosen:
    """What people have chosen to bring."""

    active_from: datetime | None
    active_to: datetime | None
    programs: Sequence[str]
    learners: Sequence[Digest]

    def window(self) -> ActivityWindow:
        """The window; SettingsError where it is empty."""
        return chosen_window(self.active_from, self.active_to)


async def _prepare(run: RunContext, *, chosen: _Chosen) -> RunContext:
    chosen.window()  # before anything is asked or made
    return await ensure_integration(run)


async def _read(shared: SharedResources, _: Sequence[RunContext], *, chosen: _Chosen) -> Reports:
    return await read_reports(shared, chosen.window(), chosen.programs, shows_all=False)


async def _bring_window(run: RunContext, reports: Reports, *, chosen: _Chosen, workers: int) -> None:
    selection = Selection(run.settings.programs, chosen.window(), chosen.learners)
    if workers > 1 and not run.dry_run:
        await _together(run, reports, selection, workers)
    else:
        await _in_turns(run, reports, selection)
    reports.read.require_complete()


async def _in_turns(run: RunContext, reports: Reports, selection: Selection) -> None:
    """Go through the parts, and begin anew where another run has had its turn: the ledger has changed."""
    done = parts_in_all = 0
    while done == 0 or done < parts_in_all:
        async with hold_stream_lock(run, STATISTICS):
            ready, addresses = await _ready(run, reports)
            async with (
                parts_of_target(ready, reports, selection, addresses, number=parts_in_all) as parts,
                BulkDispatcher(ready, StatisticImport()) as dispatcher,
            ):
                until = run.clock.monotonic() + run.shared.pacing.turn_seconds
                for part in parts.since(done):
                    ours = await without_newer(ready, part, reports.read) if done else part
                    plan = await compare_part(ready, ours, parts.rules, addresses)
                    await dispatcher.add(plan.send, plan.planned)
                    if run.clock.monotonic() >= until:
                        done, parts_in_all = part.number + 1, len(parts)
                        break
                else:
                    done = parts_in_all = len(parts)
                await run.progress.of("parts", done, parts_in_all)
            if done == parts_in_all:
                await drop_mended(ready, parts.tried)


async def _together(run: RunContext, reports: Reports, selection: Selection, workers: int) -> None:
    async with hold_stream_lock(run, STATISTICS):
        run, addresses = await _ready(run, reports)
        async with parts_of_target(run, reports, selection, addresses) as parts:
            await share(run, parts, workers)
        await drop_mended(run, parts.tried)


async def _ready(run: RunContext, reports: Reports) -> tuple[RunContext, AddressMap]:
    """All that is to be done each time the lock is taken; whoever had it before may have left something."""
    await recover(run, [StatisticImport()])
    await resolve_uncertain(run)
    run = await ensure_adopted(run, reports)
    return run, await settle_addresses(run, reports.staged.seen)
