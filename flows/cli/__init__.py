"""The command line: `main` is what `coursera-sync` starts."""

import signal
from types import FrameType


def main() -> None:
    """Run the command. An interrupt while its modules are imported is remembered, and breaks off none."""
    asked: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    in_background = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    numbers = [signal.SIGTERM] if in_background else [signal.SIGTERM, signal.SIGINT]
    for number in numbers:
        signal.signal(number, remember)
    from flows.cli import app  # noqa: PLC0415 - an interrupt is remembered by now

    def begin() -> None:
        for each in numbers:
            signal.signal(each, signal.default_int_handler)
        if asked:
            raise KeyboardInterrupt

    app.main(begin)


__all__ = ["main"]
