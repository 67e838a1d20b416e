"""360Learning's API v2: the integration, bulk operations and reading back."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from connectors.answers.limits import SizeLimit
from connectors.auth import TokenAuth
from connectors.clock import Clock, utc
from connectors.errors import OutcomeUnknownError, RequestError, SyncError
from connectors.http import Api, json_body, new_client, read_as, validated
from connectors.learning360.errors import explain
from connectors.learning360.models import (
    Archival,
    Attempt,
    Course,
    ExternalCourse,
    Integration,
    IntegrationBody,
    IntegrationPatch,
    JsonObject,
    Operation,
    OperationType,
    Result,
    Statistic,
    User,
    result_of,
)
from connectors.settings import Learning360Settings

API_VERSION = "v2.0"
# Well-formed, and no integration's: a bulk call on it proves a scope without writing (403 or 404).
NO_SUCH_ID = "0" * 24


class Learning360Client:
    """Speaks to one 360Learning platform. Use as an async context manager: it holds pooled connections."""

    def __init__(self, settings: Learning360Settings, *, clock: Clock | None = None) -> None:
        clock = clock or Clock()
        auth = TokenAuth(
            partial(_token_request, settings),
            "360Learning refuses the sign-in: check LEARNING360_CLIENT_ID and LEARNING360_CLIENT_SECRET, and "
            "that LEARNING360_API_URL is your platform's region",
            clock,
        )
        client = new_client(f"{settings.api_url}/", auth, {"360-api-version": API_VERSION})
        limit = SizeLimit(settings.answer_mib, "LEARNING360_ANSWER_MIB")
        self._results_limit = SizeLimit(settings.results_mib, "LEARNING360_RESULTS_MIB")
        self._api = Api("360Learning", client, explain, clock, addresses="LEARNING360_API_URL", limit=limit)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._api.client.aclose()

    async def integrations(self, platform_name: str) -> list[Integration]:
        """The integration configurations of that name, in whichever group (needs integrations:read)."""
        return await self._integrations({"externalPlatform[eq]": platform_name})

    async def other_integrations(self, platform_name: str) -> list[Integration]:
        """The integration configurations of any other name (needs integrations:read)."""
        return await self._integrations({"externalPlatform[ne]": platform_name})

    async def _integrations(self, query: dict[str, str]) -> list[Integration]:
        pages = self._pages("api/v2/integrations", query)
        return [validated(Integration, item, what="An integration") async for page in pages for item in page]

    async def create_integration(self, body: IntegrationBody) -> Integration:
        """Create a configuration; not repeated blindly, since a second would be refused as a duplicate."""
        answer: Any = await self._api.call("POST", "api/v2/integrations", body=body, repeatable=False)
        return validated(Integration, answer, what="The new integration")

    async def change_integration(self, integration_id: str, patch: IntegrationPatch) -> None:
        """Change the given fields of a configuration (needs integrations:write)."""
        await self._api.call("PATCH", f"api/v2/integrations/{integration_id}", body=patch)

    async def upsert_courses(self, integration_id: str, courses: Sequence[msgspec.Raw]) -> str:
        """Submit external courses (each as JSON), at most 10,000; returns the operation's id."""
        return await self._submit("PUT", integration_id, "courses", courses)

    async def archive_courses(self, integration_id: str, courses: Sequence[Archival]) -> str:
        """Submit external courses to archive, at most 1,000; returns the operation's id."""
        return await self._submit("DELETE", integration_id, "courses", courses)

    async def send_statistics(self, integration_id: str, statistics: Sequence[Statistic]) -> str:
        """Submit statistics, at most 10,000; returns the operation's id."""
        return await self._submit("POST", integration_id, "stats", statistics)

    async def _submit(self, method: str, integration_id: str, kind: str, rows: Sequence[object]) -> str:
        return await self._api.call(
            method,
            f"api/v2/bulk/integrations/{integration_id}/{kind}",
            body={"input": rows},
            repeatable=False,
            read=_operation_id,
        )

    async def operation(self, operation_id: str) -> Operation:
        """Where a bulk operation stands (needs bulkOperations:read)."""
        answer: Any = await self._api.call("GET", f"api/v2/bulk/operations/{operation_id}")
        return validated(Operation, answer, what="A bulk operation")

    async def operations(self, operation_type: OperationType, since_ms: int) -> list[Operation]:
        """All operations of a type, of whatever integration, made since then by the platform's clock."""
        query = {"type[eq]": operation_type, "createdAt[gte]": iso_moment(since_ms)}
        pages = self._pages("api/v2/bulk/operations", query)
        return [validated(Operation, item, what="A bulk operation") async for page in pages for item in page]

    def now_ms(self) -> int:
        """The platform's own time (epoch milliseconds)."""
        return self._api.now_ms()

    async def results(self, operation_id: str) -> list[Result]:
        """Each input of an ended operation with what became of it, as far as it is used."""
        path = f"api/v2/bulk/operations/{operation_id}/results"
        return await self._api.call("GET", path, read=_READ_RESULTS, limit=self._results_limit)

    async def external_course(self, integration_id: str, external_id: str) -> JsonObject:
        """A course as 360Learning holds it, with its ``courseId``."""
        path = f"api/v2/integrations/{integration_id}/courses/{quote(external_id, safe='')}"
        answer: Any = await self._api.call("GET", path)
        _require(answer, ExternalCourse, what="An external course")
        course: JsonObject = answer
        return course

    def external_courses(self, group_id: str) -> AsyncIterator[list[JsonObject]]:
        """Pages of a group's external courses with their ``status``, of any integration (courses:read).

        They have no externalId here.
        """
        return self._pages("api/v2/courses", {"type[eq]": "external", "groupId[eq]": group_id}, Course)

    async def group(self, group_id: str) -> JsonObject:
        """A group with its ``name`` (needs groups:read)."""
        answer: Any = await self._api.call("GET", f"api/v2/groups/{group_id}")
        return _objects([answer], what="A group")[0]

    def course_attempts(
        self, course_ids: Sequence[str] = (), user_ids: Sequence[str] = ()
    ) -> AsyncIterator[list[JsonObject]]:
        """Pages of attempts, of the given courses and users or of all (needs courseStats:read)."""
        query = {"courseId[in]": list(course_ids)} if course_ids else {}
        query |= {"userId[in]": list(user_ids)} if user_ids else {}
        return self._pages("api/v2/courses/stats", query, Attempt)

    def users(self, mails: Sequence[str] = ()) -> AsyncIterator[list[JsonObject]]:
        """Pages of users, of the given addresses or all (needs users:read)."""
        query = {"mail[in]": list(mails)} if mails else {}
        return self._pages("api/v2/users", query, User)

    async def probe(self, method: str, path: str) -> None:
        """Prove a scope by a request that changes nothing: raises AccessError where it is missing."""
        body: JsonObject = {"input": []} if path.startswith("api/v2/bulk/integrations") else {}
        await self._api.call(method, path, body=None if method == "GET" else body, read=lambda _: None)

    async def _pages(
        self, path: str, query: Mapping[str, str | list[str]], shape: object = JsonObject
    ) -> AsyncIterator[list[JsonObject]]:
        following: str | None = path
        params: httpx.QueryParams | None = httpx.QueryParams(query)
        seen: set[str] = set()
        while following is not None:
            page, link = await self._api.call("GET", following, params=params, read=_page)
            for one in page:
                _require(one, shape, what=f"What 360Learning lists under {path}")
            yield page
            following, params = self._same_host(link), None
            if following in seen:
                raise RequestError(f"360Learning: the listing {path} names a page again as its next one.")
            seen.add(following or "")

    def _same_host(self, link: str | None) -> str | None:
        """A ``Link`` at LEARNING360_API_URL whatever host it names, so that our token stays at home.

        A path there is a proxy's: the platform behind it does not know of it.
        """
        if link is None:
            return None
        url, home = urlsplit(link), self._api.client.base_url
        path = url.path if url.path.startswith(home.path) else home.path + url.path.removeprefix("/")
        return str(home.copy_with(path=path, query=url.query.encode()))


def _token_request(settings: Learning360Settings) -> httpx.Request:
    body = {
        "grant_type": "client_credentials",
        "client_id": settings.client_id,
        "client_secret": settings.client_secret.get_secret_value(),
    }
    return httpx.Request("POST", f"{settings.api_url}/api/v2/oauth2/token", json=body)


def _operation_id(response: httpx.Response) -> str:
    identifier = ""
    with suppress(ValueError):  # what is no address says nothing either
        identifier = urlsplit(response.headers.get("location", "")).path.rstrip("/").rpartition("/")[2]
    if not identifier:
        # Perhaps it was taken all the same: that must be found out before the rows are sent again.
        raise OutcomeUnknownError("360Learning did not say where the bulk operation can be followed.")
    return identifier


def _page(response: httpx.Response) -> tuple[list[JsonObject], str | None]:
    link = response.links.get("next", {}).get("url")
    try:
        following = None if link is None else str(response.url.join(link))
    except httpx.InvalidURL:
        raise RequestError(
            "360Learning: the next page of a listing has no address that can be read."
        ) from None
    return _objects(json_body(response), what="A page of a 360Learning listing"), following


def _objects(value: object, *, what: str) -> list[JsonObject]:
    # Not by pydantic, which would copy each of an operation's ten thousand results.
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise RequestError(f"{what} does not have the shape of the contract.")
    return value


def _require(value: object, shape: object, *, what: str) -> None:
    """Raise SyncError where what is relied on is not there, or not as the contract says; shows no value."""
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise SyncError(f"{what} does not have the shape of the contract: {error}.") from None


def _results_of(answer: object) -> list[Result]:
    return [*map(result_of, _objects(answer, what="A bulk operation's results"))]


_READ_RESULTS = read_as(msgspec.json.Decoder(list[Result]), _results_of)


def iso_moment(epoch_ms: int) -> str:
    """A moment as the platform's filters take it: ISO 8601 in UTC, its milliseconds always 0."""
    return f"{utc(epoch_ms):%Y-%m-%dT%H:%M:%S}.000Z"
