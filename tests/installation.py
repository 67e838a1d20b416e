"""A customer's installation, as tests drive it: the stand-ins, a clock of their own, and the flows."""

import asyncio
from collections.abc import Callable
from typing import Any

from connectors.errors import SyncError
from connectors.surroundings import Surroundings
from sandbox.clock import DAY_MS, ManualClock
from sandbox.sandbox import Sandbox
from tasks.summary import Summary


class Sync:
    """The stand-ins of both platforms, and the commands' flows that are led to them."""

    def __init__(self, sandbox: Sandbox, clock: ManualClock) -> None:
        self.sandbox = sandbox
        self.clock = clock

    def surroundings(self) -> Surroundings:
        """Time as the stand-ins see it: waiting moves it on and takes none."""

        async def sleep(seconds: float) -> None:
            self.clock.advance(ms=round(seconds * 1000))
            await asyncio.sleep(0)

        return Surroundings(
            now_ms=self.clock, monotonic=lambda: self.clock() / 1000, sleep=sleep, chance=lambda: 0.5
        )

    def days_pass(self, days: float) -> None:
        """Let time go by."""
        self.clock.advance(ms=round(days * DAY_MS))

    def setup(self) -> Summary:
        """Run `setup`."""
        from flows.setup import setup  # noqa: PLC0415 - Prefect is imported once its test server runs

        return self._run(setup)

    def catalog(self, **parameters: Any) -> Summary:  # noqa: ANN401
        """Run `catalog`."""
        from flows.catalog import catalog  # noqa: PLC0415

        return self._run(catalog, **parameters)

    def statistics(self, **parameters: Any) -> Summary:  # noqa: ANN401
        """Run `statistics`."""
        from flows.statistics import statistics  # noqa: PLC0415

        return self._run(statistics, **parameters)

    def _run(self, flow: Callable[..., Any], **parameters: Any) -> Summary:  # noqa: ANN401
        try:
            summary = asyncio.run(flow(**parameters))
        except SyncError as error:
            assert isinstance(error.summary, Summary)
            return error.summary
        assert isinstance(summary, Summary)
        assert summary.unaccounted == 0, summary
        return summary

    def attempts(self, mail: str, external_id: str) -> list[tuple[str, int]]:
        """A learner's attempts in 360Learning, oldest first: completed or open, and the percentage."""
        found = self.sandbox.learning360.attempts_of(mail, external_id)
        return [("open" if one.completed_ms is None else "completed", one.progress) for one in found]

    def requests(self, method: str, path: str) -> int:
        """How many requests of a kind 360Learning and Coursera have seen."""
        return sum(entry.method == method and path in entry.path for entry in self.sandbox.log.entries)
