"""Progress while a run goes on, for whoever looks on: Prefect's pages, and people at the command line."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import pandas as pd
from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact
from prefect.context import FlowRunContext

from tasks.reporting.plan import Preview
from tasks.reporting.report import Report

# A page or an operation may come many times a second; each telling is a request to Prefect's server.
AT_MOST_EVERY_SECONDS = 3.0
ALL_PERCENT = 100.0

logger = logging.getLogger("coursera_sync.progress")


class Onlooker(Protocol):
    """Who is told how a run goes, and how it ended."""

    def see(self, what: str, done: int, total: int | None) -> None:
        """So many rows of a work are done; ``total`` is None while it is not known."""

    def read(self, report: Report) -> None:
        """A run has ended, in whatever way. Of several targets each has one, and last comes that of all."""

    def foresee(self, preview: Preview) -> None:
        """What a dry run would do; told before its report, and not where it failed before it knew."""

    def find(self, differences: pd.DataFrame) -> None:
        """Where both sides differ: `tasks.transform.comparison.FOUND_COLUMNS`, with addresses.

        Of several targets each tells its own, in a first column ``target``.
        """


_onlookers: ContextVar[tuple[Onlooker, ...]] = ContextVar("onlookers", default=())


@contextmanager
def looking_on(onlooker: Onlooker) -> Iterator[None]:
    """Have someone look on the runs that begin inside this context."""
    token = _onlookers.set((*_onlookers.get(), onlooker))
    try:
        yield
    finally:
        _onlookers.reset(token)


def onlookers() -> Sequence[Onlooker]:
    """Who looks on here."""
    return _onlookers.get()


class Progress:
    """How far a run's work is: tells all who look on."""

    def __init__(self, monotonic: Callable[[], float], of: str | None = None) -> None:
        """``monotonic`` gives seconds that never go back; ``of`` names one of several targets."""
        self._prefect = _Artifacts(monotonic)
        self._prefix = f"{of}: " if of else ""

    async def of(self, what: str, done: int, total: int | None) -> None:
        """Tell that ``done`` rows of ``total`` are through a work, such as "read contents"."""
        named = self._prefix + what
        for onlooker in onlookers():
            onlooker.see(named, done, total)
        await self._prefect.see(named, done, total)


class Gauge:
    """Counts the rows of a work of several parts that come and end in any order."""

    def __init__(self, progress: Progress, what: str) -> None:
        self._progress = progress
        self._what = what
        self._total = 0
        self._done = 0

    async def expect(self, rows: int) -> None:
        """So many more rows have come."""
        self._total += rows
        await self._progress.of(self._what, self._done, self._total)

    async def add(self, rows: int) -> None:
        """So many more rows are through."""
        self._done += rows
        await self._progress.of(self._what, self._done, self._total)


@dataclass
class _Told:
    artifact_id: UUID
    at: float
    percent: float


class _Artifacts:
    """A progress artifact for each work of a flow run; outside one there are none."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._told: dict[str, _Told] = {}
        self._lock = asyncio.Lock()
        self._is_off = FlowRunContext.get() is None

    async def see(self, what: str, done: int, total: int | None) -> None:
        if self._is_off or total is None:
            return
        percent = min(ALL_PERCENT, ALL_PERCENT * done / total) if total else ALL_PERCENT
        try:
            async with self._lock:
                await self._tell(what, percent)
        except Exception as error:  # noqa: BLE001 - progress is never worth failing a run for
            self._is_off = True
            logger.warning("Prefect's server takes no progress (%s)", type(error).__name__)

    async def _tell(self, what: str, percent: float) -> None:
        now, told = self._monotonic(), self._told.get(what)
        if told is None:
            artifact_id = await acreate_progress_artifact(percent, description=what)
            self._told[what] = _Told(artifact_id, now, percent)
        elif percent != told.percent and (percent == ALL_PERCENT or now - told.at >= AT_MOST_EVERY_SECONDS):
            await aupdate_progress_artifact(told.artifact_id, percent)
            self._told[what] = _Told(told.artifact_id, now, percent)
