"""The sandbox of both platforms, as a process of its own."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from connectors.errors import SyncError

COMMAND = (sys.executable, "-m", "sandbox")


@dataclass(frozen=True)
class RunningSandbox:
    """A running sandbox: the settings that lead to it, and where it is controlled."""

    environment: dict[str, str]
    control: str


def serve(arguments: Sequence[str]) -> int:
    """Serve the sandbox until it is interrupted; returns its exit code."""
    with subprocess.Popen([*COMMAND, *arguments]) as process:  # noqa: S603 - our own module
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            return process.wait()


@contextmanager
def running_sandbox(arguments: Sequence[str] = ()) -> Iterator[RunningSandbox]:
    """Serve the sandbox while the context lasts; it ends with this process, however that ends."""
    command = [*COMMAND, "--while-stdin-open", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603
        try:
            yield _announced(process)
        finally:
            process.terminate()


def _announced(process: "subprocess.Popen[str]") -> RunningSandbox:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise SyncError("The sandbox did not start: run `python -m sandbox` to see why.")
    announcement = json.loads(line)
    return RunningSandbox(announcement["environment"], announcement["control"])
