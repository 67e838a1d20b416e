from typing import Any

import httpx
import pytest

from sandbox.server import Sandbox
from sandbox.values import Json


def elements(client: httpx.Client, path: str, **query: Any) -> list[Json]:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["elements"]
    return found


def test_pages_follow_each_other(served: Sandbox, coursera: httpx.Client) -> None:
    contents = [served.world.add_content(f"Course {number}") for number in range(250)]
    first = coursera.get("/contents").json()
    assert first["elements"] == contents[:100]
    assert first["paging"] == {"next": "100", "total": 250}
    assert first["linked"] == {}
    last = coursera.get("/contents", params={"start": 100, "limit": 150}).json()
    assert last["elements"] == contents[100:]
    assert last["paging"] == {"total": 250}


def test_an_empty_listing_is_one_empty_page(coursera: httpx.Client) -> None:
    assert coursera.get("/contents").json() == {"elements": [], "paging": {"total": 0}, "linked": {}}


@pytest.mark.parametrize(
    "query",
    [
        {"start": "-1"},
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "many"},
        {"q": "byName"},
        {"q": "byProgramId"},
        {"q": "byUserProgramId", "programId": "x"},
        {"lastActivityAfter": "2026-01-01"},
        {"includeS12n": "yes"},
        {"activityAfter": "1"},
    ],
    ids=lambda query: ",".join(f"{name}={value}" for name, value in query.items()),
)
def test_what_it_does_not_know_is_a_400(coursera: httpx.Client, query: dict[str, str]) -> None:
    answer = coursera.get("/enrollmentReports", params=query)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_an_unknown_listing_is_a_404(coursera: httpx.Client) -> None:
    assert coursera.get("/invitations").status_code == 404


def test_programs_come_with_or_without_their_contents(served: Sandbox, coursera: httpx.Client) -> None:
    content = served.world.add_content()
    [slim] = elements(coursera, "/programs", excludeContent="true")
    assert slim == served.world.programs[0]
    assert {"id", "name", "slug", "url"} <= slim.keys()
    [full] = elements(coursera, "/programs")
    assert full["contentIds"] == [content["contentId"]]


def test_contents_of_a_program_still_name_all_their_programs(served: Sandbox, coursera: httpx.Client) -> None:
    world = served.world
    second = world.add_program("Second")
    places = [{"programId": program["id"], "contentUrl": "https://x"} for program in world.programs]
    both = world.add_content("Both", programs=places)
    only = world.add_content("Only second", programs=places[1:])
    world.add_content("None", programs=[])
    world.add_content("Null", programs=None)
    found = elements(coursera, "/contents", q="byProgramIds", programIds=f"unknown,{second['id']}")
    assert found == [both, only]
    assert len(found[0]["programs"]) == 2


def test_contents_are_filtered_by_type(served: Sandbox, coursera: httpx.Client) -> None:
    served.world.add_content("A")
    clip = served.world.add_content("B", contentType="Video")
    assert elements(coursera, "/contents", contentType="Video") == [clip]
    assert coursera.get("/contents", params={"contentType": "Movie"}).status_code == 400


def test_changed_contents_say_what_changed(served: Sandbox, coursera: httpx.Client) -> None:
    world = served.world
    old = world.add_content("Old", lastUpdatedAt=1_000)
    touched = world.add_content("Touched", lastUpdatedAt=2_000)
    gone = world.add_content("Gone", lastUpdatedAt=2_000)
    world.contents.remove(gone)
    world.removed[gone["id"]] = gone
    world.changes[gone["id"]] = {"changeType": "REMOVED", "programIds": ["p"], "at": 2_000}
    found = elements(coursera, "/contents", modifiedSinceTimestamp=2_000)
    assert [element["name"] for element in found] == ["Touched", "Gone"]
    assert found[0]["changes"] == [{"changeType": "MODIFIED", "programIds": [world.programs[0]["id"]]}]
    assert found[1]["changes"] == [{"changeType": "REMOVED", "programIds": ["p"]}]
    assert "changes" not in old | touched


def test_specializations_show_only_when_asked_for(served: Sandbox, coursera: httpx.Client) -> None:
    course = served.world.add_content("A")
    series = served.world.add_content("B", contentType="Specialization")
    rows = [served.enroll("a@example.com", content) for content in (course, series)]
    assert elements(coursera, "/enrollmentReports") == rows[:1]
    assert elements(coursera, "/enrollmentReports", includeS12n="false") == rows[:1]
    assert elements(coursera, "/enrollmentReports", includeS12n="true") == rows


def test_deleted_members_show_only_when_asked_for(served: Sandbox, coursera: httpx.Client) -> None:
    content = served.world.add_content()
    stays = served.enroll("a@example.com", content)
    left = served.enroll("b@example.com", content, membershipState="DELETED")
    assert elements(coursera, "/enrollmentReports", includeExpiredContracts="true") == [stays]
    assert elements(coursera, "/enrollmentReports", includeDeletedMembers="true") == [stays, left]


def test_rows_are_found_by_program_and_learner(served: Sandbox, coursera: httpx.Client) -> None:
    content = served.world.add_content()
    other = served.world.add_program("Other")
    here = served.enroll("a@example.com", content)
    there = served.enroll("a@example.com", content, programId=other["id"])
    third = served.enroll("b@example.com", content)
    assert elements(coursera, "/enrollmentReports", q="byProgramId", programId=here["programId"]) == [
        here,
        third,
    ]
    query = {"q": "byUserProgramId", "programId": other["id"], "externalId": "a@example.com"}
    assert elements(coursera, "/enrollmentReports", **query) == [there]


def test_activity_is_compared_strictly_and_rows_without_it_do_not_match(
    served: Sandbox, coursera: httpx.Client
) -> None:
    content = served.world.add_content()
    served.enroll("idle@example.com", content)
    for mail, moment in (("a@example.com", 1_000), ("b@example.com", 1_001)):
        served.enroll(mail, content, overallProgress=1, lastActivityAt=moment)
    served.enroll("c@example.com", content, isCompleted=True, completedAt=5, lastActivityAt=1)
    found = elements(coursera, "/enrollmentReports", lastActivityAfter=1_000)
    assert [row["email"] for row in found] == ["b@example.com"]
    found = elements(coursera, "/enrollmentReports", completedAtAfter=4)
    assert [row["email"] for row in found] == ["c@example.com"]


def test_a_large_listing_is_read_like_a_small_one(served: Sandbox, coursera: httpx.Client) -> None:
    content = served.world.add_content()
    for number in range(20_500):
        moment = number if number % 2 else 0
        served.world.reports.append(
            {"id": str(number), "contentId": content["contentId"], "lastActivityAt": moment}
        )
    seen: list[Json] = []
    query: dict[str, Any] = {"lastActivityAfter": 0, "limit": 1_000, "start": 0}
    while "start" in query:
        answer = coursera.get("/enrollmentReports", params=query).json()
        seen += answer["elements"]
        query = {**query, "start": answer["paging"]["next"]} if "next" in answer["paging"] else {}
    assert [int(row["id"]) for row in seen] == list(range(1, 20_500, 2))
