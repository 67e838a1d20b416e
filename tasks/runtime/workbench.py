"""The workbench: work on frames is done beside the event loop, while pages and operations go on."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Workbench:
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
