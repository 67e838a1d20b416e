"""Reading a paged listing: order, pages ahead, cursors that stand still, and the proof of completeness."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.coursera.models import Page
from connectors.coursera.pagination import FIRST_PAGE, ListingCheck, read_pages


class Listing:
    """A listing of numbered elements, served as a platform might."""

    def __init__(self, count: int, *, cap: int = 3, total: int | str | None = "true") -> None:
        self.elements = [{"id": f"row {number}"} for number in range(count)]
        self.cap = cap
        self.total = count if total == "true" else total
        self.fetched: list[int] = []
        self.at_once = self.most_at_once = 0

    async def fetch(self, start: int) -> Page:
        """A page, as it comes over the network."""
        self.fetched.append(start)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        return self.page(start)

    def page(self, start: int) -> Page:
        """The page that begins there."""
        end = start + self.cap
        paging: dict[str, Any] = {"total": self.total} | (
            {"next": str(end)} if end < len(self.elements) else {}
        )
        return Page.model_validate({"elements": self.elements[start:end], "paging": paging})


async def read(listing: Listing, first: range = FIRST_PAGE) -> tuple[list[Any], ListingCheck]:
    check = ListingCheck()
    pages = read_pages(listing.fetch, check, first)
    return [element async for page in pages for element in page.elements], check


@pytest.mark.parametrize("total", ["true", None], ids=["with a total", "without a total"])
@pytest.mark.parametrize("count", [0, 1, 3, 4, 10, 40])
async def test_every_element_is_read_once_and_in_order(count: int, total: str | None) -> None:
    listing = Listing(count, total=total)
    elements, check = await read(listing)
    assert elements == listing.elements
    assert check.incomplete_reason is None


async def test_pages_are_fetched_ahead_a_few_at_a_time() -> None:
    listing = Listing(60)
    await read(listing)
    assert listing.most_at_once == 4
    assert sorted(listing.fetched) == list(range(0, 60, 3))


async def test_the_first_pages_are_fetched_at_once_where_they_are_named() -> None:
    listing = Listing(60)
    pages = read_pages(listing.fetch, ListingCheck(), first=range(0, 12, 3))
    await anext(pages)
    assert listing.fetched[:4] == [0, 3, 6, 9]
    assert listing.most_at_once == 4
    await pages.aclose()


async def test_first_pages_that_are_not_there_are_dropped() -> None:
    listing = Listing(2)
    elements, check = await read(listing, first=range(0, 12, 3))
    assert elements == listing.elements
    assert check.incomplete_reason is None
    assert len(asyncio.all_tasks()) == 1


async def test_the_reading_goes_on_while_a_page_is_worked_on_but_not_for_ever() -> None:
    listing = Listing(90)
    pages = read_pages(listing.fetch, ListingCheck())
    await anext(pages)
    await anext(pages)
    for _ in range(100):
        await asyncio.sleep(0)
    assert listing.fetched == list(range(0, 3 * 9, 3))  # the first, and eight that follow
    assert listing.most_at_once == 4
    await pages.aclose()


async def test_without_a_total_pages_are_fetched_one_after_the_other() -> None:
    listing = Listing(60, total=None)
    await read(listing)
    assert listing.most_at_once == 1


async def test_a_short_page_that_is_not_the_last_is_followed_from_where_it_ends() -> None:
    class Short(Listing):
        def page(self, start: int) -> Page:
            self.cap = 2 if start == 6 else 3
            return super().page(start)

    listing = Short(20)
    elements, check = await read(listing)
    assert elements == listing.elements
    assert check.incomplete_reason is None


async def test_a_cursor_that_stands_still_ends_the_reading_as_incomplete() -> None:
    class Stuck(Listing):
        def page(self, start: int) -> Page:
            page = super().page(start)
            if start == 6:
                page.paging.next = 6
            return page

    elements, check = await read(Stuck(20))
    assert len(elements) == 9
    assert check.incomplete_reason == "the listing did not advance beyond 6"


async def test_an_empty_page_that_names_a_next_one_stands_still() -> None:
    class Endless(Listing):
        def page(self, start: int) -> Page:
            return Page.model_validate({"elements": [], "paging": {"next": start + 1}})

    _, check = await read(Endless(0))
    assert check.incomplete_reason == "the listing did not advance beyond 0"


@pytest.mark.parametrize(
    ("count", "total"), [(10, 11), (10, 9)], ids=["one slipped between pages", "one vanished"]
)
async def test_a_total_that_does_not_fit_is_incomplete(count: int, total: int) -> None:
    _, check = await read(Listing(count, total=total))
    assert check.incomplete_reason == f"10 different rows were read of a listing of {total}"


async def test_an_element_that_comes_twice_counts_once() -> None:
    listing = Listing(10)
    listing.elements.append(listing.elements[0])
    _, check = await read(listing)
    assert check.distinct_count == 10
    assert check.incomplete_reason is None


async def test_elements_without_an_id_are_told_apart_by_what_they_are() -> None:
    check = ListingCheck()
    check.add(Page.model_validate({"elements": [{"a": 1}, {"a": 1}, {"a": 2}, "junk", None]}))
    assert check.distinct_count == 4


async def test_a_failing_page_is_raised_and_leaves_nothing_running() -> None:
    class Broken(Listing):
        async def fetch(self, start: int) -> Page:
            if start >= 6:
                raise RuntimeError("no such page")
            return await super().fetch(start)

    with pytest.raises(RuntimeError, match="no such page"):
        await read(Broken(60))
    assert len(asyncio.all_tasks()) == 1


@settings(deadline=None)
@given(
    st.integers(0, 50), st.lists(st.integers(1, 7), min_size=1, max_size=6), st.booleans(), st.integers(1, 20)
)
def test_whatever_the_page_sizes_nothing_is_missed(
    count: int,
    sizes: list[int],
    with_total: bool,  # noqa: FBT001
    named: int,
) -> None:
    class Ragged(Listing):
        def page(self, start: int) -> Page:
            self.cap = sizes[start % len(sizes)]
            return super().page(start)

    listing = Ragged(count, total="true" if with_total else None)
    elements, check = asyncio.run(read(listing, first=range(0, named, 3)))
    assert elements == listing.elements
    assert check.incomplete_reason is None


async def test_a_listing_that_shrinks_while_it_is_read_is_not_believed() -> None:
    class Shrinking(Listing):
        def page(self, start: int) -> Page:
            page = super().page(start)
            page.paging.total = 20 if start else 21
            return page

    elements, check = await read(Shrinking(20))
    assert len(elements) == 20
    assert check.incomplete_reason == "the listing shrank while it was read"
