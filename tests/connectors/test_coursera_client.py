"""Coursera's client against the sandbox: what it asks for, and every way in which listings are paged."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from connectors.clock import Clock
from connectors.coursera.client import CourseraClient
from connectors.coursera.models import Page, report_fields
from connectors.coursera.pagination import ListingCheck
from connectors.coursera.row_ids import row_id
from connectors.errors import AccessError, RequestError
from sandbox.clock import DAY_MS, ManualClock
from sandbox.server import Sandbox
from tasks.transform.statistics.enrollment_reports import FLAG, IS_ROW, NUMBERS, TEXTS
from tests.connections import coursera_settings

LISTINGS = pytest.mark.parametrize("listing", ["contents", "enrollment_reports"])


async def ids(pages: AsyncIterator[Page]) -> list[str]:
    """The ids of a listing's elements, in the order in which they came."""
    return [row_id(element) async for page in pages for element in page.elements]


def queries(served: Sandbox, listing: str) -> list[dict[str, str]]:
    """What a listing was asked for, a request after the other."""
    asked = [parse_qs(entry.query) for entry in served.log.select(f"/{listing}$")]
    return [{name: values[0] for name, values in query.items()} for query in asked]


def filled(served: Sandbox, count: int) -> list[str]:
    """So many contents, and a report on each; returns the ids of the contents."""
    contents = [served.world.add_content() for _ in range(count)]
    for number, content in enumerate(contents):
        served.enroll(f"learner{number}@example.com", content)
    return [content["id"] for content in contents]


def expected(served: Sandbox, listing: str) -> list[str]:
    rows = served.world.contents if listing == "contents" else served.world.reports
    return [row["id"] for row in rows]


@pytest.mark.parametrize(
    "body",
    [
        {"id": "acme", "name": "Acme", "slug": "a"},
        {"elements": [{"id": "acme", "name": "Acme"}], "linked": {}},
    ],
    ids=["by itself", "as an element"],
)
async def test_the_organisation(coursera: CourseraClient, served: Sandbox, body: object) -> None:
    served.faults.add("answer", path="businesses", status=200, body=body)
    organisation = await coursera.organisation()
    assert (organisation.id, organisation.name) == ("acme", "Acme")


async def test_an_organisation_may_have_no_name(coursera: CourseraClient, served: Sandbox) -> None:
    served.faults.add("answer", path="businesses", status=200, body={"id": "acme", "name": None})
    assert (await coursera.organisation()).name is None


@pytest.mark.parametrize(
    "paging", [None, {}, {"next": None}, {"next": ""}, {"next": " "}, {"next": "", "total": 1}], ids=str
)
async def test_a_last_page_may_say_so_in_many_ways(
    coursera: CourseraClient, served: Sandbox, paging: object
) -> None:
    body = {"elements": [{"id": "only"}], "paging": paging}
    served.faults.add("answer", path="contents", status=200, body=body)
    check = ListingCheck()
    assert await ids(coursera.contents(check)) == ["only"]
    assert check.incomplete_reason is None


async def test_the_whole_catalog(coursera: CourseraClient, served: Sandbox) -> None:
    every = filled(served, 5)
    assert await ids(coursera.contents(ListingCheck())) == every
    assert queries(served, "contents") == [{"start": "0", "limit": "1000"}]


async def test_the_catalog_of_some_programs(coursera: CourseraClient, served: Sandbox) -> None:
    for number in range(4):
        program = {"programId": f"p{number}", "contentUrl": "https://www.coursera.org"}
        served.world.add_content(id=f"in p{number}", programs=[program])
    assert await ids(coursera.contents(ListingCheck(), ["p1", "p3"])) == ["in p1", "in p3"]
    (query,) = queries(served, "contents")
    assert (query["q"], query["programIds"]) == ("byProgramIds", "p1,p3")


async def test_the_reports_of_a_window_begin_after_its_moment(
    coursera: CourseraClient, served: Sandbox, clock: ManualClock
) -> None:
    course = served.world.add_content()
    for days in (3, 2, 1):
        moment = clock() - days * DAY_MS
        served.enroll(f"{days}@example.com", course, id=str(days), lastActivityAt=moment)
    served.enroll("never@example.com", course, id="never")
    since = clock() - 2 * DAY_MS
    assert await ids(coursera.enrollment_reports(ListingCheck(), last_activity_after_ms=since)) == ["1"]
    assert queries(served, "enrollmentReports")[0]["lastActivityAfter"] == str(since)
    assert await ids(coursera.enrollment_reports(ListingCheck())) == ["3", "2", "1", "never"]


async def test_the_reports_of_one_program(coursera: CourseraClient, served: Sandbox) -> None:
    course = served.world.add_content()
    for program in ("p1", "p2"):
        served.world.add_program(program, program)
        served.enroll("ann@example.com", course, id=f"through {program}", programId=program)
    assert await ids(coursera.enrollment_reports(ListingCheck(), program_id="p2")) == ["through p2"]
    assert queries(served, "enrollmentReports")[0]["q"] == "byProgramId"


async def test_all_reports_are_asked_for_from_four_pages_on_at_once(
    coursera: CourseraClient, served: Sandbox
) -> None:
    served.coursera.options.page_ms = 60_000  # none answers before all have been asked
    reading = asyncio.create_task(ids(coursera.enrollment_reports(ListingCheck())))
    async with asyncio.timeout(30):
        while len(queries(served, "enrollmentReports")) < 4:  # noqa: ASYNC110 - the sandbox has no event
            await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    starts = [query["start"] for query in queries(served, "enrollmentReports")]
    assert sorted(starts) == ["0", "1000", "2000", "3000"]


@pytest.mark.parametrize("narrower", [{"program_id": "p1"}, {"last_activity_after_ms": 1}], ids=str)
async def test_reports_that_may_be_few_are_asked_for_one_page_at_first(
    coursera: CourseraClient, served: Sandbox, narrower: dict[str, Any]
) -> None:
    await ids(coursera.enrollment_reports(ListingCheck(), **narrower))
    assert [query["start"] for query in queries(served, "enrollmentReports")] == ["0"]


async def test_specializations_are_read_and_deleted_members_are_not(
    coursera: CourseraClient, served: Sandbox
) -> None:
    specialization = served.world.add_content(contentType="Specialization")
    served.enroll("ann@example.com", specialization, id="a member")
    served.enroll("bob@example.com", specialization, id="deleted", membershipState="DELETED")
    assert await ids(coursera.enrollment_reports(ListingCheck())) == ["a member"]


@LISTINGS
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"page_cap": 7},
        {"page_cap": 1},
        {"page_cap": 7, "short_pages": True},
        {"page_cap": 7, "numeric_next": True},
        {"page_cap": 7, "omit_total": True},
        {"page_cap": 7, "short_pages": True, "omit_total": True, "numeric_next": True},
    ],
    ids=lambda options: ", ".join(options) or "plain",
)
async def test_a_listing_is_read_whole_however_it_is_paged(
    coursera: CourseraClient, served: Sandbox, listing: str, options: dict[str, Any]
) -> None:
    filled(served, 23)
    vars(served.coursera.options).update(options)
    check = ListingCheck()
    assert await ids(getattr(coursera, listing)(check)) == expected(served, listing)
    assert check.incomplete_reason is None


@LISTINGS
async def test_elements_that_come_twice_do_not_make_a_listing_incomplete(
    coursera: CourseraClient, served: Sandbox, listing: str
) -> None:
    filled(served, 23)
    served.coursera.options.page_cap = 7
    served.coursera.options.duplicate_rows = True
    check = ListingCheck()
    read = await ids(getattr(coursera, listing)(check))
    assert len(read) > 23
    assert set(read) == set(expected(served, listing))
    assert check.incomplete_reason is None


@LISTINGS
@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"stuck_cursor": True}, "the listing did not advance beyond 0"),
        ({"wrong_total": 1}, "23 different rows were read of a listing of 24"),
        ({"shifting": "appear"}, "22 different rows were read of a listing of 23"),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
async def test_a_listing_that_is_not_whole_says_so(
    coursera: CourseraClient, served: Sandbox, listing: str, options: dict[str, Any], problem: str
) -> None:
    filled(served, 23)
    vars(served.coursera.options).update({"page_cap": 7} | options)
    check = ListingCheck()
    await ids(getattr(coursera, listing)(check))
    assert check.incomplete_reason == problem


async def test_a_page_that_fails_in_passing_is_asked_for_again(
    coursera: CourseraClient, served: Sandbox, waits: list[float]
) -> None:
    every = filled(served, 23)
    served.coursera.options.page_cap = 7
    served.faults.add("answer", path="contents", status=503, skip=1, times=2)
    served.faults.add("half", path="contents", times=1, skip=1)
    check = ListingCheck()
    assert await ids(coursera.contents(check)) == every
    assert check.incomplete_reason is None
    assert len(waits) == 3


async def test_elements_arrive_as_they_are_whatever_they_are(
    coursera: CourseraClient, served: Sandbox
) -> None:
    odd = [{"id": "x", "new": {"field": [1]}}, None, "text", 7, ["a"], {}]
    served.faults.add("answer", path="contents", status=200, body={"elements": odd})
    pages = [page async for page in coursera.contents(ListingCheck())]
    assert [page.elements for page in pages] == [odd]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"paging": {}}, "elements"),
        ({"elements": None}, "elements"),
        ({"elements": [], "paging": {"next": "more"}}, "paging.next"),
        ({"elements": [], "paging": {"total": "many"}}, "paging.total"),
        ([], "the whole"),
    ],
    ids=["no elements", "null", "a cursor that is a word", "a total that is a word", "a list"],
)
async def test_a_page_of_another_shape_is_told(
    coursera: CourseraClient, served: Sandbox, body: object, fields: str
) -> None:
    served.faults.add("answer", path="contents", status=200, body=body)
    with pytest.raises(RequestError, match=f"^A page of Coursera's contents .* contract: {fields}$"):
        await ids(coursera.contents(ListingCheck()))


async def test_a_request_that_coursera_refuses_is_told(coursera: CourseraClient, served: Sandbox) -> None:
    served.faults.add("answer", path="contents", status=400, body={"errorCode": "Bad Request"})
    with pytest.raises(RequestError, match=r"GET /api/businesses.v1/acme-learning/contents answered 400"):
        await ids(coursera.contents(ListingCheck()))


@pytest.mark.parametrize("style", ["refresh_token", "client_credentials"])
async def test_both_apis_serve_the_same(
    served: Sandbox,
    client_clock: Clock,
    style: Any,
) -> None:
    every = filled(served, 3)
    async with CourseraClient(coursera_settings(served, style), clock=client_clock) as client:
        assert await ids(client.contents(ListingCheck())) == every
    base = {"refresh_token": "/api/", "client_credentials": "/ent/api/"}[style]
    assert served.log.entries[-1].path.startswith(base)


PLAIN = {"id": "a", "email": "a@example.com", "overallProgress": 37, "fullName": "Ann"}
ODD_PAGES = {
    "plain rows": [PLAIN],
    "fields of other types": [
        PLAIN | {"id": 7, "overallProgress": "many", "email": ["a"], "grade": {"a": 1}}
    ],
    "what is no object among them": [PLAIN, None, 3, "x", ["y"], PLAIN | {"id": "b"}],
    "fields that are null": [dict.fromkeys(PLAIN)],
}


@pytest.mark.parametrize("elements", ODD_PAGES.values(), ids=ODD_PAGES)
async def test_reports_hold_what_is_used_whatever_it_is_and_nothing_else(
    coursera: CourseraClient, served: Sandbox, elements: list[Any]
) -> None:
    body = {"elements": elements, "paging": {"total": len(elements)}}
    served.faults.add("answer", path="enrollmentReports", status=200, body=body)
    (page,) = [page async for page in coursera.enrollment_reports(ListingCheck())]
    assert page.paging.total == len(elements)
    used = [
        {name: value for name, value in one.items() if name != "fullName" and value is not None}
        if isinstance(one, dict)
        else one
        for one in elements
    ]
    assert msgspec.json.decode(msgspec.json.encode(page.elements)) == used
    assert report_fields(page.elements)["is_row"] == [isinstance(one, dict) for one in elements]


def test_all_that_is_mapped_of_a_report_is_read() -> None:
    assert {*TEXTS, *NUMBERS, FLAG, IS_ROW} <= report_fields([]).keys()


@pytest.mark.parametrize(
    ("changes", "personal", "message"),
    [
        pytest.param({"org_id": "other-company"}, False, "COURSERA_ORG_ID, and that the app was", id="403"),
        pytest.param({}, True, "not by a personal account", id="403 for a personal app"),
        pytest.param({"org_id": "nobody"}, False, "no such organisation: check COURSERA_ORG_ID", id="404"),
        pytest.param({"api_url": "/ent/api"}, False, "COURSERA_API_URL and COURSERA_TOKEN_URL", id="401"),
    ],
)
async def test_courseras_refusals_are_told_apart(
    served: Sandbox,
    client_clock: Clock,
    changes: dict[str, Any],
    personal: bool,  # noqa: FBT001
    message: str,
) -> None:
    served.coursera.options.personal_app = personal
    if "api_url" in changes:
        changes = {"api_url": served.url("coursera") + changes["api_url"]}
    async with CourseraClient(coursera_settings(served, **changes), clock=client_clock) as client:
        for ask in (client.organisation, lambda: anext(client.contents(ListingCheck()))):
            with pytest.raises(AccessError, match=message):
                await ask()
