"""Rows put aside, by us or by the platform, each with its reason."""

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Connection, delete, select

from connectors.ledger.frames import read_frame, records
from connectors.ledger.schema import rejects
from connectors.ledger.store import in_batches, upsert


def known_rejects(db: Connection, target_id: int, stream: str) -> pd.DataFrame:
    """A stream's rows put aside: row_id, reason, learner, course, raw (all str)."""
    names = ("row_id", "reason", "learner", "course", "raw")
    return read_frame(
        db, select(*(rejects.c[name] for name in names)).filter_by(target_id=target_id, stream=stream)
    )


def put_aside(
    db: Connection, target_id: int, stream: str, rows: pd.DataFrame, *, run_id: str, now_ms: int
) -> None:
    """Put rows aside (row_id, reason, learner, course, raw); a row that was aside keeps its first date."""
    query = select(rejects.c.row_id, rejects.c.first_at).filter_by(target_id=target_id, stream=stream)
    first_at = {row.row_id: row.first_at for row in db.execute(query)}
    fixed = {"target_id": target_id, "stream": stream, "run_id": run_id, "last_at": now_ms}
    latest = rows.drop_duplicates("row_id", keep="last")[["row_id", "reason", "learner", "course", "raw"]]
    upsert(
        db,
        rejects,
        [row | fixed | {"first_at": first_at.get(row["row_id"], now_ms)} for row in records(latest)],
    )


def take_back(db: Connection, target_id: int, stream: str, row_ids: Sequence[str]) -> None:
    """Remove rows from those put aside: they were accepted, or Coursera shows them no more."""
    for batch in in_batches(row_ids):
        db.execute(
            delete(rejects).where(
                rejects.c.target_id == target_id, rejects.c.stream == stream, rejects.c.row_id.in_(batch)
            )
        )
