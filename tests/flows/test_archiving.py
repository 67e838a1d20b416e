"""Archiving what is gone from the catalog: off unless switched on, and slow to believe that it is gone."""

import pytest

from sandbox.clock import DAY_MS
from sandbox.values import Json
from tasks.runtime.handed_in import Pacing
from tests.installation import Sync


@pytest.fixture(autouse=True)
def archiving(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Switched on, at once, any share of the catalog; a test takes back what it is about."""
    monkeypatch.setenv("SYNC_ARCHIVE_REMOVED", "true")
    monkeypatch.setenv("SYNC_ARCHIVE_GRACE", "1")
    monkeypatch.setenv("SYNC_ARCHIVE_LIMIT", "1")
    return monkeypatch


def removed(sync: Sync, count: int = 1, of: int = 10) -> list[Json]:
    """So many courses are synchronised, then some are taken out of the catalog."""
    sync.add_courses(of)
    sync.catalog()
    contents = sync.sandbox.world.contents
    gone, contents[:] = contents[:count], contents[count:]
    return gone


def test_by_default_nothing_is_archived(sync: Sync, archiving: pytest.MonkeyPatch) -> None:
    for name in ("SYNC_ARCHIVE_REMOVED", "SYNC_ARCHIVE_GRACE", "SYNC_ARCHIVE_LIMIT"):
        archiving.delenv(name)
    removed(sync)
    for _ in range(3):
        sync.days_pass(1)
        summary = sync.catalog()
        assert (summary.state, summary.archived, summary.notes) == ("completed", 0, [])
    assert len(sync.courses()) == 10


def test_with_a_grace_of_one_a_missing_course_is_archived_at_once(sync: Sync) -> None:
    (gone,) = removed(sync)
    summary = sync.catalog()
    assert (summary.archived, summary.extracted, summary.unchanged) == (1, 9, 9)
    assert gone["contentId"] not in sync.courses()
    again = sync.catalog()
    assert (again.archived, sync.requests("DELETE", "/bulk/")) == (0, 1)


def test_by_default_readings_on_two_days_must_miss_a_course(
    sync: Sync, archiving: pytest.MonkeyPatch
) -> None:
    archiving.delenv("SYNC_ARCHIVE_GRACE")
    removed(sync)
    assert [sync.catalog().archived for _ in range(3)] == [0, 0, 0]
    sync.days_pass(1)
    assert sync.catalog().archived == 1


def test_a_clock_that_is_days_ahead_counts_no_other_day(sync: Sync, archiving: pytest.MonkeyPatch) -> None:
    archiving.delenv("SYNC_ARCHIVE_GRACE")
    removed(sync)
    archived = []
    for days in (0, 2, 0):
        sync.ahead_ms = days * DAY_MS
        archived.append(sync.catalog().archived)
    assert archived == [0, 0, 0]


def test_a_dry_run_is_no_reading_that_misses_a_course(sync: Sync, archiving: pytest.MonkeyPatch) -> None:
    archiving.delenv("SYNC_ARCHIVE_GRACE")
    removed(sync)
    assert sync.catalog(dry_run=True).archived == 0
    sync.days_pass(1)
    assert sync.catalog().archived == 0
    sync.days_pass(1)
    assert sync.catalog(dry_run=True).archived == 1
    assert sync.catalog().archived == 1


def test_a_course_that_shows_up_in_between_is_missed_anew(sync: Sync, archiving: pytest.MonkeyPatch) -> None:
    archiving.delenv("SYNC_ARCHIVE_GRACE")
    gone = removed(sync)
    archived = []
    for shown in (False, True, False, False):
        sync.days_pass(1)
        kept = [one for one in sync.sandbox.world.contents if one not in gone]
        sync.sandbox.world.contents[:] = kept + (gone if shown else [])
        archived.append(sync.catalog().archived)
    assert archived == [0, 0, 0, 1]


def test_a_course_that_comes_back_is_sent_again_with_its_tags(sync: Sync) -> None:
    (gone,) = removed(sync)
    sync.sandbox.learning360.add_tag(gone["contentId"], "by hand")
    sync.catalog()
    sync.sandbox.world.contents.append(gone)
    summary = sync.catalog()
    assert (summary.accepted, summary.unchanged) == (1, 9)
    assert gone["contentId"] in sync.courses()
    assert sync.sandbox.learning360.course(gone["contentId"]).tags == ["by hand"]


def test_an_incomplete_reading_archives_nothing(sync: Sync) -> None:
    removed(sync)
    sync.sandbox.coursera.options.stuck_cursor = True
    summary = sync.catalog()
    assert (summary.state, summary.archived, len(sync.courses())) == ("failed", 0, 10)


def test_a_reading_that_shows_less_than_coursera_speaks_of_archives_nothing(sync: Sync) -> None:
    removed(sync)
    sync.sandbox.coursera.options.wrong_total = 1
    summary = sync.catalog()
    assert (summary.state, summary.archived, len(sync.courses())) == ("completed", 0, 10)
    assert "is not taken for gone" in summary.notes[0]


@pytest.mark.parametrize(
    "element",
    [
        {"id": "Course~x", "contentId": None},
        {"id": "Course~x", "contentId": "  "},
        {"id": "Course~x"},
        "words",
    ],
    ids=["null", "blank", "absent", "no object"],
)
def test_a_reading_with_an_element_that_has_no_usable_id_archives_nothing(sync: Sync, element: Json) -> None:
    removed(sync)
    sync.sandbox.world.contents.append(element)
    summary = sync.catalog()
    assert (summary.state, summary.archived) == ("completed_with_rejects", 0)
    sync.sandbox.world.contents.pop()
    assert sync.catalog().archived == 1


def test_an_element_that_cannot_be_mapped_is_not_gone(sync: Sync) -> None:
    sync.add_courses(10)
    sync.catalog()
    sync.sandbox.world.contents[0]["name"] = None
    summary = sync.catalog()
    assert (summary.rejected, summary.archived, len(sync.courses())) == (1, 0, 10)


def test_a_reading_of_some_programs_archives_nothing(sync: Sync) -> None:
    removed(sync)
    program = sync.sandbox.world.programs[0]["id"]
    assert (sync.catalog(programs=[program]).archived, len(sync.courses())) == (0, 10)


@pytest.mark.parametrize(("of", "stops"), [(10, False), (9, True)], ids=["a tenth", "more than a tenth"])
def test_a_tenth_of_the_catalog_may_go_in_one_run(
    sync: Sync,
    archiving: pytest.MonkeyPatch,
    of: int,
    stops: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    archiving.delenv("SYNC_ARCHIVE_LIMIT")
    removed(sync, of=of)
    summary = sync.catalog()
    assert (summary.exit_code, summary.archived) == ((1, 0) if stops else (0, 1))


def test_a_catalog_that_has_collapsed_stops_the_run_before_it_writes(
    sync: Sync, archiving: pytest.MonkeyPatch
) -> None:
    archiving.setenv("SYNC_ARCHIVE_LIMIT", "0.5")
    removed(sync, 6)
    sync.add_courses(1, contentId="new")
    platform, ledger = sync.platform(), sync.remembered()
    summary = sync.catalog()
    assert (summary.state, summary.exit_code) == ("failed", 1)
    assert "6 of 10 live courses are missing, more than 50%" in (summary.error or "")
    assert "SYNC_ARCHIVE_LIMIT" in (summary.error or "")
    assert (sync.platform(), sync.remembered()) == (platform, ledger)

    archiving.setenv("SYNC_ARCHIVE_LIMIT", "0.6")
    assert (sync.catalog().archived, len(sync.courses())) == (6, 5)


def test_an_empty_catalog_stops_the_run_too(sync: Sync, archiving: pytest.MonkeyPatch) -> None:
    archiving.delenv("SYNC_ARCHIVE_LIMIT")
    removed(sync, 10)
    assert (sync.catalog().exit_code, len(sync.courses())) == (1, 10)


def test_where_archiving_is_off_a_collapse_is_a_note(sync: Sync, archiving: pytest.MonkeyPatch) -> None:
    archiving.delenv("SYNC_ARCHIVE_REMOVED")
    archiving.delenv("SYNC_ARCHIVE_LIMIT")
    removed(sync, 5)
    sync.add_courses(1, contentId="new")
    summary = sync.catalog()
    assert (summary.state, summary.accepted, summary.archived) == ("completed", 1, 0)
    (note,) = summary.notes
    assert "5 of 10 live courses are missing" in note
    assert len(sync.courses()) == 11


def test_more_than_an_operation_takes_are_archived_in_several(
    sync: Sync, archiving: pytest.MonkeyPatch
) -> None:
    assert archiving
    sync.pacing = Pacing(operation_rows=2, least_rows=2)
    removed(sync, 5)
    assert (sync.catalog().archived, sync.requests("DELETE", "/bulk/")) == (5, 3)


def test_a_course_that_360learning_did_not_archive_is_tried_again(sync: Sync) -> None:
    (gone,) = removed(sync)
    refusal = {"input": {"externalId": gone["contentId"]}, "status": "error", "errorMessage": "In use"}
    sync.sandbox.faults.add("answer", path="/results$", status=200, body=[refusal], times=1)
    summary = sync.catalog()
    assert (summary.archived, summary.unaccounted) == (0, 0)
    (note,) = summary.notes
    assert "did not archive" in note
    assert sync.catalog().archived == 1
