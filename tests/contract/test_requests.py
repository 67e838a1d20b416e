"""What the 360Learning client sends in a whole job, against the vendor's OpenAPI (found by CONTRACTS_DIR)."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.coursera.client import CourseraClient
from connectors.coursera.models import report_fields
from connectors.coursera.pagination import ListingCheck
from connectors.coursera.row_ids import row_ids
from connectors.errors import SyncError
from connectors.learning360.client import Learning360Client
from connectors.ledger.keys import keyed
from sandbox.clock import MANUAL_START_MS, ManualClock
from sandbox.server import Sandbox, running
from sandbox.world import Sizes, World
from tasks.load import payloads
from tasks.transform.courses.courses import bodies as course_bodies
from tasks.transform.courses.courses import map_courses
from tasks.transform.statistics.attempts import ATTEMPT_COLUMNS, SEND, merge
from tasks.transform.statistics.enrollment_reports import read_reports
from tasks.transform.statistics.enrollments import LaunchRule, map_enrollments
from tests.connections import clock_on, coursera_settings, learning360_settings
from tests.vendor import Contract

NAME = "Coursera for Business"
DAY = 86_400_000
OPERATIONS = {
    ("POST", "/api/v2/oauth2/token"),
    ("GET", "/api/v2/integrations"),
    ("POST", "/api/v2/integrations"),
    ("PATCH", "/api/v2/integrations/{integrationId}"),
    ("GET", "/api/v2/integrations/{integrationId}/courses/{externalId}"),
    ("PUT", "/api/v2/bulk/integrations/{integrationId}/courses"),
    ("DELETE", "/api/v2/bulk/integrations/{integrationId}/courses"),
    ("POST", "/api/v2/bulk/integrations/{integrationId}/stats"),
    ("GET", "/api/v2/bulk/operations"),
    ("GET", "/api/v2/bulk/operations/{bulkOperationId}"),
    ("GET", "/api/v2/bulk/operations/{bulkOperationId}/results"),
    ("GET", "/api/v2/courses/stats"),
    ("GET", "/api/v2/users"),
    ("GET", "/api/v2/groups/{groupId}"),
}


@pytest.fixture(scope="module")
def contract() -> Contract:
    """The vendor's OpenAPI document."""
    folder = os.environ.get("CONTRACTS_DIR")
    if folder is None:
        pytest.skip("CONTRACTS_DIR is not set: the folder of 360learning-openapi.json")
    return Contract(json.loads(Path(folder, "360learning-openapi.json").read_text(encoding="utf-8")))


@pytest.fixture
def served() -> Iterator[Sandbox]:
    """A believable customer, small; pages of a few, so that links are followed."""
    clock = ManualClock()
    sandbox = Sandbox(World.seeded(clock(), sizes=Sizes(100, 20, 150)), clock)
    sandbox.learning360.options.page_cap = 7
    with running(sandbox):
        yield sandbox
    assert sandbox.log.errors == []


@pytest.fixture
def sent(served: Sandbox, monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Every request that 360Learning is sent from now on."""
    seen: list[httpx.Request] = []
    send = httpx.AsyncHTTPTransport.handle_async_request

    async def noted(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        if str(request.url).startswith(served.url("learning360")):
            seen.append(request)
        return await send(transport, request)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", noted)
    return seen


@pytest.fixture
async def learning360(served: Sandbox, sent: list[httpx.Request]) -> AsyncIterator[Learning360Client]:
    assert sent == []
    client_clock = clock_on(cast("ManualClock", served.clock), [])
    async with Learning360Client(learning360_settings(served), clock=client_clock) as client:
        yield client


async def read(served: Sandbox) -> tuple[list[Any], list[Any]]:
    """Coursera's catalog and enrollment reports."""
    async with CourseraClient(coursera_settings(served)) as coursera:
        contents = [element async for page in coursera.contents(ListingCheck()) for element in page.elements]
        reports = coursera.enrollment_reports(ListingCheck())
        return contents, [element async for page in reports for element in page.elements]


def to_send(reports: list[Any], rule: LaunchRule = "completed", *, scores: bool = True) -> pd.DataFrame:
    """The attempts that a first run sends."""
    rows = read_reports(report_fields(reports) | {"row_id": row_ids(reports)})
    mapped = map_enrollments(rows, now_ms=MANUAL_START_MS, send_scores=scores)
    rows = keyed(mapped.enrollments).assign(read=True)
    attempts, _ = merge(rows, rows.iloc[:0].assign(number=0)[list(ATTEMPT_COLUMNS)], launch_rule=rule)
    return attempts.loc[attempts["action"].eq(SEND)]


async def whole_job(client: Learning360Client, served: Sandbox) -> None:
    """Set up, bring the catalog and the statistics, archive, and read everything back."""
    group_id, author_id = served.learning360.group_id, served.learning360.author_id
    assert await client.integrations(NAME) == []
    integration = await client.create_integration(
        {
            "externalPlatform": NAME,
            "groupId": group_id,
            "authorId": author_id,
            "noGroupPropagation": False,
            "defaultCompletion": False,
            "defaultProgress": 5,
        }
    )
    await client.change_integration(integration.id, {"defaultCompletion": True, "defaultProgress": 0})
    await client.change_integration(integration.id, {"authorId": author_id, "noGroupPropagation": True})
    contents, reports = await read(served)
    courses = course_bodies(map_courses(contents, default_language="en").courses)
    raw = [msgspec.Raw(msgspec.json.encode(course)) for course in courses]
    await _followed(client, served, await client.upsert_courses(integration.id, raw))
    statistics = payloads.statistics(to_send(reports))
    await _followed(client, served, await client.send_statistics(integration.id, statistics))
    (first, *_) = (str(course["externalId"]) for course in courses)
    course_id = (await client.external_course(integration.id, first))["courseId"]
    await _followed(client, served, await client.archive_courses(integration.id, [{"externalId": first}]))
    await client.operations("importExternalStatistics", MANUAL_START_MS - DAY)
    assert (await client.group(group_id))["name"]
    mails = [learner.mail for learner in served.world.learners]
    for listing in (client.course_attempts(), client.users(), client.users(mails)):
        assert [item async for page in listing for item in page]
    assert [page async for page in client.course_attempts([course_id, "a" * 24])]


async def _followed(client: Learning360Client, served: Sandbox, operation_id: str) -> None:
    """An operation to its end, of which some rows at least are good."""
    assert not (await client.operation(operation_id)).has_ended
    cast("ManualClock", served.clock).advance(seconds=60)
    assert (await client.operation(operation_id)).has_ended
    assert any(result.status == "success" for result in await client.results(operation_id))


async def test_every_request_of_a_whole_job_keeps_the_contract(
    contract: Contract, learning360: Learning360Client, served: Sandbox, sent: list[httpx.Request]
) -> None:
    await whole_job(learning360, served)
    assert {contract.operation_of(request) for request in sent} == OPERATIONS
    problems = [problem for request in sent for problem in contract.problems(request)]
    assert problems == []


async def test_every_probe_of_a_scope_keeps_the_contract(
    contract: Contract, learning360: Learning360Client, sent: list[httpx.Request]
) -> None:
    # Imported here, because it brings Prefect with it: no flow is run.
    from tasks.setup.scopes import OPTIONAL_SCOPES, REQUIRED_SCOPES  # noqa: PLC0415

    for method, path in {**REQUIRED_SCOPES, **OPTIONAL_SCOPES}.values():
        try:
            await learning360.probe(method, path)
        except SyncError as error:
            assert "knows nothing" in str(error)
    assert len(sent) == 1 + len(REQUIRED_SCOPES) + len(OPTIONAL_SCOPES)
    assert [problem for request in sent for problem in contract.problems(request)] == []


days = st.none() | st.integers(MANUAL_START_MS - 900 * DAY, MANUAL_START_MS)
report = st.fixed_dictionaries(
    {"email": st.sampled_from(["Ann@example.com ", "bob@example.com"]), "contentId": st.sampled_from("AB")},
    optional={
        "programId": st.sampled_from(["p1", "p2"]),
        "enrolledAt": days,
        "lastActivityAt": days,
        "completedAt": days,
        "overallProgress": st.floats(0, 100) | st.integers(0, 100) | st.none(),
        "isCompleted": st.booleans(),
        "grade": st.floats(0, 1),
        "approxTotalCourseHrs": st.floats(0, 10_000),
    },
)


@settings(deadline=None, max_examples=60)
@given(st.lists(report, min_size=1, max_size=6), st.sampled_from(["completed", "open"]))
def test_whatever_learners_do_their_statistics_keep_the_contract(
    contract: Contract, reports: list[Any], rule: LaunchRule
) -> None:
    sent = msgspec.to_builtins(payloads.statistics(to_send(reports, rule)))
    assert contract.problems_of("ImportExternalStatisticsBody", {"input": sent}) == []
    for body in sent:
        assert isinstance(body["progress"], int)
        assert str(body["firstActivityAt"]) < str(body["lastActivityAt"])


GOOD: dict[str, Any] = {
    "method": "POST",
    "path": f"/api/v2/bulk/integrations/{'a' * 24}/stats",
    "headers": {"360-api-version": "v2.0", "authorization": "Bearer t"},
    "json": {
        "input": [
            {
                "courseIdentifier": {"type": "externalId", "value": "C1"},
                "userIdentifier": {"type": "mail", "value": "ann@example.com"},
                "progress": 1,
                "timeSpent": 1,
                "firstActivityAt": "2026-01-01T00:00:00.000Z",
                "lastActivityAt": "2026-01-01T00:00:00.001Z",
            }
        ]
    },
}
LISTING: dict[str, Any] = GOOD | {"method": "GET", "path": "/api/v2/users", "json": None}


def request(parts: dict[str, Any]) -> httpx.Request:
    """A request of its parts."""
    method, url = parts["method"], f"https://app.360learning.com{parts['path']}"
    return httpx.Request(method, url, headers=parts["headers"], json=parts["json"])


def with_row(**changes: object) -> dict[str, Any]:
    return {"json": {"input": [GOOD["json"]["input"][0] | changes]}}


@pytest.mark.parametrize(
    "parts",
    [GOOD, LISTING, LISTING | {"path": "/api/v2/users?mail[in]=a&mail[in]=b&cursor=7"}],
    ids=["statistics", "a listing", "a page of a listing"],
)
def test_the_judge_lets_good_requests_pass(contract: Contract, parts: dict[str, Any]) -> None:
    assert contract.problems(request(parts)) == []


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        (GOOD | {"path": "/api/v2/nothing"}, "there is no operation"),
        (GOOD | {"method": "PUT"}, "there is no operation"),
        (GOOD | {"path": "/api/v2/bulk/integrations/x/stats"}, "integrationId"),
        (GOOD | {"headers": {"360-api-version": "v2.0"}}, "there is no bearer token"),
        (GOOD | {"headers": {"authorization": "Bearer t"}}, "missing header parameter: 360-api-version"),
        (GOOD | {"headers": GOOD["headers"] | {"360-api-version": "v1"}}, "360-api-version: "),
        (GOOD | {"path": GOOD["path"] + "?force=true"}, "unknown query parameter: force"),
        (GOOD | {"json": {}}, "'input' is a required property"),
        (GOOD | {"json": GOOD["json"] | {"more": 1}}, "'more' was unexpected"),
        (GOOD | with_row(timeSpent=0), "timeSpent"),
        (GOOD | with_row(result="done"), "result"),
        (GOOD | with_row(forcenew=True), "'forcenew' was unexpected"),
        (GOOD | with_row(userIdentifier={"type": "mail", "value": ""}), "userIdentifier"),
        (GOOD | with_row(lastActivityAt="yesterday"), "lastActivityAt"),
        (GOOD | with_row(lastActivityAt="2026-01-01T00:00:00"), "lastActivityAt"),
        (LISTING | {"path": "/api/v2/users?mail[gte]=a"}, "'gte' was unexpected"),
        (LISTING | {"path": "/api/v2/users?mail=a"}, "mail: "),
        (LISTING | {"path": "/api/v2/courses/stats?courseId[in]=x"}, "courseId: "),
        (LISTING | {"json": {}}, "a body where there is to be none"),
    ],
    ids=[
        *("another path", "another method", "an id that is none", "no token", "no version", "a version"),
        *("a parameter", "an empty body", "one more field", "no time", "a result", "a misspelt field"),
        *("an empty address", "a date that is none", "a date without a zone", "an operator", "no operator"),
        *("an id that is none, in a filter", "a body"),
    ],
)
def test_the_judge_finds_what_is_wrong(contract: Contract, parts: dict[str, Any], complaint: str) -> None:
    problems = contract.problems(request(parts))
    assert any(complaint in problem for problem in problems), problems
