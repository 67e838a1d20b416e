"""Running a command as people do, and what it costs: wall and processor time, memory of its whole tree."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

PROC = Path("/proc")
TICK_SECONDS = 0.1
# The kernel goes through all pages to tell it, and who needs one meanwhile waits.
TICKS_A_LOOK_AT_MEMORY = 10
MIB = 2**20


@dataclass(frozen=True)
class Cost:
    """What a command cost: seconds, MiB, and the summary that it printed.

    ``processor`` is that of all its processes, ``server`` what of it Prefect's temporary server took;
    ``seconds`` is by the run's own watch, from when that server is up: how long that takes differs.
    """

    wall: float
    processor: float
    server: float
    peak_mib: float
    seconds: float
    summary: dict[str, Any]

    @property
    def own(self) -> float:
        """The processor time of the command itself, Prefect's part in its own process among it."""
        return self.processor - self.server

    def less(self, start: "Cost") -> "Cost":
        """The same without what an empty run costs in time; memory is what the whole took."""
        return replace(
            self,
            wall=self.wall - start.wall,
            processor=self.processor - start.processor,
            server=self.server - start.server,
            seconds=self.seconds - start.seconds,
        )


def measured(arguments: list[str], environment: Mapping[str, str]) -> Cost:
    """Run `coursera-sync` with these arguments; raises where it fails."""
    return _run([sys.executable, "-m", "flows.cli", *arguments, "--json"], environment)


def python_script(path: Path, environment: Mapping[str, str]) -> Cost:
    """Run a script whose last line of output is JSON."""
    return _run([sys.executable, str(path)], environment)


def _run(command: list[str], environment: Mapping[str, str]) -> Cost:
    began = time.monotonic()
    with subprocess.Popen(  # noqa: S603 - our own command
        command, env=os.environ | dict(environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        watch = _Watch(process.pid)
        out, err = process.communicate()
        wall = time.monotonic() - began
        watch.stop()
    lines = out.decode().splitlines()
    if not lines or process.returncode not in {0, 3}:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {err.decode()[-2000:]}")
    summary = json.loads(lines[-1])
    seconds = summary.get("seconds", wall)
    processor, server = watch.processor_seconds, watch.server_seconds
    return Cost(wall, processor, server, watch.peak_bytes / MIB, seconds, summary)


class _Watch:
    """Looks at a process and its descendants ten times a second, once a second at their memory."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._seconds: dict[int, float] = {}
        self._servers: set[int] = set()
        self.peak_bytes = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self._thread.start()

    @property
    def processor_seconds(self) -> float:
        """User and system time of all processes, as they were last seen."""
        return sum(self._seconds.values())

    @property
    def server_seconds(self) -> float:
        """The same of Prefect's temporary server alone."""
        return sum(self._seconds[pid] for pid in self._servers)

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _look_on(self) -> None:
        for tick in count():
            if self._ended.wait(TICK_SECONDS):
                return
            is_due = tick % TICKS_A_LOOK_AT_MEMORY == 0
            held = 0
            for pid in _tree(self._pid):
                with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                    self._seconds[pid] = _seconds(pid)
                    if _is_server(pid):
                        self._servers.add(pid)
                    held += _pss_bytes(pid) if is_due else 0
            self.peak_bytes = max(self.peak_bytes, held)


def _seconds(pid: int) -> float:
    """User and system time so far."""
    fields = (PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _is_server(pid: int) -> bool:
    """Whether it is Prefect's server; one that is just ending has no command line any more."""
    return b"prefect.server" in (PROC / str(pid) / "cmdline").read_bytes()


def _pss_bytes(pid: int) -> int:
    """Resident memory, where what several processes share, as their libraries, counts once."""
    rollup = (PROC / str(pid) / "smaps_rollup").read_text()
    return int(rollup.partition("Pss:")[2].split()[0]) * 1024


def _tree(pid: int) -> list[int]:
    """A process and its descendants: children are those of any of its threads."""
    try:
        threads = list((PROC / str(pid) / "task").iterdir())
        found = [child for thread in threads for child in (thread / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [pid, *(one for child in found for one in _tree(int(child)))]
