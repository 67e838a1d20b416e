"""Reading a paged listing: pages ahead of time, cursors that must advance, and proof of completeness."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass, field

import numpy as np

from connectors.coursera.models import Page
from connectors.coursera.row_ids import Hashes, hashes_of

PAGES_AT_ONCE = 4
# So many pages may be there or under way before they are asked for: as many again as are fetched at a time,
# so that the reading goes on while a batch of them is worked on.
PAGES_AHEAD = 2 * PAGES_AT_ONCE
FIRST_PAGE = range(1)

Fetch = Callable[[int], Coroutine[None, None, Page]]


@dataclass
class ListingCheck:
    """Counts what a listing showed, to tell whether it was all.

    A listing is complete when as many different elements were read as its last total says, and no cursor
    stood still. One that shrank while it was read is not believed: what vanished may have let another
    element slip between two pages, and the count would not tell. Where the numbers differ though nothing
    changed, a second reading tells (`repeats`): elements may share an id, or the total be wrong. Identities
    are kept as 64-bit hashes of this process: eight bytes an element, however many there are.
    """

    stalled_at: int | None = None
    totals: list[int] = field(default_factory=list)
    _pages: list[Hashes] = field(default_factory=list)

    def add(self, page: Page) -> None:
        """Count a page's elements and note its total."""
        if page.paging.total is not None:
            self.totals.append(page.paging.total)
        self._pages.append(page.identities)

    @property
    def total(self) -> int | None:
        """How many elements there are, by the last page that said so."""
        return self.totals[-1] if self.totals else None

    @property
    def distinct_count(self) -> int:
        """How many different elements were read."""
        return len(self.every) - self.double_count

    @property
    def double_count(self) -> int:
        """How many elements share their id with an earlier one, or have none and are the same as one."""
        every = self.every
        return int(np.count_nonzero(every[1:] == every[:-1]))

    @property
    def is_short(self) -> bool:
        """Whether fewer elements came, doubles among them, than there should be."""
        return self.total is not None and len(self.every) < self.total

    @property
    def incomplete_reason(self) -> str | None:
        """Why the listing cannot be taken for complete; None where it can."""
        if self.stalled_at is not None:
            return f"the listing did not advance beyond {self.stalled_at}"
        if self.total is not None and self.distinct_count != self.total:
            return f"{self.distinct_count} different rows were read of a listing of {self.total}"
        return "the listing shrank while it was read" if self.totals != sorted(self.totals) else None

    def repeats(self, earlier: "ListingCheck") -> bool:
        """Whether both readings came to an end, and showed the same elements under one and the same total."""
        came_to_an_end = self.stalled_at is None and earlier.stalled_at is None
        one_total = len({*self.totals, *earlier.totals}) == 1
        return came_to_an_end and one_total and np.array_equal(self.every, earlier.every)

    @property
    def every(self) -> Hashes:
        """The identities of all elements that were read, in order."""
        # Sorted, which for millions is quicker than to look for what is there twice, and takes no more room.
        every = np.sort(np.concatenate([hashes_of([]), *self._pages]))
        self._pages = [every]  # asked for again, it is in order already
        return every


async def read_pages(fetch: Fetch, check: ListingCheck, first: range = FIRST_PAGE) -> AsyncGenerator[Page]:
    """Yield a listing's pages in order, fetching PAGES_AT_ONCE at a time, counted in ``check``.

    The chain of ``next`` is what counts. Pages ahead are fetched on the guess that they are as long as
    the one before; a guess that proves wrong (a short page) is dropped and the true start fetched.
    ``first`` are the starts of those to fetch at once, before any page has told how many there are.
    """
    ahead: dict[int, asyncio.Task[Page]] = {}
    turn = asyncio.Semaphore(PAGES_AT_ONCE)

    async def in_turn(start: int) -> Page:
        async with turn:
            return await fetch(start)

    start: int | None = 0
    _look_ahead(ahead, in_turn, first)
    try:
        while start is not None:
            page = await (ahead.pop(start, None) or in_turn(start))
            check.add(page)
            yield page
            following = page.paging.next
            if following is not None and (following <= start or not page.elements):
                check.stalled_at = start
                return
            if following is not None:
                guesses = range(following, check.total or 0, following - start)
                _look_ahead(ahead, in_turn, guesses[:PAGES_AHEAD])
            start = following
    finally:
        for task in ahead.values():
            task.cancel()
        await asyncio.gather(*ahead.values(), return_exceptions=True)


def _look_ahead(ahead: dict[int, asyncio.Task[Page]], fetch: Fetch, guesses: range) -> None:
    """Start fetching the pages that are likely to follow, where a total says that there are more."""
    for guess in guesses:
        if guess not in ahead:
            ahead[guess] = asyncio.ensure_future(fetch(guess))
