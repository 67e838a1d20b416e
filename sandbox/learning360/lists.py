"""The lists that 360Learning's API can be asked for."""

from collections.abc import Sequence

from starlette.requests import Request

from sandbox.learning360 import filters
from sandbox.learning360.attempts import Attempt
from sandbox.learning360.courses import ExternalCourse
from sandbox.learning360.filters import Field, dates, equality
from sandbox.learning360.operations import Operation
from sandbox.learning360.state import Learning360
from sandbox.values import Json
from sandbox.web import JsonResponse

INTEGRATIONS_PAGE, OPERATIONS_PAGE, PAGE = 100, 20, 500

_EQUAL = ("eq",)
_INTEGRATION_FIELDS = {"externalPlatform": equality(lambda integration: integration["externalPlatform"])}
_STATISTIC_FIELDS = {
    "completedAt": dates(lambda attempt: attempt.completed_ms),
    "courseId": equality(lambda attempt: attempt.course_id),
    "userId": equality(lambda attempt: attempt.user_id),
}
_USER_FIELDS = {
    "mail": equality(lambda user: user.get("mail")),
    "username": equality(lambda user: user.get("username")),
    "status": Field(("eq", "ne"), lambda user: user["status"]),
}


def integrations(platform: Learning360, request: Request) -> JsonResponse:
    """All integrations, a hundred to a page."""
    wanted = filters.parse(request, _INTEGRATION_FIELDS)
    found = filters.apply(wanted, _INTEGRATION_FIELDS, list(platform.integrations.values()))
    return _page(platform, request, found, INTEGRATIONS_PAGE)


def operations(platform: Learning360, request: Request) -> JsonResponse:
    """All bulk operations, newest first, twenty to a page."""
    now_ms = platform.clock()

    def status(operation: Operation) -> str:
        return operation.status(now_ms)

    def show(operation: Operation) -> Json:
        return operation.to_json(now_ms)

    fields = {
        "createdAt": dates(lambda operation: operation.created_ms),
        "status": Field(_EQUAL, status),
        "type": Field(_EQUAL, lambda operation: operation.type),
    }
    found = filters.apply(filters.parse(request, fields), fields, platform.operations.listed())
    size, relative = _size(platform, OPERATIONS_PAGE), platform.options.relative_urls
    return filters.page(request, found, size, show, newest_first=True, relative=relative)


def course_statistics(platform: Learning360, request: Request) -> JsonResponse:
    """All attempts in the order of their making, five hundred to a page."""
    platform.operations.settle()
    wanted = filters.parse(request, _STATISTIC_FIELDS)
    found = filters.apply(wanted, _STATISTIC_FIELDS, _candidates(platform, wanted))
    return filters.page(
        request, found, _size(platform, PAGE), Attempt.to_json, relative=platform.options.relative_urls
    )


def courses(platform: Learning360, request: Request) -> JsonResponse:
    """All courses, archived ones too, five hundred to a page."""
    platform.operations.settle()

    def integration(course: ExternalCourse) -> Json:
        return platform.integrations[course.integration_id]

    def show(course: ExternalCourse) -> Json:
        return course.to_course_json(integration(course))

    def author_id(course: ExternalCourse) -> str:
        return course.author_id(integration(course))

    fields = {
        "createdAt": dates(lambda course: course.created_ms),
        "modifiedAt": dates(lambda course: course.modified_ms),
        "status": Field(_EQUAL, lambda course: "archived" if course.archived else "published"),
        "type": Field(_EQUAL, lambda _: "external"),
        "authorId": Field(_EQUAL, author_id),
        "originalAuthorId": Field(_EQUAL, author_id),
        "groupId": Field(_EQUAL, lambda course: integration(course)["groupId"]),
        "sourceLang": Field(("eq", "in"), lambda course: course.lang),
        "collaborativeLearning": Field(_EQUAL, lambda _: "false"),
    }
    living = [
        course for course in platform.courses.by_id.values() if course.integration_id in platform.integrations
    ]
    found = filters.apply(filters.parse(request, fields), fields, living)
    return filters.page(request, found, _size(platform, PAGE), show, relative=platform.options.relative_urls)


def users(platform: Learning360, request: Request) -> JsonResponse:
    """All users, deleted ones too, five hundred to a page."""
    wanted = filters.parse(request, _USER_FIELDS)
    found = filters.apply(wanted, _USER_FIELDS, list(platform.users.values()))
    return _page(platform, request, found, PAGE)


def _candidates(platform: Learning360, wanted: filters.Filters) -> Sequence[Attempt]:
    """The attempts that can match at all, by the indexes where the filters name courses or users."""
    for operator in ("eq", "in"):
        if ("courseId", operator) in wanted:
            return platform.attempts.at_courses(wanted["courseId", operator])
        if ("userId", operator) in wanted:
            return platform.attempts.of_users(wanted["userId", operator])
    return platform.attempts.all


def _page(platform: Learning360, request: Request, found: Sequence[Json], size: int) -> JsonResponse:
    relative = platform.options.relative_urls
    return filters.page(request, found, _size(platform, size), lambda item: item, relative=relative)


def _size(platform: Learning360, documented: int) -> int:
    return min(documented, platform.options.page_cap or documented)
