"""360Learning's client against the sandbox: the integration, bulk operations, and reading back by pages."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from connectors.clock import Clock
from connectors.errors import OutcomeUnknownError, RequestError, SlotsTakenError
from connectors.learning360.client import Learning360Client
from connectors.learning360.errors import IntegrationExistsError, NotFoundError
from connectors.learning360.models import Archival, Identifier, Integration, IntegrationBody, Statistic
from sandbox.clock import ManualClock
from sandbox.server import Sandbox
from tests.connections import clock_on, learning360_settings

NAME = "Coursera for Business"
ANN = "ann@example.com"
COURSE = {
    "externalId": "C1",
    "name": "Learning to Learn",
    "defaultLang": "en",
    "launchUrl": "https://www.coursera.org/learn/l",
    "sources": [{"name": "Coursera"}],
    "subjects": [],
}
PROGRESS = Statistic(
    courseIdentifier=Identifier("externalId", "C1"),
    userIdentifier=Identifier("mail", ANN),
    progress=40,
    timeSpent=1,
    firstActivityAt="2026-01-01T00:00:00.000Z",
    lastActivityAt="2026-01-02T00:00:00.000Z",
)


def new_integration(served: Sandbox, **changes: str) -> IntegrationBody:
    body: IntegrationBody = {
        "externalPlatform": changes.get("externalPlatform", NAME),
        "groupId": served.learning360.group_id,
        "authorId": served.learning360.author_id,
        "noGroupPropagation": True,
        "defaultCompletion": True,
        "defaultProgress": 0,
    }
    return body


async def all_of(pages: AsyncIterator[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [item async for page in pages for item in page]


def course(external_id: str = "C1") -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(COURSE | {"externalId": external_id}))


async def test_an_integration_is_created_as_asked(learning360: Learning360Client, served: Sandbox) -> None:
    made = await learning360.create_integration(new_integration(served))
    (held,) = served.learning360.integrations.values()
    assert held == {**new_integration(served), "_id": made.id}
    assert (made.default_completion, made.default_progress, made.no_group_propagation) == (True, 0, True)


async def test_a_default_that_is_absent_is_not_in_force(
    learning360: Learning360Client, served: Sandbox
) -> None:
    served.learning360.add_integration(NAME)
    (found,) = await learning360.integrations(NAME)
    assert (found.default_completion, found.default_progress, found.no_group_propagation) == (
        False,
        None,
        False,
    )


async def test_a_second_integration_of_the_name_is_refused(
    learning360: Learning360Client, served: Sandbox
) -> None:
    await learning360.create_integration(new_integration(served))
    with pytest.raises(IntegrationExistsError):
        await learning360.create_integration(new_integration(served))


async def test_only_the_given_fields_of_an_integration_change(
    learning360: Learning360Client, served: Sandbox
) -> None:
    made = await learning360.create_integration(new_integration(served))
    await learning360.change_integration(made.id, {"defaultCompletion": False})
    (found,) = await learning360.integrations(NAME)
    assert found == made.model_copy(update={"default_completion": False})


@pytest.mark.parametrize("relative", [False, True], ids=["absolute links", "relative links"])
@pytest.mark.parametrize("cap", [None, 1, 7], ids=["as documented", "one to a page", "seven to a page"])
@pytest.mark.parametrize("name", [NAME, "Ünï & Co + 100% [a]=b"], ids=["plain", "odd"])
async def test_integrations_are_found_on_whatever_page(
    learning360: Learning360Client, served: Sandbox, name: str, cap: int | None, *, relative: bool
) -> None:
    options = served.learning360.options
    options.page_cap, options.relative_urls = cap, relative
    for number in range(15):
        served.learning360.add_integration("Another")
        served.learning360.add_integration(name, groupId=f"{number:024}")
    found = await learning360.integrations(name)
    assert [one.group_id for one in found] == [f"{number:024}" for number in range(15)]


async def test_a_hundred_integrations_to_a_page(learning360: Learning360Client, served: Sandbox) -> None:
    for _ in range(205):
        served.learning360.add_integration(NAME)
    assert len(await learning360.integrations(NAME)) == 205
    assert len(served.log.select("integrations$")) == 3


async def test_courses_come_progress_and_go(learning360: Learning360Client, served: Sandbox) -> None:
    served.learning360.add_user(ANN)
    integration = await learning360.create_integration(new_integration(served))
    archival: Archival = {"externalId": "C1"}
    ids = [
        await learning360.upsert_courses(integration.id, [course("C1"), course("C2")]),
        await learning360.send_statistics(integration.id, [PROGRESS]),
        await learning360.archive_courses(integration.id, [archival]),
    ]
    for operation_id, size in zip(ids, (2, 1, 1), strict=True):
        assert (await learning360.operation(operation_id)).status == "completed"
        results = await learning360.results(operation_id)
        assert [result.status for result in results] == ["success"] * size
    (attempt,) = served.learning360.attempts_of(ANN, "C1")
    assert (attempt.progress, attempt.completed_ms) == (40, None)
    assert served.learning360.course("C1").archived
    assert not served.learning360.course("C2").archived


async def test_an_operation_is_followed_to_its_end(
    learning360: Learning360Client, served: Sandbox, clock: ManualClock
) -> None:
    served.learning360.options.operation_base_ms = 1000
    integration = served.learning360.add_integration(NAME)
    operation_id = await learning360.upsert_courses(integration["_id"], [course()])
    states: list[tuple[str, bool]] = []
    for _ in range(4):
        operation = await learning360.operation(operation_id)
        states.append((operation.status, operation.has_ended))
        clock.advance(ms=350)
    assert states == [("pending", False), ("running", False), ("running", False), ("completed", True)]


async def test_an_operation_in_error_has_ended(learning360: Learning360Client, served: Sandbox) -> None:
    served.learning360.options.fail_next = 1
    integration = served.learning360.add_integration(NAME)
    operation_id = await learning360.upsert_courses(integration["_id"], [course()])
    operation = await learning360.operation(operation_id)
    assert (operation.status, operation.has_ended) == ("error", True)
    assert await learning360.results(operation_id) == []


async def test_results_ahead_of_the_end_are_refused(learning360: Learning360Client, served: Sandbox) -> None:
    served.learning360.options.hold_operations = True
    integration = served.learning360.add_integration(NAME)
    operation_id = await learning360.upsert_courses(integration["_id"], [course()])
    with pytest.raises(RequestError, match="bulkOperationNotRun"):
        await learning360.results(operation_id)


@pytest.mark.parametrize("cap", [None, 3], ids=["as documented", "three to a page"])
async def test_operations_of_a_type_since_a_moment_newest_first(
    learning360: Learning360Client, served: Sandbox, clock: ManualClock, cap: int | None
) -> None:
    served.learning360.options.page_cap = cap
    integration = served.learning360.add_integration(NAME)
    await learning360.upsert_courses(integration["_id"], [])
    clock.advance(seconds=10)
    since = clock()
    ids = [await learning360.upsert_courses(integration["_id"], []) for _ in range(25)]
    await learning360.send_statistics(integration["_id"], [])
    found = await learning360.operations("importExternalCourses", since + 999)
    assert [one.id for one in found] == ids[::-1]


async def test_an_operation_of_an_unknown_state_has_not_ended(
    learning360: Learning360Client, served: Sandbox
) -> None:
    served.faults.add("answer", path="operations", status=200, body={"_id": "1", "type": "", "status": "new"})
    found = await learning360.operation("1")
    assert (found.has_ended, found.is_under_way) == (False, False)


async def test_taken_slots_are_told_at_once(
    learning360: Learning360Client, served: Sandbox, waits: list[float]
) -> None:
    integration = served.learning360.add_integration(NAME)
    served.learning360.operations.occupy(3)
    with pytest.raises(SlotsTakenError) as raised:
        await learning360.upsert_courses(integration["_id"], [])
    assert (raised.value.retry_after, waits) == (1.0, [])


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://app.360learning.com/api/v2/bulk/operations/507f", "507f"),
        ("/api/v2/bulk/operations/507f", "507f"),
        ("507f", "507f"),
        ("https://app.360learning.com/api/v2/bulk/operations/507f/", "507f"),
        ("https://app.360learning.com/api/v2/bulk/operations/507f?a=/b/c#d/e", "507f"),
    ],
    ids=["a URL", "a path", "the id alone", "with a slash at its end", "with a query and a fragment"],
)
async def test_a_location_names_the_operation(
    learning360: Learning360Client, served: Sandbox, location: str, expected: str
) -> None:
    served.faults.add("answer", path="bulk", status=202, headers={"Location": location})
    assert await learning360.upsert_courses("1", []) == expected


@pytest.mark.parametrize(
    "headers",
    [{}, *({"Location": one} for one in ("", "/", "https://app.360learning.com", "http://[odd"))],
    ids=["none", "empty", "a slash", "a host", "no address"],
)
async def test_a_submission_that_names_no_operation_may_have_been_taken(
    learning360: Learning360Client, served: Sandbox, headers: dict[str, str]
) -> None:
    served.faults.add("answer", path="bulk", status=202, headers=headers)
    with pytest.raises(OutcomeUnknownError):
        await learning360.upsert_courses("1", [])
    assert len(served.log.select("bulk")) == 1


@pytest.mark.parametrize(
    "external_id",
    ["C1", "a/b", "a b", "100%", "a?b=c", "a#b", "Ünï~code", "a%2Fb", "a+b", "a//b", "a/../b"],
)
async def test_a_course_is_read_back_by_its_external_id(
    learning360: Learning360Client, served: Sandbox, external_id: str
) -> None:
    integration = served.learning360.add_integration(NAME)
    held = served.learning360.add_course(external_id)
    found = await learning360.external_course(integration["_id"], external_id)
    assert (found["externalId"], found["courseId"]) == (external_id, held.id)


async def test_a_course_that_is_not_there(learning360: Learning360Client, served: Sandbox) -> None:
    integration = served.learning360.add_integration(NAME)
    with pytest.raises(RequestError, match="courseNotBelongToIntegration"):
        await learning360.external_course(integration["_id"], "C9")


@pytest.mark.parametrize("relative", [False, True], ids=["absolute links", "relative links"])
async def test_attempts_and_users_are_read_page_by_page(
    learning360: Learning360Client, served: Sandbox, *, relative: bool
) -> None:
    platform = served.learning360
    platform.options.page_cap, platform.options.relative_urls = 3, relative
    courses = [platform.add_course(f"C{number}") for number in range(3)]
    mails = [f"a+{number}&b@example.com" for number in range(8)]
    for mail in mails:
        platform.add_user(mail)
        for one in courses:
            platform.add_attempt(mail, one.external_id)
    assert len(await all_of(learning360.course_attempts())) == 24
    of_two = await all_of(learning360.course_attempts([courses[0].id, courses[2].id]))
    assert [attempt["courseId"] for attempt in of_two] == [courses[0].id] * 8 + [courses[2].id] * 8
    everybody = await all_of(learning360.users())
    assert [user["mail"] for user in everybody] == ["learning.admin@example.com", *mails]
    some = await all_of(learning360.users(mails[2:7]))
    assert [user["mail"] for user in some] == mails[2:7]


async def test_pages_are_fetched_as_they_are_wanted(learning360: Learning360Client, served: Sandbox) -> None:
    served.learning360.options.page_cap = 1
    served.learning360.add_user(ANN)
    pages = learning360.users()
    assert len(await anext(pages)) == 1
    assert len(served.log.select("users")) == 1
    await pages.aclose()  # type: ignore[attr-defined]


def link_to(served: Sandbox, *targets: str) -> None:
    """Users' pages, each with one to follow: those given, one after the other, and then the true ones."""
    for target in targets:
        headers = {"Link": f'<{target}>; rel="next"'}
        served.faults.add("answer", path="users", status=200, body=[], headers=headers, times=1)


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:1/api/v2/users?cursor=1",
        "{elsewhere}/api/v2/users?cursor=1",
        "//platform.example/api/v2/users?cursor=1",
        "https://us:er@platform.example/api/v2/users?cursor=1",
        "/api/v2/users?cursor=1",
        "users?cursor=1",
        "?cursor=1",
    ],
    ids=["another port", "another server", "no scheme", "credentials", "a path", "a name", "a query"],
)
async def test_a_link_is_followed_on_our_platform_alone(
    learning360: Learning360Client, served: Sandbox, link: str
) -> None:
    link_to(served, link.format(elsewhere=served.url("coursera")))
    assert await all_of(learning360.users()) == []
    assert [entry.platform for entry in served.log.entries] == ["learning360"] * 3
    assert [entry.query for entry in served.log.select("users")] == ["", "cursor=1"]


@pytest.mark.parametrize(
    "links",
    [["?cursor=1"] * 3, ["?cursor=1", "?cursor=2"] * 3],
    ids=["one that stands still", "two that name one another"],
)
async def test_a_listing_that_goes_round_in_circles_is_told(
    learning360: Learning360Client, served: Sandbox, links: list[str]
) -> None:
    link_to(served, *links)
    with pytest.raises(RequestError, match="api/v2/users names a page again as its next one"):
        await all_of(learning360.users())


@pytest.mark.parametrize("link", ["http://a:port/", "http://\xe9\xad/"])
async def test_a_link_that_cannot_be_read_is_told(
    learning360: Learning360Client, served: Sandbox, link: str
) -> None:
    link_to(served, link)
    with pytest.raises(RequestError, match="next page of a listing has no address that can be read"):
        await all_of(learning360.users())


@pytest.mark.parametrize("body", [{"a": ANN}, [ANN], [[ANN]]], ids=["object", "texts", "lists"])
async def test_a_page_of_another_shape_is_told(
    learning360: Learning360Client, served: Sandbox, body: object
) -> None:
    served.faults.add("answer", path="users", status=200, body=body)
    with pytest.raises(RequestError) as raised:
        await all_of(learning360.users())
    assert str(raised.value) == "A page of a 360Learning listing does not have the shape of the contract."
    assert raised.value.__cause__ is None, "what led to it would show addresses"


async def test_an_integration_of_another_shape_names_its_fields(
    learning360: Learning360Client, served: Sandbox
) -> None:
    served.faults.add("answer", path="integrations", status=200, body=[{"_id": 7, "groupId": "a"}])
    with pytest.raises(RequestError, match=r"contract: _id, externalPlatform, authorId$"):
        await learning360.integrations(NAME)


async def test_results_may_be_larger_than_other_answers(served: Sandbox, client_clock: Clock) -> None:
    served.faults.add("answer", path="api", status=200, body=b" " * 2**20 + b"[]")
    settings = learning360_settings(served, answer_mib="1", results_mib="2")
    served.faults.add("answer", path="token", status=200, body={"access_token": "any"})
    served.faults.rules.reverse()
    async with Learning360Client(settings, clock=client_clock) as client:
        assert await client.results("any") == []
        with pytest.raises(RequestError, match=r"more than 1 MiB.*LEARNING360_ANSWER_MIB"):
            await client.integrations(NAME)


async def test_the_platforms_own_clock_is_read_off_its_answers(served: Sandbox, clock: ManualClock) -> None:
    ours = ManualClock(clock() - 95_000)
    settings, client_clock = learning360_settings(served), clock_on(ours, [])
    async with Learning360Client(settings, clock=client_clock) as client:
        assert client.now_ms() == ours()
        await client.integrations(NAME)
        assert client.now_ms() == clock() // 1000 * 1000
        ours.advance(seconds=5)
        assert client.now_ms() == clock() // 1000 * 1000 + 5000


async def test_what_is_probed_is_not_changed(learning360: Learning360Client, served: Sandbox) -> None:
    integration = served.learning360.add_integration(NAME)
    before = Integration.model_validate(integration)
    await learning360.probe("PATCH", f"api/v2/integrations/{integration['_id']}")
    await learning360.probe("GET", f"api/v2/users?mail[eq]={ANN}")
    with pytest.raises(NotFoundError):
        await learning360.probe("PUT", f"api/v2/bulk/integrations/{'0' * 24}/courses")
    assert (await learning360.integrations(NAME)) == [before]
    assert served.learning360.operations.all == []


async def test_two_clients_keep_their_tokens_apart(served: Sandbox, client_clock: Clock) -> None:
    settings = learning360_settings(served)
    async with Learning360Client(settings, clock=client_clock) as one:
        async with Learning360Client(settings, clock=client_clock) as two:
            await one.integrations(NAME)
            await two.integrations(NAME)
        await one.integrations(NAME)
    assert len(served.log.select("token")) == 2
