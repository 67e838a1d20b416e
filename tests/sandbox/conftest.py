"""A served sandbox, clients of it, and the vendor's contract where it is at hand."""

import functools
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from sandbox.clock import ManualClock
from sandbox.server import Sandbox, running

CONTRACT = "360learning-openapi.json"
#: Answers to what the contract does not describe: a wrong header, a body or filter that is none.
UNWRITTEN = "badRequest"


class Vendor:
    """The vendor's published contract: says what is wrong with an answer."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._templates = {path: _pattern(path) for path in document["paths"]}

    def check(self, response: httpx.Response) -> None:
        """Fails unless the answer is one that the contract describes; an httpx event hook."""
        response.read()
        if _is_unwritten(response):
            return
        described = self._operation(response.request)["responses"]
        status = str(response.status_code)
        assert status in described, f"{response.request.method} {response.request.url.path}: {status}"
        for name in described[status].get("headers", {}):
            assert name == "Link" or name in response.headers
        content = described[status].get("content")
        if content:
            self.validator(content["application/json"]["schema"]).validate(response.json())
        else:
            assert response.content == b""

    def validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        """A validator of a schema that may refer to the contract's components."""
        return Draft202012Validator(schema | {"components": self._document["components"]})

    def _operation(self, request: httpx.Request) -> dict[str, Any]:
        matching = [path for path, pattern in self._templates.items() if pattern.match(request.url.path)]
        # The most literal template wins: `/courses/stats` is also of the form `/courses/{id}`.
        path = min(matching, key=lambda template: template.count("{"))
        operation: dict[str, Any] = self._document["paths"][path][request.method.lower()]
        return operation


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + "$")


def _is_unwritten(response: httpx.Response) -> bool:
    error = response.json().get("error") if response.status_code == 400 else None
    return isinstance(error, dict) and error["code"] == UNWRITTEN


@functools.cache
def _contract() -> Vendor | None:
    folder = os.environ.get("CONTRACTS_DIR")
    return Vendor(json.loads((Path(folder) / CONTRACT).read_text())) if folder else None


@pytest.fixture(scope="session")
def validator_of() -> Callable[[str], Draft202012Validator]:
    """The contract's judge of a component; a test that asks for it is skipped without the contract."""
    contract = _contract() or pytest.skip("CONTRACTS_DIR is not set")
    return lambda name: contract.validator({"$ref": f"#/components/schemas/{name}"})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sandbox(clock: ManualClock) -> Sandbox:
    """Both platforms empty, operations without any duration."""
    made = Sandbox.empty(clock)
    made.learning360.options.operation_base_ms = 0
    made.learning360.options.rows_per_second = 0
    return made


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[Sandbox]:
    with running(sandbox):
        yield sandbox
    assert sandbox.log.errors == []


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.fixture
def coursera(served: Sandbox, http: httpx.Client) -> Iterator[httpx.Client]:
    """Signed in with the refresh token; paths are below the organisation."""
    settings = served.environment()
    form = {
        "grant_type": "refresh_token",
        "client_id": settings["COURSERA_CLIENT_ID"],
        "client_secret": settings["COURSERA_CLIENT_SECRET"],
        "refresh_token": settings["COURSERA_REFRESH_TOKEN"],
    }
    token = http.post(settings["COURSERA_TOKEN_URL"], data=form).json()["access_token"]
    base = f"{settings['COURSERA_API_URL']}/businesses.v1/{settings['COURSERA_ORG_ID']}"
    with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, trust_env=False) as client:
        yield client


@pytest.fixture
def learning360(served: Sandbox) -> Iterator[httpx.Client]:
    """Signed in; every answer is held against the contract where that is at hand."""
    contract = _contract()
    hooks: dict[str, list[Callable[..., Any]]] = {"response": [contract.check]} if contract else {}
    settings = served.environment()
    body = {
        "grant_type": "client_credentials",
        "client_id": settings["LEARNING360_CLIENT_ID"],
        "client_secret": settings["LEARNING360_CLIENT_SECRET"],
    }
    with httpx.Client(base_url=settings["LEARNING360_API_URL"], event_hooks=hooks, trust_env=False) as client:
        token = client.post("/api/v2/oauth2/token", json=body).json()["access_token"]
        client.headers.update({"Authorization": f"Bearer {token}", "360-api-version": "v2.0"})
        yield client


@pytest.fixture
def control(served: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url("control"), trust_env=False) as client:
        yield client
