"""360Learning's ways of saying no, each with what to do about it."""

from collections.abc import Callable

import httpx

from connectors.errors import AccessError, RequestError, SlotsTakenError, SyncError, TryLaterError
from connectors.http import VERDICTS, error_code

# The platform's advice after tooManyRequests and for bulk slots: wait about a second.
POLITE_WAIT_SECONDS = 1.0


class IntegrationExistsError(RequestError):
    """The group has an integration of that name already. Find it and go on with it."""


class NotFoundError(RequestError):
    """What the request names does not exist. Where that was the question, it is the answer."""


class MissingScopeError(AccessError):
    """The API client lacks a scope. Have it granted."""


Remedy = Callable[[], SyncError]

REMEDIES: dict[str, Remedy] = {
    "invalid_token": lambda: AccessError(
        "360Learning refuses its own access token: check that LEARNING360_API_URL is your platform's region."
    ),
    "groupNotFound": lambda: AccessError(
        "360Learning knows no such group: check LEARNING360_GROUP_ID (24 characters, in the group's address)."
    ),
    "userNotFound": lambda: AccessError(
        "360Learning knows no such author: check LEARNING360_AUTHOR_ID, an editor or admin of the group."
    ),
    "reservedPlatformName": lambda: AccessError(
        "360Learning reserves this name for its own connectors: choose another LEARNING360_PLATFORM_NAME."
    ),
    "integrationsLimitReached": lambda: AccessError(
        "360Learning allows no further integration: have one removed, or its limit raised."
    ),
    "duplicateExternalPlatform": lambda: IntegrationExistsError(
        "360Learning has an integration of this name in the group: choose another LEARNING360_PLATFORM_NAME."
    ),
    "tooManyRequests": lambda: TryLaterError(
        "360Learning asks for fewer requests a second.", retry_after=POLITE_WAIT_SECONDS
    ),
    "bulkOperationsConcurrencyLimitReached": lambda: SlotsTakenError(
        "360Learning's three bulk operation slots are taken.", retry_after=POLITE_WAIT_SECONDS
    ),
    "bulkAPIDisabled": lambda: TryLaterError("360Learning has switched its bulk API off for now."),
}


def explain(response: httpx.Response) -> SyncError | None:
    """The error for people behind an answer; None where its status alone says enough."""
    code = error_code(response)
    if remedy := REMEDIES.get(code):
        return remedy()
    if response.status_code == httpx.codes.FORBIDDEN:
        return MissingScopeError(
            f"360Learning does not grant {response.request.method} {response.request.url.path}: give it "
            "the scopes integrations:read, integrations:write, integrations:bulk and bulkOperations:read."
        )
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return REMEDIES["invalid_token"]()
    if response.status_code == httpx.codes.NOT_FOUND:
        return NotFoundError(f"360Learning knows nothing under {response.request.url.path}.")
    # What does not look like a code is left out: it may be anything, an address too.
    is_code = code.replace("_", "").isalnum()
    if response.is_client_error and is_code and response.status_code not in VERDICTS:
        return RequestError(f"360Learning refuses {response.request.url.path}: {code}.")
    return None
