"""A command as a process of its own, killed with all of its group at a chosen request."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from sandbox.clock import system_clock
from sandbox.faults import Fault
from tests.installation import Sync

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 240


@dataclass
class Death(Fault):
    """A rule that kills a process group at the request that it hits."""

    group: int = 0

    def take(self, method: str, path: str, platform: str) -> bool:
        """Whether this request is hit; then nobody is left to read the answer."""
        is_hit = super().take(method, path, platform)
        if is_hit:
            with suppress(ProcessLookupError):
                os.killpg(self.group, signal.SIGKILL)
        return is_hit


def killed(sync: Sync, arguments: list[str], death: Death, home: Path) -> bool:
    """Run the command until death comes; False where it came to its end before that."""
    options = sync.sandbox.learning360.options
    before = options.operation_base_ms, options.rows_per_second
    # The sandbox's clock stands still while the process waits by its own.
    options.operation_base_ms = options.rows_per_second = 0
    sync.sandbox.faults.rules.append(death)
    shift = sync.clock() - system_clock()
    environment = os.environ | sync.environment() | {"PREFECT_API_URL": sync.prefect_api}
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "tests.soak.shifted", str(shift), *arguments],
        cwd=ROOT,
        env=environment | {"PREFECT_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        death.group = process.pid
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode in {-signal.SIGKILL, 0, 3}, said
    sync.sandbox.faults.rules.remove(death)
    options.operation_base_ms, options.rows_per_second = before
    _free_slots(sync.prefect_api)
    return process.returncode == -signal.SIGKILL


def _free_slots(prefect_api: str) -> None:
    """Give back the slots that the dead have held: Prefect's test server runs without what would do it."""
    limits = f"{prefect_api}/v2/concurrency_limits"
    for limit in httpx.post(f"{limits}/filter", json={}).raise_for_status().json():
        httpx.patch(f"{limits}/{limit['id']}", json={"active_slots": 0}).raise_for_status()
