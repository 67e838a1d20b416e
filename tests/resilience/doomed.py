"""Runs the main job in a process of its own, and kills it at a chosen moment.

`python -m tests.resilience.doomed N` dies with SIGKILL at the N-th moment; with 0 it lives, and prints how
many moments there were. A moment is just before or after a request to a platform, or before or after the
commit of a transaction of the ledger. The tasks run without Prefect: what is killed is ours.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from connectors.ledger.database import Ledger
from tasks.runtime import step


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
    from tasks.load import search  # noqa: PLC0415

    search.LISTING_PATIENCE_SECONDS = 0.2
    await catalog.fn()
    await statistics.fn()


if __name__ == "__main__":
    the_reaper = Reaper(int(sys.argv[1]))
    watch(the_reaper)
    asyncio.run(main_job())
    sys.stdout.write(f"{the_reaper.moments}\n")
