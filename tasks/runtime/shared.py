"""What the runs of all targets share: the ledger, Coursera, threads, a folder."""

import asyncio
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import ParamSpec, Self, TypeVar

from connectors.clock import Clock
from connectors.coursera.client import CourseraClient
from connectors.ledger.database import Ledger
from connectors.settings import SyncSettings
from tasks.reporting.progress import ProgressReporter
from tasks.reporting.publish import ProgressArtifacts
from tasks.reporting.recorder import RunRecorder
from tasks.runtime.handed_in import handed_in

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
    """Shared by so many runs, one for each target. ``folder`` is private, and gone when they have ended."""

    def __init__(
        self,
        ledger: Ledger,
        coursera: CourseraClient,
        clock: Clock,
        folder: Path,
        *,
        sync: SyncSettings,
        runs: int,
    ) -> None:
        self.ledger = ledger
        self.coursera = coursera
        self.clock = clock
        self.folder = folder
        self.pacing = handed_in().pacing
        self.send_scores = sync.send_scores
        self.is_shared = runs > 1
        #: Of what is done for all, until each run takes it over.
        self.recorder = RunRecorder(clock.monotonic)
        self.progress = ProgressReporter(ProgressArtifacts(clock.monotonic).show)
        #: Held while a target's lock is taken. All go in one order, so that two flows cannot each hold what
        #: the other waits for.
        self.opening = asyncio.Lock()
        #: The limits of bulk operations that are sure to be on the Prefect server, by name (see
        #: `tasks.load.slots`); held while one is looked for, and made where there is none.
        self.slot_limits: set[str] = set()
        self.limiting = asyncio.Lock()
        #: The slots for bulk operations that the runs of this process share, by the name of their limit.
        self.own_slots: dict[str, asyncio.Semaphore] = {}
        #: For comparing, which takes long.
        self.frames = SingleThread()
        #: For what is sent and comes back, which need not wait until a part is compared.
        self.packing = SingleThread()

    def with_recorder(self, recorder: RunRecorder) -> Self:
        """The same, recorded elsewhere."""
        other = copy(self)
        other.recorder = recorder
        return other
