"""Coursera for Business: the organisation, its catalog and its enrollment reports."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, Self

import httpx
import msgspec

from connectors.answers.limits import SizeLimit
from connectors.auth import Renewal, TokenAuth, Turn
from connectors.clock import Clock
from connectors.coursera.models import Organisation, Page, ReportsPage, report_rows
from connectors.coursera.pagination import FIRST_PAGE, PAGES_AT_ONCE, ListingCheck, read_pages
from connectors.errors import AccessError, SyncError
from connectors.http import Api, json_body, new_client, read_as, validated
from connectors.settings import CourseraSettings

NO_ORGANISATION = (
    "Coursera knows no such organisation: check COURSERA_ORG_ID, and the program ids where you named some."
)
PAGE_SIZE = 1_000  # the most that the listings give at once
# All enrollments of an organisation are hardly ever a single page: nobody waits for the first one alone.
FIRST_PAGES = range(0, PAGES_AT_ONCE * PAGE_SIZE, PAGE_SIZE)

Query = dict[str, str]


class CourseraClient:
    """Reads one organisation. Use as an async context manager: it holds pooled connections."""

    def __init__(
        self,
        settings: CourseraSettings,
        *,
        newest_token: Callable[[], str] | None = None,
        on_renewal: Callable[[Renewal], None] = lambda _: None,
        turn: Turn = nullcontext,
        clock: Clock | None = None,
    ) -> None:
        """``newest_token`` tells the refresh token in force, where Coursera may have renewed the settings'.

        ``turn`` is held while it is asked for, used, and its successor given to ``on_renewal``.
        """
        clock = clock or Clock()
        api_url, _ = settings.addresses
        auth = _sign_in(settings, newest_token, on_renewal, turn, clock)
        client = new_client(f"{api_url}/", auth)
        limit = SizeLimit(settings.answer_mib, "COURSERA_ANSWER_MIB")
        addresses = "COURSERA_API_URL and COURSERA_TOKEN_URL"
        self._api = Api("Coursera", client, _explain, clock, addresses=addresses, limit=limit)
        self._root = f"businesses.v1/{settings.org_id}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._api.client.aclose()

    def now_ms(self) -> int:
        """Coursera's own time (epoch milliseconds), by the date of its last answer."""
        return self._api.now_ms()

    async def organisation(self) -> Organisation:
        """The organisation itself; raises AccessError where credentials and org_id do not fit together."""
        answer: Any = await self._api.call("GET", self._root)
        if isinstance(answer, dict) and isinstance(answer.get("elements"), list):
            answer = next(iter(answer["elements"]), None)
        if not answer:
            raise AccessError(NO_ORGANISATION)
        return validated(Organisation, answer, what="Coursera's organisation")

    def contents(self, check: ListingCheck, program_ids: Sequence[str] = ()) -> AsyncIterator[Page]:
        """Pages of the catalog: the organisation's whole one, or that of some programs."""
        only = {"q": "byProgramIds", "programIds": ",".join(program_ids)} if program_ids else {}
        return self._pages("contents", only, check)

    def enrollment_reports(
        self, check: ListingCheck, *, last_activity_after_ms: int | None = None, program_id: str | None = None
    ) -> AsyncGenerator[Page]:
        """Pages of the reports: a row for each learner, content and program, specializations too.

        ``last_activity_after_ms`` (epoch milliseconds, strictly after) leaves out rows without activity.
        """
        query: Query = {"includeS12n": "true"}
        if program_id is not None:
            query |= {"q": "byProgramId", "programId": program_id}
        if last_activity_after_ms is not None:
            query["lastActivityAfter"] = str(last_activity_after_ms)
        first = FIRST_PAGES if program_id is None and last_activity_after_ms is None else FIRST_PAGE
        return self._pages("enrollmentReports", query, check, _reports, first)

    def reports_of(self, check: ListingCheck, program_id: str, external_id: str) -> AsyncIterator[Page]:
        """Pages of one learner's reports in one program; the learner is named by Coursera's externalId."""
        query = {"includeS12n": "true", "q": "byUserProgramId", "programId": program_id}
        return self._pages("enrollmentReports", query | {"externalId": external_id}, check, _reports)

    def _pages(
        self,
        listing: str,
        query: Query,
        check: ListingCheck,
        read: Callable[[httpx.Response], Any] = json_body,
        first: range = FIRST_PAGE,
    ) -> AsyncGenerator[Page]:
        return read_pages(partial(self._page, listing, query, read), check, first)

    async def _page(
        self, listing: str, query: Query, read: Callable[[httpx.Response], Any], start: int
    ) -> Page:
        params = httpx.QueryParams({**query, "start": str(start), "limit": str(PAGE_SIZE)})
        answer = await self._api.call("GET", f"{self._root}/{listing}", params=params, read=read)
        return validated(Page, answer, what=f"A page of Coursera's {listing}")


def _reports(response: httpx.Response) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read a page of enrollment reports, whose elements are rows as far as they are objects."""
    answer = _READ_REPORTS(response)
    return msgspec.structs.asdict(answer) if isinstance(answer, ReportsPage) else answer


def _rows_of(answer: Any) -> Any:  # noqa: ANN401
    if isinstance(answer, dict) and isinstance(answer.get("elements"), list):
        return answer | {"elements": report_rows(answer["elements"])}
    return answer


_READ_REPORTS = read_as(msgspec.json.Decoder[Any](ReportsPage), _rows_of)


def _sign_in(
    settings: CourseraSettings,
    newest_token: Callable[[], str] | None,
    on_renewal: Callable[[Renewal], None],
    turn: Turn,
    clock: Clock,
) -> TokenAuth:
    if settings.refresh_token is None:
        return TokenAuth(
            partial(_client_credentials_request, settings),
            "Coursera refuses the sign-in: check COURSERA_CLIENT_ID and COURSERA_CLIENT_SECRET",
            clock,
        )
    held = settings.refresh_token.get_secret_value()

    def request() -> httpx.Request:
        nonlocal held
        held = newest_token() if newest_token else held
        return _refresh_token_request(settings, held)

    def keep(token: Renewal) -> None:
        nonlocal held
        if token.refresh_token and token.refresh_token != held:
            held = token.refresh_token
            on_renewal(token)

    return TokenAuth(
        request,
        "Coursera refuses the sign-in: check COURSERA_CLIENT_ID, COURSERA_CLIENT_SECRET and "
        "COURSERA_REFRESH_TOKEN (it dies after two weeks without use; ask Coursera for a new one)",
        clock,
        keep,
        turn,
    )


def _refresh_token_request(settings: CourseraSettings, refresh_token: str) -> httpx.Request:
    form = {
        "grant_type": "refresh_token",
        "client_id": settings.client_id,
        "client_secret": settings.client_secret.get_secret_value(),
        "refresh_token": refresh_token,
    }
    return httpx.Request("POST", settings.addresses[1], data=form)


def _client_credentials_request(settings: CourseraSettings) -> httpx.Request:
    basic = httpx.BasicAuth(settings.client_id, settings.client_secret.get_secret_value())
    request = httpx.Request("POST", settings.addresses[1], data={"grant_type": "client_credentials"})
    return next(basic.auth_flow(request))


def _explain(response: httpx.Response) -> SyncError | None:
    """Coursera's three ways of saying no are three different things to mend."""
    match response.status_code:
        case httpx.codes.UNAUTHORIZED:
            return AccessError(
                "Coursera refuses the access token it gave: check that COURSERA_API_URL and "
                "COURSERA_TOKEN_URL belong to the same way of signing in."
            )
        case httpx.codes.FORBIDDEN:
            return AccessError(
                "Coursera does not open this organisation to these credentials: check COURSERA_ORG_ID, and "
                "that the app was registered for the organisation and not by a personal account."
            )
        case httpx.codes.NOT_FOUND:
            return AccessError(NO_ORGANISATION)
        case _:
            return None
