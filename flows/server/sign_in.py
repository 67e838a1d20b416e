"""Signing in to Prefect's server: our commands do it unasked, where nobody has told Prefect's client how."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import platformdirs
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from connectors.errors import AccessError, SyncError
from connectors.files.private_files import private_text
from connectors.settings import is_loopback


def new_sign_in() -> str:
    """A sign-in, as user:password, that nobody can guess."""
    return f"coursera-sync:{secrets.token_urlsafe(24)}"


@contextmanager
def signed_in() -> Iterator[None]:
    """While the context lasts Prefect's client signs in to the server that it asks.

    A temporary server gets a sign-in of its own: neither a web page nor another user of the machine gets in.
    """
    updates: dict[str, str] = {}
    url = PREFECT_API_URL.value()
    if url is None:
        sign_in = _of_this_process()
        updates = {"api.auth_string": sign_in, "server.api.auth_string": sign_in}
    elif PREFECT_API_AUTH_STRING.value() is None and (known := _of_own_server(url)):
        updates = {"api.auth_string": known}
    with temporary_settings(updates):
        yield


@contextmanager
def announced(port: int, sign_in_file: Path | None) -> Iterator[None]:
    """While the context lasts this user's commands find the sign-in of their server on that port."""
    if sign_in_file is None:
        yield
        return
    note = _note(port)
    note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    note.write_text(str(sign_in_file.resolve()), encoding="utf-8")
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def refused(error: httpx.HTTPStatusError) -> SyncError:
    """The error in words where Prefect's server does not take a request."""
    server, status = f"{error.request.url.host}:{error.request.url.port}", error.response.status_code
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return AccessError(
            f"The Prefect server at {server} refuses the sign-in: set PREFECT_API_AUTH_STRING to the one it "
            "was started with."
        )
    return SyncError(f"The Prefect server at {server} answered {status}: see its log.")


@cache
def _of_this_process() -> str:
    """A temporary server lives as long as the process, and serves all its runs."""
    return new_sign_in()


def _of_own_server(url: str) -> str | None:
    address = urlsplit(url)
    if not is_loopback(address.hostname or "") or address.port is None:
        return None
    note = _note(address.port)
    return private_text(Path(note.read_text(encoding="utf-8"))) if note.exists() else None


def _note(port: int) -> Path:
    """Where the path of the sign-in's file stands while a server runs on that port."""
    return Path(platformdirs.user_state_dir("coursera-sync", appauthor=False)) / "servers" / str(port)
