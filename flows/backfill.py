"""The backfill: learners' progress of a chosen window of last activity, month by month."""

from datetime import datetime
from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import Field

from flows.ending import ended
from flows.naming import run_name
from tasks.adoption import require_known
from tasks.extract import extract_window
from tasks.integration import ensure_integration
from tasks.kinds import Statistics
from tasks.load import send
from tasks.progress import STREAM, by_month, map_reports, plan_statistics
from tasks.recovery import recover, resolve_uncertain
from tasks.run import holding, open_run
from tasks.summary import Summary
from tasks.window import chosen_window

Moment = Annotated[
    datetime | None,
    Field(description="A date or a moment; UTC unless it says otherwise. Left out: no bound on this side."),
]
Programs = Annotated[
    list[str] | None, Field(description="Only these Coursera programs (their ids). Left out: all of them.")
]
Learners = Annotated[
    list[str] | None,
    Field(description="Only these learners, by the SHA-256 digest of their address in lower case."),
]


@flow(name="backfill", flow_run_name=run_name, persist_result=False)
async def backfill(
    *,
    active_from: Moment = None,
    active_to: Moment = None,
    programs: Programs = None,
    learners: Learners = None,
    dry_run: Annotated[bool, Field(description="Only say what would be done. Do this first.")] = False,
) -> Summary | State[Summary]:
    """Bring the progress with last activity from (and including) one moment to (and without) another.

    It can be repeated without harm, and never moves the watermark of the daily run. Between months it lets
    a daily run that waits go first.
    """
    async with open_run("backfill", dry_run=dry_run) as run:
        window = chosen_window(active_from, active_to)
        await ensure_integration(run)
        require_known(run)
        reading = await extract_window(run, window, programs=programs or [], learners=learners or [])
        reports = await map_reports(run, reading)
        for month in by_month(reports):
            async with holding(run, STREAM):
                await recover(run, [Statistics()])
                await resolve_uncertain(run)
                attempts = await plan_statistics(run, reading, month)
                if dry_run:
                    run.summary.submitted += len(attempts)
                else:
                    await send(run, Statistics(), attempts)
        reading.require_complete()
    return ended(run.summary)
