"""A schema is compiled once into a check: a function from a value to what is wrong with it, or None.

Only what the bulk inputs need of JSON Schema; the words of the complaints are those of common validators.
A complaint begins with the place in the value, which is put together only once there is something wrong:
millions of rows are looked at.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sandbox.values import parse_ms

#: Looks at a value; returns a complaint, such as "/name must be string", or None.
Check = Callable[[Any], str | None]


def complaint(check: Check, value: object) -> str | None:
    """What is wrong with a whole input, in words for its sender."""
    found = check(value)
    return f"input{found}" if found and not found.startswith("/") else found


def text(
    min_length: int = 0, one_of: Collection[str] = (), *, pattern: Callable[[str], bool] | None = None
) -> Check:
    """A string: long enough, one of the given ones, of the given form."""

    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return " must be string"
        if len(value) < min_length:
            return f" must NOT have fewer than {min_length} characters"
        if one_of and value not in one_of:
            return " must be equal to one of the allowed values"
        return " must match the expected format" if pattern and not pattern(value) else None

    return check


def number(minimum: float, maximum: float | None = None, *, integer: bool = False) -> Check:
    """A number within bounds; booleans are none."""
    kind = "integer" if integer else "number"

    def check(value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or (integer and value % 1):
            return f" must be {kind}"
        if value < minimum:
            return f" must be >= {minimum}"
        return f" must be <= {maximum}" if maximum is not None and value > maximum else None

    return check


def boolean(value: object) -> str | None:
    """True or false; a check by itself."""
    return None if isinstance(value, bool) else " must be boolean"


def date_time(value: object) -> str | None:
    """An RFC 3339 date-time; a check by itself."""
    if not isinstance(value, str):
        return " must be string"
    try:
        parse_ms(value)
    except (ValueError, OverflowError):
        return ' must match format "date-time"'
    return None


def array(item: Check) -> Check:
    """A list whose items all pass."""

    def check(value: object) -> str | None:
        if not isinstance(value, list):
            return " must be array"
        for number, entry in enumerate(value):
            if found := item(entry):
                return f"/{number}{found}"
        return None

    return check


def record(fields: Mapping[str, Check], required: Sequence[str] = ()) -> Check:
    """An object whose known fields pass; further fields are allowed."""

    def check(value: object) -> str | None:
        if not isinstance(value, dict):
            return " must be object"
        for name in required:
            if name not in value:
                return f" must have required property '{name}'"
        for name, field in fields.items():
            if name in value and (found := field(value[name])):
                return f"/{name}{found}"
        return None

    return check
