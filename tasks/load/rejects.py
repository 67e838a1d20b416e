"""Rejected rows that nobody takes up any more."""

from connectors.clock import DAY_MS
from connectors.ledger.records import rejects
from tasks.runtime.run_context import RunContext


def drop_untried(run: RunContext, stream: str) -> None:
    """Forget rows that no run has tried again for SYNC_KEEP_REJECTS_DAYS: their integration is gone.

    To be called when a run is done. It has tried again whatever Coursera may still have.
    """
    days = run.settings.sync.keep_rejects_days
    if not days:
        return
    with run.ledger.begin() as db:
        dropped = rejects.drop_untried(db, stream, run.clock.now_ms() - days * DAY_MS)
    if dropped:
        run.note(f"Rejected rows not tried again for {days} days, now forgotten: {dropped}")
