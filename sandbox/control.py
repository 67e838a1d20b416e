"""The control application: what people do on the platforms, and what tests need to see, as JSON over HTTP."""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox import snapshot
from sandbox.clock import ManualClock
from sandbox.learning360 import LaunchRefusedError
from sandbox.sandbox import Sandbox
from sandbox.values import Json
from sandbox.web import JsonResponse, RefusedError, application, json_object

#: Answers with JSON, from the sandbox and the request's body (empty for GET and DELETE).
_Action = Callable[[Sandbox, Json], Any]


def make_app(sandbox: Sandbox) -> ASGIApp:
    """The application. A request that cannot be met is a 4xx with a `message`."""
    routes = [Route(path, _endpoint(sandbox, action), methods=[method]) for method, path, action in _ROUTES]
    routes.append(Route("/paths/{path_id}/steps", _steps(sandbox)))
    return application(routes)


def _endpoint(sandbox: Sandbox, action: _Action) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            body = await json_object(request) if await request.body() else {}
            return JsonResponse(action(sandbox, body))
        except LaunchRefusedError as error:
            raise RefusedError(409, {"message": str(error)}) from error
        except (KeyError, TypeError, ValueError) as error:
            raise RefusedError(400, {"message": f"{type(error).__name__}: {error}"}) from error

    return endpoint


def _steps(sandbox: Sandbox) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        path_id, mail = request.path_params["path_id"], request.query_params.get("mail", "")
        try:
            return JsonResponse(sandbox.learning360.path_progress(path_id, mail))
        except KeyError as error:
            raise RefusedError(404, {"message": f"no such path or learner: {error}"}) from error

    return endpoint


def _index(_: Sandbox, __: Json) -> Json:
    return {"routes": [f"{method} {path}" for method, path, _ in _ROUTES] + ["GET /paths/{id}/steps?mail="]}


def _launch(sandbox: Sandbox, body: Json) -> Json:
    attempt = sandbox.learning360.launch(body["mail"], body["externalId"], body.get("pathId"))
    return attempt.to_json() | {"origin": attempt.origin}


def _next_day(sandbox: Sandbox, _: Json) -> Json:
    return dict(sandbox.next_day())


def _state(sandbox: Sandbox, _: Json) -> Json:
    return snapshot.state(sandbox.learning360)


def _showcase(sandbox: Sandbox, _: Json) -> Json:
    return sandbox.showcase()


def _add_path(sandbox: Sandbox, body: Json) -> Json:
    path = sandbox.learning360.add_path(body["name"], body["externalIds"], body.get("kind", "linear"))
    return {"_id": path.id, "name": path.name, "kind": path.kind, "externalIds": list(path.external_ids)}


def _add_tag(sandbox: Sandbox, body: Json) -> Json:
    sandbox.learning360.add_tag(body["externalId"], body["tag"])
    return {"tags": sandbox.learning360.course(body["externalId"]).tags}


def _faults(sandbox: Sandbox, _: Json) -> Json:
    return {"faults": sandbox.faults.to_json()}


def _add_fault(sandbox: Sandbox, body: Json) -> Json:
    return dataclasses.asdict(sandbox.faults.add(**body))


def _clear_faults(sandbox: Sandbox, _: Json) -> Json:
    sandbox.faults.clear()
    return {}


def _options(sandbox: Sandbox, _: Json) -> Json:
    return {name: _shown(options) for name, options in _options_of(sandbox).items()}


def _set_options(sandbox: Sandbox, body: Json) -> Json:
    for platform, values in body.items():
        options = _options_of(sandbox)[platform]
        for name, value in values.items():
            if not hasattr(options, name):
                raise KeyError(f"{platform} has no option {name}")
            setattr(options, name, type(getattr(options, name))(value) if isinstance(value, list) else value)
    return _options(sandbox, {})


def _options_of(sandbox: Sandbox) -> dict[str, Any]:
    return {"coursera": sandbox.coursera.options, "learning360": sandbox.learning360.options}


def _shown(options: Any) -> Json:  # noqa: ANN401 -- either platform's
    values = dataclasses.asdict(options)
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in values.items()}


def _occupy(sandbox: Sandbox, body: Json) -> Json:
    sandbox.learning360.operations.occupy(int(body["busy"]))
    return {"unfinished": len(sandbox.learning360.operations.unfinished())}


def _release(sandbox: Sandbox, _: Json) -> Json:
    sandbox.learning360.release()
    return {"unfinished": len(sandbox.learning360.operations.unfinished())}


def _requests(sandbox: Sandbox, _: Json) -> Json:
    log = sandbox.log
    return {"requests": [dataclasses.asdict(entry) for entry in log.entries], "errors": log.errors}


def _request_counts(sandbox: Sandbox, _: Json) -> Json:
    return dict(sandbox.log.counts())


def _clear_requests(sandbox: Sandbox, _: Json) -> Json:
    sandbox.log.clear()
    return {}


def _environment(sandbox: Sandbox, body: Json) -> Json:
    return dict(sandbox.environment(**body))


def _advance(sandbox: Sandbox, body: Json) -> Json:
    if not isinstance(sandbox.clock, ManualClock):
        raise TypeError("the clock is this machine's and cannot be moved")
    return {"now_ms": sandbox.clock.advance(ms=int(body["ms"]))}


_ROUTES: tuple[tuple[str, str, _Action], ...] = (
    ("GET", "/", _index),
    ("GET", "/environment", _environment),
    ("GET", "/showcase", _showcase),
    ("GET", "/state", _state),
    ("POST", "/launch", _launch),
    ("POST", "/next-day", _next_day),
    ("POST", "/paths", _add_path),
    ("POST", "/tags", _add_tag),
    ("GET", "/faults", _faults),
    ("POST", "/faults", _add_fault),
    ("DELETE", "/faults", _clear_faults),
    ("GET", "/options", _options),
    ("POST", "/options", _set_options),
    ("POST", "/slots", _occupy),
    ("POST", "/release", _release),
    ("GET", "/requests", _requests),
    ("DELETE", "/requests", _clear_requests),
    ("GET", "/requests/counts", _request_counts),
    ("POST", "/clock", _advance),
)
