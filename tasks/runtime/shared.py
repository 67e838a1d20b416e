"""What the runs of all targets have in common: the ledger, Coursera, and where they meet to read it."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from connectors.clock import Clock
from connectors.coursera.client import CourseraClient
from connectors.ledger.database import Ledger
from tasks.reporting.progress import ProgressReporter
from tasks.reporting.publish import ProgressArtifacts
from tasks.runtime.meeting import Meeting
from tasks.runtime.workbench import Workbench

W = TypeVar("W")
R = TypeVar("R")


class Common:
    """Shared by so many runs, one for each target."""

    def __init__(self, ledger: Ledger, coursera: CourseraClient, clock: Clock, *, runs: int) -> None:
        self.ledger = ledger
        self.coursera = coursera
        self.clock = clock
        self.progress = ProgressReporter(ProgressArtifacts(clock.monotonic).show)
        self.is_shared = runs > 1
        #: Held while a target's lock is taken. All go in one order, so that two flows cannot each hold what
        #: the other waits for.
        self.opening = asyncio.Lock()
        #: Held while the limit of bulk operations is looked for, and made where there is none.
        self.limiting = asyncio.Lock()
        self.meeting = Meeting(runs)
        self.workbench = Workbench()
        #: For what is sent and comes back, which need not wait until a batch is worked on.
        self.packing = Workbench()
        # What is done for all is the flow's, and no single target's.
        self._context = contextvars.copy_context()

    async def once(self, what: str, want: W, do: Callable[[Sequence[W]], Coroutine[Any, Any, R]]) -> R:
        """Have something done once for all targets: see `Meeting.of_all`."""

        def as_the_flow(wants: Sequence[W]) -> Awaitable[R]:
            return asyncio.get_running_loop().create_task(do(wants), context=self._context)

        return await self.meeting.of_all(what, want, as_the_flow)
