"""What the runs of all targets share: the ledger, Coursera, threads, and where they meet to read it."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, ParamSpec, TypeVar

from connectors.clock import Clock
from connectors.coursera.client import CourseraClient
from connectors.ledger.database import Ledger
from tasks.reporting.progress import ProgressReporter
from tasks.reporting.publish import ProgressArtifacts
from tasks.runtime.meeting import Meeting

W = TypeVar("W")
R = TypeVar("R")
P = ParamSpec("P")


class SingleThread:
    """A thread that works on one thing at a time, in the order of asking.

    The loop alone would stand still for as long as a batch takes, and a slot of the platform's stay empty.
    Only one thing: the work is Python's, so that two would but take turns, and SQLite has one writer.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def do(self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Have work done; returns its result, or raises its error.

        Whoever is cancelled meanwhile still waits for its end: nothing is written behind their back.
        """
        async with self._turn:
            done = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
            try:
                return await asyncio.shield(done)
            except asyncio.CancelledError:
                await asyncio.wait([done])
                raise


class SharedResources:
    """Shared by so many runs, one for each target."""

    def __init__(self, ledger: Ledger, coursera: CourseraClient, clock: Clock, *, runs: int) -> None:
        self.ledger = ledger
        self.coursera = coursera
        self.clock = clock
        self.progress = ProgressReporter(ProgressArtifacts(clock.monotonic).show)
        #: Held while a target's lock is taken. All go in one order, so that two flows cannot each hold what
        #: the other waits for.
        self.opening = asyncio.Lock()
        #: The limits of bulk operations that are sure to be on the Prefect server, by name (see
        #: `tasks.load.slots`); held while one is looked for, and made where there is none.
        self.slot_limits: set[str] = set()
        self.limiting = asyncio.Lock()
        self.meeting = Meeting(runs)
        #: For comparing, which takes long.
        self.frames = SingleThread()
        #: For what is sent and comes back, which need not wait until a batch is compared.
        self.packing = SingleThread()
        # What is done for all is the flow's, and no single target's.
        self._context = contextvars.copy_context()

    async def once(self, what: str, want: W, do: Callable[[Sequence[W]], Coroutine[Any, Any, R]]) -> R:
        """Have something done once for all targets: see `Meeting.of_all`."""

        def as_the_flow(wants: Sequence[W]) -> Awaitable[R]:
            return asyncio.get_running_loop().create_task(do(wants), context=self._context)

        return await self.meeting.of_all(what, want, as_the_flow)
