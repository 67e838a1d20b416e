import httpx
import pytest

from sandbox.clock import ManualClock
from sandbox.learning360.access import ALL_SCOPES
from sandbox.server import Sandbox

INTEGRATIONS = "/api/v2/integrations"
NOWHERE = "0" * 24


def token_body(served: Sandbox) -> dict[str, str]:
    client = served.learning360.client
    credentials = {"client_id": client.client_id, "client_secret": client.client_secret}
    return {"grant_type": "client_credentials"} | credentials


def ask_token(client: httpx.Client, body: object) -> tuple[int, object]:
    answer = client.post("/api/v2/oauth2/token", json=body, headers={"Authorization": ""})
    return answer.status_code, answer.json().get("error")


def test_a_token_lives_for_an_hour(learning360: httpx.Client, clock: ManualClock) -> None:
    clock.advance(ms=3_599_999)
    assert learning360.get(INTEGRATIONS).status_code == 200
    clock.advance(ms=1)
    answer = learning360.get(INTEGRATIONS)
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_token"})


def test_wrong_clients_are_refused(served: Sandbox, learning360: httpx.Client) -> None:
    for field in ("client_id", "client_secret"):
        assert ask_token(learning360, token_body(served) | {field: "wrong"}) == (401, "invalid_client")


@pytest.mark.parametrize("change", [{"scope": "all"}, {"client_id": 1}], ids=["unknown field", "wrong type"])
def test_a_malformed_token_request_is_refused(
    served: Sandbox, learning360: httpx.Client, change: dict[str, object]
) -> None:
    assert ask_token(learning360, token_body(served) | change) == (400, "invalid_request")


def test_a_token_request_that_is_no_object_or_another_grant_is_refused(
    served: Sandbox, learning360: httpx.Client
) -> None:
    assert ask_token(learning360, ["no object"]) == (400, "invalid_request")
    body = token_body(served) | {"grant_type": "password"}
    assert ask_token(learning360, body) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer unknown", "Basic x"])
def test_without_a_living_token_nothing_opens(learning360: httpx.Client, header: str) -> None:
    answer = learning360.get(INTEGRATIONS, headers={"Authorization": header})
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_token"})


def test_revoked_tokens_are_refused(served: Sandbox, learning360: httpx.Client) -> None:
    served.learning360.access.revoke_tokens()
    assert learning360.get(INTEGRATIONS).status_code == 401


@pytest.mark.parametrize("version", ["", "v1.0"])
def test_the_version_header_is_needed(learning360: httpx.Client, version: str) -> None:
    assert learning360.get(INTEGRATIONS, headers={"360-api-version": version}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", INTEGRATIONS, "integrations:read"),
        ("POST", INTEGRATIONS, "integrations:write"),
        ("PATCH", f"{INTEGRATIONS}/{NOWHERE}", "integrations:write"),
        ("GET", f"{INTEGRATIONS}/{NOWHERE}/courses/x", "integrations:read"),
        ("PUT", f"/api/v2/bulk/integrations/{NOWHERE}/courses", "integrations:bulk"),
        ("DELETE", f"/api/v2/bulk/integrations/{NOWHERE}/courses", "integrations:bulk"),
        ("POST", f"/api/v2/bulk/integrations/{NOWHERE}/stats", "integrations:bulk"),
        ("GET", "/api/v2/bulk/operations", "bulkOperations:read"),
        ("GET", f"/api/v2/bulk/operations/{NOWHERE}", "bulkOperations:read"),
        ("GET", f"/api/v2/bulk/operations/{NOWHERE}/results", "bulkOperations:read"),
        ("GET", "/api/v2/courses/stats", "courseStats:read"),
        ("GET", "/api/v2/courses", "courses:read"),
        ("GET", "/api/v2/users", "users:read"),
        ("GET", f"/api/v2/groups/{NOWHERE}", "groups:read"),
    ],
)
def test_the_scope_is_asked_for_before_anything_else(
    served: Sandbox, learning360: httpx.Client, method: str, path: str, scope: str
) -> None:
    served.learning360.client.scopes = set(ALL_SCOPES - {scope})
    answer = learning360.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "invalid_scope")
    served.learning360.client.scopes = {scope}
    assert learning360.request(method, path).status_code != 403


@pytest.mark.parametrize(("method", "allowed"), [("GET", 50), ("POST", 10)])
def test_too_many_requests_a_second(
    served: Sandbox, learning360: httpx.Client, clock: ManualClock, method: str, allowed: int
) -> None:
    served.learning360.options.rate_limited = True
    statuses = [learning360.request(method, INTEGRATIONS).status_code for _ in range(allowed + 2)]
    assert statuses.index(429) == allowed
    clock.advance(ms=1_000 // allowed)
    statuses = [learning360.request(method, INTEGRATIONS).status_code for _ in range(2)]
    assert statuses.index(429) == 1


def test_submissions_do_not_count_as_writes(served: Sandbox, learning360: httpx.Client) -> None:
    served.learning360.options.rate_limited = True
    path = f"/api/v2/bulk/integrations/{NOWHERE}/stats"
    assert {learning360.post(path, json={"input": []}).status_code for _ in range(20)} == {404}
