"""Signing in: a token is asked for before the first request, ahead of its expiry, and once after a 401."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Annotated, Any

import httpx
from pydantic import BaseModel, BeforeValidator, Field

from connectors.clock import Clock
from connectors.errors import AccessError, TryLaterError
from connectors.http import VERDICTS, error_code, json_body, retry_after_seconds, validated

REFRESH_EARLY_SECONDS = 60.0
# How long a token lives that does not say so, as RFC 6749 leaves it free to.
UNTOLD_LIFETIME_SECONDS = 300.0


def _lifetime(value: Any) -> float:  # noqa: ANN401 - whatever JSON holds
    """Seconds; what is no lifetime is untold: the token itself is good."""
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return UNTOLD_LIFETIME_SECONDS
    return seconds if seconds > 0 else UNTOLD_LIFETIME_SECONDS


Turn = Callable[[], AbstractAsyncContextManager[None]]


class Renewal(BaseModel):
    """What a token endpoint's answer says of the refresh token: only where it was renewed."""

    refresh_token: str | None = None


class Token(Renewal):
    """A token endpoint's answer; ``expires_in`` in seconds."""

    access_token: str = Field(pattern=r"^[\x21-\x7e]+$")  # as a header takes it
    expires_in: Annotated[float, BeforeValidator(_lifetime)] = UNTOLD_LIFETIME_SECONDS


class TokenAuth(httpx.Auth):
    """Puts a bearer token on every request of a client, and keeps it fresh.

    ``build_request`` builds the token request anew each time, for a refresh token may have been renewed
    since; ``denied_message`` is the error for people when the sign-in is turned down; ``on_renewal`` is
    called with every answer, so that a renewed refresh token can be kept whatever else the answer lacks;
    ``turn`` is held from the one to the other.
    """

    def __init__(
        self,
        build_request: Callable[[], httpx.Request],
        denied_message: str,
        clock: Clock,
        on_renewal: Callable[[Renewal], None] = lambda _: None,
        turn: Turn = nullcontext,
    ) -> None:
        self._turn = turn
        self._build_request = build_request
        self._denied_message = denied_message
        self._clock = clock
        self._on_renewal = on_renewal
        self._lock = asyncio.Lock()
        self._bearer: str | None = None
        self._fresh_until = 0.0

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign in where needed, send, and where the token is refused sign in once more and resend."""
        refused: str | None = None
        for _ in range(2):
            async with self._lock:  # the first to find a stale token renews it for all that wait here
                if not self._is_fresh() or self._bearer == refused:
                    async with self._turn():
                        asked = self._token_request(request)
                        answer = yield asked
                        if _is_denied(answer):
                            await answer.aread()
                            again = self._token_request(request)
                            if again.content != asked.content:  # a refresh token was renewed elsewhere
                                answer = yield again
                        await self._keep(answer)
            refused = self._put(request)
            response = yield request
            if response.status_code != httpx.codes.UNAUTHORIZED:
                return
            await response.aread()  # gives its connection back: the sign-in may need one

    def _token_request(self, request: httpx.Request) -> httpx.Request:
        """A token request, with the timeouts of the request that needs it: a client sets them on no other."""
        asked = self._build_request()
        asked.extensions["timeout"] = request.extensions["timeout"]
        return asked

    def _is_fresh(self) -> bool:
        return self._bearer is not None and self._clock.monotonic() < self._fresh_until

    def _put(self, request: httpx.Request) -> str | None:
        request.headers["Authorization"] = f"Bearer {self._bearer}"
        return self._bearer

    async def _keep(self, response: httpx.Response) -> None:
        await response.aread()
        answer, what = self._read(response), "The token endpoint's answer"
        self._on_renewal(validated(Renewal, answer, what=what))
        token = validated(Token, answer, what=what)
        self._bearer = token.access_token
        early = min(REFRESH_EARLY_SECONDS, token.expires_in / 10)
        self._fresh_until = self._clock.monotonic() + token.expires_in - early

    def _read(self, response: httpx.Response) -> Any:  # noqa: ANN401 - whatever JSON holds
        if response.is_success:
            return json_body(response)
        if not _is_denied(response):
            wait = retry_after_seconds(response, self._clock.now_ms())
            raise TryLaterError(
                f"answered {response.status_code} at sign-in. Try again later.", retry_after=wait
            )
        raise AccessError(
            f"{self._denied_message} (the sign-in answered {response.status_code}{_code(response)})"
        )


def _is_denied(response: httpx.Response) -> bool:
    """Whether the same sign-in would be turned down again."""
    return not response.is_success and response.status_code not in VERDICTS


def _code(response: httpx.Response) -> str:
    """The OAuth error code of a refusal, such as ``invalid_grant``; what is no code is left out."""
    code = error_code(response)
    return f", {code}" if code.replace("_", "").isalnum() else ""
