"""The connections of one listener, so that a fault can break one off in the middle."""

import asyncio
import socket
import struct

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import get_remote_addr

#: Linger for no time: what is closed so is reset.
_AT_ONCE = struct.pack("ii", 1, 0)


class Wire:
    """Open connections by the client's address."""

    def __init__(self) -> None:
        self._transports: dict[object, asyncio.Transport] = {}

    def protocol(self) -> type[H11Protocol]:
        """The protocol of uvicorn, with its connections known here."""
        transports = self._transports

        class KnownProtocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                transports[get_remote_addr(transport)] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                transports.pop(self.client, None)
                super().connection_lost(exc)

        return KnownProtocol

    def abort(self, scope: Scope) -> None:
        """Drops the connection: the client sees it end."""
        if transport := self._transports.get(scope["client"]):
            transport.abort()

    def reset(self, scope: Scope) -> None:
        """Drops the connection with a reset: the client sees an error."""
        if transport := self._transports.get(scope["client"]):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            transport.abort()

    def close(self, scope: Scope) -> None:
        """Closes the connection when what was written has gone out."""
        if transport := self._transports.get(scope["client"]):
            transport.close()
