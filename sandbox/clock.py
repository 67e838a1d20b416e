"""The clock that everything here reads: epoch milliseconds in UTC, handed in and never reached for."""

import time
from collections.abc import Callable

Clock = Callable[[], int]

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

#: 2026-01-15T08:00:00Z, where a `ManualClock` starts unless told otherwise.
MANUAL_START_MS = 1_768_464_000_000


def system_clock() -> int:
    """Now, by this machine, in epoch milliseconds."""
    return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that moves only when it is told to."""

    def __init__(self, now_ms: int = MANUAL_START_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        """Now, in epoch milliseconds."""
        return self.now_ms

    def set(self, now_ms: int) -> None:
        """Put the clock at a moment, in epoch milliseconds."""
        self.now_ms = now_ms

    def advance(self, *, ms: int = 0, seconds: float = 0, hours: float = 0, days: float = 0) -> int:
        """Move the clock forward; returns the new moment in epoch milliseconds."""
        self.now_ms += ms + round(seconds * SECOND_MS + hours * HOUR_MS + days * DAY_MS)
        return self.now_ms
