"""Time and chance, handed in so that tests need neither."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


def _epoch_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Surroundings:
    """What a client takes from the world around it.

    ``now_ms`` is epoch milliseconds (UTC), ``monotonic`` seconds that never go back, ``sleep`` waits that
    many seconds, ``chance`` gives a number from 0 up to 1.
    """

    now_ms: Callable[[], int] = _epoch_ms
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random
