"""`catalog`: what is new or changed goes to 360Learning, once; what cannot be mapped is rejected."""

from collections.abc import Sequence

import pytest

from sandbox.values import Json
from sandbox.world.contents import membership
from tasks.runtime.handed_in import Pacing
from tests.installation import Sync

BLANK = "   "
HOUR_S = 3_600


def program_of(sync: Sync, program_id: str) -> Json:
    return sync.sandbox.world.add_program(f"Program {program_id}", program_id)


def add(sync: Sync, name: str, *programs: Json, **fields: object) -> str:
    """A course in these programs; returns its external id."""
    places = [membership(program, "Course", name) for program in programs]
    return str(sync.sandbox.world.add_content(name, programs=places, **fields)["contentId"])


def launch_url(sync: Sync, external_id: str) -> str:
    return str(sync.sandbox.learning360.course(external_id).data["launchUrl"])


def sizes(sync: Sync) -> list[int]:
    """The rows of each bulk operation of ours."""
    operations = sync.sandbox.learning360.operations.all
    return [operation.size for operation in operations if operation.integration_id is not None]


def test_the_first_run_creates_all_and_the_second_sends_nothing(busy_sync: Sync) -> None:
    first = busy_sync.catalog()
    assert (first.state, first.exit_code) == ("completed_with_rejects", 3)
    assert (first.extracted, first.submitted, first.accepted, first.rejected) == (300, 297, 297, 3)
    assert len(busy_sync.courses()) == 297

    again = busy_sync.catalog()
    assert (again.extracted, again.unchanged, again.submitted, again.rejected) == (300, 297, 0, 3)
    assert sizes(busy_sync) == [297]


def test_an_empty_catalog_is_no_failure(sync: Sync) -> None:
    summary = sync.catalog()
    assert (summary.state, summary.extracted) == ("completed", 0)
    assert sizes(sync) == []


def test_the_catalog_before_setup_sets_up_first(sync: Sync) -> None:
    sync.add_courses(1)
    summary = sync.catalog()
    assert sync.integration()["defaultCompletion"] is True
    assert summary.notes == ["Created the integration Coursera for Business in 360Learning"]
    assert sync.requests("POST", "/api/v2/integrations") == 1


def test_a_changed_course_is_updated_alone(sync: Sync) -> None:
    _, changed, _ = sync.add_courses(3)
    sync.catalog()
    changed["name"] = "Something else"
    summary = sync.catalog()
    assert (summary.accepted, summary.unchanged) == (1, 2)
    assert sizes(sync) == [3, 1]
    assert sync.courses()[changed["contentId"]] == "Something else"


def test_a_change_that_360learning_never_sees_sends_nothing(sync: Sync) -> None:
    (course,) = sync.add_courses(1)
    sync.catalog()
    course.update(lastUpdatedAt=course["lastUpdatedAt"] + 1, instructors=[{"name": "Somebody"}], shiny="new")
    assert sync.catalog().unchanged == 1


def test_tags_that_people_added_survive(sync: Sync) -> None:
    (course,) = sync.add_courses(1)
    sync.catalog()
    sync.sandbox.learning360.add_tag(course["contentId"], "by hand")
    course["description"] = "Rewritten"
    assert sync.catalog().accepted == 1
    assert sync.sandbox.learning360.course(course["contentId"]).tags == ["by hand"]


def test_an_integration_that_was_removed_is_made_anew_and_filled(sync: Sync) -> None:
    sync.add_courses(3)
    sync.catalog()
    sync.sandbox.learning360.integrations.clear()
    summary = sync.catalog()
    assert summary.accepted == 3
    assert [target["retired"] for target in sync.ledger("targets")] == [True, False]
    assert sync.catalog().unchanged == 3


def test_a_rejected_row_is_counted_and_stays_with_its_reason(sync: Sync) -> None:
    sync.add_courses(2)
    bad = sync.sandbox.world.add_content(BLANK)
    for accepted, unchanged in ((2, 0), (0, 2)):
        summary = sync.catalog()
        assert (summary.state, summary.extracted, summary.rejected) == ("completed_with_rejects", 3, 1)
        assert (summary.accepted, summary.unchanged) == (accepted, unchanged)
        assert sync.rejected("catalog") == {bad["id"]: "name is missing"}


def test_a_rejected_row_goes_once_it_is_mended(sync: Sync) -> None:
    bad = sync.sandbox.world.add_content(BLANK)
    sync.catalog()
    bad["name"] = "Good"
    summary = sync.catalog()
    assert (summary.state, summary.extracted, summary.accepted) == ("completed", 1, 1)
    assert sync.rejected("catalog") == {}


def test_a_rejected_row_goes_once_a_complete_reading_no_longer_shows_it(sync: Sync) -> None:
    sync.sandbox.world.add_content(BLANK)
    sync.catalog()
    sync.sandbox.world.contents.clear()
    assert (sync.catalog().state, sync.rejected("catalog")) == ("completed", {})


def test_a_reading_that_leaves_out_a_rejected_row_tries_it_again_all_the_same(sync: Sync) -> None:
    other = program_of(sync, "other")
    add(sync, "Elsewhere", other)
    bad = sync.sandbox.world.add_content(BLANK)
    sync.catalog()
    summary = sync.catalog(programs=["other"])
    assert (summary.extracted, summary.unchanged, summary.rejected) == (2, 1, 1)
    assert list(sync.rejected("catalog")) == [bad["id"]]


def test_an_element_that_is_no_object_does_not_stop_the_others(sync: Sync) -> None:
    sync.add_courses(1)
    sync.sandbox.world.contents.extend([None, "words", {"contentId": 7}])  # type: ignore[list-item]
    summary = sync.catalog()
    assert (summary.extracted, summary.accepted, summary.rejected) == (4, 1, 3)


def test_a_course_that_360learning_refuses_is_rejected_and_sent_again(sync: Sync) -> None:
    (course,) = sync.add_courses(1)
    refusal = {"status": "error", "errorMessage": "Not now, says ann@example.com"}
    refused = [{"input": {"externalId": course["contentId"]}, **refusal}]
    sync.sandbox.faults.add("answer", path="/results$", status=200, body=refused, times=1)
    summary = sync.catalog()
    assert (summary.submitted, summary.accepted, summary.rejected) == (1, 0, 1)
    assert sync.rejected("catalog") == {course["id"]: "360Learning: Not now, says <address>"}
    assert sync.catalog().accepted == 1
    assert sync.rejected("catalog") == {}


def test_what_two_pages_show_is_merged(sync: Sync) -> None:
    sync.add_courses(5)
    sync.sandbox.coursera.options.page_cap = 2
    sync.sandbox.coursera.options.duplicate_rows = True
    summary = sync.catalog()
    assert summary.merged > 0
    assert (summary.extracted, summary.accepted) == (5 + summary.merged, 5)


def test_only_the_named_programs_are_read(sync: Sync) -> None:
    second, third = program_of(sync, "p2"), program_of(sync, "p3")
    add(sync, "First", sync.sandbox.world.programs[0])
    expected = {add(sync, "Second", second), add(sync, "Third", third)}
    summary = sync.catalog(programs=["p2", "p3"])
    assert (summary.extracted, set(sync.courses())) == (2, expected)
    assert [(query["q"], query["programIds"]) for query in sync.queries("contents")] == [
        ("byProgramIds", "p2,p3")
    ]
    assert sync.watermark("catalog") is None


@pytest.mark.parametrize(
    ("order", "expected"),
    [("", "program-a"), ("b,a", "program-b")],
    ids=["smallest id", "SYNC_PROGRAM_ORDER"],
)
@pytest.mark.parametrize("readings", [([], ["b"]), (["b"], [])], ids=["whole first", "program first"])
def test_the_launch_url_is_never_a_matter_of_the_programs_read(
    sync: Sync,
    monkeypatch: pytest.MonkeyPatch,
    order: str,
    expected: str,
    readings: Sequence[list[str]],
) -> None:
    monkeypatch.setenv("SYNC_PROGRAM_ORDER", order)
    course = add(sync, "Both", program_of(sync, "b"), program_of(sync, "a"))
    first, second = (sync.catalog(programs=programs) for programs in readings)
    assert (first.accepted, second.unchanged) == (1, 1)
    assert f"/{expected}/" in launch_url(sync, course)


def test_a_dry_run_writes_nothing_and_counts(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_ARCHIVE_REMOVED", "true")
    monkeypatch.setenv("SYNC_ARCHIVE_GRACE", "1")
    changed, *_ = sync.add_courses(20)
    sync.catalog()
    changed["name"] = "Changed"
    sync.sandbox.world.contents.pop()
    sync.sandbox.world.add_content("New", contentId="new")
    sync.sandbox.world.add_content(BLANK)
    platform, ledger = sync.platform(), sync.remembered()
    summary = sync.catalog(dry_run=True)
    assert (summary.state, summary.exit_code) == ("dry_run", 0)
    assert (summary.extracted, summary.submitted, summary.unchanged) == (21, 2, 18)
    assert (summary.rejected, summary.archived, summary.accepted) == (1, 1, 0)
    assert (sync.platform(), sync.remembered()) == (platform, ledger)


def test_a_dry_run_before_setup_creates_no_integration(sync: Sync) -> None:
    sync.add_courses(2)
    summary = sync.catalog(dry_run=True)
    assert (summary.state, summary.submitted) == ("dry_run", 2)
    assert summary.notes == ["There is no integration in 360Learning yet: a run would create it"]
    assert sync.sandbox.learning360.integrations == {}


def test_a_specialization_takes_the_time_of_its_courses_from_the_ledger_too(sync: Sync) -> None:
    courses = [add(sync, name, program_of(sync, "courses")) for name in ("One", "Two")]
    definition = {"estimatedLearningTime": None, "courseIds": [f"Course~{course}" for course in courses]}
    series = add(
        sync, "Both", program_of(sync, "series"), contentType="Specialization", definition=definition
    )
    sync.catalog(programs=["series"])
    assert "duration" not in sync.sandbox.learning360.course(series).data
    assert sync.catalog().accepted == 3
    assert sync.sandbox.learning360.course(series).data["duration"] == 2 * HOUR_S // 60
    assert sync.catalog(programs=["series"]).unchanged == 1


def test_more_courses_than_an_operation_takes_go_in_several(sync: Sync) -> None:
    sync.pacing = Pacing(operation_rows=2, least_rows=2)
    sync.add_courses(5)
    assert sync.catalog().accepted == 5
    assert sorted(sizes(sync)) == [1, 2, 2]  # their order is the slots' business
    assert sync.catalog().unchanged == 5


def test_three_operations_at_most_are_under_way_at_a_time(sync: Sync) -> None:
    sync.pacing = Pacing(operation_rows=1, least_rows=1)
    sync.add_courses(7)
    under_way: list[int] = []
    platform = sync.sandbox.learning360
    platform.options.hold_operations = True

    def look() -> None:
        under_way.append(len(platform.operations.unfinished()))
        if under_way[-1] == 3:
            platform.release()

    sync.meanwhile = look
    assert sync.catalog().accepted == 7
    assert max(under_way) == 3
    assert {entry.status for entry in sync.log("PUT", "/bulk/")} == {202}


def test_where_others_hold_the_slots_a_run_waits_for_one(sync: Sync) -> None:
    sync.add_courses(1)
    operations = sync.sandbox.learning360.operations
    operations.occupy(3)
    sync.meanwhile = lambda: operations.occupy(3 if len(sync.waits) < 4 else 2)
    assert sync.catalog().accepted == 1
    assert [entry.status for entry in sync.log("PUT", "/bulk/")] == [429] * 4 + [202]
    assert sync.waits[:4] == sorted(sync.waits[:4])
    assert sync.waits[0] >= 1


def test_a_run_that_never_gets_a_slot_says_so_and_leaves_nothing_open(sync: Sync) -> None:
    sync.add_courses(1)
    sync.sandbox.learning360.operations.occupy(3)
    summary = sync.catalog()
    assert (summary.state, summary.exit_code, summary.accepted) == ("failed", 1, 0)
    assert "slots were taken by others" in (summary.error or "")
    assert [row["state"] for row in sync.ledger("submissions")] == ["failed"]
    assert max(sync.waits) <= 20
    sync.sandbox.learning360.operations.occupy(0)
    assert sync.catalog().accepted == 1
