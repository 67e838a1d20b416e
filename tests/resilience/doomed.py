"""Runs the main job in a process of its own, and kills it at a chosen moment.

`python -m tests.resilience.doomed N` dies with SIGKILL at the N-th moment; with 0 it lives, and prints how
many moments there were, and how many seconds it waited: by its own clock, for no wait takes any time. A
moment is just before or after a request to a platform, or before or after the commit of a transaction of the
ledger. The tasks run without Prefect: what is killed is ours.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from connectors.clock import Clock
from connectors.ledger.database import Ledger
from tasks.runtime import step
from tasks.runtime.handed_in import HandedIn, handing_in


class Reaper:
    """Counts moments, and kills at the chosen one."""

    def __init__(self, kill_at: int) -> None:
        self.kill_at = kill_at
        self.moments = 0

    def moment(self) -> None:
        """One more; perhaps the last."""
        self.moments += 1
        if self.moments == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


class Waits:
    """Waits are only counted, and move the clock on."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> Clock:
        """The clock with these waits."""
        real = Clock()

        async def sleep(seconds: float) -> None:
            self.seconds += seconds
            await asyncio.sleep(0)

        return Clock(
            now_ms=lambda: real.now_ms() + round(self.seconds * 1000),
            monotonic=lambda: real.monotonic() + self.seconds,
            sleep=sleep,
            random=real.random,
        )


def watch(reaper: Reaper) -> None:
    """Put the reaper before and after each request and each commit."""
    send, begin = httpx.AsyncClient.send, Ledger.begin

    async def watched_send(client: httpx.AsyncClient, *args: Any, **kwargs: Any) -> httpx.Response:
        reaper.moment()
        response = await send(client, *args, **kwargs)
        reaper.moment()
        return response

    @contextmanager
    def watched_begin(ledger: Ledger) -> Iterator[Any]:
        with begin(ledger) as db:
            yield db
            reaper.moment()
        reaper.moment()

    httpx.AsyncClient.send = watched_send  # type: ignore[method-assign, assignment]
    Ledger.begin = watched_begin  # type: ignore[method-assign, assignment]


async def main_job() -> None:
    """The catalog, then the statistics."""
    step.step = lambda _name, **_: lambda function: function
    from flows.catalog import catalog  # noqa: PLC0415 - after the decorator was replaced
    from flows.statistics import statistics  # noqa: PLC0415

    await catalog.fn()
    await statistics.fn()


if __name__ == "__main__":
    the_reaper = Reaper(int(sys.argv[1]))
    watch(the_reaper)
    the_waits = Waits()
    with handing_in(HandedIn(the_waits.clock())):
        asyncio.run(main_job())
    sys.stdout.write(f"{the_reaper.moments} {the_waits.seconds}\n")
