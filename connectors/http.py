"""One way to call a platform: pooled, with timeouts, retried with backoff, errors in plain words."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar

import httpx
import msgspec
import orjson
from pydantic import BaseModel, ValidationError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from connectors.answers import tolerant_json
from connectors.answers.limits import AnswerTooLargeError, SizeLimit, bound, require_few_containers
from connectors.clock import Clock
from connectors.errors import (
    OutcomeUnknownError,
    RequestError,
    SlotsTakenError,
    SyncError,
    TryLaterError,
    UnreachableError,
)

MOST_OF_A_CODE = 300
MAX_TRIES = 5
# Where nothing was ever heard from a host, its name is likely to be wrong, and waiting mends nothing.
TRIES_OF_A_STRANGER = 2
MAX_TOTAL_SECONDS = 120.0
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
# Results of a full operation are several megabytes, prepared while we wait: reading may take a minute.
# That is for the next byte. A whole answer, with the sign-in before it, has this long.
ANSWER_SECONDS = 300.0
TIMEOUTS = httpx.Timeout(connect=10.0, read=60.0, write=60.0, pool=60.0)
DEFAULT_LIMIT = SizeLimit(64, "the limit")
LIMITS = httpx.Limits(max_connections=16, max_keepalive_connections=16)

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
Explain = Callable[[httpx.Response], SyncError | None]


class Verdict(Enum):
    """What an HTTP status means for the request that met it."""

    FATAL = "the same request would be refused again"
    RETRY = "nothing was done; the same request may succeed later"
    AMBIGUOUS = "it may or may not have been done; safe to repeat only where repeating changes nothing"


# The reviewed table: every status that is not listed is refused for good.
VERDICTS: Mapping[int, Verdict] = {
    408: Verdict.AMBIGUOUS,
    425: Verdict.RETRY,
    429: Verdict.RETRY,
    500: Verdict.AMBIGUOUS,
    502: Verdict.AMBIGUOUS,
    503: Verdict.RETRY,
    504: Verdict.AMBIGUOUS,
}
# Failures that come before the request has left us, so that nothing can have been done.
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def json_body(response: httpx.Response) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Parse an answer's JSON; an HTML page in its place is a passing fault."""
    require_few_containers(response)
    with suppress(orjson.JSONDecodeError):
        if tolerant_json.NUL not in response.content and not tolerant_json.is_too_deep(response.content):
            return orjson.loads(response.content)
    return _tolerantly(response)


def _tolerantly(response: httpx.Response) -> Any:  # noqa: ANN401
    try:
        return tolerant_json.loads(response.content)
    except ValueError:
        kind = response.headers.get("content-type", "no content type").split(";")[0]
        # The cause would show the answer, wherever it is logged.
        raise TryLaterError(f"answered {kind} where JSON was expected") from None


def read_as(decoder: msgspec.json.Decoder[T], otherwise: Callable[[Any], T]) -> Callable[[httpx.Response], T]:
    """A way to read an answer's JSON that leaves out what the decoder does not ask for, three times as fast.

    An answer of another shape, or that only a tolerant parser takes, is read whole, and ``otherwise`` looks
    at it row by row.
    """

    def read(response: httpx.Response) -> T:
        require_few_containers(response)
        with suppress(ValueError, RecursionError):  # msgspec's own errors are ValueErrors
            if tolerant_json.NUL not in response.content:
                return decoder.decode(response.content)
        return otherwise(json_body(response))

    return read


def error_code(response: httpx.Response) -> str:
    """The code of ``{"error": {"code": ...}}``, or of a flat ``{"error": ...}``; "" where there is none."""
    try:
        answer: Any = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return ""
    error = answer.get("error") if isinstance(answer, dict) else None
    code = error.get("code") if isinstance(error, dict) else error
    return code[:MOST_OF_A_CODE] if isinstance(code, str) else ""


def validated(model: type[M], value: object, *, what: str) -> M:
    """Check an answer's shape; a RequestError names the fields that are not as the contract says."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, detail["loc"])) or "the whole" for detail in error.errors())
        # The cause would show the answer's values, addresses and tokens among them, wherever it is logged.
        raise RequestError(f"{what} does not have the shape of the contract: {fields}") from None


def new_client(
    base_url: str, auth: httpx.Auth, headers: Mapping[str, str] | None = None
) -> httpx.AsyncClient:
    """A pooled client with timeouts on everything, which never follows a redirect with our token."""
    # They would log addresses: URLs as a whole, and the headers of answers.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        base_url=base_url,
        auth=auth,
        headers=dict(headers or {}),
        timeout=TIMEOUTS,
        limits=LIMITS,
        verify=_certificates(),
    )


@cache
def _certificates() -> ssl.SSLContext:
    """Whom to trust, as httpx finds it, read once: that takes some 50 ms."""
    return httpx.create_ssl_context()


class Api:
    """Calls one platform. ``name`` is the platform's, for messages; ``explain`` knows its error bodies.

    ``addresses`` are the settings that say where it is; ``limit`` is for every answer that is not given
    another; ``seconds`` for a whole answer to come.
    """

    def __init__(
        self,
        name: str,
        client: httpx.AsyncClient,
        explain: Explain,
        clock: Clock,
        *,
        addresses: str = "its address",
        limit: SizeLimit = DEFAULT_LIMIT,
        seconds: float = ANSWER_SECONDS,
    ) -> None:
        self.name = name
        self.client = client
        self._explain = explain
        self._clock = clock
        self._addresses = addresses
        self._limit = limit
        self._seconds = seconds
        self._ahead_ms = 0
        self._heard_from: set[bytes] = set()
        client.event_hooks["response"].append(self._received)

    async def _received(self, response: httpx.Response) -> None:
        """An answer begins, of a sign-in too."""
        self._heard_from.add(response.url.netloc)
        bound(response, response.request.extensions.get("limit", self._limit))

    def now_ms(self) -> int:
        """The platform's own time (epoch milliseconds), by the date of its last answer."""
        return self._clock.now_ms() + self._ahead_ms

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: httpx.QueryParams | None = None,
        body: object = None,
        repeatable: bool = True,
        read: Callable[[httpx.Response], T] = json_body,
        limit: SizeLimit | None = None,
    ) -> T:
        """Send a request and read its answer, at most 5 tries within 2 minutes.

        ``repeatable`` says whether sending it twice does no harm; where it does, an answer that leaves
        open whether it was carried out raises OutcomeUnknownError instead of being tried again.
        """
        request = self.client.build_request(
            method,
            path,
            params=params,
            content=None if body is None else msgspec.json.encode(body),
            headers=None if body is None else {"content-type": "application/json"},
            extensions={} if limit is None else {"limit": limit},
        )
        async for attempt in self._retrying():
            with attempt:
                return await self._once(request, repeatable=repeatable, read=read)
        raise AssertionError("the retrying loop either returns or raises")

    async def _once(
        self, request: httpx.Request, *, repeatable: bool, read: Callable[[httpx.Response], T]
    ) -> T:
        place = f"{self.name}: {request.method} {request.url.path}"
        try:
            async with asyncio.timeout(self._seconds):
                response = await self.client.send(request)
            self._note_time(response)
            self._raise_for(response, place, repeatable=repeatable)
            return self._read(response, place, read, repeatable=repeatable)
        except httpx.RequestError as error:
            # Where it is the sign-in that failed, the request itself was never sent.
            sent = error.request is request and not isinstance(error, NEVER_SENT)
            if sent and not repeatable:
                raise OutcomeUnknownError(f"{place} got no answer ({type(error).__name__}).") from error
            if isinstance(error, AnswerTooLargeError):
                raise RequestError(f"{place} answered with {error}.") from error
            if isinstance(error, httpx.ConnectError) and error.request.url.netloc not in self._heard_from:
                raise self._stranger(error) from error
            raise TryLaterError(f"{place} could not be reached ({type(error).__name__}).") from error
        except TimeoutError as error:
            late = f"{place} has not answered in full within {self._seconds:g} seconds."
            raise (TryLaterError if repeatable else OutcomeUnknownError)(late) from error
        except TryLaterError as error:
            if str(error).startswith(self.name):
                raise
            raise TryLaterError(f"{place} {error}", retry_after=error.retry_after) from error

    def _read(
        self, response: httpx.Response, place: str, read: Callable[[httpx.Response], T], *, repeatable: bool
    ) -> T:
        try:
            return read(response)
        except TryLaterError as error:
            if repeatable:
                raise
            raise OutcomeUnknownError(f"{place} {error}: it may or may not have been carried out.") from error

    def _stranger(self, error: httpx.ConnectError) -> UnreachableError:
        url = error.request.url
        port = url.port or {"https": 443, "http": 80}[url.scheme]
        return UnreachableError(
            f"{self.name}: there is no connection to {url.host}, port {port} ({error}). Check "
            f"{self._addresses}, then the network and its proxy."
        )

    def _note_time(self, response: httpx.Response) -> None:
        if date := _http_date(response.headers.get("date", "")):
            self._ahead_ms = round(date * 1000) - self._clock.now_ms()

    def _raise_for(self, response: httpx.Response, place: str, *, repeatable: bool) -> None:
        if response.is_success:
            return
        wait = retry_after_seconds(response, self._clock.now_ms())
        if explained := self._explain(response):
            if isinstance(explained, TryLaterError) and wait is not None:
                explained.retry_after = wait
            raise explained
        verdict = VERDICTS.get(response.status_code, Verdict.FATAL)
        answer = f"{place} answered {response.status_code}"
        if verdict is Verdict.FATAL:
            raise RequestError(f"{answer}: not retryable.")
        if verdict is Verdict.AMBIGUOUS and not repeatable:
            raise OutcomeUnknownError(f"{answer}: it may or may not have been carried out.")
        raise TryLaterError(f"{answer}. Try again later.", retry_after=wait)

    def _retrying(self) -> AsyncRetrying:
        monotonic = self._clock.monotonic
        began = monotonic()

        def enough(state: RetryCallState) -> bool:
            seconds = monotonic() - began + state.upcoming_sleep
            error = state.outcome.exception() if state.outcome else None
            most = TRIES_OF_A_STRANGER if isinstance(error, UnreachableError) else MAX_TRIES
            return state.attempt_number >= most or seconds >= MAX_TOTAL_SECONDS

        return AsyncRetrying(
            retry=retry_if_exception(_worth_another_try),
            stop=enough,
            wait=self._wait_seconds,
            sleep=self._clock.sleep,
            reraise=True,
        )

    def _wait_seconds(self, state: RetryCallState) -> float:
        """Exponential backoff with full jitter, never sooner than the platform asked for."""
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, TryLaterError) else None
        longest: float = min(FIRST_WAIT_SECONDS * 2**state.attempt_number, LONGEST_WAIT_SECONDS)
        return max(longest * (0.5 + 0.5 * self._clock.random()), asked or 0.0)


def _worth_another_try(error: BaseException) -> bool:
    # Bulk slots may be taken for long: whoever submits waits for them in their own, longer way.
    return isinstance(error, TryLaterError) and not isinstance(error, SlotsTakenError)


def retry_after_seconds(response: httpx.Response, now_ms: int) -> float | None:
    """Read ``Retry-After``: seconds, or an HTTP date set against our clock; None where absent or odd."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    date = _http_date(value)
    return None if date is None else max(date - now_ms / 1000, 0.0)


def _http_date(value: str) -> float | None:
    """An HTTP date as epoch seconds; None where it is none, or none of this age."""
    try:
        moment = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
    return moment if moment > 0 else None
