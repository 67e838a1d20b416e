"""Load: rows go to 360Learning in bulk operations, each written down before, and settled row by row."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import pandas as pd
from sqlalchemy import Connection

from connectors.errors import OutcomeUnknownError, SlotsTakenError, SyncError, TryLaterError
from connectors.learning360.models import Operation, OperationType
from connectors.ledger import submissions
from tasks.mapping.outcomes import outcomes
from tasks.run import Run
from tasks.step import step

FIRST_WAIT_SECONDS = 0.2
LONGEST_POLL_SECONDS = 5.0
LONGEST_SLOT_WAIT_SECONDS = 15.0
# Both are bounds on patience: an operation takes minutes, and others give their slots back.
SLOT_PATIENCE_SECONDS = 2 * 3600.0
OPERATION_PATIENCE_SECONDS = 2 * 3600.0

logger = logging.getLogger("coursera_sync.load")


class Kind(Protocol):
    """A kind of bulk operation: how its rows are sent, recognised in the results, written down, counted."""

    type: OperationType
    most_rows: int

    async def submit(self, run: Run, rows: pd.DataFrame) -> str:
        """Submit the rows; returns the operation's id."""

    def keys(self, rows: pd.DataFrame) -> Sequence[Any]:
        """What tells each of the rows apart."""

    def key(self, body: dict[str, Any]) -> Any:  # noqa: ANN401 - hashable, whatever it is
        """The same, from a result's input."""

    def settle(self, db: Connection, run: Run, rows: pd.DataFrame, operation_id: str) -> None:
        """Write down what became of the rows: they carry accepted, resource_id and reason."""

    def count(self, run: Run, rows: pd.DataFrame) -> None:
        """Count what became of them."""


async def send(run: Run, kind: Kind, rows: pd.DataFrame) -> None:
    """Send rows in as few operations as there can be, at most three at a time.

    Where an operation fails the others are still brought to their end, before its error is raised.
    """
    chunks = [rows.iloc[at : at + kind.most_rows] for at in range(0, len(rows), kind.most_rows)]
    work = (send_operation(run, kind, chunk.reset_index(drop=True), uuid.uuid4().hex) for chunk in chunks)
    ended = await asyncio.gather(*work, return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, BaseException):
            raise outcome


@step("send to 360Learning", run_name="send {kind.type}: {rows.shape[0]} rows")
async def send_operation(run: Run, kind: Kind, rows: pd.DataFrame, submission_id: str) -> None:
    """Bring one bulk operation from intent to settled.

    A second try of this task goes on with the operation that the first one submitted.
    """
    async with run.slots:
        operation_id = await _submitted(run, kind, rows, submission_id)
        operation = await _ended(run, operation_id)
        results = await run.learning360.results(operation_id)
        by_key = {kind.key(result["input"]): result for result in results if "input" in result}
        settled = pd.concat([rows, outcomes(kind.keys(rows), by_key)], axis="columns")
        with run.ledger.begin() as db:
            kind.settle(db, run, settled, operation_id)
            submissions.close(db, submission_id, "settled", run.surroundings.now_ms())
    kind.count(run, settled)
    _tell(kind, operation, settled)


async def _submitted(run: Run, kind: Kind, rows: pd.DataFrame, submission_id: str) -> str:
    """The operation of a submission: the one it has, else a new one, written down before and after."""
    with run.ledger.begin() as db:
        known = submissions.operation_of(db, submission_id)
        if known is not None:
            return known
        submissions.intend(
            db,
            submission_id,
            target_id=run.target.id,
            run_id=run.id,
            operation_type=kind.type,
            rows=rows,
            now_ms=run.surroundings.now_ms(),
        )
    operation_id = await _taken(run, kind, rows, submission_id)
    with run.ledger.begin() as db:
        submissions.mark_sent(db, submission_id, operation_id, run.surroundings.now_ms())
    return operation_id


async def _taken(run: Run, kind: Kind, rows: pd.DataFrame, submission_id: str) -> str:
    """Submit; where 360Learning certainly took nothing, the intent is closed."""
    try:
        return await _politely(run, lambda: kind.submit(run, rows))
    except OutcomeUnknownError:
        raise
    except SyncError:
        with run.ledger.begin() as db:
            submissions.close(db, submission_id, "failed", run.surroundings.now_ms())
        raise


async def _politely(run: Run, submit: Callable[[], Awaitable[str]]) -> str:
    """Submit, and where others hold the slots wait for one, longer each time."""
    began = run.surroundings.monotonic()
    wait = 1.0
    while True:
        try:
            return await submit()
        except SlotsTakenError as error:
            if run.surroundings.monotonic() - began > SLOT_PATIENCE_SECONDS:
                raise SyncError(
                    "360Learning's three bulk operation slots were taken by others for two hours: see which "
                    "integrations use them, and run again."
                ) from error
            logger.info("The bulk operation slots are taken; waiting for one")
            await run.surroundings.sleep(max(wait, error.retry_after or 0) * _jitter(run))
            wait = min(wait * 1.5, LONGEST_SLOT_WAIT_SECONDS)


async def _ended(run: Run, operation_id: str) -> Operation:
    """Look at an operation until it has ended, less often as time goes by."""
    began = run.surroundings.monotonic()
    wait = FIRST_WAIT_SECONDS
    while not (operation := await run.learning360.operation(operation_id)).has_ended:
        if run.surroundings.monotonic() - began > OPERATION_PATIENCE_SECONDS:
            raise TryLaterError(
                f"The bulk operation {operation_id} has not ended for two hours. It stays open in the ledger."
            )
        await run.surroundings.sleep(wait * _jitter(run))
        wait = min(wait * 1.5, LONGEST_POLL_SECONDS)
    return operation


def _jitter(run: Run) -> float:
    return 1.0 + 0.2 * run.surroundings.chance()


def _tell(kind: Kind, operation: Operation, settled: pd.DataFrame) -> None:
    refused = int((~settled["accepted"]).sum())
    ending = f"ended in error ({operation.error_message})" if operation.status == "error" else "ended"
    logger.info("%s %s: %d rows, %d refused", kind.type, ending, len(settled), refused)
