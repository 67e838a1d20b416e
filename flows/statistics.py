"""The statistics: learners' progress at Coursera as attempts in 360Learning."""

from prefect import flow
from prefect.client.schemas.objects import State

from flows.ending import ended
from flows.naming import run_name
from tasks.adoption import know_what_is_held
from tasks.extract import extract_reports
from tasks.integration import ensure_integration
from tasks.kinds import Statistics
from tasks.load import send
from tasks.progress import STREAM, map_reports, plan_statistics
from tasks.recovery import recover, resolve_uncertain
from tasks.run import open_run
from tasks.summary import Summary
from tasks.window import mark_read, since_last_run


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
    async with open_run("statistics", stream=STREAM, dry_run=dry_run) as run:
        await ensure_integration(run)
        await recover(run, [Statistics()])
        await resolve_uncertain(run)
        reading = await extract_reports(run, since_last_run(run, STREAM, full=full))
        reports = await map_reports(run, reading)
        await know_what_is_held(run, reports, fresh=fresh)
        attempts = await plan_statistics(run, reading, reports)
        if dry_run:
            run.summary.submitted = len(attempts)
        else:
            await send(run, Statistics(), attempts)
        reading.require_complete()
        if not dry_run:
            mark_read(run, STREAM, reading)
    return ended(run.summary)
