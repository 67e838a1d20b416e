"""A refresh token that Coursera renews: told to whoever keeps it, and read anew before it is used."""

from typing import Any

import pytest

from connectors.auth import Renewal
from connectors.clock import Clock
from connectors.coursera.client import CourseraClient
from connectors.errors import RequestError
from sandbox.clock import ManualClock
from sandbox.server import Sandbox
from tests.connections import coursera_settings

TOKEN = "token$"


def keeping(served: Sandbox, client_clock: Clock, **changes: Any) -> tuple[CourseraClient, list[str]]:
    """A client, and the refresh tokens that it was given in the place of its own."""
    kept: list[str] = []

    def keep(token: Renewal) -> None:
        assert token.refresh_token is not None
        kept.append(token.refresh_token)

    settings = coursera_settings(served, **changes)
    return CourseraClient(settings, on_renewal=keep, clock=client_clock), kept


async def test_a_renewed_refresh_token_is_reported_and_used_next(
    served: Sandbox, client_clock: Clock
) -> None:
    served.coursera.options.rotate_refresh_token = True
    first = served.coursera.sign_in.refresh_token
    client, kept = keeping(served, client_clock)
    async with client:
        for _ in range(3):
            await client.organisation()
            served.coursera.sign_in.revoke_access_tokens()
    assert len({first, *kept}) == 4
    assert kept[-1] == served.coursera.sign_in.refresh_token


@pytest.mark.parametrize("token", [{}, {"access_token": None}, {"access_token": ""}], ids=str)
async def test_a_renewed_refresh_token_is_kept_though_no_access_token_came(
    served: Sandbox, client_clock: Clock, token: dict[str, Any]
) -> None:
    served.faults.add("answer", path=TOKEN, status=200, body={"refresh_token": "renewed"} | token)
    client, kept = keeping(served, client_clock)
    async with client:
        with pytest.raises(RequestError, match=r"access_token$"):
            await client.organisation()
    assert kept == ["renewed"]


async def test_a_kept_refresh_token_is_used_in_place_of_the_setting(
    served: Sandbox, client_clock: Clock
) -> None:
    settings = coursera_settings(served, refresh_token="long-dead")
    held = served.coursera.sign_in.refresh_token
    async with CourseraClient(settings, newest_token=lambda: held, clock=client_clock) as client:
        await client.organisation()


async def test_one_that_is_refused_is_looked_for_once_more(served: Sandbox, client_clock: Clock) -> None:
    """Another process may just have used the token that was read."""
    found = iter(["used up", served.coursera.sign_in.refresh_token])
    settings = coursera_settings(served)
    async with CourseraClient(settings, newest_token=lambda: next(found), clock=client_clock) as client:
        await client.organisation()
    assert len(served.log.select(TOKEN)) == 2


async def test_a_refresh_token_that_stays_is_not_reported(served: Sandbox, client_clock: Clock) -> None:
    client, kept = keeping(served, client_clock)
    async with client:
        await client.organisation()
        served.coursera.sign_in.revoke_access_tokens()
        await client.organisation()
    assert (len(served.log.select(TOKEN)), kept) == (2, [])


async def test_a_refresh_token_that_is_only_repeated_is_not_reported(
    served: Sandbox, client_clock: Clock
) -> None:
    same = {"access_token": "t", "expires_in": 60, "refresh_token": served.coursera.sign_in.refresh_token}
    served.faults.add("answer", path=TOKEN, status=200, body=same)
    served.faults.add("answer", status=200, body={"id": "acme"})
    client, kept = keeping(served, client_clock)
    async with client:
        await client.organisation()
    assert kept == []


LIFETIMES: list[Any] = [None, 0, -1, "soon", [], float("nan")]


@pytest.mark.parametrize("told", [{}, *({"expires_in": lifetime} for lifetime in LIFETIMES)], ids=str)
async def test_a_token_that_does_not_say_how_long_it_lives_lives_five_minutes(
    served: Sandbox, client_clock: Clock, clock: ManualClock, told: dict[str, Any]
) -> None:
    renewed = {"access_token": "any", "refresh_token": "renewed"}
    served.faults.add("answer", path=TOKEN, status=200, body=renewed | told)
    served.faults.add("answer", status=200, body={"id": "acme"})
    client, kept = keeping(served, client_clock)
    async with client:
        await client.organisation()
        assert kept == ["renewed"]
        clock.advance(seconds=269)
        await client.organisation()
        assert len(served.log.select(TOKEN)) == 1
        clock.advance(seconds=1)
        await client.organisation()
        assert len(served.log.select(TOKEN)) == 2
