"""`statistics` from day to day: what is read, what waits to be accepted, and how it all adds up."""

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest

from sandbox.clock import DAY_MS, HOUR_MS
from sandbox.values import Json
from tests.installation import Sync

ANN = "ann@example.com"


@pytest.fixture
def course(sync: Sync) -> Json:
    """A course that 360Learning has."""
    (made,) = sync.add_courses(1)
    sync.catalog()
    return made


def since(sync: Sync) -> int | None:
    """From when on the last run has read the reports; None: all of them."""
    found = sync.queries("enrollmentReports")[-1].get("lastActivityAfter")
    return None if found is None else int(found)


def test_the_first_run_reads_all_and_the_next_one_what_is_new_with_an_overlap(
    sync: Sync, course: Json
) -> None:
    for number, days in enumerate((1, 4)):
        mail = f"learner{number}@example.com"
        sync.sandbox.enroll(mail, course, overallProgress=10, lastActivityAt=sync.clock() - days * DAY_MS)
    began_at = sync.clock()
    assert (sync.statistics().extracted, since(sync)) == (2, None)
    assert sync.watermark("statistics") == began_at
    sync.days_pass(0.5)
    assert (sync.statistics().extracted, since(sync)) == (1, began_at - 48 * HOUR_MS - 1)


def test_reports_are_read_with_specializations_and_without_members_who_left(sync: Sync) -> None:
    series = sync.sandbox.world.add_content("Series", contentType="Specialization")
    sync.catalog()
    sync.sandbox.enroll(ANN, series, overallProgress=10)
    sync.sandbox.enroll("gone@example.com", series, overallProgress=10, membershipState="DELETED")
    assert sync.statistics().accepted == 1
    for query in sync.queries("enrollmentReports"):
        assert {name: value for name, value in query.items() if name not in ("start", "limit")} == {
            "includeS12n": "true"
        }


def test_full_reads_all(sync: Sync) -> None:
    sync.statistics()
    sync.statistics(full=True)
    assert since(sync) is None


@pytest.mark.parametrize(("every", "full"), [("", [0, 7]), ("3", [0, 3])], ids=["seventh", "third"])
def test_every_so_many_days_all_is_read(
    sync: Sync, monkeypatch: pytest.MonkeyPatch, every: str, full: list[int]
) -> None:
    monkeypatch.setenv("SYNC_FULL_EVERY_DAYS", every)
    found = []
    for day in range(full[-1] + 1):
        sync.statistics()
        if since(sync) is None:
            found.append(day)
        sync.days_pass(1)
    assert found == full


def test_a_reading_in_full_finds_what_has_no_activity_date(sync: Sync, course: Json) -> None:
    sync.statistics()
    sync.sandbox.enroll(ANN, course, isCompleted=True, lastActivityAt=None)
    assert sync.statistics().extracted == 0
    sync.days_pass(7)
    assert sync.statistics().accepted == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sync: sync.sandbox.faults.add("answer", path="/stats$", status=403, body={"error": "no"}),
        lambda sync: setattr(sync.sandbox.coursera.options, "stuck_cursor", True),
        lambda sync: setattr(sync.sandbox.coursera.options, "personal_app", True),
    ],
    ids=["360Learning refuses", "an incomplete listing", "Coursera refuses"],
)
def test_a_failure_leaves_the_watermark(sync: Sync, course: Json, spoil: Any) -> None:
    sync.statistics()
    before = sync.watermark("statistics")
    sync.days_pass(1)
    sync.sandbox.enroll(ANN, course, overallProgress=10, lastActivityAt=sync.clock())
    spoil(sync)
    assert sync.statistics().exit_code == 1
    assert sync.watermark("statistics") == before


def test_an_incomplete_listing_is_read_four_times_and_then_sent(sync: Sync, course: Json) -> None:
    sync.sandbox.enroll(ANN, course, overallProgress=10)
    sync.sandbox.coursera.options.stuck_cursor = True
    summary = sync.statistics()
    assert (summary.state, summary.accepted, summary.unaccounted) == ("failed", 1, 0)
    assert "the listing did not advance beyond 0" in (summary.error or "")
    readings = [query for query in sync.queries("enrollmentReports") if query["start"] == "0"]
    assert len(readings) == 4
    sync.sandbox.coursera.options.stuck_cursor = False
    assert (sync.statistics().unchanged, since(sync)) == (1, None)


def test_reports_that_share_an_id_are_a_complete_listing(sync: Sync, course: Json) -> None:
    other = sync.sandbox.world.add_content()
    sync.catalog()
    for content in (course, other):
        sync.sandbox.enroll(ANN, content, id="the same", overallProgress=10)
    summary = sync.statistics()
    assert (summary.state, summary.accepted) == ("completed", 2)
    assert "1 more share their id" in summary.notes[0]
    assert (sync.statistics(full=True).unchanged, since(sync)) == (2, None)


def test_a_dry_run_writes_nothing_and_counts(sync: Sync, course: Json) -> None:
    row = sync.sandbox.enroll(ANN, course, overallProgress=10)
    sync.statistics()
    row.update(overallProgress=20)
    sync.sandbox.enroll("held@example.com", course, lastActivityAt=sync.clock())
    sync.sandbox.enroll("new@example.com", course, isCompleted=True)
    sync.sandbox.enroll("bad@example.com", course, overallProgress="many", lastActivityAt=sync.clock())
    platform, ledger = sync.platform(), sync.remembered()
    summary = sync.statistics(dry_run=True)
    assert (summary.state, summary.extracted, summary.submitted) == ("dry_run", 4, 2)
    assert (summary.held, summary.rejected, summary.accepted) == (1, 1, 0)
    assert (sync.platform(), sync.remembered()) == (platform, ledger)


def test_rejected_rows_do_not_hold_the_watermark_back(sync: Sync, course: Json) -> None:
    sync.sandbox.world.add_report("stranger@example.com", course, overallProgress=10)
    began_at = sync.clock()
    assert sync.statistics().state == "completed_with_rejects"
    assert sync.watermark("statistics") == began_at


def test_an_unknown_learner_is_tried_again_by_incremental_runs_until_known(sync: Sync, course: Json) -> None:
    sync.sandbox.world.add_report(ANN, course, overallProgress=45)
    first = sync.statistics()
    assert (first.submitted, first.accepted, first.rejected) == (1, 0, 1)
    assert set(sync.rejected("statistics").values()) == {"360Learning: User not found"}
    sync.days_pass(4)
    again = sync.statistics()
    assert since(sync) is not None
    assert (again.extracted, again.submitted, again.rejected) == (1, 1, 1)
    sync.sandbox.learning360.add_user(ANN)
    sync.days_pass(1)
    assert sync.statistics().accepted == 1
    assert sync.rejected("statistics") == {}
    assert sync.attempts(ANN, course["contentId"]) == [("open", 45)]
    assert sync.statistics().extracted == 0


def test_a_learner_who_goes_on_while_unknown_arrives_with_the_latest_state(sync: Sync, course: Json) -> None:
    row = sync.sandbox.world.add_report(ANN, course, overallProgress=10)
    for percent in (20, 60):
        sync.statistics()
        sync.days_pass(3)
        row.update(overallProgress=percent, lastActivityAt=sync.clock())
    sync.statistics()
    sync.days_pass(4)
    sync.sandbox.learning360.add_user(ANN)
    assert sync.statistics().accepted == 1
    assert sync.attempts(ANN, course["contentId"]) == [("open", 60)]


def test_a_course_unknown_to_360learning_is_tried_again_once_it_is_there(sync: Sync) -> None:
    (course,) = sync.add_courses(1)
    sync.sandbox.enroll(ANN, course, overallProgress=45)
    assert sync.statistics().rejected == 1
    assert list(sync.rejected("statistics").values()) == ["360Learning: Course not found: content-0001"]
    sync.days_pass(4)
    sync.catalog()
    assert sync.statistics().accepted == 1
    assert sync.attempts(ANN, course["contentId"]) == [("open", 45)]


def test_a_malformed_row_stays_aside_until_it_is_mended(sync: Sync, course: Json) -> None:
    row = sync.sandbox.enroll(ANN, course, overallProgress="many")
    for _ in range(2):
        summary = sync.statistics()
        assert (summary.extracted, summary.rejected) == (1, 1)
        assert sync.rejected("statistics") == {row["id"]: "overallProgress is not a number"}
        sync.days_pass(3)
    row.update(overallProgress=50, lastActivityAt=sync.clock())
    assert (sync.statistics().accepted, sync.rejected("statistics")) == (1, {})


def test_a_malformed_row_is_forgotten_once_a_complete_reading_no_longer_shows_it(
    sync: Sync, course: Json
) -> None:
    sync.sandbox.enroll(ANN, course, overallProgress="many")
    sync.statistics()
    sync.sandbox.world.reports.clear()
    sync.days_pass(3)
    assert sync.statistics().rejected == 1
    assert (sync.statistics(full=True).state, sync.rejected("statistics")) == ("completed", {})


# What follows says in plain Python what the rules say, and holds 360Learning's state against it.


def first_activity(row: Json) -> int:
    return min(int(row[name]) for name in ("enrolledAt", "lastActivityAt", "completedAt") if row.get(name))


def completed_at(row: Json) -> int:
    return int(row.get("completedAt") or row.get("lastActivityAt") or row["enrolledAt"])


def percentage(row: Json) -> int:
    progress = row.get("overallProgress") or 0
    return min(99, max(1, math.floor(progress))) if progress else 0


def attempts_by_the_rules(rows: list[Json]) -> list[tuple[str, int]]:
    """What statistics make of the rows of one learner and one course."""
    done = min((completed_at(row) for row in rows if row["isCompleted"]), default=None)
    later = [row for row in rows if done is not None and first_activity(row) > done]
    state = ("completed", 100) if done else ("open", max(percentage(row) for row in rows))
    return ([state] if state[1] else []) + (attempts_by_the_rules(later) if later else [])


def expected_attempts(sync: Sync) -> dict[tuple[str, str], list[tuple[str, int]]]:
    world, platform = sync.sandbox.world, sync.sandbox.learning360
    rows: defaultdict[tuple[str, str], list[Json]] = defaultdict(list)
    for row in world.reports:
        mail = (row.get("email") or row["externalId"]).lower()
        if row not in world.malformed_reports and platform.user_of(mail):
            rows[mail, row["contentId"]].append(row)
    every = {key: attempts_by_the_rules(found) for key, found in rows.items()}
    return {key: attempts for key, attempts in every.items() if attempts}


def attempts_of(origin: str, sync: Sync) -> dict[tuple[str, str], list[tuple[str, int]]]:
    found: defaultdict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for one in sync.platform()["attempts"]:
        if one["origin"] == origin:
            state = "completed" if one["completed"] else "open"
            found[one["mail"], one["externalId"]].append((state, one["progress"]))
    return dict(found)


def launch_some(sync: Sync, rows: Iterable[Json]) -> None:
    for row in rows:
        mail = row.get("email") or row["externalId"]
        if sync.sandbox.learning360.user_of(mail) and row["contentId"] in sync.courses():
            sync.sandbox.learning360.launch(mail, row["contentId"])


QUIRKS: tuple[dict[str, object], ...] = (
    {},
    {"page_cap": 97},
    {"page_cap": 97, "duplicate_rows": True},
    {"page_cap": 201, "short_pages": True, "duplicate_rows": False},
    {"page_cap": 150, "short_pages": False, "shifting": "appear", "shifting_readings": 1},
)


def test_after_days_of_changes_360learning_holds_what_the_rules_say(busy_sync: Sync) -> None:
    sync = busy_sync
    for day, options in enumerate(QUIRKS):
        for name, value in options.items():
            setattr(sync.sandbox.coursera.options, name, value)
        sync.catalog()
        launch_some(sync, sync.sandbox.world.reports[day::40])
        assert sync.statistics().accepted > 0
        sync.days_pass(1)
        sync.sandbox.next_day()
    sync.catalog()
    sync.statistics(full=True)
    assert sync.sandbox.world.address_changes
    assert attempts_of("statistic", sync) == expected_attempts(sync)
    launches = attempts_of("launch", sync).values()
    assert {state for attempts in launches for state in attempts} == {("completed", 0)}

    before = sync.platform()["attempts"]
    again = sync.statistics(full=True)
    assert (again.accepted, again.held > 0, again.rejected > 0) == (0, True, True)
    assert sync.platform()["attempts"] == before
