"""A meeting of runs that all need the same: it is done once, when each of them has come or left."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

W = TypeVar("W")
R = TypeVar("R")


@dataclass(eq=False)
class _Round(Generic[W, R]):
    """Those who came for one thing, and what came of it."""

    wants: list[W] = field(default_factory=list)
    outcome: asyncio.Future[R] = field(default_factory=asyncio.Future)


class Meeting:
    """Where so many runs meet, perhaps several times."""

    def __init__(self, runs: int) -> None:
        self._runs = runs
        self._waiting = 0
        self._rounds: dict[str, _Round[Any, Any]] = {}
        self._changed = asyncio.Condition()

    async def of_all(self, what: str, want: W, do: Callable[[Sequence[W]], Awaitable[R]]) -> R:
        """Wait until all have come; then for each thing (``what``) that some came for, one of them does it.

        ``do`` is given what those who came for it want. What it returns or raises is everyone's.
        """
        ours: _Round[W, R] = self._rounds.setdefault(what, _Round())
        ours.wants.append(want)
        async with self._changed:
            self._waiting += 1
            self._begin_if_all_are_here()
            await self._changed.wait_for(lambda: self._rounds.get(what) is not ours)
        if ours.wants[0] is want:
            await _done(ours, do)
        return await ours.outcome

    async def leave(self) -> None:
        """One of the runs has ended, in whatever way: it is no longer waited for."""
        async with self._changed:
            self._runs -= 1
            self._begin_if_all_are_here()

    def _begin_if_all_are_here(self) -> None:
        if self._waiting == self._runs:
            self._waiting = 0
            self._rounds = {}
            self._changed.notify_all()


async def _done(ours: _Round[W, R], do: Callable[[Sequence[W]], Awaitable[R]]) -> None:
    try:
        ours.outcome.set_result(await do(ours.wants))
    except BaseException as error:
        if not isinstance(error, Exception):
            ours.outcome.cancel()
            raise
        ours.outcome.set_exception(error)
