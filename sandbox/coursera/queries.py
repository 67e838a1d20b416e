"""The filters of Coursera's listings: from query parameters to elements; what is unknown is a 400."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from sandbox.coursera.sign_in import api_error
from sandbox.values import Json
from sandbox.web import RefusedError
from sandbox.world import World
from sandbox.world.contents import COURSE, SPECIALIZATION, UNKNOWN_TYPE, VIDEO

Query = Mapping[str, str]
T = TypeVar("T")

PAGING = {"start", "limit"}
MAX_LIMIT, DEFAULT_LIMIT = 1_000, 100

_CONTENT_TYPES = {COURSE, SPECIALIZATION, VIDEO, UNKNOWN_TYPE}
_TRUTHS = {"true": True, "false": False}


def start_and_limit(query: Query) -> tuple[int, int]:
    """The page that is asked for."""
    start, limit = whole(query, "start", 0), whole(query, "limit", DEFAULT_LIMIT)
    if start < 0 or not 1 <= limit <= MAX_LIMIT:
        raise _bad(f"start must be at least 0, limit from 1 to {MAX_LIMIT}")
    return start, limit


def programs(world: World, query: Query) -> list[Json]:
    """The programs, with the ids of their contents unless `excludeContent` is true."""
    _only(query, {"excludeContent"})
    if truth(query, "excludeContent"):
        return world.programs
    return [program | {"contentIds": _content_ids(world, program["id"])} for program in world.programs]


def contents(world: World, query: Query) -> list[Json]:
    """The catalog. A program's contents still name all their programs."""
    _only(query, {"q", "programIds", "contentType", "modifiedSinceTimestamp"})
    found: list[Json] = world.contents
    if "modifiedSinceTimestamp" in query:
        found = _changed_since(world, whole(query, "modifiedSinceTimestamp", 0))
    if _finder(query, {"byProgramIds": ("programIds",)}):
        wanted = set(query["programIds"].split(","))
        found = [element for element in found if wanted & _program_ids(element)]
    if "contentType" in query:
        wanted_type = _known_type(query["contentType"])
        found = [element for element in found if element.get("contentType") == wanted_type]
    return found


def enrollment_reports(world: World, query: Query) -> list[Json]:
    """The report rows. Specializations and deleted members show only when asked for."""
    _only(query, _REPORT_PARAMETERS)
    truth(query, "includeExpiredContracts")
    checks = [*_program_checks(query), *_date_checks(query)]
    if not truth(query, "includeS12n"):
        checks.append(lambda row: row.get("contentType") != SPECIALIZATION)
    if not truth(query, "includeDeletedMembers"):
        checks.append(lambda row: row.get("membershipState") != "DELETED")
    found: Iterable[Json] = world.reports
    for check in checks:
        found = filter(check, found)
    return list(found)


_DATE_PARAMETERS = {"lastActivityAfter": "lastActivityAt", "completedAtAfter": "completedAt"}
_REPORT_PARAMETERS = {
    *("q", "programId", "externalId", "includeS12n", "includeDeletedMembers", "includeExpiredContracts"),
    *_DATE_PARAMETERS,
}
_Check = Callable[[Json], bool]


def _program_checks(query: Query) -> list[_Check]:
    finders = {"byProgramId": ("programId",), "byUserProgramId": ("programId", "externalId")}
    return [_equals(name, query[name]) for name in _finder(query, finders)]


def _equals(name: str, value: str) -> _Check:
    return lambda row: row.get(name) == value


def _date_checks(query: Query) -> list[_Check]:
    return [_after(field, whole(query, name, 0)) for name, field in _DATE_PARAMETERS.items() if name in query]


def _after(field: str, bound_ms: int) -> _Check:
    """Strictly after; a row without the date does not match."""

    def check(row: Json) -> bool:
        moment = row.get(field)
        return isinstance(moment, int) and moment > bound_ms

    return check


def _finder(query: Query, finders: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The parameters of the finder that `q` names; empty without `q`."""
    if "q" not in query:
        return ()
    names = _look_up(finders, query["q"], f"unknown finder: {query['q']}")
    missing = [name for name in names if not query.get(name)]
    if missing:
        raise _bad(f"missing parameter: {missing[0]}")
    return names


def _changed_since(world: World, since_s: int) -> list[Json]:
    """Elements changed at or after that second, those removed among them, each with `changes`."""
    elements = [*world.contents, *world.removed.values()]
    return [
        element | {"changes": [_change(world, element)]}
        for element in elements
        if _updated_s(element) >= since_s
    ]


def _updated_s(element: Json) -> int:
    moment = element.get("lastUpdatedAt")
    return moment if isinstance(moment, int) else 0


def _change(world: World, element: Json) -> Json:
    noted = world.changes.get(element["id"])
    if noted is None:
        return {"changeType": "MODIFIED", "programIds": sorted(_program_ids(element))}
    return {"changeType": noted["changeType"], "programIds": noted["programIds"]}


def _program_ids(element: Json) -> set[str]:
    return {place["programId"] for place in element.get("programs") or ()}


def _content_ids(world: World, program_id: str) -> list[str]:
    return [element["contentId"] for element in world.contents if program_id in _program_ids(element)]


def _known_type(value: str) -> str:
    if value not in _CONTENT_TYPES:
        raise _bad(f"unknown contentType: {value}")
    return value


def whole(query: Query, name: str, default: int) -> int:
    """A whole number out of the query."""
    value = query.get(name, str(default))
    if not value.removeprefix("-").isdecimal():
        raise _bad(f"{name} is not a whole number: {value}")
    return int(value)


def truth(query: Query, name: str) -> bool:
    """True or false out of the query; false where it is absent."""
    value = query.get(name, "false")
    return _look_up(_TRUTHS, value, f"{name} is neither true nor false: {value}")


def _look_up(known: Mapping[str, T], value: str, complaint: str) -> T:
    if value not in known:
        raise _bad(complaint)
    return known[value]


def _only(query: Query, known: set[str]) -> None:
    unknown = sorted(set(query) - known - PAGING)
    if unknown:
        raise _bad(f"unknown parameter: {unknown[0]}")


def _bad(message: str) -> RefusedError:
    return api_error(400, "Bad Request", message)
