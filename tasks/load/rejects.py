"""Rejected rows: taken up again by every run, and gone once accepted or gone from Coursera."""

from collections.abc import Sequence

import msgspec
import orjson
import pandas as pd

from connectors.clock import DAY_MS
from connectors.coursera.row_ids import row_id
from connectors.ledger.database import Ledger
from connectors.ledger.records import rejects
from tasks.extract.coursera import CatalogSnapshot
from tasks.runtime.run_context import RunContext


def unmapped_rows(ledger: Ledger, target_id: int, stream: str) -> list[object]:
    """The rows (as they were read) that earlier runs rejected because they could not be mapped."""
    with ledger.read() as db:
        known = rejects.known_rejects(db, target_id, stream)
    return [orjson.loads(raw) for raw in known["raw"].dropna()]


def rows_to_retry(ledger: Ledger, target_id: int, stream: str, catalog: CatalogSnapshot) -> list[object]:
    """Rows rejected by earlier runs that a reading does not show, though Coursera may have them still."""
    if catalog.read.is_exhaustive:
        return []
    shown = {row_id(element) for element in catalog.elements}
    unmapped = unmapped_rows(ledger, target_id, stream)
    return [element for element in unmapped if row_id(element) not in shown]


def as_rejects(elements: Sequence[object], unmapped: pd.DataFrame) -> pd.DataFrame:
    """The rows that could not be mapped (position, reason), as the ledger keeps them."""
    rows = [elements[position] for position in unmapped["position"]]
    return pd.DataFrame(
        {
            "row_id": pd.Series([row_id(row) for row in rows], dtype="str"),
            "reason": unmapped["reason"],
            "learner": None,
            "course": pd.Series([_course(row) for row in rows], dtype="str"),
            "raw": pd.Series([msgspec.json.encode(row).decode() for row in rows], dtype="str"),
        }
    )


def replace(run: RunContext, stream: str, rejected: pd.DataFrame, to_send: Sequence[str]) -> None:
    """Keep rejected rows, and forget all others but those that are about to be sent again.

    Every row that was rejected before has been looked at by now: what is in neither was mapped and needs
    nothing, or is gone from Coursera.
    """
    with run.ledger.begin() as db:
        known = rejects.known_rejects(db, run.target.id, stream)["row_id"]
        stay = {*rejected["row_id"], *to_send}
        rejects.delete(db, run.target.id, stream, [row for row in known if row not in stay])
        now_ms = run.clock.now_ms()
        rejects.upsert(db, run.target.id, stream, rejected, run_id=run.id, now_ms=now_ms)


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


def _course(row: object) -> str | None:
    course = row.get("contentId") if isinstance(row, dict) else getattr(row, "contentId", None)
    return course if isinstance(course, str) else None
