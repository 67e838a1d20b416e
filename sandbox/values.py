"""The small values both platforms speak: JSON objects, ISO dates, 24-digit ids."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sandbox.clock import SECOND_MS, Clock

#: A JSON object as it travels.
Json = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE_TIME = re.compile(r"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$")
_OBJECT_ID = re.compile(r"^[a-fA-F0-9]{24}$")


def iso(ms: int) -> str:
    """Epoch milliseconds as `YYYY-MM-DDThh:mm:ss.sssZ`."""
    moment = _EPOCH + timedelta(milliseconds=ms)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


@lru_cache(maxsize=1_000)  # a row's dates are checked, and then used
def parse_ms(text: str) -> int:
    """An RFC 3339 date-time as epoch milliseconds, finer digits cut off; ValueError when it is none."""
    if not _DATE_TIME.match(text):
        raise ValueError(f"not a date-time: {text}")
    moment = datetime.fromisoformat(text.upper())
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def is_object_id(text: str) -> bool:
    """Whether the text has the form of a 360Learning id: 24 hexadecimal digits."""
    return bool(_OBJECT_ID.match(text))


class ObjectIds:
    """24-digit hexadecimal ids: the second they were made in, a mark of the maker, a counter."""

    def __init__(self, clock: Clock, mark: int = 0x5A9DB0C0DE) -> None:
        self._clock = clock
        self._mark = mark
        self._count = 0

    def __call__(self) -> str:
        """One more id."""
        self._count += 1
        return f"{self._clock() // SECOND_MS & 0xFFFFFFFF:08x}{self._mark:010x}{self._count & 0xFFFFFF:06x}"
