"""What can be said before Prefect's temporary server is started, which takes many seconds."""

import os

from connectors.errors import MissingSettingsError, SettingsError
from connectors.settings import load_settings
from connectors.target_file import by_target
from tasks.reporting.summary import Summary

NO_SERVER = (
    "There is no Prefect server: PREFECT_API_URL names none, and PREFECT_SERVER_EPHEMERAL_ENABLED=false lets "
    "no temporary one start. Set the one, or unset the other."
)


def require_settings(flow: str) -> None:
    """Raise SettingsError, with a summary, where the settings are wrong, or missing and nowhere else to find.

    On a server that stays the run itself finds that out, so that it shows there. What is missing may be in
    blocks, which a temporary server finds in its database, once there is one.
    """
    from prefect.settings import (  # noqa: PLC0415 - Prefect is prepared by then
        PREFECT_API_URL,
        PREFECT_HOME,
        PREFECT_SERVER_EPHEMERAL_ENABLED,
    )

    if PREFECT_API_URL.value() is not None:
        return
    if not PREFECT_SERVER_EPHEMERAL_ENABLED.value():
        raise _told(flow, SettingsError(NO_SERVER))
    may_be_in_blocks = (
        "PREFECT_SERVER_DATABASE_CONNECTION_URL" in os.environ
        or (PREFECT_HOME.value() / "prefect.db").exists()
    )
    try:
        by_target(load_settings())
    except SettingsError as error:
        if isinstance(error, MissingSettingsError) and may_be_in_blocks:
            return
        raise _told(flow, error) from error


def _told(flow: str, error: SettingsError) -> SettingsError:
    error.summary = Summary(flow=flow, state="failed", error=str(error))
    return error
