"""Reading the catalog, in every way in which Coursera pages it, and what follows where it is not whole."""

import pytest

from sandbox.values import Json
from tasks.runtime.handed_in import Pacing
from tests.installation import Sync

COURSES = 7
PAGE = {"page_cap": 3}


def switch(sync: Sync, **options: object) -> None:
    for name, value in options.items():
        setattr(sync.sandbox.coursera.options, name, value)


def readings(sync: Sync) -> int:
    return sum(query["start"] == "0" for query in sync.queries("contents"))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"page_cap": 3},
        {"page_cap": 1},
        {"page_cap": 3, "numeric_next": True},
        {"page_cap": 3, "omit_total": True},
        {"page_cap": 5, "short_pages": True},
        {"page_cap": 5, "short_pages": True, "numeric_next": True, "omit_total": True},
        {"page_cap": 3, "duplicate_rows": True},
    ],
    ids=[
        "one page",
        "a cap",
        "one element a page",
        "a numeric next",
        "no total",
        "short pages",
        "short pages, numeric next, no total",
        "elements that come twice",
    ],
)
def test_the_catalog_is_read_whole_however_it_is_paged(sync: Sync, options: dict[str, object]) -> None:
    sync.add_courses(COURSES)
    switch(sync, **options)
    first = sync.catalog()
    assert (first.state, first.accepted, first.extracted - first.merged) == ("completed", COURSES, COURSES)
    assert readings(sync) == 1
    assert sync.watermark("catalog") is not None
    assert sync.catalog().unchanged == COURSES


def test_a_specialization_is_as_long_as_its_courses_in_whatever_batches_they_come(sync: Sync) -> None:
    world = sync.sandbox.world
    two = [world.add_content(name, definition={"estimatedLearningTime": 3_600}) for name in ("One", "Two")]
    parts = [f"Course~{course['contentId']}" for course in two]
    definition = {"estimatedLearningTime": None, "courseIds": parts}
    both = world.add_content("Both", contentType="Specialization", definition=definition)
    world.contents.insert(0, world.contents.pop())
    sync.pacing = Pacing(course_rows=1)
    assert sync.catalog().accepted == 3
    assert sync.sandbox.learning360.course(both["contentId"]).data["duration"] == 120


def test_of_a_course_that_comes_twice_the_newer_one_speaks_in_whatever_batches_they_come(sync: Sync) -> None:
    world = sync.sandbox.world
    new = world.add_content("New", lastUpdatedAt=2)
    world.contents.append({**new, "id": "Course~other", "name": "Old", "lastUpdatedAt": 1})
    sync.pacing = Pacing(course_rows=1)
    summary = sync.catalog()
    assert (summary.extracted, summary.merged, summary.accepted) == (2, 1, 1)
    assert sync.courses() == {new["contentId"]: "New"}
    assert sync.catalog().unchanged == 1


def test_a_listing_that_changes_while_it_is_read_is_read_again(sync: Sync) -> None:
    sync.add_courses(COURSES)
    switch(sync, **PAGE, shifting="appear", shifting_readings=1)
    summary = sync.catalog()
    assert (summary.state, summary.extracted, summary.accepted) == ("completed", COURSES, COURSES)
    assert readings(sync) == 2


def test_the_watermark_is_the_moment_at_which_the_reading_began(sync: Sync) -> None:
    sync.add_courses(COURSES)
    switch(sync, **PAGE, shifting="appear", shifting_readings=2)
    began_at = sync.clock()
    sync.sandbox.coursera.before_page = lambda _, __: sync.days_pass(0.001)
    sync.catalog()
    assert sync.watermark("catalog") == began_at


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({**PAGE, "shifting": "appear"}, COURSES - 1),
        ({**PAGE, "stuck_cursor": True}, 3),
    ],
    ids=["elements that appear", "a cursor that stands still"],
)
def test_a_listing_that_stays_incomplete_is_sent_and_the_run_fails(
    sync: Sync, options: dict[str, object], sent: int
) -> None:
    sync.add_courses(COURSES)
    switch(sync, **options)
    summary = sync.catalog()
    assert (summary.state, summary.exit_code) == ("failed", 1)
    assert "changed while it was read" in (summary.error or "")
    assert readings(sync) == 4
    assert (summary.accepted, summary.unaccounted) == (sent, 0)
    assert len(sync.courses()) == sent
    assert sync.watermark("catalog") is None

    switch(sync, shifting="", stuck_cursor=False)
    again = sync.catalog()
    assert (again.state, again.unchanged, again.accepted) == ("completed", sent, COURSES - sent)


def test_the_reason_tells_how_many_rows_were_read_of_how_many(sync: Sync) -> None:
    sync.add_courses(COURSES)
    switch(sync, **PAGE, shifting="appear")
    assert "6 different rows were read of a listing of 7" in (sync.catalog().error or "")


ODD = "Two readings of Coursera's contents were alike, and count as complete: "


@pytest.mark.parametrize(
    ("more", "options", "note"),
    [
        ([], {"wrong_total": 1}, "7 different rows were read of a listing of 8. What it does not show"),
        ([], {**PAGE, "wrong_total": -1}, "7 different rows were read of a listing of 6"),
        ([{"id": "Course~content-0001"}] * 2, PAGE, "7 different rows were read of a listing of 9; 2 more"),
        ([{"id": ""}, {"id": None}], {}, ""),
        ([{"contentId": "same", "id": None}] * 3, PAGE, "8 different rows were read of a listing of 10; 2"),
    ],
    ids=["a total too high", "a total too low", "a shared id", "no id", "the same, without an id"],
)
def test_a_listing_that_is_twice_the_same_is_what_it_is(
    sync: Sync, more: list[Json], options: dict[str, object], note: str
) -> None:
    sync.add_courses(COURSES)
    for fields in more:
        sync.sandbox.world.add_content(**fields)
    switch(sync, **options)
    summary = sync.catalog()
    assert (summary.state, summary.extracted) == ("completed", COURSES + len(more))
    assert readings(sync) == (2 if note else 1)
    told = [one for one in summary.notes if one.startswith(ODD)]
    assert [one[: len(ODD + note)] for one in told] == [ODD + note][: bool(note)]
    assert sync.watermark("catalog") is not None


def test_a_listing_that_is_twice_the_same_but_for_a_row_is_read_on(sync: Sync) -> None:
    sync.add_courses(COURSES)
    switch(sync, wrong_total=1)

    def another(_: str, __: int) -> None:
        sync.clock.advance(ms=1)
        sync.sandbox.world.contents[0]["id"] = f"at {sync.clock()}"

    sync.sandbox.coursera.before_page = another
    assert sync.catalog().exit_code == 1
    assert readings(sync) == 4


def test_an_incomplete_reading_leaves_the_watermark_where_it_was(sync: Sync) -> None:
    sync.add_courses(COURSES)
    sync.catalog()
    before = sync.watermark("catalog")
    sync.days_pass(1)
    switch(sync, stuck_cursor=True)
    sync.catalog()
    assert sync.watermark("catalog") == before


def test_an_incomplete_reading_forgets_no_row_rejected(sync: Sync) -> None:
    bad = sync.sandbox.world.add_content("   ")
    sync.catalog()
    sync.sandbox.world.contents.clear()
    switch(sync, stuck_cursor=True)
    summary = sync.catalog()
    assert (summary.extracted, summary.rejected) == (1, 1)
    assert list(sync.rejected("catalog")) == [bad["id"]]
