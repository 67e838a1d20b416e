"""Where the credentials of a run come from, and where a refresh token goes that Coursera renewed."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

from prefect.context import FlowRunContext
from pydantic import SecretStr

from connectors.blocks import NAME, CourseraCredentials, Learning360Credentials
from connectors.clock import Clock
from connectors.coursera.client import CourseraClient
from connectors.errors import MissingSettingsError
from connectors.ledger.database import Ledger
from connectors.ledger.records.refresh_tokens import fingerprint
from connectors.settings import COURSERA, LEARNING360, Fallback, Settings, load_settings
from tasks.reporting.events import token_used
from tasks.runtime.refresh_token import coursera_client

B = TypeVar("B", CourseraCredentials, Learning360Credentials)

logger = logging.getLogger("coursera_sync.credentials")


async def settings_of_run() -> Settings:
    """The settings; only where required ones are missing is the Prefect server asked for its blocks."""
    try:
        return load_settings()
    except MissingSettingsError:
        if FlowRunContext.get() is None:
            raise
        return load_settings(await blocks_on_server())


async def blocks_on_server() -> Fallback:
    """What the blocks named `default` on the Prefect server hold, where they are there."""
    return {
        COURSERA: _fields(await saved(CourseraCredentials)),
        LEARNING360: _fields(await saved(Learning360Credentials)),
    }


def _fields(block: CourseraCredentials | Learning360Credentials | None) -> dict[str, object]:
    return {name: getattr(block, name) for name in type(block).model_fields} if block else {}


async def saved(block_type: type[B]) -> B | None:
    """The block of a type that is named `default`; None where there is none to be had."""
    try:
        return await block_type.aload(NAME)
    except ValueError:  # Prefect's way of saying that there is none
        return None
    except Exception as error:  # noqa: BLE001 - what is missing is said as such
        logger.warning("The Prefect server did not give its credentials (%s)", type(error).__name__)
        return None


def coursera_client_of_run(settings: Settings, ledger: Ledger, clock: Clock) -> CourseraClient:
    """Coursera's client of a run: a renewed token goes back to the block that it came from."""

    def keep(setting: str, newest: str) -> bool:
        token_used(settings.coursera.org_id)
        return settings.token_from_fallback and _keep_in_block(setting, newest)

    def set_now() -> str | None:
        return _token_in_block() if settings.token_from_fallback else None

    return coursera_client(settings, ledger, clock, keep, set_now)


def _token_in_block() -> str | None:
    """The block's refresh token, which another run may have put there; None where it cannot be had."""
    try:
        token = _now(CourseraCredentials.load, NAME).refresh_token
    except Exception as error:  # noqa: BLE001 - then it is as it was when the run began
        logger.warning("The Prefect server did not give its credentials (%s)", type(error).__name__)
        return None
    return token.get_secret_value() if token else None


def _keep_in_block(setting: str, newest: str) -> bool:
    """Put a renewed token into the block that the setting came from; False where that cannot be done.

    It is done at once, and everything else waits: a token that is lost now is lost for good.
    """
    if newest == setting:
        return True
    try:
        block = _now(CourseraCredentials.load, NAME)
        block.renewed_from = block.renewed_from or fingerprint(setting)
        block.refresh_token = SecretStr(newest)
        _now(block.save, NAME, overwrite=True)
    except Exception as error:  # noqa: BLE001 - the ledger then keeps it
        logger.warning("The renewed refresh token could not go back to its block (%s)", type(error).__name__)
        return False
    return True


def _now(call: Callable[..., Any], *arguments: object, **options: object) -> CourseraCredentials:
    """Call Prefect without giving way to others, though a loop is running."""
    return cast("CourseraCredentials", call(*arguments, _sync=True, **options))
