from typing import Any

import httpx
import pytest

from sandbox.clock import ManualClock
from sandbox.server import Sandbox
from sandbox.values import Json

OPERATIONS = "/api/v2/bulk/operations"


@pytest.fixture
def integration_id(served: Sandbox) -> str:
    made: str = served.learning360.add_integration(defaultCompletion=True, defaultProgress=0)["_id"]
    return made


def course(external_id: str, **fields: Any) -> Json:
    plain = {"externalId": external_id, "name": "A course", "launchUrl": "https://x", "defaultLang": "en"}
    return plain | {"sources": [{"name": "Coursera"}], "subjects": []} | fields


def statistic(mail: str, external_id: str, **fields: Any) -> Json:
    return {
        "courseIdentifier": {"type": "externalId", "value": external_id},
        "userIdentifier": {"type": "mail", "value": mail},
        "progress": 10,
        "timeSpent": 1,
        "firstActivityAt": "2026-01-01T00:00:00.000Z",
        "lastActivityAt": "2026-01-02T00:00:00.000Z",
    } | fields


def send(
    client: httpx.Client, integration_id: str, method: str, rows: list[Json], kind: str = "courses"
) -> httpx.Response:
    return client.request(method, f"/api/v2/bulk/integrations/{integration_id}/{kind}", json={"input": rows})


def results(client: httpx.Client, submitted: httpx.Response) -> list[Json]:
    """The results of an operation that takes no time."""
    assert submitted.status_code == 202, submitted.text
    found: list[Json] = client.get(f"{submitted.headers['location']}/results").json()
    return found


def test_an_upsert_creates_in_catalog_and_library(
    served: Sandbox, learning360: httpx.Client, integration_id: str
) -> None:
    row = course("A", duration=45, translations=[{"lang": "fr", "translatedFields": {}}])
    [result] = results(learning360, send(learning360, integration_id, "PUT", [row]))
    made = served.learning360.course("A")
    assert result == {"input": row, "status": "success", "resourceId": made.id}
    assert (made.in_catalog, made.in_library, made.archived) == (True, True, False)
    shown = learning360.get(f"/api/v2/integrations/{integration_id}/courses/A").json()
    assert shown == row | {"authorId": served.learning360.author_id, "courseId": made.id}


def test_an_upsert_replaces_the_whole_course_but_not_what_people_did(
    served: Sandbox, learning360: httpx.Client, integration_id: str
) -> None:
    results(learning360, send(learning360, integration_id, "PUT", [course("A", description="Old")]))
    made = served.learning360.course("A")
    served.learning360.add_tag("A", "onboarding")
    made.in_library = False
    [result] = results(learning360, send(learning360, integration_id, "PUT", [course("A", name="New")]))
    assert result["resourceId"] == made.id
    assert made.data == course("A", name="New")
    assert (made.tags, made.in_library) == (["onboarding"], False)


def test_the_later_of_two_rows_of_one_course_wins(
    served: Sandbox, learning360: httpx.Client, integration_id: str
) -> None:
    rows = [course("A", name="First"), course("A", name="Second")]
    found = results(learning360, send(learning360, integration_id, "PUT", rows))
    assert len({result["resourceId"] for result in found}) == 1
    assert served.learning360.course("A").data["name"] == "Second"


@pytest.mark.parametrize("revives", [True, False])
def test_an_upsert_brings_an_archived_course_back(
    served: Sandbox,
    learning360: httpx.Client,
    integration_id: str,
    revives: bool,  # noqa: FBT001
) -> None:
    served.learning360.options.upsert_revives = revives
    results(learning360, send(learning360, integration_id, "PUT", [course("A")]))
    [result] = results(learning360, send(learning360, integration_id, "DELETE", [{"externalId": "A"}]))
    made = served.learning360.course("A")
    assert (result["resourceId"], made.archived) == (made.id, True)
    results(learning360, send(learning360, integration_id, "PUT", [course("A")]))
    assert made.archived is not revives


def test_archiving_what_is_not_there_fails_in_its_row_alone(
    learning360: httpx.Client, integration_id: str
) -> None:
    results(learning360, send(learning360, integration_id, "PUT", [course("A")]))
    rows = [{"externalId": "A"}, {"externalId": "B"}, {}]
    found = results(learning360, send(learning360, integration_id, "DELETE", rows))
    assert [result["status"] for result in found] == ["success", "error", "error"]
    assert found[1]["errorMessage"] == "Course not found: B"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"userIdentifier": {"type": "mail", "value": "nobody@example.com"}}, "User not found"),
        ({"userIdentifier": {"type": "internalId", "value": "0" * 24}}, "User not found"),
        ({"userIdentifier": {"type": "mail", "value": "gone@example.com"}}, "User not found"),
        ({"courseIdentifier": {"type": "externalId", "value": "nothing"}}, "Course not found: nothing"),
        ({"courseIdentifier": {"type": "internalId", "value": "0" * 24}}, f"Course not found: {'0' * 24}"),
        ({"courseIdentifier": {"type": "externalId", "value": "archived"}}, "Course not found: archived"),
        ({"progress": 101}, "Invalid input: /progress must be <= 100"),
        ({"timeSpent": 0}, "Invalid input: /timeSpent must be >= 1"),
        ({"firstActivityAt": "2026-01-01"}, 'Invalid input: /firstActivityAt must match format "date-time"'),
    ],
    ids=[
        "learner",
        "learner's id",
        "deleted",
        "course",
        "course's id",
        "archived",
        "progress",
        "time",
        "date",
    ],
)
def test_a_bad_statistic_fails_in_its_row_alone(
    served: Sandbox, learning360: httpx.Client, integration_id: str, change: Json, message: str
) -> None:
    platform = served.learning360
    platform.add_user("a@example.com")
    platform.add_user("gone@example.com", status="deleted")
    platform.add_course("A")
    platform.add_course("archived").archived = True
    rows = [statistic("a@example.com", "A"), statistic("a@example.com", "A") | change]
    found = results(learning360, send(learning360, integration_id, "POST", rows, "stats"))
    assert found[0] == {"input": rows[0], "status": "success", "resourceId": platform.attempts.all[0].id}
    assert found[1] == {"input": rows[1], "status": "error", "errorMessage": message}
    assert len(platform.attempts.all) == 1


def test_learners_and_courses_are_found_in_every_documented_way(
    served: Sandbox, learning360: httpx.Client, integration_id: str
) -> None:
    user, made = served.learning360.add_user("A.B@example.com"), served.learning360.add_course("A")
    by_ids = {
        "courseIdentifier": {"type": "internalId", "value": made.id},
        "userIdentifier": {"type": "internalId", "value": user["_id"]},
    }
    rows = [statistic("a.b@EXAMPLE.com", "A"), statistic("", "") | by_ids]
    results(learning360, send(learning360, integration_id, "POST", rows, "stats"))
    assert len(served.learning360.attempts_of("a.b@example.com", "A")) == 1


def test_the_course_of_another_integration_is_not_found(
    served: Sandbox, learning360: httpx.Client, integration_id: str
) -> None:
    served.learning360.add_user("a@example.com")
    foreign = served.learning360.add_course("A")
    other = served.learning360.add_integration("Other")["_id"]
    row = statistic("a@example.com", "A") | {"courseIdentifier": {"type": "internalId", "value": foreign.id}}
    for entry in (row, statistic("a@example.com", "A")):
        [result] = results(learning360, send(learning360, other, "POST", [entry], "stats"))
        assert result["errorMessage"].startswith("Course not found")
    assert integration_id == foreign.integration_id


@pytest.mark.parametrize(
    ("method", "kind", "limit"),
    [("PUT", "courses", 10_000), ("DELETE", "courses", 1_000), ("POST", "stats", 10_000)],
)
def test_the_input_is_bounded(
    served: Sandbox, learning360: httpx.Client, integration_id: str, method: str, kind: str, limit: int
) -> None:
    assert send(learning360, integration_id, method, [{}] * limit, kind).status_code == 202
    answer = send(learning360, integration_id, method, [{}] * (limit + 1), kind)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "inputTooLong")
    assert len(served.learning360.operations.all) == 1


@pytest.mark.parametrize("body", [{}, {"input": {}}, {"input": "rows"}], ids=["missing", "object", "text"])
def test_the_input_must_be_an_array(learning360: httpx.Client, integration_id: str, body: Json) -> None:
    answer = learning360.put(f"/api/v2/bulk/integrations/{integration_id}/courses", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalidInput")


def test_an_unknown_integration_is_a_404(learning360: httpx.Client) -> None:
    answer = send(learning360, "0" * 24, "PUT", [])
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "integrationNotFound")


def test_a_reserved_integration_takes_nothing(served: Sandbox, learning360: httpx.Client) -> None:
    reserved = served.learning360.add_integration("Coursera")["_id"]
    answer = send(learning360, reserved, "PUT", [])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "reservedPlatformName")


def test_the_bulk_api_can_be_disabled(
    served: Sandbox, learning360: httpx.Client, integration_id: str
) -> None:
    served.learning360.options.bulk_disabled = True
    answer = send(learning360, integration_id, "PUT", [])
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "bulkAPIDisabled")


def test_an_operation_goes_from_pending_to_completed(
    served: Sandbox, learning360: httpx.Client, integration_id: str, clock: ManualClock
) -> None:
    served.learning360.options.operation_base_ms = 1_000
    served.learning360.options.rows_per_second = 2
    url = send(learning360, integration_id, "PUT", [course("A"), course("B")]).headers["location"]
    story = []
    for step_ms in (0, 100, 200, 1_699, 1):
        clock.advance(ms=step_ms)
        story.append(learning360.get(url).json()["status"])
        not_run = learning360.get(f"{url}/results")
        assert (not_run.status_code == 200) == (story[-1] == "completed")
        assert list(served.learning360.courses.by_id) == [] or story[-1] == "completed"
    assert story == ["pending", "queued", "running", "running", "completed"]
    assert not_run.json()[1]["status"] == "success"


def test_results_before_the_end_are_refused(
    served: Sandbox, learning360: httpx.Client, integration_id: str
) -> None:
    served.learning360.options.hold_operations = True
    url = send(learning360, integration_id, "PUT", [course("A")]).headers["location"]
    answer = learning360.get(f"{url}/results")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bulkOperationNotRun")


def test_unknown_operations_are_a_404(learning360: httpx.Client) -> None:
    for suffix in ("", "/results"):
        answer = learning360.get(f"{OPERATIONS}/{'0' * 24}{suffix}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "bulkOperationNotFound")


def test_rows_are_processed_once_and_in_the_order_of_submission(
    served: Sandbox, learning360: httpx.Client, integration_id: str, clock: ManualClock
) -> None:
    served.learning360.options.operation_base_ms = 1_000
    served.learning360.options.rows_per_second = 100
    long = [course(str(number), name="First") for number in range(100)]
    urls = [
        send(learning360, integration_id, "PUT", rows).headers["location"]
        for rows in (long, [course("0", name="Second")])
    ]
    clock.advance(seconds=60)
    statuses = [learning360.get(url).json()["status"] for url in reversed(urls) for _ in range(2)]
    assert set(statuses) == {"completed"}
    assert served.learning360.course("0").data["name"] == "Second"
    starts = [learning360.get(url).json() for url in urls]
    assert starts[1]["startedAt"] >= starts[0]["endedAt"]


def test_three_operations_at_a_time_and_no_more(
    served: Sandbox, learning360: httpx.Client, integration_id: str, clock: ManualClock
) -> None:
    served.learning360.options.operation_base_ms = 1_000
    statuses = [send(learning360, integration_id, "PUT", [course(str(n))]).status_code for n in range(4)]
    assert statuses == [202, 202, 202, 429]
    refused = send(learning360, integration_id, "POST", [], "stats")
    assert refused.json()["error"]["code"] == "bulkOperationsConcurrencyLimitReached"
    clock.advance(seconds=1)
    assert send(learning360, integration_id, "PUT", []).status_code == 202


def test_operations_of_others_occupy_slots_too(
    served: Sandbox, learning360: httpx.Client, integration_id: str
) -> None:
    for busy, expected in ((3, 429), (2, 202), (0, 202)):
        served.learning360.operations.occupy(busy)
        assert send(learning360, integration_id, "PUT", []).status_code == expected
    listed = learning360.get(OPERATIONS).json()
    assert sum(operation["status"] != "completed" for operation in listed) == 0
    assert len(listed) == 7


def test_held_operations_wait_to_be_released(
    served: Sandbox, learning360: httpx.Client, integration_id: str, clock: ManualClock
) -> None:
    served.learning360.options.hold_operations = True
    url = send(learning360, integration_id, "PUT", [course("A")]).headers["location"]
    clock.advance(seconds=600)
    assert learning360.get(url).json()["status"] == "queued"
    served.learning360.release()
    assert learning360.get(url).json()["status"] == "completed"
    assert served.learning360.course("A")


@pytest.mark.parametrize("done", [0, 1, 5], ids=["no row done", "one row done", "all rows done"])
def test_an_operation_can_end_in_error(
    served: Sandbox, learning360: httpx.Client, integration_id: str, done: int
) -> None:
    served.learning360.options.fail_next = 1
    served.learning360.options.fail_after_rows = done
    submitted = send(learning360, integration_id, "PUT", [course("A"), course("B")])
    operation = learning360.get(submitted.headers["location"]).json()
    assert operation["status"] == "error"
    assert operation["errorMessage"]
    assert len(results(learning360, submitted)) == len(served.learning360.courses.by_id) == min(done, 2)
    again = send(learning360, integration_id, "PUT", [course("A"), course("B")])
    assert learning360.get(again.headers["location"]).json()["status"] == "completed"


def test_results_can_lack_rows_and_come_in_another_order(
    served: Sandbox, learning360: httpx.Client, integration_id: str
) -> None:
    served.learning360.options.drop_results = 1
    served.learning360.options.reverse_results = True
    rows = [course("A"), course("B"), course("C")]
    found = results(learning360, send(learning360, integration_id, "PUT", rows))
    assert [result["input"]["externalId"] for result in found] == ["B", "A"]
    assert len(served.learning360.courses.by_id) == 3
    assert served.learning360.operations.all[0].results == found


def test_locations_can_be_relative(served: Sandbox, learning360: httpx.Client, integration_id: str) -> None:
    absolute = send(learning360, integration_id, "PUT", []).headers["location"]
    assert absolute.startswith(served.url("learning360") + "/api/v2/bulk/operations/")
    served.learning360.options.relative_urls = True
    assert (
        send(learning360, integration_id, "PUT", [])
        .headers["location"]
        .startswith("/api/v2/bulk/operations/")
    )
