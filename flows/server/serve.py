"""`coursera-sync serve`: Prefect's server and UI, the schedules and a worker, on one machine.

Each is a process in a session of its own, so that an interrupt at the terminal reaches this one alone and the
others are ended in order: the worker first, which still has something to tell the server. Where this one is
killed they die with it, on Linux.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

import httpx
import typer
from filelock import FileLock, Timeout

from connectors.errors import SettingsError, SyncError
from connectors.settings import is_loopback
from flows.server.home import AUTH_VARIABLE, ServerHome, open_home, project_folder
from flows.server.sign_in import announced

START_SECONDS = 120.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.25
PYTHON_M = (sys.executable, "-m")
# As `prefect server start` runs it, but for the app.
SERVER = (*PYTHON_M, "uvicorn", "--factory", "flows.server.guarded:create_app", "--log-level", "warning")
REGISTER = (*PYTHON_M, "flows.cli", "register")
DEPLOY = (*PYTHON_M, "prefect", "--no-prompt", "deploy", "--all")
WORKER = (*PYTHON_M, "prefect", "worker", "start", "--pool", "coursera-sync", "--type", "process")
# prctl's option that has the kernel send a signal to a process whose parent has died.
PR_SET_PDEATHSIG = 1
DIE_WITH_PARENT = (
    partial(ctypes.CDLL(None).prctl, PR_SET_PDEATHSIG, signal.SIGKILL) if sys.platform == "linux" else None
)


class _StoppedError(Exception):
    """Somebody asked for the end."""


@dataclass(frozen=True)
class _Child:
    """A process beside the others, and where what it says can be read."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def require_running(self) -> None:
        """Raise a SyncError where it has ended by itself."""
        code = self.process.poll()
        if code is not None:
            raise SyncError(f"The {self.name} ended by itself (exit code {code}). What it said: {self.log}")


def serve(*, host: str, port: int, home: Path | None, auth_file: Path | None) -> None:
    """Run the server and all beside it until SIGINT or SIGTERM.

    Raises SettingsError where it cannot stand there, SyncError where a part of it does not start, or dies.
    """
    opened = open_home(host, port, home, auth_file)
    project = project_folder()
    _require_free(opened)
    stop = threading.Event()
    with (
        _alone_in(opened.folder),
        announced(opened.port, opened.sign_in_file),
        _ended_by_signals(stop),
        contextlib.suppress(_StoppedError),
    ):
        _Supervisor(opened, project, stop).keep()
    _say("Stopped. What was recorded is kept, and is there again at the next start.")


class _Supervisor:
    """Starts the server and all beside it, watches over them, and ends them."""

    def __init__(self, home: ServerHome, project: Path, stop: threading.Event) -> None:
        self._home = home
        self._project = project
        self._environment = home.environment(project)
        self._stop = stop

    def keep(self) -> None:
        """Begin with what others need, watch until something ends, and end in the opposite order."""
        home = self._home
        with ExitStack() as open_children:
            _say("Starting Prefect's server ...")
            address = ("--host", home.host, "--port", str(home.port))
            server = open_children.enter_context(self._child("server", (*SERVER, *address)))
            self._wait_for(server)
            # Who reaches the server from elsewhere may have workers there, too.
            alone = ("--one-machine",) if is_loopback(home.host) else ()
            _say(self._finish("registration", (*REGISTER, *alone)))
            self._finish("deployment", DEPLOY)
            worker = open_children.enter_context(self._child("worker", WORKER))
            _say(f"Ready. The UI is at {home.url} and everything is kept in {home.folder}")
            _say(_how_to_sign_in(home))
            while True:
                self._pause()
                server.require_running()
                worker.require_running()

    def _wait_for(self, server: _Child) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _is_up(self._home):
            self._pause()
            server.require_running()
            if time.monotonic() > deadline:
                raise SyncError(f"The server did not come up. What it said: {server.log}")

    def _finish(self, name: str, command: Sequence[str]) -> str:
        """Run a command to its end; returns what it said."""
        with self._child(name, command) as child:
            while child.process.poll() is None:
                self._pause()
            if child.process.returncode:
                raise SyncError(f"The {name} did not succeed. What it said: {child.log}")
            return child.log.read_text(encoding="utf-8").strip()

    def _pause(self) -> None:
        if self._stop.wait(POLL_SECONDS):
            raise _StoppedError

    @contextmanager
    def _child(self, name: str, command: Sequence[str]) -> Iterator[_Child]:
        log = self._home.folder / f"{name}.log"
        descriptor = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        try:
            process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                cwd=self._project,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
                preexec_fn=DIE_WITH_PARENT,  # noqa: PLW1509 - no thread of ours runs, and it is one call
            )
        finally:
            os.close(descriptor)
        try:
            yield _Child(name, process, log)
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process, and with it all that it has started and left."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _how_to_sign_in(home: ServerHome) -> str:
    """What to sign in with: it is shown once, to a person, and never to what keeps a log."""
    if home.sign_in_is_new and sys.stderr.isatty():
        return f"Sign in as {home.sign_in} (kept in {home.sign_in_file}, and not shown again)."
    return f"Sign in with what is in {home.sign_in_file or AUTH_VARIABLE}."


def _is_up(home: ServerHome) -> bool:
    try:
        return (
            httpx.get(f"{home.url}/api/health", timeout=5, trust_env=False).status_code
            < httpx.codes.INTERNAL_SERVER_ERROR
        )
    except httpx.HTTPError:
        return False


def _require_free(home: ServerHome) -> None:
    """Refuse an address that cannot be served on, before anything is started."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(home.host, home.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise SettingsError(
            f"--host {home.host} --port {home.port} cannot be served on: {error.strerror}. Name "
            "another one, or end what is there."
        ) from error


@contextmanager
def _alone_in(home: Path) -> Iterator[None]:
    try:
        with FileLock(home / "serve.lock", timeout=0):
            yield
    except Timeout as error:
        raise SettingsError(
            f"Another `coursera-sync serve` runs in {home}: end it, or name another --home."
        ) from error


@contextmanager
def _ended_by_signals(stop: threading.Event) -> Iterator[None]:
    """While the context lasts SIGINT and SIGTERM only ask to stop."""

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    typer.echo(text, err=True)
