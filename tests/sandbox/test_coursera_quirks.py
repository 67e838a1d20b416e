from collections.abc import Iterator

import httpx
import pytest

from sandbox.server import Sandbox
from sandbox.values import Json

SIZE = 25


@pytest.fixture(autouse=True)
def _catalog(sandbox: Sandbox) -> None:
    for number in range(SIZE):
        sandbox.world.add_content(f"Course {number}", contentId=str(number))


def pages(client: httpx.Client, limit: int = 10) -> Iterator[Json]:
    """The pages of one reading, at most thirty of them."""
    start = "0"
    for _ in range(30):
        page = client.get("/contents", params={"start": start, "limit": limit}).json()
        yield page
        if "next" not in page["paging"]:
            return
        start = page["paging"]["next"]


def numbers(read: list[Json]) -> list[int]:
    return [int(element["contentId"]) for page in read for element in page["elements"]]


def test_a_page_cap_shortens_pages_without_loss(served: Sandbox, coursera: httpx.Client) -> None:
    served.coursera.options.page_cap = 4
    read = list(pages(coursera))
    assert len(read) == 7
    assert numbers(read) == list(range(SIZE))


def test_short_pages_are_not_the_last(served: Sandbox, coursera: httpx.Client) -> None:
    served.coursera.options.short_pages = True
    read = list(pages(coursera))
    assert all(0 < len(page["elements"]) < 10 for page in read)
    assert numbers(read) == list(range(SIZE))


@pytest.mark.parametrize("numeric", [False, True])
def test_next_is_a_string_or_a_number(
    served: Sandbox,
    coursera: httpx.Client,
    numeric: bool,  # noqa: FBT001 -- a parameter of the table
) -> None:
    served.coursera.options.numeric_next = numeric
    assert next(pages(coursera))["paging"]["next"] == (10 if numeric else "10")


def test_the_total_is_left_out(served: Sandbox, coursera: httpx.Client) -> None:
    served.coursera.options.omit_total = True
    assert [page["paging"] for page in pages(coursera)] == [{"next": "10"}, {"next": "20"}, {}]


def test_the_total_is_wrong(served: Sandbox, coursera: httpx.Client) -> None:
    served.coursera.options.wrong_total = 7
    assert {page["paging"]["total"] for page in pages(coursera)} == {SIZE + 7}


def test_a_stuck_cursor_repeats_the_page(served: Sandbox, coursera: httpx.Client) -> None:
    served.coursera.options.stuck_cursor = True
    read = list(pages(coursera))
    assert len(read) == 30
    assert {page["paging"]["next"] for page in read} == {"0"}


def test_duplicates_stand_at_the_page_borders_and_nothing_is_lost(
    served: Sandbox, coursera: httpx.Client
) -> None:
    served.coursera.options.duplicate_rows = True
    read = list(pages(coursera))
    assert numbers(read) == [*range(10), *range(9, 19), *range(18, 25)]
    assert {page["paging"]["total"] for page in read} == {SIZE}


def test_an_element_that_appears_brings_a_duplicate_and_is_missed(
    served: Sandbox, coursera: httpx.Client
) -> None:
    served.coursera.options.shifting = "appear"
    read = list(pages(coursera))
    seen = numbers(read)
    assert len(seen) > len(set(seen)) == SIZE - 1
    assert [page["paging"]["total"] for page in read] == [SIZE - 1, SIZE, SIZE]


def test_an_element_that_vanishes_makes_another_slip_through(served: Sandbox, coursera: httpx.Client) -> None:
    served.coursera.options.shifting = "vanish"
    read = list(pages(coursera))
    assert set(range(SIZE)) - set(numbers(read)) == {10}
    assert [page["paging"]["total"] for page in read] == [SIZE, SIZE - 1, SIZE - 1]


def test_shifting_can_end_after_so_many_readings(served: Sandbox, coursera: httpx.Client) -> None:
    served.coursera.options.shifting = "vanish"
    served.coursera.options.shifting_readings = 2
    complete = [numbers(list(pages(coursera))) == list(range(SIZE)) for _ in range(4)]
    assert complete == [False, False, True, True]


def test_a_test_can_change_the_world_between_pages(served: Sandbox, coursera: httpx.Client) -> None:
    def change(listing: str, start: int) -> None:
        if (listing, start) == ("contents", 10):
            served.world.contents.insert(0, served.world.contents.pop())

    served.coursera.before_page = change
    assert numbers(list(pages(coursera)))[9:11] == [9, 9]
