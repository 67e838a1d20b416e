"""From when on the enrollment reports are read, and the watermark that remembers it."""

from connectors.clock import DAY_MS
from connectors.ledger.database import Ledger
from connectors.ledger.records.watermarks import move_watermark, read_watermark
from tasks.extract.coursera import ListingRead
from tasks.extract.window import EVERYTHING, ActivityWindow
from tasks.runtime.run_context import RunContext

# The reports lag live data by up to 24 hours and new enrollments by up to 48: reading goes back that far.
OVERLAP_MS = 48 * 3_600_000


def since_last_run(run: RunContext, stream: str, *, full: bool) -> ActivityWindow:
    """What is new since the last good reading began; all on the first one, and every so many days."""
    with run.ledger.read() as db:
        watermark = read_watermark(db, run.target.id, stream)
    if full or watermark is None or watermark.read_in_full_at is None:
        return EVERYTHING
    due_after = run.settings.sync.full_every_days * DAY_MS
    if run.clock.now_ms() - watermark.read_in_full_at >= due_after:
        return EVERYTHING
    return ActivityWindow(watermark.read_at - OVERLAP_MS)


def mark_read(ledger: Ledger, target_id: int, stream: str, read: ListingRead) -> None:
    """Move a stream's watermark to the moment at which a good reading began."""
    with ledger.begin() as db:
        move_watermark(db, target_id, stream, read.began_at, in_full=read.in_full)
