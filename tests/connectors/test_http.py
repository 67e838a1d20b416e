"""One way to call a platform: what is tried again and what is not, for how long, and what is said then."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from connectors.clock import Clock
from connectors.coursera.models import Page
from connectors.errors import OutcomeUnknownError, RequestError, SlotsTakenError, SyncError, TryLaterError
from connectors.http import VERDICTS, Api, Verdict, new_client, validated
from sandbox.clock import MANUAL_START_MS, ManualClock
from sandbox.faults import Action
from sandbox.server import Sandbox
from tests.connections import all_that_shows, clock_on

TABLE = {
    408: Verdict.AMBIGUOUS,
    425: Verdict.RETRY,
    429: Verdict.RETRY,
    500: Verdict.AMBIGUOUS,
    502: Verdict.AMBIGUOUS,
    503: Verdict.RETRY,
    504: Verdict.AMBIGUOUS,
}
REFUSED = (301, 302, 307, 400, 401, 402, 403, 404, 405, 409, 410, 413, 418, 422, 431, 451, 501, 505, 511)
DONE = {"done": True}
PLACE = "Platform: PUT /things"
LEARNER = "ann@example.com"


@pytest.fixture
async def api(served: Sandbox, client_clock: Clock) -> AsyncIterator[Api]:
    async with new_client(served.url("learning360"), httpx.Auth()) as client:
        yield Api("Platform", client, lambda _: None, client_clock)


def answers(served: Sandbox, status: int, *, times: int | None = None, **fields: Any) -> None:
    """The platform answers so, and once it has done so often enough, well."""
    served.faults.add("answer", status=status, times=times, **fields)
    served.faults.add("answer", status=200, body=DONE)


def breaks(served: Sandbox, action: Action, *, times: int | None = None) -> None:
    """The connection breaks, and once it has done so often enough, holds."""
    served.faults.add(action, times=times)
    served.faults.add("answer", status=200, body=DONE)


async def put(api: Api, *, repeatable: bool = True) -> object:
    return await api.call("PUT", "things", body={"a": 1}, repeatable=repeatable)


def requests(served: Sandbox) -> int:
    return len(served.log.entries)


def test_the_table_is_the_reviewed_one() -> None:
    assert dict(VERDICTS) == TABLE


@pytest.mark.parametrize("status", TABLE)
async def test_a_passing_status_is_tried_again_where_repeating_is_harmless(
    api: Api, served: Sandbox, status: int
) -> None:
    answers(served, status, times=1)
    assert await put(api) == DONE
    assert requests(served) == 2


@pytest.mark.parametrize("status", [status for status, verdict in TABLE.items() if verdict is Verdict.RETRY])
async def test_what_was_surely_not_done_is_tried_again_even_so(
    api: Api, served: Sandbox, status: int
) -> None:
    answers(served, status, times=1)
    assert await put(api, repeatable=False) == DONE
    assert requests(served) == 2


@pytest.mark.parametrize(
    "status", [status for status, verdict in TABLE.items() if verdict is Verdict.AMBIGUOUS]
)
async def test_what_may_have_been_done_is_not_repeated(api: Api, served: Sandbox, status: int) -> None:
    answers(served, status)
    with pytest.raises(OutcomeUnknownError, match=f"^{PLACE} answered {status}: it may or may not"):
        await put(api, repeatable=False)
    assert requests(served) == 1


@pytest.mark.parametrize("repeatable", [True, False], ids=["repeatable", "not repeatable"])
@pytest.mark.parametrize("status", REFUSED)
async def test_every_other_status_is_refused_for_good(
    api: Api, served: Sandbox, status: int, *, repeatable: bool
) -> None:
    answers(served, status)
    with pytest.raises(RequestError, match=f"^{PLACE} answered {status}: not retryable"):
        await put(api, repeatable=repeatable)
    assert requests(served) == 1


@pytest.mark.parametrize("status", TABLE)
async def test_there_are_five_tries_at_most(api: Api, served: Sandbox, status: int) -> None:
    answers(served, status)
    with pytest.raises(TryLaterError, match=f"^{PLACE} answered {status}. Try again later") as raised:
        await put(api)
    assert requests(served) == 5
    assert raised.value.exit_code == 1


@pytest.mark.parametrize(
    ("chance", "expected"),
    [(0.0, [0.5, 1.0, 2.0, 4.0]), (0.5, [0.75, 1.5, 3.0, 6.0]), (1.0, [1.0, 2.0, 4.0, 8.0])],
    ids=["shortest", "in between", "longest"],
)
async def test_waits_grow_and_chance_spreads_them(
    api: Api, served: Sandbox, clock: ManualClock, chance: float, expected: list[float]
) -> None:
    waits: list[float] = []
    lucky = Api("Platform", api.client, lambda _: None, clock_on(clock, waits, random=chance))
    answers(served, 503)
    with pytest.raises(TryLaterError):
        await put(lucky)
    assert waits == expected


def http_date(seconds_ahead: float) -> str:
    moment = datetime.fromtimestamp(MANUAL_START_MS / 1000 + seconds_ahead, UTC)
    return format_datetime(moment, usegmt=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param(http_date(30), 30.0, id="an HTTP date"),
        pytest.param("0", 0.5, id="no time at all: as without it"),
        pytest.param(http_date(-60), 0.5, id="a date that has passed: as without it"),
        pytest.param("", 0.5, id="empty"),
        pytest.param("soon", 0.5, id="a word"),
        pytest.param("-5", 0.5, id="less than nothing"),
        pytest.param("1.5", 0.5, id="a fraction, which HTTP does not know"),
        pytest.param("²", 0.5, id="a digit that is no number"),
    ],
)
async def test_retry_after_is_honoured(
    api: Api, served: Sandbox, waits: list[float], value: str, expected: float
) -> None:
    answers(served, 503, times=1, headers={"Retry-After": value})
    assert await put(api) == DONE
    assert waits == [expected]


@pytest.mark.parametrize("value", ["120", "3600", "9" * 400, http_date(121)])
async def test_a_wait_beyond_the_two_minutes_is_not_begun(
    api: Api, served: Sandbox, waits: list[float], value: str
) -> None:
    answers(served, 429, headers={"Retry-After": value})
    with pytest.raises(TryLaterError) as raised:
        await put(api)
    assert (requests(served), waits) == (1, [])
    assert (raised.value.retry_after or 0) >= 120


async def test_waits_end_within_two_minutes(api: Api, served: Sandbox, waits: list[float]) -> None:
    answers(served, 503, headers={"Retry-After": "50"})
    with pytest.raises(TryLaterError):
        await put(api)
    assert waits == [50.0, 50.0]


async def test_slow_answers_count_towards_the_two_minutes(
    api: Api, served: Sandbox, clock: ManualClock, client_clock: Clock
) -> None:
    def slow(_: httpx.Response) -> None:
        clock.advance(seconds=59)

    answers(served, 503)
    with pytest.raises(TryLaterError):
        await put(Api("Platform", api.client, slow, client_clock))
    assert requests(served) == 3


@pytest.mark.parametrize("action", ["reset", "lose", "half"])
async def test_a_broken_connection_is_tried_again_where_repeating_is_harmless(
    api: Api, served: Sandbox, action: Action
) -> None:
    breaks(served, action, times=4)
    assert await put(api) == DONE
    assert requests(served) == 5


@pytest.mark.parametrize("action", ["reset", "lose", "half"])
async def test_a_broken_connection_leaves_open_what_was_done(
    api: Api, served: Sandbox, action: Action
) -> None:
    breaks(served, action)
    with pytest.raises(OutcomeUnknownError, match=f"^{PLACE} got no answer"):
        await put(api, repeatable=False)
    assert requests(served) == 1


@pytest.mark.parametrize("repeatable", [True, False], ids=["repeatable", "not repeatable"])
async def test_an_answer_that_takes_too_long(
    served: Sandbox, client_clock: Clock, *, repeatable: bool
) -> None:
    served.faults.add("delay", delay_ms=60_000, times=1)
    served.faults.add("answer", status=200, body=DONE)
    async with new_client(served.url("learning360"), httpx.Auth()) as client:
        client.timeout = httpx.Timeout(0.05)
        api = Api("Platform", client, lambda _: None, client_clock)
        if repeatable:
            assert await put(api) == DONE
        else:
            with pytest.raises(OutcomeUnknownError, match="ReadTimeout"):
                await put(api, repeatable=False)


def failing(error: Callable[[str], httpx.TransportError], client_clock: Clock) -> tuple[Api, list[str]]:
    """A platform that a request does not get through to at first; and the requests it was sent."""
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.method)
        if len(seen) == 1:
            raise error("no such luck")
        return httpx.Response(200, json=DONE)

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://platform")
    return Api("Platform", client, lambda _: None, client_clock), seen


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
async def test_what_never_left_us_is_tried_again_even_so(
    client_clock: Clock, error: type[httpx.TransportError]
) -> None:
    api, seen = failing(error, client_clock)
    assert await put(api, repeatable=False) == DONE
    assert len(seen) == 2


@pytest.mark.parametrize(
    "error",
    [
        *(httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError),
        *(httpx.CloseError, httpx.RemoteProtocolError, httpx.ProxyError),
    ],
)
async def test_what_may_have_left_us_is_not_repeated(
    client_clock: Clock, error: type[httpx.TransportError]
) -> None:
    api, seen = failing(error, client_clock)
    with pytest.raises(OutcomeUnknownError, match=f"got no answer .{error.__name__}"):
        await put(api, repeatable=False)
    assert len(seen) == 1


async def test_html_in_place_of_json_is_a_passing_fault(api: Api, served: Sandbox) -> None:
    answers(served, 200, times=1, body="<h1>Back soon</h1>")
    assert await put(api) == DONE


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"body": "<h1>Back soon</h1>"}, "answered text/html where JSON was expected", id="HTML"),
        pytest.param(
            {"body": '{"a": ', "headers": {"content-type": "application/json"}},
            "answered application/json where JSON was expected",
            id="JSON that breaks off",
        ),
        pytest.param(
            {"body": "no gzip at all", "headers": {"content-encoding": "gzip"}},
            "could not be reached (DecodingError)",
            id="garbled compression",
        ),
    ],
)
async def test_an_answer_that_cannot_be_read_is_named_in_the_end(
    api: Api, served: Sandbox, fields: dict[str, Any], message: str
) -> None:
    answers(served, 200, **fields)
    with pytest.raises(TryLaterError) as raised:
        await put(api)
    assert str(raised.value).startswith(f"{PLACE} {message}")
    assert requests(served) == 5


@pytest.mark.parametrize("headers", [{}, {"content-encoding": "gzip"}], ids=["HTML", "garbled"])
async def test_a_success_that_cannot_be_read_is_not_repeated_where_that_does_harm(
    api: Api, served: Sandbox, headers: dict[str, str]
) -> None:
    answers(served, 200, times=1, body="<h1>Back soon</h1>", headers=headers)
    with pytest.raises(OutcomeUnknownError):
        await put(api, repeatable=False)
    assert requests(served) == 1


async def test_redirects_are_not_followed(api: Api, served: Sandbox) -> None:
    elsewhere = f"{served.url('coursera')}/oauth2/v1/token"
    answers(served, 307, times=1, headers={"Location": elsewhere})
    with pytest.raises(RequestError, match="answered 307"):
        await put(api)
    assert [entry.platform for entry in served.log.entries] == ["learning360"]


@pytest.mark.parametrize(
    ("error", "tries"),
    [(SyncError, 1), (RequestError, 1), (SlotsTakenError, 1), (TryLaterError, 5)],
    ids=["for good", "refused", "slots taken", "later"],
)
async def test_what_the_platform_explains_decides(
    api: Api, served: Sandbox, client_clock: Clock, error: type[SyncError], tries: int
) -> None:
    answers(served, 503)
    explained = Api("Platform", api.client, lambda _: error("Platform: not now."), client_clock)
    with pytest.raises(error, match=r"^Platform: not now\.$") as raised:
        await put(explained)
    assert type(raised.value) is error
    assert requests(served) == tries


async def test_an_explained_error_takes_over_the_wait_that_was_asked_for(
    api: Api, served: Sandbox, client_clock: Clock, waits: list[float]
) -> None:
    answers(served, 429, times=1, headers={"Retry-After": "11"})
    explained = Api(
        "Platform", api.client, lambda _: TryLaterError("Platform: not now.", retry_after=1), client_clock
    )
    assert await put(explained) == DONE
    assert waits == [11.0]


async def test_what_is_said_and_logged_names_nobody(
    api: Api, served: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    answers(served, 500, body={"error": LEARNER}, headers={"Link": f"<?mail={LEARNER}>"})
    with caplog.at_level("DEBUG"), pytest.raises(TryLaterError) as raised:
        await api.call("GET", "users", params=httpx.QueryParams({"mail[eq]": LEARNER}))
    shown = all_that_shows(raised.value) + caplog.text
    assert not any(name in shown for name in ("ann@", "ann%40"))


async def test_a_body_goes_out_as_json(client_clock: Clock) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=DONE)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://platform") as client:
        api = Api("Platform", client, lambda _: None, client_clock)
        await api.call("DELETE", "things", body={"input": [{"name": "Éa"}]})
        await api.call("GET", "things")
    with_body, without = seen
    assert with_body.headers["content-type"] == "application/json"
    assert with_body.content == '{"input":[{"name":"Éa"}]}'.encode()
    assert (without.content, "content-type" in without.headers) == (b"", False)


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        ({"elements": {}}, "elements"),
        ({}, "elements"),
        ({"elements": [], "paging": {"next": "later", "total": []}}, "paging.next, paging.total"),
        ([], "the whole"),
        (None, "the whole"),
    ],
    ids=["wrong type", "missing", "deep inside", "a list", "null"],
)
def test_a_wrong_shape_names_the_fields(value: object, fields: str) -> None:
    with pytest.raises(RequestError) as raised:
        validated(Page, value, what="A page")
    assert str(raised.value) == f"A page does not have the shape of the contract: {fields}"
