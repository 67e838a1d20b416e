"""360Learning's ways of saying no: each is an error of the right kind, and says what to do."""

from typing import Any, NamedTuple, cast

import pytest

from connectors.errors import AccessError, RequestError, SlotsTakenError, SyncError, TryLaterError
from connectors.learning360.client import Learning360Client
from connectors.learning360.errors import (
    REMEDIES,
    IntegrationExistsError,
    MissingScopeError,
    NotFoundError,
)
from connectors.learning360.models import IntegrationBody
from sandbox.server import Sandbox

BODY: IntegrationBody = {
    "externalPlatform": "Coursera for Business",
    "groupId": "a" * 24,
    "authorId": "b" * 24,
    "noGroupPropagation": False,
    "defaultCompletion": True,
    "defaultProgress": 0,
}


class Remedy(NamedTuple):
    """An error's status, the kind it is, what its message says, and how often it is tried."""

    status: int
    kind: type[SyncError]
    says: str
    tries: int = 1


EXPECTED = {
    "invalid_token": Remedy(401, AccessError, "LEARNING360_API_URL", 2),
    "groupNotFound": Remedy(404, AccessError, "LEARNING360_GROUP_ID"),
    "userNotFound": Remedy(404, AccessError, "LEARNING360_AUTHOR_ID"),
    "reservedPlatformName": Remedy(400, AccessError, "LEARNING360_PLATFORM_NAME"),
    "integrationsLimitReached": Remedy(400, AccessError, "have one removed"),
    "duplicateExternalPlatform": Remedy(400, IntegrationExistsError, "LEARNING360_PLATFORM_NAME"),
    "tooManyRequests": Remedy(429, TryLaterError, "fewer requests", 5),
    "bulkOperationsConcurrencyLimitReached": Remedy(429, SlotsTakenError, "slots are taken"),
    "bulkAPIDisabled": Remedy(503, TryLaterError, "bulk API off", 5),
}


def says_no(served: Sandbox, status: int, body: Any = None) -> None:
    """The platform answers every request for an integration so."""
    served.faults.add("answer", path="integrations$", status=status, body=body)


async def refused(learning360: Learning360Client) -> SyncError:
    """The error of a request that is not repeatable."""
    with pytest.raises(SyncError) as raised:
        await learning360.create_integration(BODY)
    return raised.value


def test_every_remedy_is_proven_here() -> None:
    assert set(REMEDIES) == set(EXPECTED)


@pytest.mark.parametrize("flat", [False, True], ids=["as an object", "as a bare string"])
@pytest.mark.parametrize("code", EXPECTED)
async def test_a_code_has_its_remedy(
    learning360: Learning360Client, served: Sandbox, code: str, *, flat: bool
) -> None:
    expected = EXPECTED[code]
    says_no(served, expected.status, {"error": code if flat else {"code": code, "message": "!"}})
    error = await refused(learning360)
    assert type(error) is expected.kind
    assert expected.says in str(error)
    assert len(served.log.select("integrations$")) == expected.tries


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"groupId": "c" * 24}, "LEARNING360_GROUP_ID"),
        ({"authorId": "c" * 24}, "LEARNING360_AUTHOR_ID"),
        ({"externalPlatform": "Coursera"}, "LEARNING360_PLATFORM_NAME"),
        ({"externalPlatform": "Mine"}, "LEARNING360_PLATFORM_NAME"),
    ],
    ids=["another group", "another author", "a reserved name", "a name that is taken"],
)
async def test_what_the_platform_itself_refuses_names_the_setting(
    learning360: Learning360Client, served: Sandbox, changes: dict[str, str], says: str
) -> None:
    own = {"groupId": served.learning360.group_id, "authorId": served.learning360.author_id}
    served.learning360.add_integration("Mine")
    with pytest.raises(SyncError, match=says):
        await learning360.create_integration(cast("IntegrationBody", {**BODY, **own, **changes}))


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("PATCH", "api/v2/integrations/{id}", "integrations:write"),
        ("PUT", "api/v2/bulk/integrations/{id}/courses", "integrations:bulk"),
        ("GET", "api/v2/users", "users:read"),
    ],
)
async def test_a_missing_scope_names_the_request(
    learning360: Learning360Client, served: Sandbox, method: str, path: str, scope: str
) -> None:
    path = path.format(id=served.learning360.add_integration()["_id"])
    served.learning360.client.scopes.remove(scope)
    with pytest.raises(MissingScopeError, match=f"does not grant {method} /{path}: give it the scopes"):
        await learning360.probe(method, path)


@pytest.mark.parametrize(
    ("status", "body", "kind", "says"),
    [
        pytest.param(400, {"error": {"code": "new"}}, RequestError, "integrations: new.", id="a new code"),
        pytest.param(409, {"error": "conflict"}, RequestError, "integrations: conflict.", id="a flat one"),
        pytest.param(400, {"error": {"code": 7}}, RequestError, "answered 400: not", id="a code of numbers"),
        pytest.param(400, ["error"], RequestError, "answered 400: not", id="no object"),
        pytest.param(400, "<h1>No</h1>", RequestError, "answered 400: not", id="HTML"),
        pytest.param(401, None, AccessError, "LEARNING360_API_URL", id="401 without a code"),
        pytest.param(403, None, MissingScopeError, "integrations:bulk", id="403 without a code"),
        pytest.param(403, "<h1>No</h1>", MissingScopeError, "integrations:bulk", id="403 in HTML"),
        pytest.param(404, None, NotFoundError, "knows nothing under /api/v2/integ", id="404 without a code"),
        pytest.param(404, {"error": {"code": "x"}}, NotFoundError, "knows nothing", id="404, a new code"),
    ],
)
async def test_other_refusals_are_told_by_their_status(
    learning360: Learning360Client,
    served: Sandbox,
    status: int,
    body: Any,
    kind: type[SyncError],
    says: str,
) -> None:
    says_no(served, status, body)
    error = await refused(learning360)
    assert type(error) is kind
    assert says in str(error)


async def test_a_code_is_cut_where_it_is_long(learning360: Learning360Client, served: Sandbox) -> None:
    says_no(served, 400, {"error": {"code": "x" * 5000}})
    error = str(await refused(learning360))
    assert "x" * 300 in error
    assert "x" * 301 not in error


@pytest.mark.parametrize("body", [{"error": {"code": "slowDown"}}, {"error": "new"}, "<h1>Busy</h1>", None])
@pytest.mark.parametrize("status", [425, 429, 503])
async def test_a_code_that_is_new_does_not_make_a_passing_status_a_lasting_one(
    learning360: Learning360Client,
    served: Sandbox,
    waits: list[float],
    status: int,
    body: Any,
) -> None:
    says_no(served, status, body)
    assert type(await refused(learning360)) is TryLaterError
    assert len(waits) == 4


async def test_the_advised_wait_is_about_a_second(
    learning360: Learning360Client, served: Sandbox, waits: list[float]
) -> None:
    served.faults.add("answer", path="integrations$", status=429, body={"error": "tooManyRequests"}, times=1)
    await learning360.integrations("Coursera for Business")
    assert waits == [1.0]


async def test_limits_on_requests_are_waited_for(
    learning360: Learning360Client, served: Sandbox, waits: list[float]
) -> None:
    served.learning360.options.rate_limited = True
    served.learning360.options.reads_per_second = 5
    for _ in range(20):
        await learning360.integrations("Coursera for Business")
    assert waits == [1.0] * 3
