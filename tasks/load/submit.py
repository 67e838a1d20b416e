"""Load: rows go to 360Learning in bulk operations, each written down before, and settled row by row."""

import logging
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace

import pandas as pd

from connectors.clock import Clock
from connectors.errors import OutcomeUnknownError, SlotsTakenError, SyncError
from connectors.learning360.client import Learning360Client
from connectors.learning360.errors import NotFoundError
from connectors.learning360.models import Operation, Result
from connectors.ledger.records import submissions
from connectors.ledger.records.submissions import Submission
from tasks.load.batch import Batch
from tasks.load.bulk_operation import BulkOperation
from tasks.load.results import outcomes
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step

# An operation is looked at after each twentieth of its time so far: its end is noticed not much later.
SHORTEST_POLL_SECONDS, LONGEST_POLL_SECONDS = 0.2, 5.0
POLL_SHARE = 0.05
LONGEST_SLOT_WAIT_SECONDS = 15.0
# Both are bounds on patience: an operation takes minutes, and others give their slots back.
SLOT_PATIENCE_SECONDS = 2 * 3600.0
OPERATION_PATIENCE_SECONDS = 2 * 3600.0
# An operation may show in the platform's list only a while after it was taken.
SUBMISSION_TRIES = 3
LISTING_PATIENCE_SECONDS = 60.0
LISTING_POLL_SECONDS = 5.0
# How far the platform's moments may lie before ours, its clock having been read to the second.
CLOCK_ALLOWANCE_MS = 15 * 60_000

logger = logging.getLogger("coursera_sync.load")


@step("send to 360Learning", run_name="send {operation.type}: {batch.count} rows")
async def send_operation(run: RunContext, operation: BulkOperation, batch: Batch, submission_id: str) -> None:
    """Bring one bulk operation from intent to settled. To be called with a slot held.

    A second try of this task begins by finding out what became of the first one's submission; what the first
    one settled is counted, and not sent again.
    """
    with run.ledger.read() as db:
        settled_as = submissions.settled_operation(db, submission_id)
    if settled_as is not None:
        operation.count(run, await _outcomes(run, operation, batch.rows, settled_as))
        return
    submission, is_known = await run.shared.packing.do(_intended, run, operation, batch, submission_id)
    operation_id = submission.operation_id
    if is_known and operation_id is None:
        operation_id = await find_operation(run, operation, submission)
    if operation_id is None:
        operation_id = await _submitted(run, operation, submission)
    operation.count(run, await finish(run, operation, submission, operation_id))


def _intended(
    run: RunContext, operation: BulkOperation, batch: Batch, submission_id: str
) -> tuple[Submission, bool]:
    """The submission, written down before it is sent; and whether an earlier try had done so."""
    with run.ledger.begin() as db:
        if (earlier := submissions.find(db, submission_id)) is not None:
            return earlier, True
        submission = Submission(
            id=submission_id,
            target_id=run.target.id,
            run_id=run.id,
            type=operation.type,
            rows=batch.rows,
            intended_at=run.learning360.now_ms(),
            enrollments=batch.enrollments,
        )
        submissions.intend(db, submission, run.clock.now_ms())
        return submission, False


async def finish(
    run: RunContext, operation: BulkOperation, submission: Submission, operation_id: str
) -> pd.DataFrame:
    """Follow an operation to its end and write down every row's result: OUTCOME_COLUMNS beside the rows."""
    submission = replace(submission, operation_id=operation_id)
    with run.ledger.begin() as db:
        submissions.mark_sent(db, submission.id, operation_id, run.clock.now_ms())
    rows = await _outcomes(run, operation, submission.rows, operation_id)
    await run.shared.packing.do(_settle, run, operation, submission, rows)
    refused = int((~rows["accepted"]).sum())
    logger.info("%s ended: %d rows, %d refused", operation.type, len(rows), refused)
    return rows


async def _outcomes(
    run: RunContext, operation: BulkOperation, rows: pd.DataFrame, operation_id: str
) -> pd.DataFrame:
    """What became of an operation's rows, once it has ended: OUTCOME_COLUMNS beside them."""
    try:
        ended = await _ended(run.learning360, run.clock, operation_id)
        if ended.status == "error":
            logger.warning("%s ended in error", operation.type)
        by_key = await _results(run.learning360, operation, operation_id)
    except NotFoundError:
        logger.warning("360Learning no longer knows the operation %s", operation_id)
        by_key = {}
    answered = await run.shared.packing.do(_with_outcomes, operation, rows, by_key)
    return await operation.resolve(run, answered)


def _with_outcomes(
    operation: BulkOperation, rows: pd.DataFrame, by_key: dict[Hashable, Result]
) -> pd.DataFrame:
    rows = rows.reset_index(drop=True)
    return pd.concat([rows, outcomes(operation.row_keys(rows), by_key)], axis="columns")


def _settle(run: RunContext, operation: BulkOperation, submission: Submission, rows: pd.DataFrame) -> None:
    with run.ledger.begin() as db:
        operation.settle(db, run, rows, submission)
        submissions.close(db, submission.id, "settled", run.clock.now_ms())


async def find_operation(run: RunContext, operation: BulkOperation, submission: Submission) -> str | None:
    """Look among the platform's operations for one that carries a submission's rows.

    An answer got lost, or we did. Rows show only in results, so operations that are still running are waited
    for; and one may be listed late, so that none is believed missing before a while has passed.
    """
    with run.ledger.read() as db:
        looked_at = submissions.known_operations(db, submission.target_id)
    ours = set(operation.row_keys(submission.rows))
    deadline = run.clock.monotonic() + LISTING_PATIENCE_SECONDS
    while True:
        since = submission.intended_at - CLOCK_ALLOWANCE_MS
        for found in await run.learning360.operations(operation.type, since):
            if found.id not in looked_at:
                looked_at.add(found.id)
                await _ended(run.learning360, run.clock, found.id)
                carried = set(await _results(run.learning360, operation, found.id))
                if carried and carried <= ours:
                    return found.id
        if run.clock.monotonic() >= deadline:
            return None
        await run.clock.sleep(LISTING_POLL_SECONDS)


async def _submitted(run: RunContext, operation: BulkOperation, submission: Submission) -> str:
    """Submit; an answer that never came is looked for among the operations before anything is sent again."""
    for _ in range(SUBMISSION_TRIES):
        try:
            return await _politely(run.clock, lambda: operation.submit(run, submission.rows))
        except OutcomeUnknownError:
            logger.warning("No answer to a submission; looking for it among the platform's operations")
            if (operation_id := await find_operation(run, operation, submission)) is not None:
                return operation_id
        except SyncError:
            with run.ledger.begin() as db:  # certainly nothing was taken
                submissions.close(db, submission.id, "failed", run.clock.now_ms())
            raise
    raise OutcomeUnknownError(
        f"360Learning: {SUBMISSION_TRIES} submissions got no answer, and none of them shows among its bulk "
        "operations. The next run looks again before it sends anything."
    )


async def _results(
    learning360: Learning360Client, operation: BulkOperation, operation_id: str
) -> dict[Hashable, Result]:
    results = await learning360.results(operation_id)
    return {operation.result_key(result.input): result for result in results if result.input is not None}


async def _politely(clock: Clock, submit: Callable[[], Awaitable[str]]) -> str:
    """Submit, and where others hold the slots wait for one, longer each time."""
    began = clock.monotonic()
    wait = 1.0
    while True:
        try:
            return await submit()
        except SlotsTakenError as error:
            left = began + SLOT_PATIENCE_SECONDS - clock.monotonic()
            if left < 1.0:
                raise SyncError(
                    "360Learning's three bulk operation slots were taken by others for two hours: see which "
                    "integrations use them, and run again."
                ) from error
            logger.info("The bulk operation slots are taken; waiting for one")
            await clock.sleep(min(max(wait, error.retry_after or 0) * _jitter(clock), left))
            wait = min(wait * 1.5, LONGEST_SLOT_WAIT_SECONDS)


async def _ended(learning360: Learning360Client, clock: Clock, operation_id: str) -> Operation:
    """Look at an operation until it has ended, less often as time goes by."""
    began = clock.monotonic()
    while not (found := await learning360.operation(operation_id)).has_ended:
        elapsed = clock.monotonic() - began
        if elapsed > OPERATION_PATIENCE_SECONDS:
            raise SyncError(
                f"The bulk operation {operation_id} has not ended for two hours. It stays open in the "
                "ledger, and the next run goes on with it."
            )
        wait = min(max(elapsed * POLL_SHARE, SHORTEST_POLL_SECONDS), LONGEST_POLL_SECONDS)
        await clock.sleep(wait * _jitter(clock))
    return found


def _jitter(clock: Clock) -> float:
    return 1.0 + 0.2 * clock.random()
