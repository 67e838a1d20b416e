"""Refresh tokens that change at each use: several processes sign in, and none makes the others' worthless."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from connectors.clock import Clock
from connectors.ledger.database import open_ledger
from connectors.settings import load_settings
from sandbox.sandbox import Sandbox
from sandbox.server import running
from tasks.runtime.refresh_token import coursera_client
from tests.postgres import BOTH_DATABASES

PROCESSES, SIGN_INS = 3, 8
#: What each process does: so many clients sign in, one after the other.
SIGNS_IN = f"""
import asyncio
from connectors.clock import Clock
from connectors.ledger.database import open_ledger
from connectors.settings import load_settings
from tasks.runtime.refresh_token import coursera_client

async def sign_in():
    settings = load_settings()
    with open_ledger(settings.sync.state_url) as ledger:
        for _ in range({SIGN_INS}):
            async with coursera_client(settings, ledger, Clock()) as client:
                await client.organisation()

asyncio.run(sign_in())
"""

pytestmark = BOTH_DATABASES


@pytest.fixture
def rotating(state_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A Coursera that renews the refresh token at each use, and the settings that lead there."""
    sandbox = Sandbox.empty()
    sandbox.coursera.options.rotate_refresh_token = True
    with running(sandbox):
        for name, value in (sandbox.environment() | {"SYNC_STATE_URL": state_url}).items():
            monkeypatch.setenv(name, value)
        yield sandbox


def test_two_clients_that_take_turns_both_go_on(rotating: Sandbox) -> None:
    async def work() -> None:
        settings = load_settings()
        with open_ledger(settings.sync.state_url) as one, open_ledger(settings.sync.state_url) as other:
            async with (
                coursera_client(settings, one, Clock()) as first,
                coursera_client(settings, other, Clock()) as second,
            ):
                for client in (first, second, first, second):
                    await client.organisation()
                    rotating.coursera.sign_in.revoke_access_tokens()

    asyncio.run(work())


def test_several_processes_sign_in_at_a_time(rotating: Sandbox) -> None:
    command = [sys.executable, "-c", SIGNS_IN]
    load_settings()
    with open_ledger(os.environ["SYNC_STATE_URL"].replace("postgresql:", "postgresql+psycopg:")):
        pass  # its tables are there
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(PROCESSES)]  # noqa: S603
    said = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * PROCESSES, said
    assert len(rotating.log.select("token$")) == PROCESSES * SIGN_INS
