"""The HTTP face of the sandbox's 360Learning."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.learning360 import configuration, lists, rows
from sandbox.learning360.access import expect_scope
from sandbox.learning360.errors import coded, flat, unwritten
from sandbox.learning360.operations import OperationType
from sandbox.learning360.state import Learning360
from sandbox.values import Json
from sandbox.web import JsonResponse, application, json_object

API_VERSION = "v2.0"

_Endpoint = Callable[[Request], Awaitable[Response]]
#: Answers an admitted request from the platform's state.
_Answer = Callable[[Learning360, Request], Response | Awaitable[Response]]


def make_app(platform: Learning360) -> ASGIApp:
    """The application: the operations of the published contract that the project calls."""
    routes = [Route("/api/v2/oauth2/token", _token(platform), methods=["POST"])]
    for method, path, scope, answer in _READS_AND_WRITES:
        routes.append(Route(path, _guarded(platform, scope, answer, counts=True), methods=[method]))
    for method, path, kind, limit in _BULK:
        answer = _submission(kind, limit)
        routes.append(
            Route(path, _guarded(platform, "integrations:bulk", answer, counts=False), methods=[method])
        )
    return application(routes)


def _guarded(platform: Learning360, scope: str, answer: _Answer, *, counts: bool) -> _Endpoint:
    """The checks in the platform's order: token, version, scope, rate; only then what is asked for."""

    async def endpoint(request: Request) -> Response:
        client = platform.access.client_of(request.headers.get("authorization", ""))
        if request.headers.get("360-api-version") != API_VERSION:
            raise unwritten(f"the header 360-api-version is not {API_VERSION}")
        expect_scope(client, scope)
        if counts:
            platform.rate_limit.take("read" if request.method == "GET" else "write")
        answered = answer(platform, request)
        return answered if isinstance(answered, Response) else await answered

    return endpoint


def _token(platform: Learning360) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            body = await json_object(request)
        except ValueError as error:
            raise flat(400, "invalid_request") from error
        return JsonResponse(platform.access.issue(body))

    return endpoint


async def _create_integration(platform: Learning360, request: Request) -> Response:
    return JsonResponse(configuration.create(platform, await _body(request)), 201)


async def _change_integration(platform: Learning360, request: Request) -> Response:
    body = await _body(request)
    return JsonResponse(configuration.change(platform, request.path_params["integration_id"], body))


def _external_course(platform: Learning360, request: Request) -> Response:
    platform.operations.settle()
    integration = platform.integration(request.path_params["integration_id"])
    course = platform.courses.find(integration["_id"], request.path_params["external_id"])
    if course is None:
        raise coded(400, "courseNotBelongToIntegration")
    return JsonResponse(course.to_external_json(integration))


def _operation(platform: Learning360, request: Request) -> Response:
    operation = platform.operations.get(request.path_params["operation_id"])
    return JsonResponse(operation.to_json(platform.clock()))


def _results(platform: Learning360, request: Request) -> Response:
    operation = platform.operations.get(request.path_params["operation_id"])
    if not operation.ended:
        raise coded(400, "bulkOperationNotRun")
    return JsonResponse(operation.results_json)


def _group(platform: Learning360, request: Request) -> Response:
    group = platform.groups.get(request.path_params["group_id"])
    if group is None:
        raise coded(404, "groupNotFound")
    return JsonResponse(group)


def _submission(kind: OperationType, limit: int) -> _Answer:
    async def answer(platform: Learning360, request: Request) -> Response:
        integration = platform.integration(request.path_params["integration_id"])
        configuration.expect_free_name(platform, integration["externalPlatform"])
        if platform.options.bulk_disabled:
            raise coded(503, "bulkAPIDisabled")
        rows_in = await _bulk_input(request, limit)
        operation = platform.submit(kind, integration["_id"], rows_in)
        host = "" if platform.options.relative_urls else str(request.base_url).rstrip("/")
        return Response(
            status_code=202, headers={"Location": f"{host}/api/v2/bulk/operations/{operation.id}"}
        )

    return answer


async def _bulk_input(request: Request, limit: int) -> list[Json]:
    body = await _body(request)
    given = body.get("input")
    if not isinstance(given, list):
        raise coded(400, "invalidInput")
    if len(given) > limit:
        raise coded(400, "inputTooLong", f"The input exceeds {limit} objects.")
    return given


async def _body(request: Request) -> Json:
    try:
        return await json_object(request)
    except ValueError as error:  # orjson's own error is one
        raise unwritten(str(error)) from error


_INTEGRATION = "/api/v2/integrations/{integration_id}"
_BULK_COURSES = "/api/v2/bulk/integrations/{integration_id}/courses"
_OPERATIONS = "/api/v2/bulk/operations"

_READS_AND_WRITES: tuple[tuple[str, str, str, _Answer], ...] = (
    ("GET", "/api/v2/integrations", "integrations:read", lists.integrations),
    ("POST", "/api/v2/integrations", "integrations:write", _create_integration),
    ("PATCH", _INTEGRATION, "integrations:write", _change_integration),
    ("GET", _INTEGRATION + "/courses/{external_id:path}", "integrations:read", _external_course),
    ("GET", _OPERATIONS, "bulkOperations:read", lists.operations),
    ("GET", _OPERATIONS + "/{operation_id}", "bulkOperations:read", _operation),
    ("GET", _OPERATIONS + "/{operation_id}/results", "bulkOperations:read", _results),
    ("GET", "/api/v2/courses/stats", "courseStats:read", lists.course_statistics),
    ("GET", "/api/v2/courses", "courses:read", lists.courses),
    ("GET", "/api/v2/users", "users:read", lists.users),
    ("GET", "/api/v2/groups/{group_id}", "groups:read", _group),
)

_BULK: tuple[tuple[str, str, OperationType, int], ...] = (
    ("PUT", _BULK_COURSES, "importExternalCourses", rows.MAX_COURSES),
    ("DELETE", _BULK_COURSES, "archiveExternalCourses", rows.MAX_ARCHIVED),
    (
        "POST",
        "/api/v2/bulk/integrations/{integration_id}/stats",
        "importExternalStatistics",
        rows.MAX_STATISTICS,
    ),
)
