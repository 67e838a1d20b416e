"""Only what 360Learning has accepted, or the launch rule holds, is settled: nothing else is ever skipped."""

import pytest

from sandbox.clock import DAY_MS
from sandbox.values import Json
from tests.installation import Sync

ANN, EVE = "ann@example.com", "eve@example.com"


@pytest.fixture
def courses(sync: Sync) -> list[Json]:
    """Courses that 360Learning has, which Ann has begun."""
    made = sync.add_courses(3)
    sync.catalog()
    return made


def begin(sync: Sync, courses: list[Json], mail: str = ANN) -> list[Json]:
    """A learner's rows, begun ten days ago."""
    active = sync.clock() - 10 * DAY_MS
    fields = {"overallProgress": 30, "lastActivityAt": active, "updatedAt": active, "externalId": "x-1"}
    return [sync.sandbox.world.add_report(mail, course, **fields) for course in courses]


def test_a_rejected_row_that_a_complete_reading_misses_goes_once_it_is_back(
    sync: Sync, courses: list[Json]
) -> None:
    (row,) = begin(sync, courses[:1])
    assert sync.statistics().rejected == 1  # nobody knows her
    sync.sandbox.world.reports.remove(row)
    assert sync.statistics(full=True).rejected == 0
    assert sync.rejected("statistics") == {}
    sync.sandbox.world.reports.append(row)
    sync.sandbox.learning360.add_user(ANN)
    assert sync.statistics(full=True).accepted == 1
    assert sync.attempts(ANN, courses[0]["contentId"]) == [("open", 30)]


def test_an_update_that_was_refused_is_not_settled_either(sync: Sync, courses: list[Json]) -> None:
    (row,) = begin(sync, courses[:1])
    user = sync.sandbox.learning360.add_user(ANN)
    sync.statistics()
    row.update(overallProgress=60)
    user["status"] = "deleted"
    assert sync.statistics(full=True).rejected == 1
    sync.sandbox.world.reports.remove(row)
    sync.statistics(full=True)
    sync.sandbox.world.reports.append(row)
    user["status"] = "active"
    assert sync.statistics(full=True).accepted == 1
    assert sync.attempts(ANN, courses[0]["contentId"]) == [("open", 60)]


def test_an_address_change_that_an_older_row_shows_first_doubles_nothing(
    sync: Sync, courses: list[Json]
) -> None:
    rows = begin(sync, courses)
    sync.sandbox.learning360.add_user(ANN)
    assert sync.statistics().accepted == 3
    sync.days_pass(1)
    for row in rows:
        row["email"] = EVE
    sync.sandbox.learning360.change_mail(ANN, EVE)
    # Only one row has recent activity, and Coursera's date of it is older than the newest that is known.
    rows[0].update(lastActivityAt=sync.clock() - DAY_MS, updatedAt=sync.clock() - 20 * DAY_MS)
    sync.statistics()
    sync.statistics(full=True)
    for course in courses:
        held = sync.attempts(ANN, course["contentId"]) + sync.attempts(EVE, course["contentId"])
        assert held == [("open", 30)]


@pytest.mark.parametrize("odd", [32_503_680_000_000, 253_402_300_799_999], ids=["in 3000", "in 9999"])
def test_a_change_that_is_dated_ahead_hides_no_later_change_of_address(
    sync: Sync, courses: list[Json], odd: int
) -> None:
    rows = begin(sync, courses)
    rows[0]["updatedAt"] = odd
    sync.sandbox.learning360.add_user(ANN)
    assert sync.statistics().accepted == 3
    sync.days_pass(1)
    for row in rows:
        row.update(email=EVE, overallProgress=60, updatedAt=sync.clock())
    sync.sandbox.learning360.change_mail(ANN, EVE)
    assert sync.statistics(full=True).accepted == 3
    assert [sync.attempts(EVE, course["contentId"]) for course in courses] == [[("open", 60)]] * 3


def test_a_statistic_of_unknown_outcome_is_known_again_under_a_new_address(
    sync: Sync, courses: list[Json]
) -> None:
    client, options = sync.sandbox.learning360.client, sync.sandbox.learning360.options
    (row,) = begin(sync, courses[:1])
    sync.sandbox.learning360.add_user(ANN)
    granted = client.scopes
    client.scopes = granted - {"courseStats:read"}
    options.drop_results = 1
    assert sync.statistics().rejected == 1
    options.drop_results = 0
    sync.sandbox.learning360.change_mail(ANN, EVE)
    row["email"] = EVE
    row["updatedAt"] = sync.clock()
    assert sync.statistics(full=True).submitted == 0
    client.scopes = granted
    assert sync.statistics(full=True).recovered == 1
    assert sync.attempts(EVE, courses[0]["contentId"]) == [("open", 30)]
    assert sync.rejected("statistics") == {}


def test_a_backfill_adopts_what_a_lost_ledger_does_not_know(
    sync: Sync, courses: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(sync, courses)
    sync.sandbox.learning360.add_user(ANN)
    sync.statistics()
    sync.state_url = f"{sync.state_url}.new"
    monkeypatch.setenv("SYNC_STATE_URL", sync.state_url)
    assert sync.backfill().accepted == 0
    assert [sync.attempts(ANN, course["contentId"]) for course in courses] == [[("open", 30)]] * 3


def test_a_row_that_cannot_be_mapped_keeps_its_id_while_it_is_tried_again(
    sync: Sync, courses: list[Json]
) -> None:
    (row,) = begin(sync, courses[:1])
    sync.sandbox.learning360.add_user(ANN)
    row["enrolledAt"] = sync.clock() + 10 * DAY_MS  # impossible, though of the right type
    assert sync.statistics().rejected == 1
    sync.days_pass(1)
    summary = sync.statistics()  # reads what is new: the row is not shown
    assert (summary.extracted, summary.rejected) == (1, 1)
    assert list(sync.rejected("statistics")) == [row["id"]]
    row["enrolledAt"] = sync.clock() - 20 * DAY_MS
    summary = sync.statistics(full=True)
    assert (summary.extracted, summary.accepted) == (1, 1)
    assert sync.rejected("statistics") == {}
