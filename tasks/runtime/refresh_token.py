"""Coursera's client with the refresh token that Coursera last renewed, whichever process was told of it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from connectors.auth import Renewal
from connectors.clock import Clock
from connectors.coursera.client import CourseraClient
from connectors.errors import TryLaterError
from connectors.ledger.database import Ledger
from connectors.ledger.records.refresh_tokens import keep_renewed_token, renewed_token
from connectors.settings import Settings

Keep = Callable[[str, str], bool]

LOCK = "coursera-sign-in"
POLL_SECONDS = 0.2
# A sign-in takes a second, and is given up after a minute.
PATIENCE_SECONDS = 120.0


def _nowhere(_setting: str, _newest: str) -> bool:
    return False


def _as_loaded() -> str | None:
    return None


def coursera_client(
    settings: Settings,
    ledger: Ledger,
    clock: Clock,
    keep: Keep = _nowhere,
    set_now: Callable[[], str | None] = _as_loaded,
) -> CourseraClient:
    """Coursera's client; a token that is renewed is kept in the ledger, unless ``keep`` has kept it.

    ``keep`` is given the setting and the newest token each time that Coursera has renewed one; ``set_now``
    tells the setting as it is by now, where it may have changed. Who uses a token that changes at each use
    makes it worthless for all others: the newest is read, used and replaced under a lock of the ledger's.
    """
    coursera = settings.coursera
    if coursera.refresh_token is None:
        return CourseraClient(coursera, clock=clock)
    loaded = setting = coursera.refresh_token.get_secret_value()

    def newest() -> str:
        nonlocal setting
        setting = set_now() or loaded
        with ledger.read() as db:
            return renewed_token(db, coursera.org_id, setting) or setting

    def renewed(token: Renewal) -> None:
        newest = token.refresh_token or setting
        if not keep(setting, newest):
            with ledger.begin() as db:
                keep_renewed_token(db, coursera.org_id, setting, newest, clock.now_ms())

    @asynccontextmanager
    async def turn() -> AsyncIterator[None]:
        deadline = clock.monotonic() + PATIENCE_SECONDS
        while (release := ledger.try_lock(LOCK)) is None:
            if clock.monotonic() >= deadline:
                raise TryLaterError("Coursera: another run has been signing in for minutes. Try again later.")
            await clock.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            release()

    return CourseraClient(coursera, newest_token=newest, on_renewal=renewed, turn=turn, clock=clock)
