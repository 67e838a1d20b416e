"""The statistics: learners' progress at Coursera as attempts in 360Learning."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from connectors.ledger.streams import STATISTICS
from flows.final_state import to_final_state
from flows.run_names import run_name
from tasks.extract.coursera import Reports, read_reports
from tasks.extract.watermark import mark_read, since_last_run
from tasks.extract.window import ActivityWindow, earliest
from tasks.load.dispatcher import BulkDispatcher
from tasks.load.operations import StatisticImport
from tasks.load.recovery import recover, resolve_uncertain
from tasks.load.rejects import drop_untried
from tasks.reconcile.adopt import ensure_adopted
from tasks.reporting.summary import Summary
from tasks.runtime.run_context import RunContext
from tasks.runtime.run_lifecycle import RunRequest
from tasks.runtime.shared import SharedResources
from tasks.runtime.targets import run_from_one_reading
from tasks.setup.integration import ensure_integration
from tasks.statistics.addresses import settle_addresses
from tasks.statistics.freshness import add_freshness_section
from tasks.statistics.record import compare_part, drop_mended
from tasks.statistics.selection import Selection
from tasks.statistics.target_parts import parts_of_target


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A target's run, and from when on it needs the reports."""

    run: RunContext
    window: ActivityWindow


@flow(name="statistics", flow_run_name=run_name, persist_result=False)
async def statistics(
    *, full: bool = False, dry_run: bool = False, fresh: bool = False
) -> Summary | State[Summary]:
    """Bring learners' progress to 360Learning: what is new since the last good run.

    Args:
        full: Read all enrollment reports, not only those with recent activity.
        dry_run: Only say what would be done.
        fresh: Go on although the ledger does not know what the integration in 360Learning holds.
    """
    request = RunRequest("statistics", stream=STATISTICS, dry_run=dry_run)
    prepare, work = partial(_prepare, full=full), partial(_bring_progress, fresh=fresh)
    return to_final_state(await run_from_one_reading(request, prepare, _read, work))


async def _prepare(run: RunContext, *, full: bool) -> _Prepared:
    run = await ensure_integration(run)
    await recover(run, [StatisticImport()])
    await resolve_uncertain(run)
    return _Prepared(run, since_last_run(run, STATISTICS, full=full))


async def _read(shared: SharedResources, prepared: Sequence[_Prepared]) -> Reports:
    return await read_reports(shared, earliest([one.window for one in prepared]))


async def _bring_progress(prepared: _Prepared, reports: Reports, *, fresh: bool) -> None:
    run, read = prepared.run, reports.read
    run = await ensure_adopted(run, reports, fresh=fresh)
    addresses = await settle_addresses(run, reports.staged.seen)
    selection = Selection(run.settings.programs)
    async with (
        parts_of_target(run, reports, selection, addresses) as parts,
        BulkDispatcher(run, StatisticImport()) as dispatcher,
    ):
        for part in parts:
            plan = await compare_part(run, part, parts.rules, addresses)
            await dispatcher.add(plan.send, plan.planned)
        await dispatcher.flush()
        await drop_mended(run, parts.tried)
    add_freshness_section(run, reports)
    read.require_complete()
    if not run.dry_run:
        mark_read(run, STATISTICS, read)
        drop_untried(run, STATISTICS)
