"""Filters in LHS brackets (`name[op]=value`) and pages told by a `Link` header."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request

from sandbox.clock import SECOND_MS
from sandbox.learning360.errors import unwritten
from sandbox.values import parse_ms
from sandbox.web import JsonResponse

_BRACKETS = re.compile(r"^(\w+)\[(\w+)\](\[\d*\])?$")

#: (name, operator) → its values; an array arrives as repeated parameters, with or without `[]`.
Filters = dict[tuple[str, str], list[str]]


class Field(NamedTuple):
    """A filterable property: the operators it knows, how it is read off an item."""

    operators: tuple[str, ...]
    read: Callable[[Any], Any]


def equality(read: Callable[[Any], Any]) -> Field:
    """A property with every operator for plain values."""
    return Field(("eq", "ne", "in", "nin"), read)


def dates(read: Callable[[Any], int | None]) -> Field:
    """A date, read as epoch milliseconds or None."""
    return Field(("lt", "gte"), read)


def parse(request: Request, fields: Mapping[str, Field]) -> Filters:
    """The request's filters; raises a 400 for one that the list does not know."""
    found: Filters = {}
    for key, value in request.query_params.multi_items():
        if key == "cursor":
            continue
        match = _BRACKETS.match(key)
        name, operator = (match[1], match[2]) if match else (key, "")
        if name not in fields or operator not in fields[name].operators:
            raise unwritten(f"unknown filter: {key}")
        found.setdefault((name, operator), []).append(value)
    return found


def apply(filters: Filters, fields: Mapping[str, Field], items: Sequence[Any]) -> Sequence[Any]:
    """The items that pass every filter; the sequence itself without one."""
    tests = [_test(operator, fields[name].read, values) for (name, operator), values in filters.items()]
    return [item for item in items if all(test(item) for test in tests)] if tests else items


def _test(operator: str, read: Callable[[Any], Any], values: list[str]) -> Callable[[Any], bool]:
    if operator in ("lt", "gte"):
        bound_ms = _whole_second(values[-1])
        return _before(read, bound_ms) if operator == "lt" else _from(read, bound_ms)
    wanted = frozenset(values)
    if operator in ("eq", "in"):
        return lambda item: read(item) in wanted
    return lambda item: read(item) not in wanted


def _before(read: Callable[[Any], int | None], bound_ms: int) -> Callable[[Any], bool]:
    return lambda item: (moment := read(item)) is not None and moment < bound_ms


def _from(read: Callable[[Any], int | None], bound_ms: int) -> Callable[[Any], bool]:
    return lambda item: (moment := read(item)) is not None and moment >= bound_ms


def _whole_second(text: str) -> int:
    """The platform sets the milliseconds of a date filter to 0."""
    try:
        return parse_ms(text) // SECOND_MS * SECOND_MS
    except ValueError as error:
        raise unwritten(str(error)) from error


def page(
    request: Request,
    items: Sequence[Any],
    size: int,
    show: Callable[[Any], Any],
    *,
    newest_first: bool = False,
    relative: bool = False,
) -> JsonResponse:
    """One page of the items.

    The cursor counts from the side that does not grow: from the front of a list that new items join at its
    end, from the end of one that lists the newest first.
    """
    start = _start(request.query_params.get("cursor", ""), len(items), newest_first=newest_first)
    end = start + size
    headers = {}
    if end < len(items):
        cursor = len(items) - end if newest_first else end
        headers["Link"] = f'<{_url(request, cursor, relative=relative)}>; rel="next"'
    return JsonResponse([show(item) for item in items[start:end]], headers=headers)


def _start(cursor: str, length: int, *, newest_first: bool) -> int:
    if not cursor:
        return 0
    if not cursor.isdecimal():
        raise unwritten(f"unknown cursor: {cursor}")
    return max(0, length - int(cursor)) if newest_first else int(cursor)


def _url(request: Request, cursor: int, *, relative: bool) -> str:
    url = request.url.include_query_params(cursor=cursor)
    return f"{url.path}?{url.query}" if relative else str(url)
