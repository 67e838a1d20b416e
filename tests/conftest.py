"""What all tests share."""

import os

import pytest

# Prefect looks for names outside otherwise, and asks for its settings when it is imported.
os.environ |= {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees only the settings it makes."""
    for name in list(os.environ):
        if name.startswith(("COURSERA_", "LEARNING360_", "SYNC_")):
            monkeypatch.delenv(name)
