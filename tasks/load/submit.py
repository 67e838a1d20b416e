"""Load: rows go to 360Learning in bulk operations, each written down before, and settled row by row."""

import logging
from dataclasses import replace

import pandas as pd

from connectors.errors import OutcomeUnknownError, SlotsTakenError, SyncError
from connectors.ledger.records import submissions
from connectors.ledger.records.submissions import Submission
from tasks.load.batch import Batch
from tasks.load.bulk_operation import BulkOperation
from tasks.load.follow import jitter, outcomes_of
from tasks.load.search import Trace, find_trace
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step

LONGEST_SLOT_WAIT_SECONDS = 15.0
SUBMISSION_TRIES = 3

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
        operation.count(run, await outcomes_of(run, operation, batch.rows, settled_as))
        return
    submission, is_known = await run.shared.packing.do(_intended, run, operation, batch, submission_id)
    trace = Trace(submission.operation_id)
    if is_known and trace.is_empty:
        trace = await find_trace(run, operation, submission)
    if trace.is_empty:
        trace = await _submitted(run, operation, submission)
    operation.count(run, await finish(run, operation, submission, trace))


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
    run: RunContext, operation: BulkOperation, submission: Submission, trace: Trace
) -> pd.DataFrame:
    """Follow what a submission became to its end, and write down every row's result.

    Returns OUTCOME_COLUMNS beside the rows.
    """
    rows = trace.rows
    if trace.operation_id is not None:
        submission = replace(submission, operation_id=trace.operation_id)
        with run.ledger.begin() as db:
            submissions.mark_sent(db, submission.id, trace.operation_id, run.clock.now_ms())
        rows = await outcomes_of(run, operation, submission.rows, trace.operation_id)
    if rows is None:
        raise AssertionError("of a submission without a trace there is nothing to finish")
    await run.shared.packing.do(_settle, run, operation, submission, rows)
    refused = int((~rows["accepted"]).sum())
    logger.info("%s ended: %d rows, %d refused", operation.type, len(rows), refused)
    return rows


def _settle(run: RunContext, operation: BulkOperation, submission: Submission, rows: pd.DataFrame) -> None:
    with run.ledger.begin() as db:
        operation.settle(db, run, rows, submission)
        submissions.close(db, submission.id, "settled", run.clock.now_ms())


async def _submitted(run: RunContext, operation: BulkOperation, submission: Submission) -> Trace:
    """Submit; an answer that never came is looked for before anything is sent again."""
    for _ in range(SUBMISSION_TRIES):
        try:
            return Trace(await _politely(run, operation, submission))
        except OutcomeUnknownError:
            logger.warning("No answer to a submission; looking for it among the platform's operations")
            submission = _dated_anew(run, submission)
            if not (trace := await find_trace(run, operation, submission)).is_empty:
                return trace
        except SyncError:
            with run.ledger.begin() as db:  # certainly nothing was taken
                submissions.close(db, submission.id, "failed", run.clock.now_ms())
            raise
    raise OutcomeUnknownError(
        f"360Learning: {SUBMISSION_TRIES} submissions got no answer, and none of them shows among its bulk "
        "operations. The next run looks again before it sends anything."
    )


async def _politely(run: RunContext, operation: BulkOperation, submission: Submission) -> str:
    """Submit, and where others hold the slots wait for one, longer each time."""
    clock, patience = run.clock, run.settings.sync.operation_wait
    began = clock.monotonic()
    wait = 1.0
    while True:
        try:
            return await operation.submit(run, submission.rows)
        except SlotsTakenError as error:
            left = began + patience - clock.monotonic()
            if left < 1.0:
                raise SyncError(
                    f"360Learning's three bulk operation slots were taken by others for {patience:.0f} s "
                    "(SYNC_OPERATION_WAIT): see which integrations use them, and run again."
                ) from error
            logger.info("The bulk operation slots are taken; waiting for one")
            await clock.sleep(min(max(wait, error.retry_after or 0) * jitter(clock), left))
            wait = min(wait * 1.5, LONGEST_SLOT_WAIT_SECONDS)
            _dated_anew(run, submission)


def _dated_anew(run: RunContext, submission: Submission) -> Submission:
    """Date it by its last request: whoever looks for it has patience from that moment on."""
    moment = run.learning360.now_ms()
    with run.ledger.begin() as db:
        submissions.date_anew(db, submission.id, moment)
    return replace(submission, intended_at=moment)
