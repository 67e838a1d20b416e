"""A platform that cannot be connected to: whose address is likely to be wrong is not waited for."""

from collections.abc import AsyncIterator

import httpx
import pytest

from connectors.auth import TokenAuth
from connectors.clock import Clock
from connectors.coursera.client import CourseraClient
from connectors.errors import RequestError, TryLaterError, UnreachableError
from connectors.http import Api, new_client
from connectors.learning360.client import Learning360Client
from sandbox.clock import ManualClock
from sandbox.server import Sandbox, running
from tests.connections import coursera_settings, learning360_settings

#: Privileged, and nobody's.
PORT = 1


@pytest.fixture
async def api(client_clock: Clock) -> AsyncIterator[Api]:
    async with new_client(f"http://127.0.0.1:{PORT}", httpx.Auth()) as client:
        yield Api("Platform", client, lambda _: None, client_clock, addresses="THE_SETTING")


@pytest.mark.parametrize("repeatable", [True, False], ids=["repeatable", "not repeatable"])
@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid"])
async def test_where_nobody_ever_listened_is_asked_twice(
    api: Api, waits: list[float], host: str, *, repeatable: bool
) -> None:
    api.client.base_url = httpx.URL(f"http://{host}:{PORT}")
    with pytest.raises(UnreachableError) as raised:
        await api.call("PUT", "things", repeatable=repeatable)
    assert str(raised.value).startswith(f"Platform: there is no connection to {host}, port {PORT} (")
    assert str(raised.value).endswith("). Check THE_SETTING, then the network and its proxy.")
    assert waits == [0.5]


async def test_a_host_that_was_heard_from_is_asked_five_times(
    api: Api, clock: ManualClock, waits: list[float]
) -> None:
    with running(Sandbox.empty(clock)) as served:
        api.client.base_url = httpx.URL(served.url("learning360"))
        with pytest.raises(RequestError):
            await api.call("GET", "things")
    with pytest.raises(TryLaterError, match=r"^Platform: GET /things could not be reached .ConnectError"):
        await api.call("GET", "things")
    assert len(waits) == 4


async def test_an_api_that_is_not_where_its_sign_in_is_names_the_settings(
    served: Sandbox, client_clock: Clock
) -> None:
    settings = coursera_settings(served, api_url=f"http://127.0.0.1:{PORT}")
    async with CourseraClient(settings, clock=client_clock) as client:
        with pytest.raises(UnreachableError, match="Check COURSERA_API_URL and COURSERA_TOKEN_URL, then"):
            await client.organisation()


async def test_a_platform_that_is_not_there_names_the_setting(served: Sandbox, client_clock: Clock) -> None:
    settings = learning360_settings(served, api_url=f"http://127.0.0.1:{PORT}")
    async with Learning360Client(settings, clock=client_clock) as client:
        with pytest.raises(UnreachableError, match="Check LEARNING360_API_URL, then"):
            await client.integrations("Coursera for Business")


async def test_a_sign_in_that_does_not_answer_is_given_up(served: Sandbox, client_clock: Clock) -> None:
    served.faults.add("delay", path="token$", delay_ms=60_000)
    platform = served.url("learning360")
    auth = TokenAuth(lambda: httpx.Request("POST", f"{platform}/api/v2/oauth2/token"), "no", client_clock)
    async with new_client(platform, auth) as client:
        client.timeout = httpx.Timeout(0.05)
        api = Api("Platform", client, lambda _: None, client_clock)
        with pytest.raises(TryLaterError, match="ReadTimeout"):
            await api.call("GET", "/")
