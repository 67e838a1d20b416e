"""A share of a backfill: what another run has put down for this worker."""

from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from flows.ending import ended
from flows.naming import run_name
from tasks.integration import ensure_integration
from tasks.kinds import Statistics
from tasks.outbox import Outbox
from tasks.progress import send_progress
from tasks.run import Run
from tasks.settled import Settled
from tasks.sharing import share_of
from tasks.summary import Summary
from tasks.targets import on_each_target


@flow(name="backfill-part", flow_run_name=run_name, persist_result=False)
async def backfill_part(*, part_of: str, worker: int) -> Summary | State[Summary]:
    """Work on one worker's share of a backfill. Runs of this flow are begun by a backfill, not by people.

    Args:
        part_of: The run (its id in the ledger) whose work is shared, and under whose lock this one acts.
        worker: Which share, from 0 on.
    """
    work = partial(_bring_share, part_of=part_of, worker=worker)
    return ended(await on_each_target("backfill-part", work, part_of=part_of))


async def _bring_share(run: Run, part_of: str, worker: int) -> None:
    await ensure_integration(run)
    async with share_of(run, part_of, worker) as share, Outbox(run, Statistics()) as outbox:
        await send_progress(run, outbox, share, Settled(run, in_full=False))
