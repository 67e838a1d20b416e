"""The HTTP face of the sandbox's Coursera."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, request_response
from starlette.types import ASGIApp

from sandbox.coursera.sign_in import Style
from sandbox.coursera.state import Coursera
from sandbox.layers import LatencyLayer
from sandbox.web import JsonResponse, application

_Endpoint = Callable[[Request], Awaitable[Response]]

#: Which kind of access token opens which API base.
BASES: dict[str, Style] = {"/api": "refresh_token", "/ent/api": "client_credentials"}


def make_app(coursera: Coursera) -> ASGIApp:
    """The application: both token URLs, and the API under both of its bases."""
    routes = [
        Route("/oauth2/v1/token", _refresh(coursera), methods=["POST"]),
        Route("/oauth2/client_credentials/token", _client_credentials(coursera), methods=["POST"]),
    ]
    for base, style in BASES.items():
        root = base + "/businesses.v1/{org_id}"
        routes += [
            # A client that joins its base URL with nothing asks with a slash.
            *(Route(path, _organization(coursera, style)) for path in (root, root + "/")),
            Route(root + "/{listing:str}", _listing(coursera, style)),
        ]
    return application(routes)


def _refresh(coursera: Coursera) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        return JsonResponse(coursera.sign_in.refresh(await _form(request)))

    return endpoint


def _client_credentials(coursera: Coursera) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        authorization = request.headers.get("authorization", "")
        return JsonResponse(coursera.sign_in.client_credentials(authorization, await _form(request)))

    return endpoint


def _organization(coursera: Coursera, style: Style) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        _admit(coursera, style, request)
        return JsonResponse({"elements": [coursera.organization()], "paging": {}, "linked": {}})

    return endpoint


def _listing(coursera: Coursera, style: Style) -> ASGIApp:
    async def endpoint(request: Request) -> Response:
        _admit(coursera, style, request)
        name = request.path_params["listing"]
        return JsonResponse(coursera.listing(name, dict(request.query_params)))

    return LatencyLayer(request_response(endpoint), lambda: coursera.options.page_ms)


def _admit(coursera: Coursera, style: Style, request: Request) -> None:
    coursera.sign_in.check(request.headers.get("authorization", ""), style)
    coursera.expect_org(request.path_params["org_id"])


async def _form(request: Request) -> dict[str, str]:
    """A form-encoded body; Starlette's own parser would need one more dependency."""
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
