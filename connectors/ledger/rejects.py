"""Rejected rows, by us or by the platform, each with its reason."""

from collections.abc import Sequence

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection, func, select, update

from connectors.ledger import database
from connectors.ledger.bulk_io import read_frame, records
from connectors.ledger.database import in_batches
from connectors.ledger.schema import rejects

COLUMNS = ("row_id", "reason", "learner", "course", "raw", "uncertain")


def known_rejects(db: Connection, target_id: int, stream: str) -> pd.DataFrame:
    """A stream's rejected rows: the columns of COLUMNS, all str."""
    names = COLUMNS
    return read_frame(
        db, select(*(rejects.c[name] for name in names)).filter_by(target_id=target_id, stream=stream)
    )


def oldest(db: Connection, target_id: int, stream: str) -> int | None:
    """Since when the oldest rejected row has been so (epoch ms); None where there is none."""
    query = select(func.min(rejects.c.first_at)).filter_by(target_id=target_id, stream=stream)
    moment: int | None = db.scalar(query)
    return moment


def upsert(
    db: Connection, target_id: int, stream: str, rows: pd.DataFrame, *, run_id: str, now_ms: int
) -> None:
    """Keep rejected rows (COLUMNS; uncertain may be left out); known ones keep their first date."""
    if rows.empty:
        return
    query = select(rejects.c.row_id, rejects.c.first_at).filter_by(target_id=target_id, stream=stream)
    first_at = {row.row_id: row.first_at for row in db.execute(query)}
    fixed = {"target_id": target_id, "stream": stream, "run_id": run_id, "last_at": now_ms}
    rows = rows if "uncertain" in rows else rows.assign(uncertain=None)
    latest = rows.drop_duplicates("row_id", keep="last")[list(COLUMNS)]
    database.upsert(
        db,
        rejects,
        [row | fixed | {"first_at": first_at.get(row["row_id"], now_ms)} for row in records(latest)],
    )


def rejected_learners(db: Connection, target_id: int, stream: str) -> list[str]:
    """The learners of whom a row is rejected."""
    query = select(rejects.c.learner).filter_by(target_id=target_id, stream=stream).distinct()
    return list(db.scalars(query.where(rejects.c.learner.is_not(None))))


def delete(db: Connection, target_id: int, stream: str, row_ids: Sequence[str]) -> None:
    """Forget rejected rows: they were accepted, or Coursera shows them no more."""
    for batch in in_batches(row_ids):
        db.execute(
            sa.delete(rejects).where(
                rejects.c.target_id == target_id, rejects.c.stream == stream, rejects.c.row_id.in_(batch)
            )
        )


def clear_uncertain(db: Connection, target_id: int, stream: str) -> None:
    """Note that no attempt has come of any row of unknown outcome: they can be sent again."""
    rows = update(rejects).filter_by(target_id=target_id, stream=stream)
    db.execute(rows.values(uncertain=None))


def drop_untried(db: Connection, stream: str, before_ms: int) -> int:
    """Remove rows that no run has tried again since then, of whatever integration; returns how many.

    Those of unknown outcome stay: without them their attempts could be opened twice.
    """
    old = sa.delete(rejects).where(
        rejects.c.stream == stream, rejects.c.last_at < before_ms, rejects.c.uncertain.is_(None)
    )
    return db.execute(old).rowcount
