"""What the three applications share: JSON answers and refusals raised as exceptions."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from sandbox.values import Json


class JsonResponse(Response):
    """An answer whose body is orjson's."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:  # noqa: ANN401 -- Starlette's own signature
        """The body: bytes are taken to be JSON already."""
        return content if isinstance(content, bytes) else orjson.dumps(content)


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


async def refused(_: Request, error: Exception) -> Response:
    """The answer that a `RefusedError` asks for; a Starlette exception handler."""
    if not isinstance(error, RefusedError):
        raise error
    return JsonResponse(error.body, error.status, error.headers)


def application(routes: Sequence[Route]) -> ASGIApp:
    """The routes with refusals answered; what is a bug goes through to the layer that logs it."""
    return ExceptionMiddleware(Router(routes, redirect_slashes=False), handlers={RefusedError: refused})


async def json_object(request: Request) -> Json:
    """The request's body when it is a JSON object, else ValueError."""
    body = orjson.loads(await request.body())
    if not isinstance(body, dict):
        raise ValueError("the body is not a JSON object")  # noqa: TRY004 -- one error for every bad body
    return body
