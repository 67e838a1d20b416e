"""Clients, tokens, scopes and the limits on requests."""

import secrets
from dataclasses import dataclass, field

from sandbox.clock import SECOND_MS, Clock
from sandbox.learning360.errors import coded, flat
from sandbox.learning360.options import Learning360Options
from sandbox.values import Json

TOKEN_LIFETIME_S = 3_600
ALL_SCOPES = frozenset({
    *("integrations:read", "integrations:write", "integrations:bulk", "bulkOperations:read"),
    *("courseStats:read", "courses:read", "users:read", "groups:read"),
})  # fmt: skip

_TOKEN_FIELDS = {"grant_type", "client_id", "client_secret", "user_id", "company_id"}


@dataclass
class Client:
    """An API client; its scopes may be changed at any time."""

    client_id: str
    client_secret: str
    scopes: set[str] = field(default_factory=lambda: set(ALL_SCOPES))


@dataclass
class _Token:
    client: Client
    expires_ms: int


class Access:
    """Who may call what."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[str, _Token] = {}
        self.clients: dict[str, Client] = {}

    def add_client(self, client_id: str, client_secret: str) -> Client:
        """One more client, with every scope."""
        self.clients[client_id] = Client(client_id, client_secret)
        return self.clients[client_id]

    def revoke_tokens(self) -> None:
        """Every token issued so far is refused from now on."""
        self._tokens.clear()

    def issue(self, body: Json) -> Json:
        """The answer to a request for a token; raises RefusedError."""
        if set(body) - _TOKEN_FIELDS or not all(isinstance(value, str) for value in body.values()):
            raise flat(400, "invalid_request")
        if body.get("grant_type") != "client_credentials":
            raise flat(400, "unsupported_grant_type")
        client = self.clients.get(body.get("client_id", ""))
        if client is None or client.client_secret != body.get("client_secret"):
            raise flat(401, "invalid_client")
        token = secrets.token_urlsafe(24)
        self._tokens[token] = _Token(client, self._clock() + TOKEN_LIFETIME_S * SECOND_MS)
        return {"token_type": "Bearer", "access_token": token, "expires_in": TOKEN_LIFETIME_S}

    def client_of(self, authorization: str) -> Client:
        """The client behind a living token; raises a 401."""
        scheme, _, token = authorization.partition(" ")
        known = self._tokens.get(token)
        if scheme.lower() != "bearer" or known is None or known.expires_ms <= self._clock():
            raise flat(401, "invalid_token")
        return known.client


def expect_scope(client: Client, scope: str) -> None:
    """Raises a 403 unless the client has the scope."""
    if scope not in client.scopes:
        raise coded(403, "invalid_scope", f"The access token does not have the required scope: {scope}.")


class RateLimit:
    """Two token buckets, of reads and of writes, each a second deep."""

    def __init__(self, clock: Clock, options: Learning360Options) -> None:
        self._clock = clock
        self._options = options
        self._buckets: dict[str, tuple[float, int]] = {}

    def take(self, kind: str) -> None:
        """Counts one `read` or `write`; raises a 429 when there were too many."""
        if not self._options.rate_limited:
            return
        rate = self._options.reads_per_second if kind == "read" else self._options.writes_per_second
        now_ms = self._clock()
        left, since_ms = self._buckets.get(kind, (float(rate), now_ms))
        left = min(float(rate), left + (now_ms - since_ms) * rate / SECOND_MS)
        if left < 1:
            raise flat(429, "tooManyRequests")
        self._buckets[kind] = (left - 1, now_ms)
