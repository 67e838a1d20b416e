"""`coursera-sync serve` as tests run it: a real server and worker, with a sign-in, led to the sandbox."""

import contextlib
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

import httpx

T = TypeVar("T")

SIGN_IN = "keeper:house-password"
COMMAND = [sys.executable, "-m", "flows.cli"]
ROOT = Path(__file__).parents[1]
START_SECONDS = 150.0
# Prefect's server waits a minute for its SQLite before it says that it is busy, and must then be asked again.
ANSWER_SECONDS = 90.0
PATIENCE_SECONDS = 240.0
# Looked for work, and for leases that have run out, every second.
QUICK = {
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "1",
}


class RunningServer:
    """A server that runs, or ran, in a folder.

    Without ``sign_in`` it makes one, and says it at the terminal that it then has for its messages.
    """

    def __init__(self, folder: Path, settings: dict[str, str], sign_in: str | None = SIGN_IN) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.home = folder / "home"
        self.said: list[str] = []
        self._folder = folder
        self._settings = settings
        self._signs_in = {"PREFECT_API_AUTH_STRING": sign_in} if sign_in else {}
        self._auth_file = None if sign_in is None else folder / "sign-in"
        if self._auth_file is not None:
            self._auth_file.write_text(str(sign_in))
            self._auth_file.chmod(0o600)
        self.api = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}/api",
            auth=tuple(sign_in.split(":", 1)) if sign_in else None,  # type: ignore[arg-type]
            timeout=ANSWER_SECONDS,
            trust_env=False,
        )

    def environment(self, **settings: str) -> dict[str, str]:
        """The environment of a command on a machine that knows the server."""
        ours = ("COURSERA_", "LEARNING360_", "SYNC_", "PREFECT_")
        outside = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        server = {
            "PREFECT_API_URL": str(self.api.base_url).rstrip("/"),
            "PREFECT_HOME": str(self._folder / "elsewhere"),
            "XDG_STATE_HOME": str(self._folder / "state"),
        }
        return outside | server | self._signs_in | settings

    def start(self) -> None:
        """Start it, and wait until it says that it is ready."""
        self.said = []
        command = [*COMMAND, "serve", "--port", str(self.port), "--home", str(self.home)]
        reads, writes = os.pipe() if self._auth_file else pty.openpty()
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            [*command, *(["--auth-file", str(self._auth_file)] if self._auth_file else [])],
            cwd=self._folder,
            env=self.environment(**self._settings, **QUICK),
            stderr=writes,
        )
        os.close(writes)
        self._listener = threading.Thread(target=self._listen, args=(os.fdopen(reads, encoding="utf-8"),))
        self._listener.start()
        eventually(self._is_ready, lambda: self._process.poll() is None, START_SECONDS)

    def stop(self) -> int:
        """End it as a service manager would; returns its exit code."""
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(PATIENCE_SECONDS)
        self._listener.join()
        return code

    def kill(self) -> None:
        """Kill the process that keeps it, as a machine short of memory does."""
        self._process.kill()
        self._process.wait()
        self._listener.join()

    def is_kept(self) -> bool:
        """Whether the process that keeps it is there."""
        return self._process.poll() is None

    def processes(self) -> list[int]:
        """All its processes, by what they were told of their home."""
        mark = f"PREFECT_HOME={self.home}\0".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):  # it has ended, or is another user's
                found += [int(path.parent.name)] if mark in path.read_bytes() else []
        return found

    def _listen(self, stream: IO[str]) -> None:
        with stream, contextlib.suppress(OSError):  # a terminal ends so
            self.said.extend(stream)

    def _is_ready(self) -> bool:
        return any("Ready." in line for line in self.said)

    def command(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of ours on a machine that knows the server."""
        return subprocess.run(  # noqa: S603 - our own command
            [*COMMAND, *arguments],
            cwd=self._folder,
            env=self.environment(**settings),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    def ask(self, path: str, body: object = None) -> Any:
        """Ask the server's API: POST with a body, else GET; again while its SQLite is busy."""
        method = "GET" if body is None else "POST"

        def answer() -> httpx.Response | None:
            response = self.api.request(method, path, json=body)
            return None if response.status_code == httpx.codes.SERVICE_UNAVAILABLE else response

        return eventually(answer).raise_for_status().json()

    def run(self, deployment: str, **parameters: Any) -> dict[str, Any]:
        """Have the worker run a deployment, and wait for its end; returns the flow run."""
        flow_run_id = self.begin(deployment, **parameters)
        return eventually(lambda: self._ended(flow_run_id))

    def begin(self, deployment: str, **parameters: Any) -> str:
        """Have the worker run a deployment; returns the flow run's id."""
        found = self.ask(f"/deployments/name/{deployment}/{deployment}")
        created = self.ask(f"/deployments/{found['id']}/create_flow_run", {"parameters": parameters})
        return str(created["id"])

    def state_of(self, flow_run_id: str) -> str:
        """The name of the state that a flow run is in."""
        return str(self.ask(f"/flow_runs/{flow_run_id}")["state_name"])

    def _ended(self, flow_run_id: str) -> dict[str, Any] | None:
        flow_run: dict[str, Any] = self.ask(f"/flow_runs/{flow_run_id}")
        ended = flow_run["state_type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
        return flow_run if ended else None

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of a name that the server knows."""
        found: list[dict[str, Any]] = self.ask("/events/filter", {"filter": {"event": {"name": [name]}}})[
            "events"
        ]
        return found

    def block(self, slug: str) -> dict[str, Any]:
        """What the block `default` of a type holds, in clear."""
        path = f"/block_types/slug/{slug}/block_documents/name/default?include_secrets=true"
        held: dict[str, Any] = self.ask(path)["data"]
        return held


def eventually(
    look: Callable[[], T | None],
    may_go_on: Callable[[], bool] = lambda: True,
    seconds: float = PATIENCE_SECONDS,
) -> T:
    """Look until there is something to see; bounded, since what is waited for may never come."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):  # an empty answer is none yet
        assert may_go_on(), "it ended by itself"
        assert time.monotonic() < deadline, f"nothing came of it within {seconds:.0f} s"
        time.sleep(0.1)
    return seen


def last_json(text: str) -> dict[str, Any]:
    """The JSON object on the last line."""
    found: dict[str, Any] = json.loads(text.splitlines()[-1])
    return found
