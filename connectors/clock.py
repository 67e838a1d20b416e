"""Time, and random numbers to spread waits: handed in, so that tests need neither."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

DAY_MS = 86_400_000
# By so much clocks may differ.
CLOCK_TOLERANCE_MS = 5 * 60_000


def _epoch_ms() -> int:
    return time.time_ns() // 1_000_000


def utc(epoch_ms: int) -> datetime:
    """A moment (epoch milliseconds) in UTC."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)


@dataclass(frozen=True)
class Clock:
    """What tells the time and waits.

    ``now_ms`` is epoch milliseconds (UTC), ``monotonic`` seconds that never go back, ``sleep`` waits that
    many seconds, ``random`` gives a number from 0 up to 1.
    """

    now_ms: Callable[[], int] = _epoch_ms
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
