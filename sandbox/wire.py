"""The connections of one listener, so that a fault can break one off in the middle."""

import asyncio

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import get_remote_addr


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
        """Drops the connection at once."""
        if transport := self._transports.get(scope["client"]):
            transport.abort()

    def close(self, scope: Scope) -> None:
        """Closes the connection when what was written has gone out."""
        if transport := self._transports.get(scope["client"]):
            transport.close()
