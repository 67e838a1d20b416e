"""One page of a listing, with the quirks that the real listings have, or could have."""

from collections.abc import Sequence

import orjson

from sandbox.coursera.options import CourseraOptions
from sandbox.values import Json


def page(elements: Sequence[Json], start: int, limit: int, options: CourseraOptions) -> bytes:
    """The page as it goes over the wire."""
    shown = _shifted(elements, start, options)
    size = _size(start, limit, options)
    # With duplicates a page reaches one element back, so that none is lost.
    first = start - 1 if options.duplicate_rows and start and size > 1 else start
    end = first + size
    is_last = end >= len(shown)
    if is_last:
        _reading_is_over(options)
    paging = _paging(start if options.stuck_cursor else end, is_last and not options.stuck_cursor, options)
    if not options.omit_total:
        paging["total"] = len(shown) + options.wrong_total
    return orjson.dumps({"elements": shown[first:end], "paging": paging, "linked": {}})


def _size(start: int, limit: int, options: CourseraOptions) -> int:
    size = min(limit, options.page_cap or limit)
    return max(1, size - 1 - start % 3) if options.short_pages else size


def _paging(cursor: int, is_last: bool, options: CourseraOptions) -> Json:  # noqa: FBT001 -- private, named at the call
    if is_last:
        return {}
    return {"next": cursor if options.numeric_next else str(cursor)}


def _shifted(elements: Sequence[Json], start: int, options: CourseraOptions) -> Sequence[Json]:
    """Without its head while the element there has not appeared yet, or once it has vanished."""
    if not options.shifting or options.shifting_readings == 0:
        return elements
    head_is_missing = (options.shifting == "appear") == (start == 0)
    return elements[1:] if head_is_missing else elements


def _reading_is_over(options: CourseraOptions) -> None:
    if options.shifting and options.shifting_readings:
        options.shifting_readings -= 1
