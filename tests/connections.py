"""What leads a connector to the sandbox: settings, and a clock on which waiting takes no time."""

import traceback
from typing import Any

from connectors.clock import Clock
from connectors.settings import CourseraSettings, Learning360Settings
from sandbox.clock import ManualClock
from sandbox.coursera.sign_in import Style
from sandbox.sandbox import Sandbox


def clock_on(clock: ManualClock, waits: list[float], *, random: float = 0.0) -> Clock:
    """Time as the clock tells it: a wait moves it on, and is noted in seconds."""

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock.advance(seconds=seconds)

    return Clock(now_ms=clock, monotonic=lambda: clock() / 1000, sleep=sleep, random=lambda: random)


def coursera_settings(sandbox: Sandbox, sign_in: Style = "refresh_token", **changes: str) -> CourseraSettings:
    """The settings that lead to the sandbox's Coursera, by either way of signing in."""
    given = _of("COURSERA_", sandbox.environment(sign_in))
    return CourseraSettings.model_validate(given | changes)


def learning360_settings(sandbox: Sandbox, **changes: str) -> Learning360Settings:
    """The settings that lead to the sandbox's 360Learning."""
    given = _of("LEARNING360_", sandbox.environment())
    return Learning360Settings.model_validate(given | changes)


def _of(prefix: str, environment: dict[str, str]) -> dict[str, Any]:
    return {
        name.removeprefix(prefix).lower(): value
        for name, value in environment.items()
        if name.startswith(prefix)
    }


def all_that_shows(error: BaseException) -> str:
    """An error as `--verbose` prints it, with all that led to it."""
    return "".join(traceback.format_exception(error))
