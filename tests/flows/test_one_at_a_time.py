"""One run at a time for a target and a stream."""

import pytest

from connectors.ledger.database import open_ledger
from connectors.ledger.records.runs import NewRun, note_stream, start_run
from connectors.ledger.records.targets import find_target
from tests.installation import Sync
from tests.postgres import BOTH_DATABASES

pytestmark = BOTH_DATABASES


def _lock_name(sync: Sync, stream: str) -> str:
    settings = sync.environment()
    with open_ledger(sync.ledger_url) as ledger, ledger.begin() as db:
        target = find_target(
            db, settings["LEARNING360_API_URL"], settings["LEARNING360_GROUP_ID"], "Coursera for Business"
        )
    return f"{target.key}-{stream}"


def test_a_second_run_says_who_holds_the_stream_and_gives_up(
    sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC_LOCK_WAIT", "30")
    sync.setup()
    name = _lock_name(sync, "catalog")
    with open_ledger(sync.ledger_url) as ledger:
        lock = ledger.try_lock(name)
        assert lock is not None
        summary = sync.catalog()
        lock()
    assert summary.state == "failed"
    assert "held by" in str(summary.error)
    assert "SYNC_LOCK_WAIT" in str(summary.error)
    assert sync.catalog().state == "completed"


def test_the_other_stream_and_dry_runs_do_not_wait(sync: Sync) -> None:
    sync.setup()
    name = _lock_name(sync, "catalog")
    with open_ledger(sync.ledger_url) as ledger:
        lock = ledger.try_lock(name)
        assert lock is not None
        assert sync.statistics().state == "completed"
        assert sync.catalog(dry_run=True).state == "dry_run"
        lock()


def test_a_run_that_died_is_noted_as_crashed_by_the_next(sync: Sync) -> None:
    sync.setup()
    with open_ledger(sync.ledger_url) as ledger, ledger.begin() as db:
        start_run(db, NewRun("died", 1, "catalog", "someone", dry_run=False, started_at=1))
        note_stream(db, "died", "catalog")
    sync.catalog()
    assert {row["id"]: row["state"] for row in sync.ledger("runs")}["died"] == "crashed"
