"""Prefect's server as `serve` runs it: on loopback it answers to the names of this machine alone.

A web page whose name is made to lead here (DNS rebinding) asks by that name. Beyond loopback names are not
known; there, as everywhere, the sign-in keeps such pages out: no browser sends it by itself.
"""

from prefect.server.api import server
from prefect.settings import PREFECT_SERVER_API_HOST
from starlette.middleware.trustedhost import TrustedHostMiddleware

from connectors.settings import is_loopback


def create_app() -> TrustedHostMiddleware:
    """Prefect's own app behind a look at whom a request asks for.

    The app itself stays as it is: the server's own actions reach it in its process, by another name.
    """
    app = server.create_app(final=True)
    return TrustedHostMiddleware(app, allowed_hosts=names(PREFECT_SERVER_API_HOST.value()))


def names(host: str) -> list[str]:
    """The names in `Host` that are answered, on a server that listens on that address."""
    own = f"[{host}]" if ":" in host else host
    return [own, "localhost", "127.0.0.1", "[::1]"] if is_loopback(host) else ["*"]
