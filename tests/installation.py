"""A customer's installation, as tests drive it: the sandbox, a clock of their own, and the flows."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pkgutil import walk_packages
from typing import Any
from urllib.parse import parse_qs

from sqlalchemy import create_engine, select

from connectors.clock import Clock
from connectors.errors import SyncError
from connectors.ledger.schema import metadata
from sandbox import snapshot
from sandbox.clock import DAY_MS, ManualClock
from sandbox.layers import LoggedRequest
from sandbox.sandbox import Sandbox
from sandbox.values import Json
from tasks.reporting.summary import Summary
from tasks.runtime.handed_in import HandedIn, Pacing, handing_in


class Sync:
    """The sandbox of both platforms, and the commands' flows that are led to them."""

    def __init__(self, sandbox: Sandbox, clock: ManualClock, state_url: str, prefect_api: str) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.state_url = state_url
        self.prefect_api = prefect_api
        #: How long was waited, in seconds, each time; and what is to happen elsewhere at every wait.
        self.waits: list[float] = []
        self.meanwhile: Callable[[], None] = lambda: None
        #: How much its runs work on at a time.
        self.pacing = Pacing()
        #: How far its clock is ahead of the platforms'.
        self.ahead_ms = 0

    def environment(self) -> dict[str, str]:
        """The settings that lead to the sandbox, and to a ledger of this installation's own."""
        return self.sandbox.environment() | {"SYNC_STATE_URL": self.state_url}

    @property
    def ledger_url(self) -> str:
        """The ledger's URL with the driver that the settings choose."""
        return self.state_url.replace("postgresql:", "postgresql+psycopg:")

    def time(self) -> Clock:
        """Time as the sandbox sees it: waiting moves it on and takes none."""

        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)
            self.clock.advance(ms=round(seconds * 1000))
            self.meanwhile()
            await asyncio.sleep(0)

        return Clock(
            now_ms=lambda: self.clock() + self.ahead_ms,
            monotonic=lambda: self.clock() / 1000,
            sleep=sleep,
            random=lambda: 0.5,
        )

    def days_pass(self, days: float) -> None:
        """Let time go by."""
        self.clock.advance(ms=round(days * DAY_MS))

    def days_ago(self, days: float) -> datetime:
        """The moment that lies so many days back."""
        return datetime.fromtimestamp(self.clock() / 1000, UTC) - timedelta(days=days)

    def setup(self, **parameters: Any) -> Summary:
        """Run `setup`."""
        from flows.setup import setup  # noqa: PLC0415 - Prefect is imported once its test server runs

        return self._run(setup, **parameters)

    def catalog(self, **parameters: Any) -> Summary:
        """Run `catalog`."""
        from flows.catalog import catalog  # noqa: PLC0415

        return self._run(catalog, **parameters)

    def statistics(self, **parameters: Any) -> Summary:
        """Run `statistics`."""
        from flows.statistics import statistics  # noqa: PLC0415

        return self._run(statistics, **parameters)

    def backfill(self, **parameters: Any) -> Summary:
        """Run `backfill`."""
        from flows.backfill import backfill  # noqa: PLC0415

        return self._run(backfill, **parameters)

    def restore(self, *courses: str, dry_run: bool = False) -> Summary:
        """Run `restore`."""
        from flows.restore import restore  # noqa: PLC0415

        return self._run(restore, courses=list(courses), dry_run=dry_run)

    def reconcile(self, **parameters: Any) -> Summary:
        """Run `reconcile`."""
        from flows.reconcile import reconcile  # noqa: PLC0415

        return self._run(reconcile, **parameters)

    def _run(self, flow: Callable[..., Any], **parameters: Any) -> Summary:
        try:
            with handing_in(HandedIn(self.time(), self.pacing)):
                summary = asyncio.run(flow(**parameters))
        except SyncError as error:
            assert isinstance(error.summary, Summary)
            assert error.summary.state == "failed", error
            return error.summary
        assert isinstance(summary, Summary)
        assert summary.unaccounted == 0, summary
        return summary

    def add_courses(self, count: int, **fields: Any) -> list[Json]:
        """More courses at Coursera; returns their elements."""
        return [self.sandbox.world.add_content(f"Course {number}", **fields) for number in range(count)]

    def attempts(self, mail: str, external_id: str) -> list[tuple[str, int]]:
        """A learner's attempts in 360Learning, oldest first: completed or open, and the percentage."""
        found = self.sandbox.learning360.attempts_of(mail, external_id)
        return [("open" if one.completed_ms is None else "completed", one.progress) for one in found]

    def sent(self) -> list[Json]:
        """The rows of the last bulk operation, as 360Learning took them."""
        self.sandbox.learning360.operations.settle()
        return [result["input"] for result in self.sandbox.learning360.operations.all[-1].results]

    def courses(self) -> dict[str, str]:
        """The courses in 360Learning that are not archived: their names by their external ids."""
        self.sandbox.learning360.operations.settle()
        every = self.sandbox.learning360.courses.by_id.values()
        return {course.external_id: course.data["name"] for course in every if not course.archived}

    def integration(self) -> Json:
        """The one integration in 360Learning."""
        (found,) = self.sandbox.learning360.integrations.values()
        return found

    def platform(self) -> Json:
        """All that 360Learning holds, to compare."""
        return snapshot.state(self.sandbox.learning360)

    def requests(self, method: str, path: str) -> int:
        """How many requests of a kind 360Learning and Coursera have seen."""
        return len(self.log(method, path))

    def log(self, method: str, path: str) -> list[LoggedRequest]:
        """The requests of a kind that 360Learning and Coursera have seen."""
        return [
            entry
            for entry in self.sandbox.log.entries
            if (entry.method, path in entry.path) == (method, True)
        ]

    def queries(self, listing: str) -> list[dict[str, str]]:
        """What Coursera was asked of a listing, a request after the other."""
        return [
            {name: values[0] for name, values in parse_qs(entry.query).items()}
            for entry in self.log("GET", f"/{listing}")
        ]

    def ledger(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table of the ledger."""
        engine = create_engine(self.ledger_url)
        try:
            with engine.connect() as db:
                return [dict(row) for row in db.execute(select(metadata.tables[table])).mappings()]
        finally:
            engine.dispose()

    def remembered(self) -> dict[str, list[dict[str, Any]]]:
        """All that the ledger knows but for the runs themselves, to compare."""
        return {name: self.ledger(name) for name in metadata.tables if name != "runs"}

    def rejected(self, stream: str) -> dict[str, str]:
        """The rows of a stream that are rejected: reasons by ids."""
        return {row["row_id"]: row["reason"] for row in self.ledger("rejects") if row["stream"] == stream}

    def watermark(self, stream: str) -> int | None:
        """When a stream's last good reading began."""
        return next((row["read_at"] for row in self.ledger("watermarks") if row["stream"] == stream), None)


def own_tasks() -> Iterator[Any]:
    """Every Prefect task of this project."""
    from prefect import Task  # noqa: PLC0415

    import tasks  # noqa: PLC0415

    modules = [import_module(found.name) for found in walk_packages(tasks.__path__, "tasks.")]
    values = (getattr(value, "task", None) for module in modules for value in vars(module).values())
    yield from {id(value): value for value in values if isinstance(value, Task)}.values()


def private_words(sandbox: Sandbox) -> set[str]:
    """All that nobody may read: every address and externalId of the world, every secret and token."""
    world, platform, sign_in = sandbox.world, sandbox.learning360, sandbox.coursera.sign_in
    words = {user["mail"] for user in platform.users.values()}
    for row in world.reports:
        words |= {str(row[name]) for name in ("email", "externalId") if "@" in str(row.get(name))}
    words |= {platform.client.client_secret, sign_in.client_secret}
    return words | set(sign_in.refresh_tokens) | set(sign_in.access_tokens)
