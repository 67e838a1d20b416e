"""Every answer that the vendor documents for the operations in use can be had, and is valid.

The client itself holds each answer against the contract; here each documented status and code is provoked.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.server import Sandbox
from sandbox.values import Json

NOBODY = "0" * 24
NAME = "Coursera for Business"

SERVED = (
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
    ("GET", "/api/v2/courses"),
    ("GET", "/api/v2/users"),
    ("GET", "/api/v2/groups/{groupId}"),
)
#: Tokens for a user are never asked for; the number of integrations has no published limit.
NOT_PROVOKED = {"non_existing_user", "integrationsLimitReached"}


def documented() -> Iterator[Any]:
    """(method, path, status, error code) of each documented answer; the code of a success is empty."""
    folder = os.environ.get("CONTRACTS_DIR")
    if not folder:
        yield pytest.param("", "", 0, "", marks=pytest.mark.skip("CONTRACTS_DIR is not set"))
        return
    paths = json.loads((Path(folder) / "360learning-openapi.json").read_text())["paths"]
    for method, path in SERVED:
        for status, described in paths[path][method.lower()]["responses"].items():
            for code in codes(described) if int(status) >= 400 else [""]:
                if code not in NOT_PROVOKED:
                    yield pytest.param(method, path, int(status), code, id=f"{method} {path} {status} {code}")


def codes(described: Json) -> list[str]:
    schema = described["content"]["application/json"]["schema"]
    errors = [entry["properties"]["error"] for entry in schema.get("oneOf", [schema])]
    return [(error.get("properties", {}).get("code") or error)["enum"][0] for error in errors]


class Request:
    """A request that would succeed, to be spoilt in one way."""

    def __init__(self, served: Sandbox, method: str, path: str) -> None:
        platform = served.learning360
        self.served = served
        integration = next(iter(platform.integrations))
        self.ids = {"integrationId": integration, "externalId": "A", "groupId": platform.group_id}
        self.ids["bulkOperationId"] = platform.submit("importExternalCourses", integration, []).id
        self.method, self.path = method, path
        self.headers: dict[str, str] = {}
        self.body = self._body()

    def send(self, client: httpx.Client) -> httpx.Response:
        """The answer to it."""
        url = self.path.format(**self.ids)
        body = None if self.method == "GET" else self.body
        return client.request(self.method, url, json=body, headers=self.headers)

    def _body(self) -> Json:
        platform = self.served.learning360
        if self.path.endswith("token"):
            client = platform.client
            credentials = {"client_id": client.client_id, "client_secret": client.client_secret}
            return {"grant_type": "client_credentials"} | credentials
        if "bulk" in self.path:
            return {"input": []}
        name = "Third" if self.method == "POST" else NAME
        return {"externalPlatform": name, "groupId": platform.group_id, "authorId": platform.author_id}


def no_token(request: Request) -> None:
    request.headers["Authorization"] = "Bearer unknown"


def no_scope(request: Request) -> None:
    request.served.learning360.client.scopes = set()


def too_fast(request: Request) -> None:
    options = request.served.learning360.options
    options.rate_limited, options.reads_per_second, options.writes_per_second = True, 0, 0


def reserved(request: Request) -> None:
    request.served.learning360.options.reserved_names = frozenset({NAME.lower()})
    request.body["externalPlatform"] = NAME


def unknown_group(request: Request) -> None:
    request.ids["groupId"] = request.body["groupId"] = NOBODY


def held(request: Request) -> None:
    platform = request.served.learning360
    platform.options.hold_operations = True
    operation = platform.submit("importExternalCourses", request.ids["integrationId"], [])
    request.ids["bulkOperationId"] = operation.id


def disabled(request: Request) -> None:
    request.served.learning360.options.bulk_disabled = True


SPOILERS: dict[str, Callable[[Request], object]] = {
    "": lambda _: None,
    "invalid_token": no_token,
    "invalid_scope": no_scope,
    "tooManyRequests": too_fast,
    "integrationNotFound": lambda request: request.ids.update(integrationId=NOBODY),
    "bulkOperationNotFound": lambda request: request.ids.update(bulkOperationId=NOBODY),
    "courseNotBelongToIntegration": lambda request: request.ids.update(externalId="nothing"),
    "groupNotFound": unknown_group,
    "userNotFound": lambda request: request.body.update(authorId=NOBODY),
    "duplicateExternalPlatform": lambda request: request.body.update(externalPlatform="Other"),
    "reservedPlatformName": reserved,
    "invalidInput": lambda request: request.body.update(input="rows"),
    "inputTooLong": lambda request: request.body.update(input=[{}] * 10_001),
    "bulkOperationsConcurrencyLimitReached": lambda request: request.served.learning360.operations.occupy(3),
    "bulkOperationNotRun": held,
    "bulkAPIDisabled": disabled,
    "invalid_client": lambda request: request.body.update(client_secret="wrong"),
    "invalid_request": lambda request: request.body.update(client_secret=1),
    "unsupported_grant_type": lambda request: request.body.update(grant_type="password"),
}


@pytest.mark.parametrize(("method", "path", "status", "code"), [*documented()])
def test_what_is_documented_can_happen(
    served: Sandbox, learning360: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    platform = served.learning360
    platform.add_integration(NAME, defaultCompletion=True, defaultProgress=0)
    platform.add_integration("Other")
    platform.add_course(
        "A", translations=[{"lang": "fr", "translatedFields": {"name": "Un cours"}}], duration=5
    )
    platform.add_user("a@example.com")
    platform.launch("a@example.com", "A", platform.add_path("Steps", "A").id)
    platform.add_attempt("a@example.com", "A", score=80)

    request = Request(served, method, path)
    SPOILERS[code](request)
    answer = request.send(learning360)

    assert answer.status_code == status
    if code:
        error = answer.json()["error"]
        assert code == (error if isinstance(error, str) else error["code"])
