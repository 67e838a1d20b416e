"""The statistics: learners' progress at Coursera as attempts in 360Learning."""

from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from connectors.ledger.streams import STATISTICS
from flows.final_state import to_final_state
from flows.run_names import run_name
from tasks.extract.coursera import extract_reports
from tasks.extract.watermark import mark_read, since_last_run
from tasks.load.dispatcher import Outbox
from tasks.load.operations import StatisticImport
from tasks.load.recovery import recover, resolve_uncertain
from tasks.load.rejects import drop_untried
from tasks.reconcile.adopt import ensure_adopted
from tasks.reporting.summary import Summary
from tasks.runtime.run_context import RunContext
from tasks.runtime.targets import run_for_each_target
from tasks.setup.integration import ensure_integration
from tasks.statistics.ahead import Ahead
from tasks.statistics.aliases import apply_aliases
from tasks.statistics.compare import count_settled, put_aside, send_progress
from tasks.statistics.freshness import add_freshness_section
from tasks.statistics.intake import Intake
from tasks.statistics.parts import parts, whole
from tasks.statistics.settled import Settled


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
    work = partial(_bring_progress, full=full, fresh=fresh)
    return to_final_state(await run_for_each_target("statistics", work, stream=STATISTICS, dry_run=dry_run))


async def _bring_progress(run: RunContext, *, full: bool, fresh: bool) -> None:
    run = await ensure_integration(run)
    await recover(run, [StatisticImport()])
    await resolve_uncertain(run)
    await apply_aliases(run)
    window = since_last_run(run, STATISTICS, full=full)
    settled = Settled(run, in_full=window.since is None)
    kind = StatisticImport()
    async with Outbox(run, kind) as outbox:
        ahead = Ahead(run, outbox, kind, settled)
        with Intake(run, ahead, settled) as intake:
            reading = await extract_reports(run, window, intake)
            await intake.finish(reading)
            run = await ensure_adopted(run, intake.courses, fresh=fresh)
            await put_aside(run, intake)
            of = whole(intake, is_exhaustive=reading.is_exhaustive)
            await send_progress(run, outbox, parts(run, intake, of, ahead, settled), settled)
            count_settled(run, settled, ahead)
            await outbox.flush()
            add_freshness_section(run, reading, intake)
    reading.require_complete()
    if not run.dry_run:
        mark_read(run.ledger, run.target.id, STATISTICS, reading)
        drop_untried(run, STATISTICS)
