"""Rejected rows, by us or by the platform, each with its reason."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection, func, select, update

from connectors.ledger import database
from connectors.ledger.bulk_io import read_frame, records
from connectors.ledger.database import is_among
from connectors.ledger.schema import rejects
from connectors.ledger.streams import STATISTICS

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
    db.execute(_deletion(db, target_id, stream, row_ids))


def delete_untouched(
    db: Connection, target_id: int, stream: str, row_ids: Sequence[str], run_ids: Sequence[str]
) -> None:
    """Remove rows that none of these runs has rejected."""
    untouched = rejects.c.run_id.not_in(run_ids)
    db.execute(_deletion(db, target_id, stream, row_ids).where(untouched))


def _deletion(db: Connection, target_id: int, stream: str, row_ids: Sequence[str]) -> sa.Delete:
    of_stream = sa.delete(rejects).where(rejects.c.target_id == target_id, rejects.c.stream == stream)
    return of_stream.where(is_among(db, rejects.c.row_id, row_ids))


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


def statistics_of(db: Connection, target_id: int, learners: Sequence[str]) -> pd.DataFrame:
    """The rejected statistics of learners: row_id, learner, course and uncertain str, number int64."""
    names = ("row_id", "learner", "course", "uncertain")
    query = select(*(rejects.c[name] for name in names)).filter_by(target_id=target_id, stream=STATISTICS)
    rows = read_frame(db, query.where(is_among(db, rejects.c.learner, learners)))
    number = rows["row_id"].str.extract(r"~(\d+)$", expand=False)
    return rows.assign(number=number.astype("int64"))


def rename(db: Connection, target_id: int, rows: pd.DataFrame) -> None:
    """Give rejected statistics (row_id, uncertain) another learner and number; what they hold changes too."""
    theirs = {"target_id": target_id, "stream": STATISTICS}
    new_ids = reject_ids(rows)
    for row, new_id in zip(records(rows), new_ids, strict=True):
        if new_id != row["row_id"]:
            db.execute(sa.delete(rejects).filter_by(**theirs, row_id=new_id))
        values = {"row_id": new_id, "learner": row["learner"], "uncertain": _renamed(row)}
        db.execute(update(rejects).filter_by(**theirs, row_id=row["row_id"]).values(**values))


def reject_ids(attempts: pd.DataFrame) -> pd.Series:
    """What attempts (learner, course, number) are called among the rejected rows."""
    return attempts["learner"] + "~" + attempts["course"] + "~" + attempts["number"].astype("str")


def _renamed(row: Mapping[str, Any]) -> str | None:
    """An attempt of unknown outcome is looked for under the new address."""
    if row["uncertain"] is None:
        return None
    told = orjson.loads(row["uncertain"])
    return orjson.dumps(told | {"learner": row["learner"], "number": row["number"]}).decode()
