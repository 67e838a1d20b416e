"""Both sign-ins of Coursera: with a refresh token, and with client credentials."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sandbox.clock import DAY_MS, SECOND_MS, Clock
from sandbox.coursera.options import CourseraOptions
from sandbox.values import Json
from sandbox.web import RefusedError

#: The two kinds of access token; each opens one API base only.
Style = Literal["refresh_token", "client_credentials"]

LIFETIME_S: dict[Style, int] = {"refresh_token": 1_800, "client_credentials": 1_799}
REFRESH_TOKEN_LIFETIME_MS = 14 * DAY_MS


@dataclass(frozen=True)
class AccessToken:
    """An issued access token."""

    style: Style
    expires_ms: int


class SignIn:
    """The accounts server: its one client, and the tokens it has issued."""

    def __init__(self, clock: Clock, options: CourseraOptions) -> None:
        self._clock = clock
        self._options = options
        self.client_id = "coursera-client"
        self.client_secret = "coursera-secret"
        #: Living refresh tokens: the moment of their last use, epoch milliseconds.
        self.refresh_tokens: dict[str, int] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        #: The refresh token issued last.
        self.refresh_token = ""
        self.new_refresh_token()

    def new_refresh_token(self) -> str:
        """One more living refresh token."""
        self.refresh_token = f"refresh-{secrets.token_urlsafe(12)}"
        self.refresh_tokens[self.refresh_token] = self._clock()
        return self.refresh_token

    def revoke_access_tokens(self) -> None:
        """Every access token issued so far is refused from now on."""
        self.access_tokens.clear()

    def refresh(self, form: Mapping[str, str]) -> Json:
        """The answer to a refresh; raises RefusedError."""
        _expect_grant(form, "refresh_token")
        self._expect_client(form.get("client_id", ""), form.get("client_secret", ""))
        token = form.get("refresh_token", "")
        last_used_ms = self.refresh_tokens.get(token)
        if last_used_ms is None or self._clock() - last_used_ms >= REFRESH_TOKEN_LIFETIME_MS:
            raise _oauth_error(400, "invalid_grant", "The refresh token is unknown or has expired")
        return self._renewed(token)

    def client_credentials(self, authorization: str, form: Mapping[str, str]) -> Json:
        """The answer to a client's own credentials; raises RefusedError."""
        _expect_grant(form, "client_credentials")
        self._expect_client(*_basic(authorization))
        return self._issue("client_credentials") | {"scope": "business"}

    def check(self, authorization: str, style: Style) -> None:
        """Raises a 401 unless the header bears a living access token of that style."""
        scheme, _, token = authorization.partition(" ")
        known = self.access_tokens.get(token)
        if scheme.lower() != "bearer" or known is None or known.style != style:
            raise api_error(401, "Not Authorized", "The access token is missing or unknown")
        if known.expires_ms <= self._clock():
            raise api_error(401, "Not Authorized", "The access token has expired")

    def _expect_client(self, client_id: str, client_secret: str) -> None:
        if (client_id, client_secret) != (self.client_id, self.client_secret):
            raise _oauth_error(401, "invalid_client", "Unknown client, or wrong secret")

    def _renewed(self, token: str) -> Json:
        if self._options.rotate_refresh_token:
            del self.refresh_tokens[token]
            return self._issue("refresh_token") | {"refresh_token": self.new_refresh_token()}
        self.refresh_tokens[token] = self._clock()
        return self._issue("refresh_token")

    def _issue(self, style: Style) -> Json:
        token, lifetime_s = secrets.token_urlsafe(24), LIFETIME_S[style]
        self.access_tokens[token] = AccessToken(style, self._clock() + lifetime_s * SECOND_MS)
        return {"access_token": token, "token_type": "Bearer", "expires_in": lifetime_s}


def _expect_grant(form: Mapping[str, str], grant: str) -> None:
    if form.get("grant_type") != grant:
        raise _oauth_error(400, "unsupported_grant_type", f"grant_type is not {grant}")


def _basic(authorization: str) -> tuple[str, str]:
    """The user and password of a Basic header; empty where it is none."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    user, _, password = decoded.partition(":")
    return (user, password) if scheme.lower() == "basic" else ("", "")


def _oauth_error(status: int, error: str, description: str) -> RefusedError:
    return RefusedError(status, {"error": error, "error_description": description})


def api_error(status: int, code: str, message: str) -> RefusedError:
    """An error in the form of Coursera's API."""
    return RefusedError(status, {"errorCode": code, "message": message, "details": None})
