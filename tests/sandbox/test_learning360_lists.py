from typing import Any

import httpx
import pytest

from sandbox.clock import ManualClock
from sandbox.server import Sandbox
from sandbox.values import Json, iso

OPERATIONS, STATISTICS = "/api/v2/bulk/operations", "/api/v2/courses/stats"
COURSES, USERS = "/api/v2/courses", "/api/v2/users"

#: Query parameters, in the order in which they are written.
Query = list[tuple[str, str | int]]


def get(client: httpx.Client, path: str, *query: tuple[str, Any]) -> list[Json]:
    answer = client.get(path, params=list(query))
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()
    return found


def walk(client: httpx.Client, path: str) -> list[list[Json]]:
    """All pages, by the Link header."""
    pages = []
    while path:
        answer = client.get(path)
        pages.append(answer.json())
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    return pages


@pytest.mark.parametrize("path", ["/api/v2/integrations", OPERATIONS, STATISTICS, COURSES])
def test_empty_lists_are_one_empty_page(learning360: httpx.Client, path: str) -> None:
    assert walk(learning360, path) == [[]]


def test_users_have_pages_of_five_hundred(served: Sandbox, learning360: httpx.Client) -> None:
    for number in range(1_000):
        served.learning360.add_user(f"user{number}@example.com")
    pages = walk(learning360, USERS)
    assert [len(page) for page in pages] == [500, 500, 1]
    assert [user for page in pages for user in page] == list(served.learning360.users.values())


def test_links_keep_the_filters_and_can_be_relative(served: Sandbox, learning360: httpx.Client) -> None:
    served.learning360.options.page_cap = 1
    served.learning360.options.relative_urls = True
    mails = [served.learning360.add_user(f"{name}@example.com")["mail"] for name in "abcd"]
    answer = learning360.get(USERS, params=[("mail[in]", mail) for mail in mails[1:]])
    assert answer.links["next"]["url"].startswith(f"{USERS}?")
    pages = walk(learning360, f"{USERS}?{answer.request.url.query.decode()}")
    assert [user["mail"] for page in pages for user in page] == mails[1:]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ([("mail[eq]", "b@x.org")], "b"),
        ([("mail[ne]", "b@x.org"), ("mail[nin]", "a@x.org")], "c"),
        ([("mail[in]", "a@x.org"), ("mail[in]", "c@x.org"), ("mail[in]", "d@x.org")], "ac"),
        ([("mail[in][]", "a@x.org"), ("mail[in][]", "b@x.org")], "ab"),
        ([("mail[in][0]", "a@x.org"), ("mail[in][1]", "b@x.org")], "ab"),
        ([("status[eq]", "deleted")], "c"),
        ([("status[ne]", "deleted"), ("mail[in]", "c@x.org"), ("mail[in]", "b@x.org")], "b"),
        ([("username[eq]", "a")], ""),
    ],
    ids=["eq", "ne and nin", "in repeated", "in[]", "in[n]", "status", "both", "absent property"],
)
def test_users_are_filtered(served: Sandbox, learning360: httpx.Client, query: Query, expected: str) -> None:
    served.learning360.users.clear()
    for name in "abc":
        served.learning360.add_user(f"{name}@x.org", status="deleted" if name == "c" else "active")
    assert "".join(user["mail"][0] for user in get(learning360, USERS, *query)) == expected


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (USERS, "mail"),
        (USERS, "mail[gte]"),
        (USERS, "name[eq]"),
        (STATISTICS, "progress[eq]"),
        (COURSES, "name[eq]"),
    ],
)
def test_filters_that_are_not_documented_are_refused(
    learning360: httpx.Client, path: str, query: str
) -> None:
    assert learning360.get(path, params={query: "x"}).status_code == 400


def test_dates_and_cursors_that_are_none_are_refused(learning360: httpx.Client) -> None:
    assert learning360.get(OPERATIONS, params={"createdAt[gte]": "yesterday"}).status_code == 400
    assert learning360.get(USERS, params={"cursor": "next"}).status_code == 400


@pytest.fixture
def attempts(served: Sandbox) -> dict[str, str]:
    """Two learners on two courses; names of attempts by id, and ids of courses and learners by name."""
    platform = served.learning360
    platform.add_integration(defaultCompletion=True)
    known = {name: platform.add_course(name).id for name in "AB"}
    known |= {name: platform.add_user(f"{name}@example.com")["_id"] for name in "xy"}
    for name in ("Ax", "Ay", "Bx"):
        moment = 1_000_000 if name == "Bx" else None
        attempt = platform.add_attempt(f"{name[1]}@example.com", name[0], completed_ms=moment)
        known[attempt.id] = name
    return known


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ([], "Ax Ay Bx"),
        ([("courseId[eq]", "A")], "Ax Ay"),
        ([("courseId[in]", "A"), ("courseId[in]", "B")], "Ax Ay Bx"),
        ([("courseId[in][]", "B")], "Bx"),
        ([("userId[eq]", "x")], "Ax Bx"),
        ([("userId[in]", "y"), ("courseId[eq]", "A")], "Ay"),
        ([("courseId[ne]", "A")], "Bx"),
        ([("userId[nin]", "x"), ("userId[nin]", "y")], ""),
        ([("completedAt[gte]", iso(1_000_000))], "Bx"),
        ([("completedAt[gte]", iso(1_000_999))], "Bx"),
        ([("completedAt[gte]", iso(1_001_000))], ""),
        ([("completedAt[lt]", iso(1_001_000)), ("userId[eq]", "x")], "Bx"),
        ([("completedAt[lt]", iso(1_000_999))], ""),
    ],
    ids=lambda value: (
        value if isinstance(value, str) else "&".join(f"{name}={entry}" for name, entry in value)
    ),
)
def test_statistics_are_filtered(
    learning360: httpx.Client, attempts: dict[str, str], query: Query, expected: str
) -> None:
    resolved = [(name, attempts.get(str(value), value)) for name, value in query]
    found = [attempts[attempt["_id"]] for attempt in get(learning360, STATISTICS, *resolved)]
    assert found == expected.split()


def test_statistics_have_pages_of_five_hundred(
    served: Sandbox, learning360: httpx.Client, attempts: dict[str, str]
) -> None:
    for _ in range(500):
        served.learning360.add_attempt("x@example.com", "A")
    assert [len(page) for page in walk(learning360, STATISTICS)] == [500, 3]
    assert [len(page) for page in walk(learning360, f"{STATISTICS}?courseId[eq]={attempts['A']}")] == [500, 2]


def test_courses_show_without_their_external_ids(served: Sandbox, learning360: httpx.Client) -> None:
    served.learning360.add_integration("Coursera for Business")
    french = {"lang": "fr", "translatedFields": {"name": "Un cours", "launchUrl": "https://x"}}
    made = served.learning360.add_course("A", name="A course", duration=5, translations=[french])
    [shown] = get(learning360, COURSES)
    assert shown["_id"] == made.id
    assert "externalId" not in shown
    assert (shown["name"], shown["duration"], shown["type"], shown["status"]) == (
        "A course",
        5,
        "external",
        "published",
    )
    assert shown["externalPlatform"] == "Coursera for Business"


def test_courses_are_filtered(served: Sandbox, learning360: httpx.Client, clock: ManualClock) -> None:
    platform = served.learning360
    author = platform.add_user("author@example.com")["_id"]
    old = platform.add_course("old", defaultLang="fr", authorId=author)
    clock.advance(seconds=10)
    new = platform.add_course("new")
    new.archived = True
    elsewhere = platform.add_group("Elsewhere")["_id"]
    now = iso(clock())

    def ids(*query: tuple[str, str]) -> list[str]:
        return [course["_id"] for course in get(learning360, COURSES, *query)]

    assert ids(("status[eq]", "archived")) == [new.id]
    assert ids(("createdAt[gte]", now)) == ids(("modifiedAt[gte]", now)) == [new.id]
    assert ids(("createdAt[lt]", now)) == [old.id]
    assert ids(("sourceLang[in]", "fr"), ("sourceLang[in]", "de")) == [old.id]
    assert ids(("authorId[eq]", author)) == ids(("originalAuthorId[eq]", author)) == [old.id]
    assert ids(("groupId[eq]", platform.group_id), ("type[eq]", "external")) == [old.id, new.id]
    assert ids(("groupId[eq]", elsewhere)) == ids(("collaborativeLearning[eq]", "true")) == []


def test_courses_of_an_integration_that_is_gone_are_not_shown(
    served: Sandbox, learning360: httpx.Client
) -> None:
    served.learning360.add_course("A")
    served.learning360.integrations.clear()
    assert get(learning360, COURSES) == []


def test_an_unknown_course_does_not_belong_to_the_integration(
    served: Sandbox, learning360: httpx.Client
) -> None:
    integration_id = served.learning360.add_integration()["_id"]
    answer = learning360.get(f"/api/v2/integrations/{integration_id}/courses/nothing")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "courseNotBelongToIntegration")
    answer = learning360.get(f"/api/v2/integrations/{'0' * 24}/courses/nothing")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "integrationNotFound")


def test_groups_are_found_by_id(served: Sandbox, learning360: httpx.Client) -> None:
    group_id = served.learning360.group_id
    assert learning360.get(f"/api/v2/groups/{group_id}").json()["_id"] == group_id
    answer = learning360.get(f"/api/v2/groups/{'0' * 24}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "groupNotFound")


@pytest.fixture
def operations(served: Sandbox, clock: ManualClock) -> list[str]:
    """Twenty-five ended operations, a second apart; their ids, oldest first."""
    integration_id = served.learning360.add_integration()["_id"]
    made = []
    for number in range(25):
        kind = "importExternalCourses" if number % 2 else "importExternalStatistics"
        made.append(served.learning360.submit(kind, integration_id, []).id)  # type: ignore[arg-type]
        clock.advance(seconds=1)
    return made


def test_operations_are_listed_newest_first_in_pages_of_twenty(
    learning360: httpx.Client, operations: list[str]
) -> None:
    pages = walk(learning360, OPERATIONS)
    assert [len(page) for page in pages] == [20, 5]
    assert [operation["_id"] for page in pages for operation in page] == operations[::-1]


def test_new_operations_do_not_shift_the_pages(
    served: Sandbox, learning360: httpx.Client, operations: list[str]
) -> None:
    first = learning360.get(OPERATIONS)
    served.learning360.submit("importExternalCourses", next(iter(served.learning360.integrations)), [])
    second = learning360.get(first.links["next"]["url"])
    assert [operation["_id"] for operation in second.json()] == operations[4::-1]


def test_operations_are_filtered(
    served: Sandbox, learning360: httpx.Client, operations: list[str], clock: ManualClock
) -> None:
    served.learning360.options.hold_operations = True
    held = served.learning360.submit(
        "importExternalCourses", next(iter(served.learning360.integrations)), []
    ).id
    since, until = iso(clock() - 2_000), iso(clock() - 1_000)

    def ids(*query: tuple[str, str]) -> list[str]:
        return [operation["_id"] for operation in get(learning360, OPERATIONS, *query)]

    assert ids(("status[eq]", "queued")) == [held]
    assert ids(("createdAt[gte]", since)) == [held, operations[24], operations[23]]
    assert ids(("createdAt[gte]", since), ("createdAt[lt]", until)) == [operations[23]]
    assert ids(("createdAt[gte]", iso(clock() - 1_500))) == [held, operations[24], operations[23]], (
        "whole seconds"
    )
    assert ids(("type[eq]", "importExternalCourses"), ("status[eq]", "completed")) == operations[23::-2]
    assert ids(("type[eq]", "archiveExternalCourses")) == []


def test_operations_can_be_listed_late(
    served: Sandbox, learning360: httpx.Client, operations: list[str], clock: ManualClock
) -> None:
    served.learning360.options.listed_late_ms = 3_000
    assert get(learning360, OPERATIONS)[0]["_id"] == operations[22]
    assert learning360.get(f"{OPERATIONS}/{operations[24]}").status_code == 200
    clock.advance(seconds=2)
    assert get(learning360, OPERATIONS)[0]["_id"] == operations[24]
