"""A share of a backfill: what another run has put down for this worker."""

from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from flows.final_state import to_final_state
from flows.run_names import run_name
from tasks.load.dispatcher import BulkDispatcher
from tasks.load.operations import StatisticImport
from tasks.reporting.summary import Summary
from tasks.runtime.run_context import RunContext
from tasks.runtime.run_lifecycle import RunRequest
from tasks.runtime.targets import run_for_each_target
from tasks.setup.integration import ensure_integration
from tasks.statistics.compare import Rules
from tasks.statistics.record import compare_part
from tasks.statistics.workers import share_of


@flow(name="backfill-part", flow_run_name=run_name, persist_result=False)
async def backfill_part(*, part_of: str, worker: int) -> Summary | State[Summary]:
    """Work on one worker's share of a backfill. Runs of this flow are begun by a backfill, not by people.

    Args:
        part_of: The run (its id in the ledger) whose work is shared, and under whose lock this one acts.
        worker: Which share, from 0 on.
    """
    request = RunRequest("backfill-part", part_of=part_of)
    work = partial(_bring_share, part_of=part_of, worker=worker)
    return to_final_state(await run_for_each_target(request, work))


async def _bring_share(run: RunContext, part_of: str, worker: int) -> None:
    run = await ensure_integration(run)
    rules = Rules.of(run.settings.sync, now_ms=run.clock.now_ms(), retries=True)
    async with share_of(run, part_of, worker) as parts, BulkDispatcher(run, StatisticImport()) as dispatcher:
        for part in parts:
            plan = await compare_part(run, part, rules)
            await dispatcher.add(plan.send, plan.planned)
