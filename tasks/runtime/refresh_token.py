"""Coursera's client with the refresh token that Coursera last renewed."""

from collections.abc import Callable

from connectors.auth import Token
from connectors.clock import Clock
from connectors.coursera.client import CourseraClient
from connectors.ledger.database import Ledger
from connectors.ledger.records.refresh_tokens import keep_renewed_token, renewed_token
from connectors.settings import Settings

Keep = Callable[[str, str], bool]


def _nowhere(_setting: str, _newest: str) -> bool:
    return False


def coursera_client(
    settings: Settings, ledger: Ledger, clock: Clock, keep: Keep = _nowhere
) -> CourseraClient:
    """Coursera's client; a token that is renewed is kept in the ledger, unless ``keep`` has kept it.

    ``keep`` is given the setting and the newest token each time that Coursera has taken one.
    """
    coursera = settings.coursera
    if coursera.refresh_token is None:
        return CourseraClient(coursera, clock=clock)
    setting = coursera.refresh_token.get_secret_value()

    def renewed(token: Token) -> None:
        newest = token.refresh_token or setting
        if not keep(setting, newest):
            with ledger.begin() as db:
                keep_renewed_token(db, coursera.org_id, setting, newest, clock.now_ms())

    with ledger.read() as db:
        known = renewed_token(db, coursera.org_id, setting)
    return CourseraClient(coursera, refresh_token=known, on_token=renewed, clock=clock)
