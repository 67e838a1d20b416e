"""From when on the enrollment reports are read, and the watermark that remembers it."""

from connectors.clock import CLOCK_TOLERANCE_MS, DAY_MS
from connectors.ledger.records.watermarks import move_watermark, read_watermark
from tasks.extract.coursera import ListingRead
from tasks.extract.window import EVERYTHING, ActivityWindow
from tasks.runtime.run_context import RunContext

# The reports lag live data by up to 24 hours and new enrollments by up to 48: reading goes back that far.
OVERLAP_MS = 48 * 3_600_000


def since_last_run(run: RunContext, stream: str, *, full: bool) -> ActivityWindow:
    """What is new since the last good reading began; all on the first one, and every so many days.

    A watermark ahead of now was set by a clock that was ahead: what it leaves out is not known, so that all
    is read.
    """
    with run.ledger.read() as db:
        watermark = read_watermark(db, run.target.id, stream)
    if full or watermark is None or watermark.read_in_full_at is None:
        return EVERYTHING
    now_ms = run.learning360.now_ms()  # which has answered by now, as Coursera has not
    if max(watermark.read_at, watermark.read_in_full_at) > now_ms + CLOCK_TOLERANCE_MS:
        run.note("The watermark lies ahead of now, set while a clock was ahead: it is ignored, all is read")
        return EVERYTHING
    # A daily run begins a little sooner or later each day, and platforms tell their time to the second.
    due_after = run.settings.sync.full_every_days * DAY_MS - CLOCK_TOLERANCE_MS
    if now_ms - watermark.read_in_full_at >= due_after:
        return EVERYTHING
    return ActivityWindow(watermark.read_at - OVERLAP_MS)


def mark_read(run: RunContext, stream: str, read: ListingRead) -> None:
    """Move a stream's watermark to the moment at which a good reading began.

    By Coursera's own clock, where it differs: to the second, as its answers are dated, is near enough.
    """
    ahead_ms = run.coursera.now_ms() - run.clock.now_ms()
    if abs(ahead_ms) <= CLOCK_TOLERANCE_MS:
        ahead_ms = 0
    with run.ledger.begin() as db:
        move_watermark(db, run.target.id, stream, read.began_at + ahead_ms, in_full=read.in_full)
