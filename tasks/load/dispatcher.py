"""The outbox: rows become operations, which go out on a few lanes while more rows come."""

import asyncio
import contextvars
import uuid
from collections import deque
from dataclasses import dataclass
from typing import Self

import pandas as pd

from tasks.load.bulk_operation import BulkOperation
from tasks.load.pace import Pace, fair_share
from tasks.load.slots import BULK_SLOTS, make_sure_of_limit, slot
from tasks.load.submit import send_operation
from tasks.reporting.progress import ProgressCounter
from tasks.runtime.run_context import RunContext

# Operations that may be under way or wait at a time: as many again as run, so that no slot is ever idle.
ROOM = 2 * BULK_SLOTS
# An operation takes its time however little it holds, as long as half of what one can hold: while a slot is
# idle, rows for so much do not wait for more. Of the last rows less than a tenth is not worth an operation.
COST_SHARE, LEAST_SHARE = 2, 10
# A slot is kept from one operation to the next for so long, then others may have a turn; and so long while
# none waits. To take one costs more than a small operation does.
KEEP_SECONDS = 30.0
LINGER_SECONDS = 2.0


@dataclass(frozen=True, eq=False)
class _Operation:
    """Rows to send in one, when that began, and the future that says when they are settled."""

    rows: pd.DataFrame
    began: float
    settled: asyncio.Future[None]


class Outbox:
    """Sends rows in operations that keep the platform's three slots busy, while more rows come.

    Each slot has a lane, which takes what waits once it is free: as much as one operation holds, or its share
    of what is left in the end.

    Use as an async context manager: when it is left, all rows have been sent. Where an operation fails those
    that are under way are still brought to their end, before its error is raised. A dry run only counts.
    """

    def __init__(self, run: RunContext, kind: BulkOperation) -> None:
        self._run = run
        self._kind = kind
        self._waiting: deque[pd.DataFrame] = deque()
        #: How many rows the lanes have taken so far.
        self._taken = 0
        #: Each with the number of its first row, in the order of adding.
        self._unsettled: dict[asyncio.Future[None], int] = {}
        self._lanes: set[asyncio.Task[None]] = set()
        #: What the platform works on, for the lanes that are not free.
        self._under_way: list[_Operation] = []
        #: Operations whose results are read, or awaited, apart from the lane that sent them.
        self._settling: set[asyncio.Task[None]] = set()
        #: No more rows will come: what waits goes out, however little it is.
        self._is_ending = False
        #: What an operation costs by itself, in rows.
        self._cost = -(-kind.max_rows // COST_SHARE)
        self._pace = Pace(self._cost)
        self._news = asyncio.Event()
        # Lanes outlive the step that fills them: they are the flow's.
        self._context = contextvars.copy_context()
        self._counter = ProgressCounter(run.progress, kind.label)

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
            self._waiting.clear()
            await asyncio.gather(*self._unsettled, *self._settling, return_exceptions=True)
            for lane in self._lanes:
                lane.cancel()
            await asyncio.gather(*self._lanes, return_exceptions=True)

    @property
    def has_room(self) -> bool:
        """Whether rows that are added now need not wait long."""
        unsettled = sum(not one.done() for one in self._unsettled)
        return self._rows + self._kind.max_rows * unsettled < ROOM * self._kind.max_rows

    async def add(self, rows: pd.DataFrame) -> None:
        """Send rows as soon as they fill an operation; where many wait already, wait with them."""
        if self._run.dry_run:
            self._run.recorder.add(submitted=len(rows))
            return
        if rows.empty:
            return
        await make_sure_of_limit(self._run)
        await self._counter.expect(len(rows))
        self._waiting.append(rows)
        # One lane more than there is work for: it has its slot when more rows come.
        self._open_lanes(spare=1)
        self._tell()
        while not self.has_room:
            await self._change()
        self._forget_settled()

    @property
    def enough(self) -> int:
        """How many rows make an operation now: as many as one takes, fewer while a slot is idle."""
        most = self._kind.max_rows
        are_busy = len(self._under_way) + -(-self._rows // most) >= BULK_SLOTS
        return most if are_busy else self._least

    @property
    def added(self) -> int:
        """How many rows were added so far."""
        return self._taken + self._rows

    async def settle(self, rows: int) -> None:
        """Wait until so many rows, the first that were added, are settled."""
        if self._taken < rows:
            await self.flush()
        while any(first < rows and not one.done() for one, first in self._unsettled.items()):
            await self._change()
        self._forget_settled()

    async def flush(self) -> None:
        """Send what waits, and wait until all is settled."""
        self._is_ending = True
        self._open_lanes()
        self._tell()
        while self._rows or not all(one.done() for one in self._unsettled):
            await self._change()
        self._is_ending = False
        self._forget_settled()

    @property
    def _least(self) -> int:
        """How many rows are worth an operation of their own."""
        return -(-self._kind.max_rows // LEAST_SHARE) if self._is_ending else self._cost

    @property
    def _rows(self) -> int:
        """How many rows wait for a lane."""
        return sum(map(len, self._waiting))

    def _tell(self) -> None:
        """Have all who wait for a change look again."""
        self._news.set()
        self._news.clear()

    async def _change(self) -> None:
        await self._news.wait()

    def _open_lanes(self, spare: int = 0) -> None:
        """Have a lane for each operation that there may be, and some to spare, but three in all."""
        most, least = self._kind.max_rows, self._least
        operations = -(-self._rows // least) if self._is_ending else (self._rows + most - least) // most
        free = len(self._lanes) - len(self._under_way)
        for _ in range(min(operations + spare - free, BULK_SLOTS - len(self._lanes))):
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
            until = self._now() + KEEP_SECONDS
            is_over = False
            while not is_over and (operation := await self._next()) is not None:
                await self._work_ended(operation)
                is_over = self._now() >= until

    async def _next(self) -> _Operation | None:
        """The next operation; None where none comes soon."""
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while self._rows < (1 if self._is_ending else self._least):
                    await self._change()
        except TimeoutError:
            return None
        return self._take(self._share())

    def _share(self) -> int:
        """How many of the rows that wait a lane that is free takes."""
        most = min(self._rows, self._kind.max_rows)
        if not self._is_ending:
            return most
        left = [self._pace.left(len(one.rows), self._now() - one.began) for one in self._under_way]
        free = [0.0] * (BULK_SLOTS - 1 - len(left))
        return min(most, fair_share(self._rows, [*left, *free], cost=self._cost, least=self._least))

    def _take(self, count: int) -> _Operation:
        """The first rows of those that wait."""
        rows = pd.concat(self._first(count), ignore_index=True)
        settled = asyncio.get_running_loop().create_future()
        settled.add_done_callback(lambda _: self._tell())
        self._unsettled[settled] = self._taken
        self._taken += count
        return _Operation(rows, self._now(), settled)

    def _first(self, count: int) -> list[pd.DataFrame]:
        """Take so many rows from the frames that wait; of others nothing is copied."""
        taken = []
        while count > 0:
            rows = self._waiting.popleft()
            taken.append(rows.iloc[:count])
            if len(rows) > count:
                self._waiting.appendleft(rows.iloc[count:])
            count -= len(taken[-1])
        return taken

    async def _work_ended(self, operation: _Operation) -> None:
        """Carry an operation out; returns once the platform is done with it, while its results are read."""
        ended = asyncio.Event()
        carried_out = asyncio.create_task(self._carry_out(operation, ended))
        self._settling.add(carried_out)
        carried_out.add_done_callback(self._settling.discard)
        carried_out.add_done_callback(lambda _: ended.set())
        self._under_way.append(operation)
        try:
            await ended.wait()
            self._pace.note(len(operation.rows), self._now() - operation.began)
        finally:
            self._under_way.remove(operation)

    async def _carry_out(self, operation: _Operation, ended: asyncio.Event) -> None:
        try:
            await send_operation(self._run, self._kind, operation.rows, uuid.uuid4().hex, ended)
            await self._counter.add(len(operation.rows))
        except Exception as error:  # noqa: BLE001 - raised to whoever waits for it, while the lane goes on
            operation.settled.set_exception(error)
        except BaseException:
            operation.settled.cancel()
            raise
        else:
            operation.settled.set_result(None)

    def _now(self) -> float:
        return self._run.clock.monotonic()

    def _break_off(self) -> None:
        """Interrupted: the next run finishes what is under way."""
        for one in (*self._lanes, *self._settling, *self._unsettled):
            one.cancel()

    def _forget_settled(self) -> None:
        """Forget what is settled; raise the error of an operation that has failed."""
        for one in [one for one in self._unsettled if one.done()]:
            del self._unsettled[one]
            one.result()


async def send(run: RunContext, kind: BulkOperation, rows: pd.DataFrame) -> None:
    """Send rows, at most three operations at a time."""
    async with Outbox(run, kind) as outbox:
        await outbox.add(rows)
