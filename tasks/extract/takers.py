"""Who is given a listing's elements while it is read: all targets, each what is theirs."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from connectors.coursera.models import Page, report_fields
from connectors.coursera.row_ids import identity
from tasks.extract.window import ActivityWindow
from tasks.runtime.run_context import RunContext
from tasks.runtime.target_logging import serving
from tasks.transform.statistics.filters import chosen


class Taker(Protocol):
    """Who is given a listing's elements while it is read."""

    async def begin(self, listing: str) -> None:
        """A listing is read from its beginning; perhaps again, and then what it shows now is newer."""

    async def take(self, page: Page) -> None:
        """A page of it."""


class Asked:
    """What one target asks for: it is given the reports of its programs, and nothing more once it fails."""

    def __init__(self, run: RunContext, window: ActivityWindow, taker: Taker) -> None:
        self.window = window
        self.failure: Exception | None = None
        self._run = run
        self._taker = taker
        self._programs = frozenset(run.settings.programs)

    def require_taken(self) -> None:
        """Raise what stopped this target from taking what was read."""
        if self.failure is not None:
            raise self.failure

    async def begin(self, listing: str) -> None:
        """Pass it on."""
        await self._give(partial(self._taker.begin, listing))

    async def take(self, page: Page) -> None:
        """Pass on the rows of the target's programs."""
        if self._programs:
            theirs = [row for row in page.elements if getattr(row, "programId", None) in self._programs]
            page = Page(elements=theirs, paging=page.paging)
        await self._give(partial(self._taker.take, page))

    async def _give(self, give: Callable[[], Awaitable[None]]) -> None:
        if self.failure is not None:
            return
        try:
            with serving(self._run.name):
                await give()
        except Exception as error:  # noqa: BLE001 - raised by require_taken, once the others have theirs
            self.failure = error


class Audience:
    """All who asked for a reading; there is none without any of them left."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        self._asked = asked

    async def begin(self, listing: str) -> None:
        """Pass it on to all."""
        for one in self._asked:
            await one.begin(listing)
        self._require_any()

    async def take(self, page: Page) -> None:
        """Pass it on to all."""
        for one in self._asked:
            await one.take(page)
        self._require_any()

    def _require_any(self) -> None:
        if all(one.failure is not None for one in self._asked):
            self._asked[0].require_taken()


class Elements:
    """Keeps a listing's elements; where it was read again, what only an earlier try showed is kept too."""

    def __init__(self) -> None:
        self._tries: list[list[object]] = []

    async def begin(self, _listing: str) -> None:
        """Begin anew."""
        self._tries.append([])

    async def take(self, page: Page) -> None:
        """Keep its elements."""
        self._tries[-1] += page.elements

    @property
    def all(self) -> list[object]:
        """What was shown, as it was shown last."""
        *earlier, last = self._tries
        elements = list(last)
        for one in reversed(earlier):
            shown = {identity(element) for element in elements}
            elements += [element for element in one if identity(element) not in shown]
        return elements


class Chosen:
    """Passes on the reports of a window and of some learners."""

    def __init__(self, taker: Taker, window: ActivityWindow, learners: Sequence[str]) -> None:
        self._taker = taker
        self._window = window
        self._learners = learners

    async def begin(self, listing: str) -> None:
        """Pass it on."""
        await self._taker.begin(listing)

    async def take(self, page: Page) -> None:
        """Pass on what is chosen."""
        is_kept = chosen(
            report_fields(page.elements),
            active_from_ms=self._window.since,
            active_to_ms=self._window.until,
            learners=self._learners,
        )
        kept = [element for element, keep in zip(page.elements, is_kept, strict=True) if keep]
        await self._taker.take(Page(elements=kept, paging=page.paging))
