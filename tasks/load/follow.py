"""Following a bulk operation to its end, and reading what became of its rows."""

import logging
from collections.abc import Hashable

import pandas as pd

from connectors.clock import Clock
from connectors.errors import SyncError
from connectors.learning360.client import Learning360Client
from connectors.learning360.errors import NotFoundError
from connectors.learning360.models import Operation, Result
from tasks.load.bulk_operation import BulkOperation
from tasks.load.results import outcomes
from tasks.runtime.run_context import RunContext

# An operation is looked at after each twentieth of its time so far: its end is noticed not much later.
SHORTEST_POLL_SECONDS, LONGEST_POLL_SECONDS = 0.2, 5.0
POLL_SHARE = 0.05

logger = logging.getLogger("coursera_sync.load")


async def outcomes_of(
    run: RunContext, operation: BulkOperation, rows: pd.DataFrame, operation_id: str
) -> pd.DataFrame:
    """What became of an operation's rows, once it has ended: OUTCOME_COLUMNS beside them."""
    try:
        ended = await _ended(run, operation_id)
        if ended.status == "error":
            logger.warning("%s ended in error", operation.type)
        by_key = await results_by_key(run.learning360, operation, operation_id)
    except NotFoundError:
        logger.warning("360Learning no longer knows the operation %s", operation_id)
        by_key = {}
    return await resolved(run, operation, rows, by_key)


async def resolved(
    run: RunContext, operation: BulkOperation, rows: pd.DataFrame, by_key: dict[Hashable, Result]
) -> pd.DataFrame:
    """What became of rows by these results, and by what 360Learning holds where there is none."""
    answered = await run.shared.packing.do(_with_outcomes, operation, rows, by_key)
    return await operation.resolve(run, answered)


def _with_outcomes(
    operation: BulkOperation, rows: pd.DataFrame, by_key: dict[Hashable, Result]
) -> pd.DataFrame:
    rows = rows.reset_index(drop=True)
    return pd.concat([rows, outcomes(operation.row_keys(rows), by_key)], axis="columns")


async def results_by_key(
    learning360: Learning360Client, operation: BulkOperation, operation_id: str
) -> dict[Hashable, Result]:
    """The results of an operation that has ended, by what tells their rows apart."""
    results = await learning360.results(operation_id)
    return {operation.result_key(result.input): result for result in results if result.input is not None}


async def _ended(run: RunContext, operation_id: str) -> Operation:
    """Look at an operation until it has ended."""
    clock = run.clock
    began = clock.monotonic()
    while not (found := await run.learning360.operation(operation_id)).has_ended:
        await wait_for_its_end(run, operation_id, began)
    return found


async def wait_for_its_end(run: RunContext, operation_id: str | None, began: float) -> None:
    """Wait until another look is worth it, longer as time goes by.

    ``operation_id`` is one that is under way: SyncError where it has been for SYNC_OPERATION_WAIT.
    """
    elapsed, patience = run.clock.monotonic() - began, run.settings.sync.operation_wait
    if operation_id is not None and elapsed > patience:
        raise SyncError(
            f"The bulk operation {operation_id} has not ended within {patience:.0f} s (SYNC_OPERATION_WAIT). "
            "What was sent stays open in the ledger, and the next run goes on with it."
        )
    wait = min(max(elapsed * POLL_SHARE, SHORTEST_POLL_SECONDS), LONGEST_POLL_SECONDS)
    await run.clock.sleep(wait * jitter(run.clock))


def jitter(clock: Clock) -> float:
    """A factor that spreads waits."""
    return 1.0 + 0.2 * clock.random()
