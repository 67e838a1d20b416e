"""Progress while a run goes on, and who is told of it."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

import pandas as pd

from tasks.reporting.plan import Plan
from tasks.reporting.report import Report

#: Shows how far a work is: its name, how many rows are done, and of how many, None while that is unknown.
ShowProgress = Callable[[str, int, int | None], Awaitable[None]]


class RunObserver(Protocol):
    """Who is told how a run goes, and how it ended."""

    def on_progress(self, what: str, done: int, total: int | None) -> None:
        """So many rows of a work are done; ``total`` is None while it is not known."""

    def on_report(self, report: Report) -> None:
        """A run has ended, in whatever way. Of several targets each has one, and last comes that of all."""

    def on_plan(self, plan: Plan) -> None:
        """What a dry run would do; told before its report, and not where it failed before it knew."""

    def on_differences(self, differences: pd.DataFrame) -> None:
        """Where both sides differ: `tasks.transform.comparison.FOUND_COLUMNS`, with addresses.

        Of several targets each tells its own, in a first column ``target``.
        """


_observers: ContextVar[tuple[RunObserver, ...]] = ContextVar("observers", default=())


@contextmanager
def observing(observer: RunObserver) -> Iterator[None]:
    """Let someone observe the runs that begin inside this context."""
    token = _observers.set((*_observers.get(), observer))
    try:
        yield
    finally:
        _observers.reset(token)


def observers() -> Sequence[RunObserver]:
    """Who observes runs here."""
    return _observers.get()


class ProgressReporter:
    """How far a run's work is: tells all observers, and whoever else is to show it."""

    def __init__(self, show: ShowProgress, of: str | None = None) -> None:
        """``of`` names one of several targets."""
        self._show = show
        self._prefix = f"{of}: " if of else ""

    async def of(self, what: str, done: int, total: int | None) -> None:
        """Tell that ``done`` rows of ``total`` are through a work, such as "read contents"."""
        named = self._prefix + what
        for observer in observers():
            observer.on_progress(named, done, total)
        await self._show(named, done, total)


class ProgressCounter:
    """Counts the rows of a work of several parts that come and end in any order."""

    def __init__(self, progress: ProgressReporter, what: str) -> None:
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
