"""Serving a sandbox on loopback: in a thread for tests, or until stopped for the command."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from sandbox import control
from sandbox.coursera.app import make_app as make_coursera
from sandbox.layers import FaultLayer, LatencyLayer, LogLayer, RequestLog
from sandbox.learning360.app import make_app as make_learning360
from sandbox.sandbox import CONTROL, COURSERA, LEARNING360, Sandbox
from sandbox.wire import Wire

__all__ = ["Sandbox", "running", "serve_until_stopped"]

_STDIN = 0
_CHUNK = 65_536
_KEEP_ALIVE_S = 120


class _Listener(uvicorn.Server):
    """A uvicorn server that starts and stops at once, and leaves the signals to others."""

    def __init__(self, app: ASGIApp, wire: Wire) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=wire.protocol(),
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                # What goes wrong shows in the sandbox's own log; breaking off on purpose is not an error.
                log_level=logging.CRITICAL,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
            )
        )
        self.up = asyncio.Event()
        self.stop = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accepts connections from here on."""
        await super().startup(sockets)
        self.up.set()

    async def main_loop(self) -> None:
        """Waits to be stopped, without the ticks of a long-lived server."""
        await self.on_tick(0)
        await self.stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drops the connections that are still open."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in self.server_state.tasks:
            task.cancel()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)
        for listening in sockets or ():
            listening.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Touches no signal handler."""
        yield


@contextlib.contextmanager
def running(sandbox: Sandbox) -> Iterator[Sandbox]:
    """Serves the sandbox from a thread on free ports, from before the block begins until it ends."""
    sockets = _bound(sandbox, None)
    ready: Future[Callable[[], object]] = Future()
    thread = threading.Thread(target=_serve_in_thread, args=(sandbox, sockets, ready), name="sandbox")
    thread.start()
    try:
        stop = ready.result()
        try:
            yield sandbox
        finally:
            stop()
    finally:
        thread.join()
        sandbox.ports.clear()


def _serve_in_thread(
    sandbox: Sandbox, sockets: dict[str, socket.socket], ready: Future[Callable[[], object]]
) -> None:
    async def main() -> None:
        stop = asyncio.Event()
        stopper = partial(asyncio.get_running_loop().call_soon_threadsafe, stop.set)
        await _serve(sandbox, sockets, partial(ready.set_result, stopper), stop)

    try:
        asyncio.run(main())
    except BaseException as error:
        if ready.done():
            raise
        ready.set_exception(error)
        for listening in sockets.values():
            listening.close()


async def serve_until_stopped(
    sandbox: Sandbox,
    on_ready: Callable[[], None],
    *,
    port_base: int | None = None,
    while_stdin_open: bool = False,
) -> None:
    """Serves the sandbox until SIGTERM or SIGINT, or until standard input ends where that is asked for.

    The ports are free ones, or `port_base` and the two after it; `on_ready` is called once all three accept.
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if while_stdin_open:
        threading.Thread(target=_watch_stdin, args=(loop, stop), daemon=True).start()
    await _serve(sandbox, _bound(sandbox, port_base), on_ready, stop)


async def _serve(
    sandbox: Sandbox, sockets: dict[str, socket.socket], on_ready: Callable[[], None], stop: asyncio.Event
) -> None:
    listeners = _listeners(sandbox)
    async with asyncio.TaskGroup() as group:
        for name, listener in listeners.items():
            group.create_task(listener.serve([sockets[name]]))
        for listener in listeners.values():
            await listener.up.wait()
        on_ready()
        await stop.wait()
        for listener in listeners.values():
            listener.stop.set()


def _listeners(sandbox: Sandbox) -> dict[str, _Listener]:
    coursera, learning360 = sandbox.coursera, sandbox.learning360
    return {
        COURSERA: _platform(sandbox, COURSERA, make_coursera(coursera), lambda: coursera.options.latency_ms),
        LEARNING360: _platform(
            sandbox, LEARNING360, make_learning360(learning360), lambda: learning360.options.latency_ms
        ),
        CONTROL: _control(sandbox),
    }


def _platform(sandbox: Sandbox, name: str, app: ASGIApp, latency_ms: Callable[[], int]) -> _Listener:
    wire = Wire()
    faulty = FaultLayer(app, sandbox.faults, name, wire)
    return _Listener(LogLayer(LatencyLayer(faulty, latency_ms), sandbox.log, name, sandbox.clock), wire)


def _control(sandbox: Sandbox) -> _Listener:
    """Its requests are not the log's business, its errors are."""
    log = RequestLog(errors=sandbox.log.errors)
    return _Listener(LogLayer(control.make_app(sandbox), log, CONTROL, sandbox.clock), Wire())


def _bound(sandbox: Sandbox, port_base: int | None) -> dict[str, socket.socket]:
    """A listening socket for each application; the sandbox knows their ports from here on."""
    sockets = {}
    for offset, name in enumerate((COURSERA, LEARNING360, CONTROL)):
        port = 0 if port_base is None else port_base + offset
        sockets[name] = _listening(port)
        sandbox.ports[name] = sockets[name].getsockname()[1]
    return sockets


def _listening(port: int) -> socket.socket:
    # The protocol is named because asyncio sends small packets without delay only where it knows of TCP.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(128)
    return listening


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Stops the serving when standard input ends."""
    # The bare descriptor, since a buffered reader's lock would outlive the process.
    while os.read(_STDIN, _CHUNK):
        pass
    with contextlib.suppress(RuntimeError):  # the loop has ended by itself
        loop.call_soon_threadsafe(stop.set)
