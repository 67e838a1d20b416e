"""What of a catalog some programs have."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any


def of_programs(elements: Iterable[object], programs: Collection[str]) -> Iterator[object]:
    """The catalog's elements that some programs have, each with those of its programs alone.

    An element that does not tell its programs passes: whoever maps it rejects it with its reason.
    """
    return (one for element in elements if (one := _narrowed(element, programs)) is not None)


def _narrowed(element: object, programs: Collection[str]) -> object | None:
    if not isinstance(element, dict) or not isinstance(element.get("programs"), list):
        return element
    theirs = [one for one in element["programs"] if _program_id(one) in programs]
    return {**element, "programs": theirs} if theirs else None


def _program_id(program: Any) -> str | None:  # noqa: ANN401 - whatever JSON holds
    return program.get("programId") if isinstance(program, dict) else None
