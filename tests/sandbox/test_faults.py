from collections.abc import Callable

import httpx
import pytest

from sandbox.faults import Action
from sandbox.server import Sandbox

USERS, INTEGRATIONS = "/api/v2/users", "/api/v2/integrations"


def creation(served: Sandbox, name: str = "Platform") -> dict[str, str]:
    platform = served.learning360
    return {"externalPlatform": name, "groupId": platform.group_id, "authorId": platform.author_id}


def create(client: httpx.Client, served: Sandbox, name: str = "Platform") -> httpx.Response:
    return client.post(INTEGRATIONS, json=creation(served, name))


@pytest.fixture
def raw(served: Sandbox, learning360: httpx.Client) -> httpx.Client:
    """A signed-in client whose answers need not be the contract's."""
    learning360.event_hooks = {"request": [], "response": []}
    served.log.clear()
    return learning360


def test_an_answer_in_the_platforms_place(served: Sandbox, raw: httpx.Client) -> None:
    served.faults.add("answer", status=429, headers={"Retry-After": "7"}, body={"error": "tooManyRequests"})
    answer = create(raw, served)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json() == {"error": "tooManyRequests"}
    assert answer.headers["content-type"] == "application/json"
    assert served.learning360.integrations == {}


@pytest.mark.parametrize(
    ("headers", "content_type"),
    [({}, "text/html; charset=utf-8"), ({"content-type": "application/json"}, "application/json")],
)
def test_an_answer_of_text_is_html_unless_it_says_otherwise(
    served: Sandbox, raw: httpx.Client, headers: dict[str, str], content_type: str
) -> None:
    served.faults.add("answer", status=502, headers=headers, body="<h1>Bad Gateway</h1>")
    answer = raw.get(USERS)
    assert (answer.status_code, answer.text) == (502, "<h1>Bad Gateway</h1>")
    assert answer.headers["content-type"] == content_type


def test_an_answer_of_nothing_has_no_body(served: Sandbox, raw: httpx.Client) -> None:
    served.faults.add("answer", status=500)
    answer = raw.get(USERS)
    assert (answer.status_code, answer.content) == (500, b"")


@pytest.mark.parametrize(
    ("action", "error", "processed"),
    [
        ("reset", httpx.ReadError, 0),
        ("lose", httpx.RemoteProtocolError, 1),
        ("half", httpx.RemoteProtocolError, 1),
    ],
)
def test_connections_break_before_or_after_the_processing(
    served: Sandbox, raw: httpx.Client, action: Action, error: type[Exception], processed: int
) -> None:
    served.faults.add(action, times=1)
    with pytest.raises(error):
        create(raw, served)
    assert len(served.learning360.integrations) == processed
    assert create(raw, served, "Another").status_code == 201


def test_half_of_the_answer_arrives(served: Sandbox, raw: httpx.Client) -> None:
    whole = raw.get(USERS).content
    served.faults.add("half")
    received = b""
    with raw.stream("GET", USERS) as answer, pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012 -- one stream
        assert answer.status_code == 200
        for chunk in answer.iter_bytes():
            received += chunk
    assert received == whole[: len(whole) // 2]


def test_half_of_an_answer_without_a_body(served: Sandbox, raw: httpx.Client) -> None:
    integration_id = served.learning360.add_integration()["_id"]
    served.faults.add("half", method="PUT")
    with pytest.raises(httpx.RemoteProtocolError):
        raw.put(f"/api/v2/bulk/integrations/{integration_id}/courses", json={"input": []})
    assert len(served.learning360.operations.all) == 1


def test_an_answer_is_rewritten(served: Sandbox, raw: httpx.Client) -> None:
    served.learning360.add_user("ann@example.com", "Ann")
    served.faults.add("rewrite", body={'"ann@example.com"': "NaN", "Ann": "\xff"}, times=1)
    before, after = raw.get(USERS).content, raw.get(USERS).content
    assert before == after.replace(b'"ann@example.com"', b"NaN").replace(b"Ann", b"\xff")


def test_an_answer_goes_on_for_ever(served: Sandbox, raw: httpx.Client) -> None:
    served.faults.add("endless", status=200, body="ab", times=1)
    with raw.stream("GET", USERS) as answer:
        chunks = answer.iter_raw(2)
        assert [next(chunks) for _ in range(100)] == [b"ab"] * 100
    assert raw.get(USERS).status_code == 200


def test_a_delay_is_longer_than_a_clients_patience(served: Sandbox, raw: httpx.Client) -> None:
    fault = served.faults.add("delay", delay_ms=60_000, times=1)
    with pytest.raises(httpx.ReadTimeout):
        raw.get(USERS, timeout=0.05)
    assert fault.hits == 1
    assert raw.get(USERS).status_code == 200


def test_a_delay_that_is_waited_for_changes_nothing(served: Sandbox, raw: httpx.Client) -> None:
    served.faults.add("delay", delay_ms=1)
    assert raw.get(USERS).status_code == 200


def test_a_rule_skips_and_then_hits_so_many_times(served: Sandbox, raw: httpx.Client) -> None:
    fault = served.faults.add("answer", skip=2, times=2)
    assert [raw.get(USERS).status_code for _ in range(6)] == [200, 200, 503, 503, 200, 200]
    assert (fault.seen, fault.hits) == (6, 2)


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({"method": "GET"}, True),
        ({"method": "post"}, False),
        ({"path": "/users$"}, True),
        ({"path": "^/users"}, False),
        ({"platform": "learning360"}, True),
        ({"platform": "coursera"}, False),
    ],
    ids=lambda value: next(iter(value.items())) if isinstance(value, dict) else "",
)
def test_a_rule_hits_what_it_matches(
    served: Sandbox,
    raw: httpx.Client,
    match: dict[str, str],
    hit: bool,  # noqa: FBT001 -- a parameter of the table
) -> None:
    fault = served.faults.add("answer", **match)
    assert raw.get(USERS).status_code == (503 if hit else 200)
    assert (fault.seen, fault.hits) == ((1, 1) if hit else (0, 0))


def test_the_first_rule_that_hits_counts(served: Sandbox, raw: httpx.Client) -> None:
    rules = [served.faults.add("answer", status=status, times=1) for status in (500, 502)]
    assert [raw.get(USERS).status_code for _ in range(3)] == [500, 502, 200]
    assert [rule.hits for rule in rules] == [1, 1]
    served.faults.add("answer")
    served.faults.clear()
    assert raw.get(USERS).status_code == 200


def test_faults_reach_both_platforms(served: Sandbox, coursera: httpx.Client, raw: httpx.Client) -> None:
    served.faults.add("answer", path="contents|users")
    assert coursera.get("/contents").status_code == 503
    assert raw.get(USERS).status_code == 503


def test_the_log_keeps_requests_without_bodies(served: Sandbox, raw: httpx.Client) -> None:
    served.faults.add("reset", path="users", times=1)
    with pytest.raises(httpx.ReadError):
        raw.get(USERS)
    raw.get(USERS, params={"mail[eq]": "a@example.com"})
    create(raw, served)
    log = served.log
    assert [(entry.method, entry.path, entry.status) for entry in log.entries] == [
        ("GET", USERS, 0),
        ("GET", USERS, 200),
        ("POST", INTEGRATIONS, 201),
    ]
    assert log.entries[1].query == "mail%5Beq%5D=a%40example.com"
    assert [len(log.select(path)) for path in ("", "users$", "nothing")] == [3, 2, 0]
    assert len(log.select(method="POST", platform="learning360")) == 1
    assert log.counts() == {"learning360 GET 0": 1, "learning360 GET 200": 1, "learning360 POST 201": 1}


def test_latency_can_be_switched_on(served: Sandbox, raw: httpx.Client) -> None:
    served.learning360.options.latency_ms = 60_000
    with pytest.raises(httpx.ReadTimeout):
        raw.get(USERS, timeout=0.05)


def test_pages_of_coursera_can_be_slow_while_the_rest_is_not(served: Sandbox, coursera: httpx.Client) -> None:
    served.coursera.options.page_ms = 60_000
    assert coursera.get("").status_code == 200
    with pytest.raises(httpx.ReadTimeout):
        coursera.get("/programs", timeout=0.05)


def test_a_bug_of_the_stand_in_shows_in_the_log(served: Sandbox, raw: httpx.Client) -> None:
    broken: Callable[..., None] = None  # type: ignore[assignment]
    served.learning360.operations.settle = broken  # type: ignore[method-assign]
    assert raw.get("/api/v2/courses").status_code == 500
    assert "NoneType" in served.log.errors.pop()
