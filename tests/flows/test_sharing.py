"""A backfill that several runs share, or that lets others go first, comes to the same as one at a stretch."""

from pathlib import Path

import pytest

from sandbox.clock import ManualClock
from sandbox.sandbox import Sandbox
from sandbox.server import running
from sandbox.snapshot import comparable
from sandbox.world import Sizes, World
from tasks.runtime.handed_in import Pacing
from tests.installation import Sync

SIZES = Sizes(300, 60, 600)
DAYS = 100
COUNTS = ("extracted", "merged", "held", "unchanged", "accepted", "rejected")


@pytest.mark.usefixtures("workers_here")
@pytest.mark.parametrize(
    ("workers", "pacing"),
    [
        pytest.param(3, Pacing(part_rows=50), id="three workers"),
        pytest.param(1, Pacing(part_rows=50, turn_seconds=0), id="a turn for others after each part"),
    ],
)
def test_it_comes_to_the_same(
    busy_sync: Sync, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, workers: int, pacing: Pacing
) -> None:
    busy_sync.pacing = pacing
    in_parts = brought(busy_sync, workers=workers)
    assert busy_sync.ledger("shares") == []
    parts = [run for run in busy_sync.ledger("runs") if run["flow"] == "backfill-part"]
    assert len(parts) == (workers if workers > 1 else 0)
    together = comparable(busy_sync.platform())

    clock = ManualClock()
    sandbox = Sandbox(World.seeded(clock(), sizes=SIZES), clock)
    other = Sync(sandbox, clock, f"sqlite:///{tmp_path}/alone.db", busy_sync.prefect_api)
    with running(sandbox):
        for name, value in other.environment().items():
            monkeypatch.setenv(name, value)
        assert brought(other) == in_parts
        assert comparable(other.platform()) == together


def brought(sync: Sync, *, workers: int = 1) -> list[int]:
    """Bring a window of which a half is known already; returns the counts."""
    sync.catalog()
    sync.backfill(active_from=sync.days_ago(DAYS / 2))
    summary = sync.backfill(active_from=sync.days_ago(DAYS), workers=workers)
    assert summary.accepted > 50
    assert summary.unchanged > 50
    return [getattr(summary, name) for name in COUNTS]


@pytest.mark.usefixtures("workers_here")
def test_a_share_that_fails_is_said_and_the_next_run_makes_up_for_it(busy_sync: Sync) -> None:
    busy_sync.catalog()
    busy_sync.sandbox.faults.add("answer", path="bulk/integrations/.*/stats", status=400, times=1)
    recent = busy_sync.days_ago(DAYS)
    failed = busy_sync.backfill(active_from=recent, workers=2)
    assert failed.exit_code == 1
    assert "of the 2 runs that shared the work failed" in str(failed.error)
    again = busy_sync.backfill(active_from=recent)
    assert again.exit_code in {0, 3}
    assert busy_sync.ledger("shares") == []
    assert busy_sync.backfill(active_from=recent).accepted == 0
