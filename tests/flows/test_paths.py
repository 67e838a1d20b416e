"""Paths: what the launch rule is for."""

from sandbox.values import Json
from tests.installation import Sync

ANN = "ann@example.com"


def states(sync: Sync, path_id: str) -> list[str]:
    return [step["state"] for step in sync.sandbox.learning360.path_progress(path_id, ANN)["steps"]]


def linear_path(sync: Sync, courses: list[Json]) -> str:
    return sync.sandbox.learning360.add_path("First steps", [one["contentId"] for one in courses]).id


def test_a_launch_in_a_linear_path_opens_the_next_step(sync: Sync) -> None:
    courses = sync.add_courses(3)
    sync.catalog()
    path = linear_path(sync, courses)
    row = sync.sandbox.enroll(ANN, courses[0])
    assert states(sync, path) == ["open", "locked", "locked"]
    sync.sandbox.learning360.launch(ANN, courses[0]["contentId"], path)
    assert states(sync, path) == ["completed", "open", "locked"]

    row.update(overallProgress=20, lastActivityAt=sync.clock())
    assert sync.statistics().accepted == 1
    assert states(sync, path) == ["completed", "open", "locked"]
    assert sync.attempts(ANN, courses[0]["contentId"]) == [("completed", 0), ("open", 20)]


def test_a_path_is_successful_once_its_last_step_is_launched(sync: Sync) -> None:
    courses = sync.add_courses(2)
    sync.catalog()
    path = linear_path(sync, courses)
    sync.sandbox.learning360.add_user(ANN)
    for course in courses:
        sync.sandbox.learning360.launch(ANN, course["contentId"], path)
        sync.statistics()
    assert sync.sandbox.learning360.path_progress(path, ANN)["successful"] is True


def test_a_completion_at_coursera_opens_the_next_step_without_a_launch(sync: Sync) -> None:
    courses = sync.add_courses(2)
    sync.catalog()
    path = linear_path(sync, courses)
    sync.sandbox.enroll(ANN, courses[0], isCompleted=True)
    sync.statistics()
    assert states(sync, path) == ["completed", "open"]


def test_a_path_that_people_made_survives_a_change_of_its_courses(sync: Sync) -> None:
    courses = sync.add_courses(2)
    sync.catalog()
    path = linear_path(sync, courses)
    sync.sandbox.enroll(ANN, courses[0])
    sync.sandbox.learning360.launch(ANN, courses[0]["contentId"], path)
    courses[0]["name"] = "Renamed"
    assert sync.catalog().accepted == 1
    assert states(sync, path) == ["completed", "open"]
