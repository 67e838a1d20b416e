"""The vendor's published contract, held against requests: path, method, parameters, headers and body."""

import copy
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import httpx
import orjson
from jsonschema import Draft202012Validator, FormatChecker

Json = dict[str, Any]

#: Only in links that the platform itself gives, so that the contract does not name it.
FOLLOWED = {"cursor"}
_DEEP_OBJECT = re.compile(r"^(\w+)\[(\w+)\]$")
_METHODS = ("get", "put", "post", "patch", "delete")
_FORMATS = FormatChecker(formats=())


def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


_FORMATS.checks("date-time", raises=ValueError)(_is_date_time)


class Contract:
    """An OpenAPI document as a judge of requests. What it does not name is not allowed."""

    def __init__(self, document: Json) -> None:
        self._components = _strict(copy.deepcopy(document["components"]))
        self._operations = {
            (method.upper(), path): operation
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
            if method in _METHODS
        }

    def operation_of(self, request: httpx.Request) -> tuple[str, str]:
        """The method and the path's template that a request is of; KeyError where it is of none."""
        path = request.url.raw_path.decode().partition("?")[0]
        templates = [
            template
            for method, template in self._operations
            if method == request.method and _pattern(template).fullmatch(path)
        ]
        if not templates:
            raise KeyError(f"{request.method} {path}")
        # The most literal template wins: `/courses/stats` is also of the form `/courses/{id}`.
        return request.method, min(templates, key=lambda template: template.count("{"))

    def problems(self, request: httpx.Request) -> list[str]:
        """All that is wrong with a request; nothing where it is valid."""
        try:
            method, template = self.operation_of(request)
        except KeyError as error:
            return [f"there is no operation {error}"]
        operation = self._operations[method, template]
        found = [
            *self._in_parameters(operation, _given(request, template)),
            *self._in_body(operation.get("requestBody"), request),
        ]
        if operation.get("security") and not request.headers.get("authorization", "").startswith("Bearer "):
            found.append("there is no bearer token")
        return found

    def problems_of(self, component: str, value: object) -> list[str]:
        """All that is wrong with a value that is to be of a component's schema."""
        return list(self._against({"$ref": f"#/components/schemas/{component}"}, value))

    def _in_parameters(self, operation: Json, given: dict[tuple[str, str], Any]) -> Iterator[str]:
        described = {(one["in"], one["name"]): one for one in operation.get("parameters", [])}
        for place in given.keys() - described.keys():
            yield f"unknown {place[0]} parameter: {place[1]}"
        for place, parameter in described.items():
            if place in given:
                for problem in self._against(_strict(parameter["schema"]), given[place]):
                    yield f"{place[1]}: {problem}"
            elif parameter.get("required"):
                yield f"missing {place[0]} parameter: {place[1]}"

    def _in_body(self, described: Json | None, request: httpx.Request) -> Iterator[str]:
        if described is None:
            if request.content:
                yield "a body where there is to be none"
            return
        if request.headers.get("content-type") != "application/json":
            yield "the body is not said to be JSON"
        yield from self._against(
            described["content"]["application/json"]["schema"], orjson.loads(request.content)
        )

    def _against(self, schema: Json, value: object) -> Iterator[str]:
        judge = Draft202012Validator(schema | {"components": self._components}, format_checker=_FORMATS)
        return (f"{error.json_path}: {error.message}" for error in judge.iter_errors(value))


def _given(request: httpx.Request, template: str) -> dict[tuple[str, str], Any]:
    """The parameters that a request carries, by where they are and what they are called."""
    given: dict[tuple[str, str], Any] = {}
    match = _pattern(template).fullmatch(request.url.raw_path.decode().partition("?")[0])
    assert match is not None
    given |= {("path", name): unquote(value) for name, value in match.groupdict().items()}
    if "360-api-version" in request.headers:
        given["header", "360-api-version"] = request.headers["360-api-version"]
    for key in request.url.params:
        if key not in FOLLOWED:
            name, value = _deep_object(key, request.url.params.get_list(key))
            given["query", name] = given.get(("query", name), {}) | value
    return given


def _deep_object(key: str, values: list[str]) -> tuple[str, Json]:
    """A filter in brackets; `in` and `nin` take lists."""
    match = _DEEP_OBJECT.match(key)
    if match is None:
        return key, {"": values}
    name, operator = match.groups()
    return name, {operator: values if operator in {"in", "nin"} else ",".join(values)}


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template)))


def _strict(schema: Any) -> Any:
    """A schema by which an object may have only the properties that it names."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: _strict(part) for name, part in schema.items()}
    names_properties = isinstance(strict.get("properties"), dict)
    return {"additionalProperties": False, **strict} if names_properties else strict
