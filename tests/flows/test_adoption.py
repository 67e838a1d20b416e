"""A ledger that was lost, or takes over, does not double anybody's attempts."""

from pathlib import Path

import pytest

from sandbox.values import Json
from tests.installation import Sync

ANN, BOB = "ann@example.com", "bob@example.com"


@pytest.fixture
def lost(sync: Sync, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Json:
    """A course that two learners have made progress on, and a ledger that is gone since."""
    course = sync.sandbox.world.add_content("Machine Learning")
    sync.catalog()
    sync.sandbox.learning360.add_user(ANN)
    sync.sandbox.learning360.launch(ANN, course["contentId"])
    sync.sandbox.enroll(ANN, course, overallProgress=45)
    sync.sandbox.enroll(BOB, course, isCompleted=True)
    assert sync.statistics().accepted == 2
    sync.state_url = f"sqlite:///{tmp_path}/new/ledger.db"
    monkeypatch.setenv("SYNC_STATE_URL", sync.state_url)
    return course


EXPECTED = {ANN: [("completed", 0), ("open", 45)], BOB: [("completed", 100)]}


def test_the_attempts_are_adopted_before_anything_is_sent(sync: Sync, lost: Json) -> None:
    summary = sync.statistics()
    assert (summary.unchanged, summary.submitted) == (2, 0)
    assert any("adopted" in note for note in summary.notes)
    assert {mail: sync.attempts(mail, lost["contentId"]) for mail in EXPECTED} == EXPECTED


def test_what_was_adopted_goes_on_as_before(sync: Sync, lost: Json) -> None:
    sync.catalog()
    sync.statistics()
    sync.days_pass(1)
    row = sync.sandbox.world.report_of(ANN, lost["contentId"])
    row.update(overallProgress=80, lastActivityAt=sync.clock() - 1000)
    assert sync.statistics().accepted == 1
    assert sync.attempts(ANN, lost["contentId"]) == [("completed", 0), ("open", 80)]


@pytest.mark.parametrize("scope", ["courseStats:read", "users:read"])
def test_without_the_scopes_the_run_stops_and_names_fresh(sync: Sync, lost: Json, scope: str) -> None:
    client = sync.sandbox.learning360.client
    client.scopes = client.scopes - {scope}
    summary = sync.statistics()
    assert summary.state == "failed"
    assert "--fresh" in str(summary.error)
    assert {mail: sync.attempts(mail, lost["contentId"]) for mail in EXPECTED} == EXPECTED


def test_fresh_goes_on_regardless_and_only_once(sync: Sync, lost: Json) -> None:
    assert sync.statistics(fresh=True).accepted == 2
    assert sync.statistics().submitted == 0
    assert lost


def test_a_dry_run_says_what_a_run_would_do_first(sync: Sync, lost: Json) -> None:
    summary = sync.statistics(dry_run=True)
    assert any("adopt" in note for note in summary.notes)
    assert sync.ledger("attempts") == []
    assert lost


def test_an_integration_made_by_this_ledger_needs_no_adoption(sync: Sync) -> None:
    sync.sandbox.learning360.client.scopes = {
        "integrations:read",
        "integrations:write",
        "integrations:bulk",
        "bulkOperations:read",
    }
    course = sync.sandbox.world.add_content("Machine Learning")
    sync.catalog()
    sync.sandbox.enroll(ANN, course, overallProgress=45)
    assert sync.statistics().accepted == 1


def test_an_integration_that_was_deleted_begins_anew(sync: Sync) -> None:
    course = sync.sandbox.world.add_content("Machine Learning")
    assert sync.catalog().accepted == 1
    sync.sandbox.learning360.integrations.clear()
    assert sync.catalog().accepted == 1
    sync.sandbox.enroll(ANN, course, overallProgress=45)
    assert sync.statistics().accepted == 1
