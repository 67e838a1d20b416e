"""A schema is compiled once into a check: a function from a value to what is wrong with it, or None.

Only what the bulk inputs need of JSON Schema; the words of the complaints are those of common validators.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sandbox.values import parse_ms

#: Looks at (value, its place in the row); returns a complaint or None.
Check = Callable[[Any, str], str | None]


def text(
    min_length: int = 0, one_of: Collection[str] = (), *, pattern: Callable[[str], bool] | None = None
) -> Check:
    """A string: long enough, one of the given ones, of the given form."""

    def check(value: object, place: str) -> str | None:
        if not isinstance(value, str):
            return f"{place} must be string"
        if len(value) < min_length:
            return f"{place} must NOT have fewer than {min_length} characters"
        if one_of and value not in one_of:
            return f"{place} must be equal to one of the allowed values"
        return f"{place} must match the expected format" if pattern and not pattern(value) else None

    return check


def number(minimum: float, maximum: float | None = None, *, integer: bool = False) -> Check:
    """A number within bounds; booleans are none."""
    kind = "integer" if integer else "number"

    def check(value: object, place: str) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or (integer and value % 1):
            return f"{place} must be {kind}"
        if value < minimum:
            return f"{place} must be >= {minimum}"
        return f"{place} must be <= {maximum}" if maximum is not None and value > maximum else None

    return check


def boolean(value: object, place: str) -> str | None:
    """True or false; a check by itself."""
    return None if isinstance(value, bool) else f"{place} must be boolean"


def date_time(value: object, place: str) -> str | None:
    """An RFC 3339 date-time; a check by itself."""
    if not isinstance(value, str):
        return f"{place} must be string"
    try:
        parse_ms(value)
    except (ValueError, OverflowError):
        return f'{place} must match format "date-time"'
    return None


def array(item: Check) -> Check:
    """A list whose items all pass."""

    def check(value: object, place: str) -> str | None:
        if not isinstance(value, list):
            return f"{place} must be array"
        return _first(item(entry, f"{place}/{number}") for number, entry in enumerate(value))

    return check


def record(fields: Mapping[str, Check], required: Sequence[str] = ()) -> Check:
    """An object whose known fields pass; further fields are allowed."""

    def check(value: object, place: str) -> str | None:
        if not isinstance(value, dict):
            return f"{place or 'input'} must be object"
        for name in required:
            if name not in value:
                return f"{place or 'input'} must have required property '{name}'"
        return _first(
            field(value[name], f"{place}/{name}") for name, field in fields.items() if name in value
        )

    return check


def _first(complaints: Any) -> str | None:  # noqa: ANN401
    return next((complaint for complaint in complaints if complaint), None)
