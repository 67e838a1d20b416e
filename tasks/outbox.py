"""The outbox: rows become operations, which go out on a few lanes while more rows come."""

import asyncio
import contextvars
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import pandas as pd

from tasks.load import Kind, send_operation
from tasks.run import Run
from tasks.slots import BULK_SLOTS, make_sure_of_limit, slot
from tasks.watching import Gauge

# Operations that may be under way or wait at a time: as many again as run, so that no slot is ever idle.
ROOM = 2 * BULK_SLOTS
# While a slot is idle, rows for half an operation do not wait for more.
LEAST_SHARE = 2
# A slot is kept from one operation to the next for so long, then others may have a turn; and so long while
# none waits. To take one costs more than a small operation does.
KEEP_SECONDS = 30.0
LINGER_SECONDS = 2.0


@dataclass(frozen=True, eq=False)
class _Operation:
    """Rows to send in one, and the future that says when that is done."""

    rows: pd.DataFrame
    done: asyncio.Future[None]


class Outbox:
    """Sends rows in operations as large as keeps the platform's three slots busy, while more rows come.

    Use as an async context manager: when it is left, all rows have been sent. Where an operation fails the
    others are still brought to their end, before its error is raised. A dry run only counts.
    """

    def __init__(self, run: Run, kind: Kind) -> None:
        self._run = run
        self._kind = kind
        self._waiting: list[pd.DataFrame] = []
        self._queue: asyncio.Queue[_Operation] = asyncio.Queue()
        #: Each with the number of its first row, in the order of adding.
        self._under_way: dict[asyncio.Future[None], int] = {}
        self._queued_rows = 0
        self._lanes: set[asyncio.Task[None]] = set()
        self._busy_lanes = 0
        #: Operations whose results are read, or awaited, apart from the lane that sent them.
        self._settling: set[asyncio.Task[None]] = set()
        # Lanes outlive the step that fills them: they are the flow's.
        self._context = contextvars.copy_context()
        self._gauge = Gauge(run.progress, kind.work)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, error: type[BaseException] | None, *_: object) -> None:
        try:
            if error is None:
                await self.flush()
            elif not issubclass(error, Exception):
                self._break_off()
        except asyncio.CancelledError:
            self._break_off()
            raise
        finally:
            await asyncio.gather(*self._under_way, *self._settling, return_exceptions=True)
            for lane in self._lanes:
                lane.cancel()
            await asyncio.gather(*self._lanes, return_exceptions=True)

    @property
    def has_room(self) -> bool:
        """Whether rows that are added now need not wait long."""
        unsettled = sum(not one.done() for one in self._under_way)
        return self._rows + self._kind.most_rows * unsettled < ROOM * self._kind.most_rows

    async def add(self, rows: pd.DataFrame) -> None:
        """Send rows as soon as they fill an operation; where many wait already, wait with them."""
        if self._run.dry_run:
            self._run.summary.submitted += len(rows)
            return
        if rows.empty:
            return
        await make_sure_of_limit(self._run)
        await self._gauge.expect(len(rows))
        self._waiting.append(rows)
        while self._rows >= self.enough:
            await self._send(min(self._rows, self._kind.most_rows), spare=1)

    @property
    def enough(self) -> int:
        """How many rows make an operation now: as many as one takes, fewer while a slot is idle."""
        most = self._kind.most_rows
        are_busy = self._busy_lanes + self._queue.qsize() >= BULK_SLOTS
        return most if are_busy else self._least

    @property
    def added(self) -> int:
        """How many rows were added so far."""
        return self._queued_rows + self._rows

    async def settle(self, rows: int) -> None:
        """Wait until so many rows, the first that were added, are settled."""
        if self._queued_rows < rows:
            await self.flush()
        while early := [one for one, first in self._under_way.items() if first < rows and not one.done()]:
            await asyncio.wait(early)
        self._forget_settled()

    async def flush(self) -> None:
        """Send what waits, and wait until all is settled.

        It goes in operations of like size, so many that all slots are busy to the end.
        """
        most = self._kind.most_rows
        rounds = -(-self._rows // (most * BULK_SLOTS))
        operations = max(-(-self._rows // most), min(self._rows // self._least, rounds * BULK_SLOTS))
        for left in range(operations, 0, -1):
            await self._send(-(-self._rows // left))
        await self._below(1)

    @property
    def _least(self) -> int:
        """How many rows are worth an operation of their own."""
        return -(-self._kind.most_rows // LEAST_SHARE)

    @property
    def _rows(self) -> int:
        return sum(map(len, self._waiting))

    async def _send(self, count: int, *, spare: int = 0) -> None:
        """Send so many of the rows that wait; where more may follow, have ``spare`` slots ready."""
        rows = pd.concat(self._waiting, ignore_index=True)
        self._waiting = [rows.iloc[count:]] if len(rows) > count else []
        await self._below(ROOM)
        done = asyncio.get_running_loop().create_future()
        self._under_way[done] = self._queued_rows
        self._queued_rows += count
        self._queue.put_nowait(_Operation(rows.iloc[:count].reset_index(drop=True), done))
        self._open_lanes(spare)

    def _open_lanes(self, spare: int = 0) -> None:
        """Have a lane for each operation that waits, and some to spare, but three in all."""
        free = len(self._lanes) - self._busy_lanes
        for _ in range(min(self._queue.qsize() + spare - free, BULK_SLOTS - len(self._lanes))):
            lane = asyncio.create_task(self._lane(), context=self._context.copy())
            self._lanes.add(lane)
            lane.add_done_callback(self._lane_ended)

    def _lane_ended(self, lane: asyncio.Task[None]) -> None:
        self._lanes.discard(lane)
        if not lane.cancelled():
            self._open_lanes()

    async def _lane(self) -> None:
        """Hold a slot and send one operation after another, for a while and as long as some come soon."""
        async with slot(self._run):
            until = self._run.surroundings.monotonic() + KEEP_SECONDS
            is_over = False
            while not is_over and (operation := await self._next()) is not None:
                await self._work_ended(operation)
                is_over = self._run.surroundings.monotonic() >= until

    async def _next(self) -> _Operation | None:
        """The next operation; None where none comes soon."""
        # No `wait_for`, whose task would take an operation while its lane does not count as busy yet.
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                return await self._queue.get()
        return None

    async def _work_ended(self, operation: _Operation) -> None:
        """Carry an operation out; returns once the platform is done with it, while its results are read."""
        ended = asyncio.Event()
        carried_out = asyncio.create_task(self._carry_out(operation, ended))
        self._settling.add(carried_out)
        carried_out.add_done_callback(self._settling.discard)
        carried_out.add_done_callback(lambda _: ended.set())
        self._busy_lanes += 1
        try:
            await ended.wait()
        finally:
            self._busy_lanes -= 1

    async def _carry_out(self, operation: _Operation, ended: asyncio.Event) -> None:
        try:
            await send_operation(self._run, self._kind, operation.rows, uuid.uuid4().hex, ended)
            await self._gauge.add(len(operation.rows))
        except Exception as error:  # noqa: BLE001 - raised to whoever waits for it, while the lane goes on
            operation.done.set_exception(error)
        except BaseException:
            operation.done.cancel()
            raise
        else:
            operation.done.set_result(None)

    def _break_off(self) -> None:
        """Interrupted: the next run finishes what is under way."""
        for one in (*self._lanes, *self._settling, *self._under_way):
            one.cancel()

    async def _below(self, most: int) -> None:
        """Wait until fewer operations are under way; raise the error of one that has failed."""
        while True:
            self._forget_settled()
            if len(self._under_way) < most:
                return
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)

    def _forget_settled(self) -> None:
        """Forget what is settled; raise the error of an operation that has failed."""
        for one in [one for one in self._under_way if one.done()]:
            del self._under_way[one]
            one.result()


async def send(run: Run, kind: Kind, rows: pd.DataFrame) -> None:
    """Send rows in as few operations as there can be, at most three at a time."""
    async with Outbox(run, kind) as outbox:
        await outbox.add(rows)
