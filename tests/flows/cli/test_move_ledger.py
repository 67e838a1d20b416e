"""A ledger that is moved to PostgreSQL: nothing is sent again, and runs go on there."""

import pytest

from connectors.errors import SettingsError
from flows.move_ledger import move
from tests.installation import Sync
from tests.postgres import new_database


@pytest.fixture
def grown(sync: Sync) -> Sync:
    """An installation whose SQLite ledger holds rows of every kind."""
    courses = sync.add_courses(3)
    sync.sandbox.coursera.options.rotate_refresh_token = True
    sync.sandbox.world.add_content("   ")
    sync.sandbox.enroll("ann@example.com", courses[0], overallProgress=45)
    sync.sandbox.world.add_report("stranger@example.com", courses[1], overallProgress=10)
    sync.catalog()
    sync.statistics()
    return sync


def test_runs_go_on_with_the_ledger_in_postgresql(
    grown: Sync, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = grown.remembered() | {"runs": grown.ledger("runs")}
    empty = [name for name, rows in before.items() if not rows]
    assert empty == ["shares"]
    url = new_database(postgres)
    assert move(url) == sum(len(rows) for name, rows in before.items() if name != "schema_versions")
    grown.state_url = url
    monkeypatch.setenv("SYNC_STATE_URL", url)
    assert grown.remembered() | {"runs": grown.ledger("runs")} == before
    assert (grown.catalog().submitted, grown.statistics().unchanged) == (0, 1)


def test_another_target_finds_its_place_beside_those_that_were_moved(
    grown: Sync, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_database(postgres)
    move(url)
    monkeypatch.setenv("SYNC_STATE_URL", url)
    monkeypatch.setenv("LEARNING360_PLATFORM_NAME", "Another")
    assert grown.catalog().accepted == 3


def test_a_ledger_that_knows_something_is_not_written_over(grown: Sync, postgres: str) -> None:
    url = new_database(postgres)
    move(url)
    for known in (url, grown.state_url):
        with pytest.raises(SettingsError, match="not empty"):
            move(known)
