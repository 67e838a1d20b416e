"""Recovery: a run begins by finishing what an earlier one left open.

The run holds its stream's lock, so whatever is open was left by a run that is dead.
"""

import asyncio
import logging
from collections.abc import Sequence

import orjson
import pandas as pd

from connectors.learning360.errors import MissingScopeError
from connectors.ledger.keys import keyed
from connectors.ledger.records import rejects, submissions
from connectors.ledger.records.attempts import accept_attempts
from connectors.ledger.records.rejects import reject_ids
from connectors.ledger.streams import STATISTICS
from tasks.extract.learning360 import find_created_attempts
from tasks.load.bulk_operation import BulkOperation
from tasks.load.search import RECOVERY_PATIENCE_SECONDS, Trace, find_trace
from tasks.load.submit import finish
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step

logger = logging.getLogger("coursera_sync.recovery")


async def recover(run: RunContext, operations: Sequence[BulkOperation]) -> None:
    """Bring the open submissions of these types to their end; what was never sent is put back."""
    by_type: dict[str, BulkOperation] = {one.type: one for one in operations}
    with run.ledger.read() as db:
        left = submissions.left_open(db, run.target.id, tuple(by_type))
    if run.dry_run:
        if left:
            run.note(f"Unfinished bulk operations, which the next run completes first: {len(left)}")
        return
    # Side by side, for those without an operation are waited for; all are brought to their end.
    ends = (_recover(run, by_type[one.type], one) for one in left)
    for failure in await asyncio.gather(*ends, return_exceptions=True):
        if isinstance(failure, BaseException):
            raise failure


@step("recover open submissions")
async def _recover(run: RunContext, operation: BulkOperation, submission: submissions.Submission) -> None:
    """One submission a step: what is settled stays counted if a later one has to be tried again."""
    trace = Trace(submission.operation_id)
    if trace.is_empty:
        trace = await find_trace(run, operation, submission, RECOVERY_PATIENCE_SECONDS)
    if trace.is_empty:
        _requeue(run, operation, submission)
        return
    settled = await finish(run, operation, submission, trace)
    run.recorder.add(recovered=int(settled["accepted"].sum()))


@step("resolve statistics of unknown outcome")
async def resolve_uncertain(run: RunContext) -> None:
    """Look for the attempts of statistics whose outcome is unknown, where the scopes allow it by now."""
    with run.ledger.read() as db:
        texts = rejects.known_rejects(db, run.target.id, STATISTICS)["uncertain"].dropna()
    if texts.empty or run.dry_run:
        return
    rows = keyed(pd.DataFrame([orjson.loads(text) for text in texts]).astype({"score": "Int64"}))
    try:
        found = (await find_created_attempts(run, rows)).reindex(rows.index)
    except MissingScopeError:
        return
    accepted = rows.assign(resource_id=found).loc[found.notna()]
    now_ms = run.clock.now_ms()
    with run.ledger.begin() as db:
        accept_attempts(db, run.target.id, accepted, run_id=run.id, operation_id=None, now_ms=now_ms)
        rejects.delete(db, run.target.id, STATISTICS, reject_ids(accepted).tolist())
        rejects.clear_uncertain(db, run.target.id, STATISTICS)
    run.recorder.add(recovered=len(accepted))


def _requeue(run: RunContext, operation: BulkOperation, submission: submissions.Submission) -> None:
    logger.warning("An earlier run was interrupted before it sent %d rows", len(submission.rows))
    with run.ledger.begin() as db:
        operation.requeue(db, run, submission)
        submissions.close(db, submission.id, "failed", run.clock.now_ms())
