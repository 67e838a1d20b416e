"""The dispatcher: rows become bulk operations, which three workers send while more rows come.

(The *outbox* of the pattern's name is the ledger's table `submissions`.)
"""

import asyncio
import uuid
from types import TracebackType
from typing import Self

import pandas as pd

from tasks.load.batch import Batch, joined, shares
from tasks.load.bulk_operation import BulkOperation
from tasks.load.slots import BULK_SLOTS, ensure_limit, slot
from tasks.load.submit import send_operation
from tasks.reporting.progress import ProgressCounter
from tasks.runtime.run_context import RunContext

# So long a slot is kept while no operation waits: to take one costs more than a small operation does.
LINGER_SECONDS = 2.0


class BulkDispatcher:
    """Sends rows in operations as large as the platform allows, three at a time.

    Use as an async context manager: when it is left, all rows have been sent and settled. Where an operation
    fails, those under way are brought to their end, no other is sent, and its error is raised. ``add`` waits
    while three operations are waiting: that is what holds back whoever makes rows.
    """

    def __init__(self, run: RunContext, operation: BulkOperation) -> None:
        self._run = run
        self._operation = operation
        self._pacing = run.shared.pacing
        self._max_rows = min(operation.max_rows, self._pacing.operation_rows)
        self._waiting: list[Batch] = []
        self._queue: asyncio.Queue[Batch] = asyncio.Queue(maxsize=BULK_SLOTS)
        self._workers: list[asyncio.Task[None]] = []
        self._error: BaseException | None = None
        self._is_over = False
        self._counter = ProgressCounter(run.progress, operation.label)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self.flush()
            elif isinstance(error, Exception):
                self._error = self._error or error
                await self._queue.join()
        finally:
            # Interrupted ones are finished by the next run. No file is removed before they have stopped.
            self._is_over = True
            for worker in self._workers:
                worker.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)

    async def add(self, rows: pd.DataFrame, enrollments: pd.DataFrame | None = None) -> None:
        """Send rows (as the operation takes them) once an operation is full. A dry run sends none."""
        if rows.empty or self._run.dry_run:
            return
        await self._start()
        await self._counter.expect(len(rows))
        self._waiting.append(Batch(rows, enrollments))
        if sum(map(len, self._waiting)) > self._max_rows:
            rest = joined(self._waiting)
            while len(rest) > self._max_rows:  # the last ones are shared out among the slots
                full, rest = rest.cut(self._max_rows)
                await self._put(full)
            self._waiting = [rest]

    async def flush(self) -> None:
        """Send what waits, shared out evenly, and wait until all is settled."""
        rest = joined(self._waiting) if self._waiting else Batch(pd.DataFrame())
        self._waiting = []
        for left in range(shares(len(rest), BULK_SLOTS, self._pacing.least_rows), 0, -1):
            share, rest = rest.cut(-(-len(rest) // left))
            if len(share):
                await self._put(share)
        await self._queue.join()
        self._raise()

    async def _start(self) -> None:
        if not self._workers:
            await ensure_limit(self._run)
            self._workers = [asyncio.create_task(self._work()) for _ in range(BULK_SLOTS)]

    async def _put(self, batch: Batch) -> None:
        await self._queue.put(batch)
        if self._error is not None:
            await self._queue.join()
            self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    async def _work(self) -> None:
        """Take operations from the queue, with a slot held while they come."""
        monotonic = self._run.clock.monotonic
        while not self._is_over:
            batch: Batch | None = await self._queue.get()
            async with slot(self._run):
                until = monotonic() + self._pacing.keep_slot_seconds
                while batch is not None:
                    await self._send(batch)
                    self._queue.task_done()
                    batch = await self._soon() if monotonic() < until and not self._is_over else None

    async def _soon(self) -> Batch | None:
        """The next operation; None where none comes soon."""
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                return await self._queue.get()
        except TimeoutError:
            return None

    async def _send(self, batch: Batch) -> None:
        """Bring an operation to its end; after an error the others are only taken from the queue."""
        if self._error is not None:
            return
        try:
            await send_operation(self._run, self._operation, batch, uuid.uuid4().hex)
            await self._counter.add(len(batch))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - raised by `add` and `flush`
            # A worker never dies of an operation: whoever waits for the queue would wait for ever.
            self._error = self._error or error


async def send(run: RunContext, operation: BulkOperation, rows: pd.DataFrame) -> None:
    """Send rows in as many operations as they need."""
    async with BulkDispatcher(run, operation) as dispatcher:
        await dispatcher.add(rows)
