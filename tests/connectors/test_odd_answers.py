"""Answers that are too large or too slow, or odd at their ends: none fills the memory, or holds a run up."""

import gzip
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import msgspec
import pytest

from connectors.answers.limits import MOST_CONTAINERS, SizeLimit
from connectors.clock import Clock
from connectors.coursera.client import CourseraClient
from connectors.errors import OutcomeUnknownError, RequestError, TryLaterError
from connectors.http import Api, json_body, new_client, read_as
from sandbox.clock import ManualClock
from sandbox.server import Sandbox
from tests.connections import coursera_settings

PLACE = "Platform: GET /things"
MIB = b" " * 2**20


@pytest.fixture
async def small(served: Sandbox, client_clock: Clock) -> AsyncIterator[Api]:
    """A platform of whose answers one MiB is taken."""
    async with new_client(served.url("learning360"), httpx.Auth()) as client:
        limit = SizeLimit(1, "THE_SETTING")
        yield Api("Platform", client, lambda _: None, client_clock, limit=limit)


@pytest.fixture
async def hasty(served: Sandbox, client_clock: Clock) -> AsyncIterator[Api]:
    """A platform whose answers are to be whole within a twentieth of a second."""
    async with new_client(served.url("learning360"), httpx.Auth()) as client:
        yield Api("Platform", client, lambda _: None, client_clock, seconds=0.05)


GZIP = {"content-encoding": "gzip"}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"body": b"1" + MIB}, id="plain"),
        pytest.param({"body": gzip.compress(b"1" + MIB), "headers": GZIP}, id="packed"),
        pytest.param({"body": b"1" + MIB, "status": 503}, id="an error"),
    ],
)
async def test_an_answer_that_is_too_large_is_refused(
    small: Api, served: Sandbox, fields: dict[str, Any]
) -> None:
    served.faults.add("answer", **{"status": 200} | fields)
    with pytest.raises(RequestError) as raised:
        await small.call("GET", "things")
    assert str(raised.value) == f"{PLACE} answered with more than 1 MiB. If that is right, raise THE_SETTING."
    with pytest.raises(OutcomeUnknownError, match="AnswerTooLargeError"):
        await small.call("GET", "things", repeatable=False)
    assert len(served.log.entries) == 2


@pytest.mark.parametrize("tiny", [b"[]", b"{}", b"[{}]"])
@pytest.mark.parametrize("read", [json_body, read_as(msgspec.json.Decoder(list[Any]), list)])
async def test_an_answer_of_very_many_lists_and_objects_is_not_even_read(
    served: Sandbox, client_clock: Clock, read: Callable[[httpx.Response], Any], tiny: bytes
) -> None:
    body = gzip.compress(b"[" + b",".join([tiny] * MOST_CONTAINERS) + b"]", 1)
    served.faults.add("answer", status=200, body=body, headers=GZIP)
    async with new_client(served.url("learning360"), httpx.Auth()) as client:
        api = Api("Platform", client, lambda _: None, client_clock)
        with pytest.raises(RequestError) as raised:
            await api.call("GET", "things", read=read)
    assert str(raised.value) == f"{PLACE} answered with more than 2,000,000 lists and objects."


async def test_an_answer_may_be_as_large_as_the_limit_packed_or_not(small: Api, served: Sandbox) -> None:
    served.faults.add("answer", status=200, body=MIB[1:] + b"1", times=1)
    served.faults.add("answer", status=200, body=gzip.compress(MIB[1:] + b"2"), headers=GZIP)
    assert [await small.call("GET", "things"), await small.call("GET", "things")] == [1, 2]


async def test_a_request_may_have_a_limit_of_its_own(small: Api, served: Sandbox) -> None:
    served.faults.add("answer", status=200, body=MIB + b"1")
    assert await small.call("GET", "things", limit=SizeLimit(2, "")) == 1


async def test_an_endless_answer_ends(small: Api, served: Sandbox) -> None:
    served.faults.add("endless", status=200, body=" " * 65_536)
    with pytest.raises(RequestError, match="more than 1 MiB"):
        await small.call("GET", "things")


async def test_what_is_packed_twice_is_not_unpacked(small: Api, served: Sandbox) -> None:
    packed = gzip.compress(gzip.compress(b"1"))
    served.faults.add("answer", status=200, body=packed, headers={"content-encoding": "gzip, gzip"})
    with pytest.raises(TryLaterError, match="DecodingError"):
        await small.call("GET", "things")


@pytest.mark.parametrize("delay_ms", [0, 60_000], ids=["byte by byte", "nothing after the beginning"])
async def test_an_answer_that_never_ends_is_not_waited_for(
    hasty: Api, served: Sandbox, delay_ms: int
) -> None:
    served.faults.add("endless", status=200, body=" ", delay_ms=delay_ms)
    late = f"^{PLACE} has not answered in full within 0.05 seconds"
    with pytest.raises(TryLaterError, match=late):
        await hasty.call("GET", "things")
    with pytest.raises(OutcomeUnknownError, match=late):
        await hasty.call("GET", "things", repeatable=False)


async def test_a_sign_in_has_a_bound_too(served: Sandbox, client_clock: Clock) -> None:
    served.faults.add("endless", path="token$", status=200, body=" " * 65_536)
    settings = coursera_settings(served, answer_mib="1")
    async with CourseraClient(settings, clock=client_clock) as client:
        with pytest.raises(RequestError, match=r"more than 1 MiB.*COURSERA_ANSWER_MIB"):
            await client.organisation()


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "Mon, 01 Jan 99999 00:00:00 GMT",
        f"Mon, {'9' * 30} Jan 2026 00:00:00 GMT",
        "Sun, 01 Jan 1950 00:00:00 GMT",
    ],
)
async def test_a_date_that_is_none_leaves_the_time_as_it_was(
    small: Api, served: Sandbox, clock: ManualClock, date: str
) -> None:
    served.faults.add("answer", status=503, times=1, headers={"Date": date, "Retry-After": date})
    served.faults.add("answer", status=200, body=1, headers={"Date": date})
    assert await small.call("GET", "things") == 1
    assert small.now_ms() == clock()
