"""Signing in: both of Coursera's ways and 360Learning's, once for all, in time, and once more after a 401."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest

from connectors.clock import Clock
from connectors.coursera.client import CourseraClient
from connectors.errors import AccessError, RequestError, TryLaterError
from connectors.learning360.client import Learning360Client
from sandbox.clock import ManualClock
from sandbox.coursera.sign_in import Style
from sandbox.faults import Action
from sandbox.server import Sandbox
from tests.connections import all_that_shows, coursera_settings, learning360_settings

TOKEN = "token$"


class Way(NamedTuple):
    """A way of signing in: how long its tokens live, and what to check when it is refused."""

    name: str
    lifetime_seconds: int
    settings: tuple[str, ...]


REFRESH = Way(
    "refresh_token", 1800, ("COURSERA_CLIENT_ID", "COURSERA_CLIENT_SECRET", "COURSERA_REFRESH_TOKEN")
)
CREDENTIALS = Way("client_credentials", 1799, ("COURSERA_CLIENT_ID", "COURSERA_CLIENT_SECRET"))
LEARNING360 = Way(
    "learning360", 3600, ("LEARNING360_CLIENT_ID", "LEARNING360_CLIENT_SECRET", "LEARNING360_API_URL")
)
EVERY_WAY = pytest.mark.parametrize("way", [REFRESH, CREDENTIALS, LEARNING360], ids=lambda way: way.name)

Ask = Callable[[], Awaitable[object]]


@asynccontextmanager
async def opened(way: Way, served: Sandbox, client_clock: Clock, **changes: str) -> AsyncIterator[Ask]:
    """A client that signs in that way, as its cheapest request."""
    if way is LEARNING360:
        platform = learning360_settings(served, **changes)
        async with Learning360Client(platform, clock=client_clock) as client:
            yield lambda: client.integrations("Coursera for Business")
        return
    style: Style = "refresh_token" if way is REFRESH else "client_credentials"
    settings = coursera_settings(served, style, **changes)
    async with CourseraClient(settings, clock=client_clock) as coursera:
        yield coursera.organisation


def asked(served: Sandbox) -> int:
    """How often a token was asked for."""
    return len(served.log.select(TOKEN))


def revoke(served: Sandbox) -> None:
    served.coursera.sign_in.revoke_access_tokens()
    served.learning360.access.revoke_tokens()


@EVERY_WAY
async def test_a_sign_in_opens_the_platform(way: Way, served: Sandbox, client_clock: Clock) -> None:
    async with opened(way, served, client_clock) as ask:
        await ask()
        await ask()
    assert [entry.status for entry in served.log.entries] == [200, 200, 200]
    assert asked(served) == 1


@EVERY_WAY
async def test_many_requests_at_once_ask_for_one_token(
    way: Way, served: Sandbox, client_clock: Clock
) -> None:
    async with opened(way, served, client_clock) as ask:
        await asyncio.gather(*(ask() for _ in range(40)))
    assert asked(served) == 1


@EVERY_WAY
async def test_a_token_is_renewed_a_minute_before_it_expires(
    way: Way, served: Sandbox, client_clock: Clock, clock: ManualClock
) -> None:
    async with opened(way, served, client_clock) as ask:
        await ask()
        clock.advance(seconds=way.lifetime_seconds - 61)
        await ask()
        assert asked(served) == 1
        clock.advance(seconds=1)
        await ask()
        assert asked(served) == 2
    assert {entry.status for entry in served.log.entries} == {200}


async def test_a_short_lived_token_is_used_for_most_of_its_life(
    coursera: CourseraClient, served: Sandbox, clock: ManualClock
) -> None:
    short = {"access_token": "short", "expires_in": 30}
    served.faults.add("answer", path=TOKEN, status=200, body=short)
    served.faults.add("answer", status=200, body={"id": "acme"})
    for _ in range(3):
        await coursera.organisation()
        clock.advance(seconds=13)
    assert asked(served) == 1
    await coursera.organisation()
    assert asked(served) == 2


@EVERY_WAY
async def test_a_refused_token_is_renewed_and_the_request_sent_again(
    way: Way, served: Sandbox, client_clock: Clock
) -> None:
    async with opened(way, served, client_clock) as ask:
        await ask()
        revoke(served)
        await ask()
    assert [entry.status for entry in served.log.entries] == [200, 200, 401, 200, 200]
    assert asked(served) == 2


@EVERY_WAY
async def test_many_refused_at_once_ask_for_one_new_token(
    way: Way, served: Sandbox, client_clock: Clock, waits: list[float]
) -> None:
    async with opened(way, served, client_clock) as ask:
        await ask()
        revoke(served)
        async with asyncio.timeout(10):  # none waits for a connection that another holds
            await asyncio.gather(*(ask() for _ in range(40)))
    assert asked(served) == 2
    assert waits == []


@pytest.mark.parametrize(
    ("way", "setting"),
    [
        pytest.param(REFRESH, "COURSERA_TOKEN_URL", id="refresh_token"),
        pytest.param(CREDENTIALS, "COURSERA_TOKEN_URL", id="client_credentials"),
        pytest.param(LEARNING360, "LEARNING360_API_URL", id="learning360"),
    ],
)
async def test_a_second_refusal_is_for_people(
    way: Way, setting: str, served: Sandbox, client_clock: Clock
) -> None:
    served.faults.add("answer", path="businesses|integrations", status=401, body={"error": "invalid_token"})
    async with opened(way, served, client_clock) as ask:
        with pytest.raises(AccessError, match=setting):
            await ask()
    assert [entry.status for entry in served.log.entries] == [200, 401, 200, 401]


async def test_a_bulk_request_that_was_refused_is_sent_again_though_it_is_not_repeatable(
    learning360: Learning360Client, served: Sandbox
) -> None:
    integration_id = served.learning360.add_integration()["_id"]
    await learning360.integrations("Coursera for Business")
    revoke(served)
    await learning360.upsert_courses(integration_id, [])
    assert len(served.learning360.operations.all) == 1


@pytest.mark.parametrize("action", ["reset", "lose", "half"])
async def test_a_sign_in_that_breaks_off_is_tried_again_whatever_it_was_for(
    learning360: Learning360Client, served: Sandbox, action: Action
) -> None:
    integration_id = served.learning360.add_integration()["_id"]
    served.faults.add(action, path=TOKEN, times=2)
    await learning360.upsert_courses(integration_id, [])
    assert asked(served) == 3
    assert len(served.learning360.operations.all) == 1


@EVERY_WAY
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_sign_in_that_fails_in_passing_is_tried_again(
    way: Way, status: int, served: Sandbox, client_clock: Clock, waits: list[float]
) -> None:
    served.faults.add("answer", path=TOKEN, status=status, times=2, headers={"Retry-After": "9"})
    async with opened(way, served, client_clock) as ask:
        await ask()
    assert waits == [9.0, 9.0]


async def test_html_at_the_sign_in_is_a_passing_fault(coursera: CourseraClient, served: Sandbox) -> None:
    served.faults.add("answer", path=TOKEN, status=200, body="<h1>Back soon</h1>", times=1)
    await coursera.organisation()


@EVERY_WAY
async def test_a_sign_in_that_stays_down_is_tried_five_times(
    way: Way, served: Sandbox, client_clock: Clock
) -> None:
    served.faults.add("answer", path=TOKEN, status=503)
    async with opened(way, served, client_clock) as ask:
        with pytest.raises(TryLaterError, match=r"answered 503 at sign-in\. Try again later"):
            await ask()
    assert asked(served) == len(served.log.entries) == 5


@EVERY_WAY
@pytest.mark.parametrize("wrong", ["client_id", "client_secret"])
async def test_a_refused_sign_in_names_the_settings_and_no_secret(
    way: Way, wrong: str, served: Sandbox, client_clock: Clock
) -> None:
    async with opened(way, served, client_clock, **{wrong: "not-the-right-secret"}) as ask:
        with pytest.raises(AccessError, match="the sign-in answered 401, invalid_client") as raised:
            await ask()
    assert all(name in str(raised.value) for name in way.settings)
    assert_no_secret(raised.value, served)
    assert len(served.log.entries) == 1


async def test_a_dead_refresh_token_is_named(coursera: CourseraClient, clock: ManualClock) -> None:
    clock.advance(days=14)
    with pytest.raises(AccessError, match=r"COURSERA_REFRESH_TOKEN .*answered 400, invalid_grant"):
        await coursera.organisation()


def assert_no_secret(error: BaseException, served: Sandbox) -> None:
    shown = all_that_shows(error)
    held = (served.coursera.sign_in.client_secret, served.coursera.sign_in.refresh_token)
    for secret in (*held, served.learning360.client.client_secret, "not-the-right-secret", "hidden"):
        assert secret not in shown


@pytest.mark.parametrize(
    "body",
    [{"error": "hidden secret"}, {"error": {"code": ["hidden"]}}, {"error": None}, ["hidden"], "hidden"],
    ids=["a sentence", "a list", "null", "no object", "HTML"],
)
async def test_a_refusal_in_another_shape_still_names_the_settings(
    coursera: CourseraClient, served: Sandbox, body: object
) -> None:
    served.faults.add("answer", path=TOKEN, status=400, body=body)
    with pytest.raises(AccessError, match=r"COURSERA_CLIENT_ID.*answered 400\)$") as raised:
        await coursera.organisation()
    assert_no_secret(raised.value, served)


async def test_the_sign_in_is_not_led_elsewhere(coursera: CourseraClient, served: Sandbox) -> None:
    target = f"{served.url('learning360')}/api/v2/oauth2/token"
    served.faults.add("answer", path=TOKEN, status=307, headers={"Location": target}, platform="coursera")
    with pytest.raises(AccessError, match="answered 307"):
        await coursera.organisation()
    assert len(served.log.entries) == 1


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"expires_in": 60}, "access_token"),
        ({"access_token": "hidden\u00e9", "expires_in": 60}, "access_token"),
        ({"access_token": "hidden\n", "expires_in": 60}, "access_token"),
        ({"access_token": "", "expires_in": 60, "refresh_token": "hidden"}, "access_token"),
        ({"access_token": "hidden", "expires_in": 60, "refresh_token": ["hidden"]}, "refresh_token"),
        (["hidden"], "the whole"),
    ],
    ids=["no token", "no ASCII", "a line break", "an empty token", "a list for a token", "no object"],
)
async def test_a_token_of_another_shape_names_the_fields_and_shows_nothing(
    coursera: CourseraClient, served: Sandbox, body: object, fields: str
) -> None:
    served.faults.add("answer", path=TOKEN, status=200, body=body)
    with pytest.raises(RequestError, match=f"token endpoint's answer .*: {fields}$") as raised:
        await coursera.organisation()
    assert_no_secret(raised.value, served)


async def test_one_who_gives_up_waiting_leaves_the_sign_in_to_the_others(
    coursera: CourseraClient, served: Sandbox
) -> None:
    served.faults.add("delay", path=TOKEN, delay_ms=60_000, times=1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await coursera.organisation()
    await coursera.organisation()
    assert asked(served) == 2
