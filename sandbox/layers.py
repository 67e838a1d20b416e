"""What lies between the wire and a platform: the request log, the latency, the faults."""

import asyncio
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.clock import SECOND_MS, Clock
from sandbox.faults import Fault, Faults
from sandbox.web import JsonResponse
from sandbox.wire import Wire

_HTML = "text/html; charset=utf-8"


@dataclass
class LoggedRequest:
    """A request as the log keeps it: no headers, no bodies. Status 0: broken off, or not answered yet."""

    platform: str
    method: str
    path: str
    query: str
    status: int = 0


@dataclass
class RequestLog:
    """Every request in the order of arrival, and the tracebacks of errors that the sandbox itself made."""

    entries: list[LoggedRequest] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def select(self, path: str = "", method: str = "", platform: str = "") -> list[LoggedRequest]:
        """The requests whose path the regular expression is found in, perhaps of one method and platform."""
        return [
            entry
            for entry in self.entries
            if re.search(path, entry.path)
            and method in ("", entry.method)
            and platform in ("", entry.platform)
        ]

    def counts(self) -> dict[str, int]:
        """How many requests there were, by platform, method and status."""
        found: dict[str, int] = {}
        for entry in self.entries:
            name = f"{entry.platform} {entry.method} {entry.status}"
            found[name] = found.get(name, 0) + 1
        return found

    def clear(self) -> None:
        """An empty log."""
        self.entries.clear()
        self.errors.clear()


class LogLayer:
    """Notes each request and the status of its answer, dates the answer, turns bugs into a 500."""

    def __init__(self, app: ASGIApp, log: RequestLog, platform: str, clock: Clock) -> None:
        self._app = app
        self._log = log
        self._platform = platform
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        query = scope["query_string"].decode("latin-1")
        entry = LoggedRequest(self._platform, scope["method"], scope["path"], query)
        self._log.entries.append(entry)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                date = formatdate(self._clock() / SECOND_MS, usegmt=True).encode()
                own = [] if b"date" in dict(message["headers"]) else [(b"date", date)]
                message = {**message, "headers": [*message["headers"], *own]}
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:  # noqa: BLE001 -- whatever it is, a test wants to see it in the log
            self._log.errors.append(traceback.format_exc())
            if not entry.status:
                await JsonResponse({"error": "the sandbox failed, see its log"}, 500)(scope, receive, noting)


class LatencyLayer:
    """No answer comes sooner than this after its request, in real time."""

    def __init__(self, app: ASGIApp, latency_ms: Callable[[], int]) -> None:
        self._app = app
        self._latency_ms = latency_ms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        now = asyncio.get_running_loop().time
        due = now() + self._latency_ms() / SECOND_MS

        async def in_time(message: Message) -> None:
            # The work is done meanwhile: a platform is not slower for each one that asks beside.
            if (seconds := due - now()) > 0:
                await asyncio.sleep(seconds)
            await send(message)

        await self._app(scope, receive, in_time)


class FaultLayer:
    """Does to a request what the first rule that hits it says."""

    def __init__(self, app: ASGIApp, faults: Faults, platform: str, wire: Wire) -> None:
        self._app = app
        self._faults = faults
        self._platform = platform
        self._wire = wire
        self._actions = {
            "answer": self._answer,
            "delay": self._delay,
            "endless": self._endless,
            "half": self._half,
            "lose": self._lose,
            "reset": self._reset,
            "rewrite": self._rewrite,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        fault = self._faults.pick(scope["method"], scope["path"], self._platform)
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await self._actions[fault.action](fault, scope, receive, send)

    async def _answer(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(fault.headers)
        if fault.body is None or isinstance(fault.body, str | bytes):
            headers = {"content-type": _HTML, **headers}
            response = Response(fault.body, fault.status, headers)
        else:
            response = JsonResponse(fault.body, fault.status, headers)
        await response(scope, receive, send)

    async def _delay(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(fault.delay_ms / SECOND_MS)
        await self._app(scope, receive, send)

    async def _endless(self, fault: Fault, _: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": fault.status, "headers": headers})
        gone = asyncio.ensure_future(_gone(receive))
        try:
            while not gone.done():
                await asyncio.sleep(fault.delay_ms / SECOND_MS)
                await send({"type": "http.response.body", "body": fault.body.encode(), "more_body": True})
        finally:
            gone.cancel()

    async def _half(self, _: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await self._processed(scope, receive)
        kept = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        # At least one byte is promised and never comes.
        await send({**start, "headers": [*kept, (b"content-length", str(len(body) + 1).encode())]})
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        self._wire.close(scope)
        await _gone(receive)

    async def _lose(self, _: Fault, scope: Scope, receive: Receive, _send: Send) -> None:
        await self._processed(scope, receive)
        self._wire.abort(scope)
        await _gone(receive)

    async def _reset(self, _: Fault, scope: Scope, receive: Receive, _send: Send) -> None:
        # The request is taken in whole, so that it is the answer that the client sees fail.
        while (await receive()).get("more_body"):
            pass
        self._wire.reset(scope)
        await _gone(receive)

    async def _rewrite(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await self._processed(scope, receive)
        for text, written in fault.body.items():
            body = body.replace(text.encode(), written.encode("latin-1"))
        kept = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        await send({**start, "headers": [*kept, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    async def _processed(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        """The platform's own answer, kept back: its start and its body."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        return messages[0], b"".join(message.get("body", b"") for message in messages[1:])


async def _gone(receive: Receive) -> None:
    """Waits until the server knows that the connection is gone; before, it would answer by itself."""
    while (await receive())["type"] != "http.disconnect":
        pass
