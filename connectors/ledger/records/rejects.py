"""Rejected rows, by us or by the platform, each with its reason."""

from collections.abc import Mapping, Sequence

import orjson
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection, func, select, update

from connectors.ledger import database
from connectors.ledger.bulk_io import read_frame, records
from connectors.ledger.database import in_batches, is_among
from connectors.ledger.keys import key_of
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
    for batch in in_batches(row_ids):
        db.execute(
            sa.delete(rejects).where(
                rejects.c.target_id == target_id, rejects.c.stream == stream, rejects.c.row_id.in_(batch)
            )
        )


def delete_untouched(
    db: Connection, target_id: int, stream: str, row_ids: Sequence[str], run_ids: Sequence[str]
) -> None:
    """Remove rows that none of these runs has rejected."""
    for batch in in_batches(row_ids):
        db.execute(
            sa.delete(rejects).where(
                rejects.c.target_id == target_id,
                rejects.c.stream == stream,
                rejects.c.row_id.in_(batch),
                rejects.c.run_id.not_in(run_ids),
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


def move_rejects(
    db: Connection, target_id: int, moves: Mapping[str, str], numbered_on: Mapping[int, int]
) -> set[str]:
    """Give the statistics of learners that were rejected their new addresses; returns whose there were.

    What they hold moves too. ``numbered_on``: how far attempts were numbered on, by their key.
    """
    theirs = {"target_id": target_id, "stream": STATISTICS}
    query = select(*(rejects.c[name] for name in ("row_id", "learner", "course", "uncertain")))
    query = query.filter_by(**theirs).where(is_among(db, rejects.c.learner, list(moves)))
    found = db.execute(query).all()
    for row in found:
        new = moves[row.learner]
        number = int(row.row_id.rpartition("~")[2]) + numbered_on.get(key_of(new, row.course), 0)
        new_id = reject_id(new, row.course, number)
        values = {"row_id": new_id, "learner": new, "uncertain": _moved(row.uncertain, new, number)}
        db.execute(sa.delete(rejects).filter_by(**theirs, row_id=new_id))
        db.execute(update(rejects).filter_by(**theirs, row_id=row.row_id).values(**values))
    return {row.learner for row in found}


def reject_ids(attempts: pd.DataFrame) -> pd.Series:
    """What attempts (learner, course, number) are called among the rejected rows."""
    return attempts["learner"] + "~" + attempts["course"] + "~" + attempts["number"].astype("str")


def reject_id(learner: str, course: str, number: int) -> str:
    """What one attempt is called among the rejected rows."""
    return f"{learner}~{course}~{number}"


def _moved(uncertain: str | None, learner: str, number: int) -> str | None:
    """An attempt of unknown outcome is looked for under the new address."""
    if uncertain is None:
        return None
    return orjson.dumps(orjson.loads(uncertain) | {"learner": learner, "number": number}).decode()
