"""From when on the enrollment reports are read, and the watermark that remembers it."""

from datetime import UTC, datetime

from connectors.errors import SettingsError
from connectors.ledger.runs import move_watermark, read_watermark
from tasks.extract import Reading
from tasks.run import Run
from tasks.takers import Window

# The reports lag live data by up to 24 hours and new enrollments by up to 48: reading goes back that far.
OVERLAP_MS = 48 * 3_600_000
DAY_MS = 24 * 3_600_000


def since_last_run(run: Run, stream: str, *, full: bool) -> Window:
    """What is new since the last good reading began; all on the first one, and every so many days."""
    with run.ledger.begin() as db:
        watermark = read_watermark(db, run.target.id, stream)
    if full or watermark is None or watermark.read_in_full_at is None:
        return Window(None)
    due_after = run.settings.sync.full_every_days * DAY_MS
    if run.surroundings.now_ms() - watermark.read_in_full_at >= due_after:
        return Window(None)
    return Window(watermark.read_at - OVERLAP_MS)


def chosen_window(active_from: datetime | None, active_to: datetime | None) -> Window:
    """A window as people give it (UTC where they do not say); SettingsError where it is empty."""
    since, until = _epoch_ms(active_from), _epoch_ms(active_to)
    if since is not None and until is not None and since >= until:
        raise SettingsError("The window is empty: --from must lie before --to.")
    return Window(since, until)


def _epoch_ms(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def mark_read(run: Run, stream: str, reading: Reading) -> None:
    """Move a stream's watermark to the moment at which a good reading began."""
    with run.ledger.begin() as db:
        move_watermark(db, run.target.id, stream, reading.began_at, in_full=reading.in_full)
