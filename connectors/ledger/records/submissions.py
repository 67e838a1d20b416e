"""Bulk operations under way: the intent before, the operation's id after, nothing once settled."""

import io
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from sqlalchemy import ColumnElement, Connection, select, update

from connectors.ledger.database import upsert
from connectors.ledger.schema import submissions

State = Literal["intended", "sent", "settled", "failed"]
OPEN_STATES = ("intended", "sent")
#: The type of operation whose rows are learners' statistics.
STATISTIC_IMPORT = "importExternalStatistics"


@dataclass(frozen=True)
class Submission:
    """A bulk operation of ours, from before it is sent.

    ``operation_id`` is None until 360Learning is known to have taken it; ``intended_at`` is epoch
    milliseconds by 360Learning's clock; ``enrollments`` are to be known once the rows are settled.
    """

    id: str
    target_id: int
    run_id: str
    type: str
    rows: pd.DataFrame
    intended_at: int
    enrollments: pd.DataFrame | None = None
    operation_id: str | None = None


def intend(db: Connection, submission: Submission, now_ms: int) -> None:
    """Write down what is about to be sent, before it is sent."""
    intent = {
        "id": submission.id,
        "target_id": submission.target_id,
        "run_id": submission.run_id,
        "type": submission.type,
        "state": "intended",
        "row_count": len(submission.rows),
        "rows": _packed(submission.rows),
        "enrollments": None if submission.enrollments is None else _packed(submission.enrollments),
        "intended_at": now_ms,
        "intended_at_platform": submission.intended_at,
    }
    upsert(db, submissions, [intent])


def find(db: Connection, submission_id: str) -> Submission | None:
    """A submission that is not closed; None where there is none of that id."""
    return next(iter(_open(db, submissions.c.id == submission_id)), None)


def settled_operation(db: Connection, submission_id: str) -> str | None:
    """The operation of a submission that is settled; None where it is not."""
    query = select(submissions.c.operation_id)
    return db.scalar(query.filter_by(id=submission_id, state="settled"))


def left_open(db: Connection, target_id: int, operation_types: tuple[str, ...]) -> list[Submission]:
    """The submissions of these types that are not closed, oldest first."""
    return _open(db, (submissions.c.target_id == target_id) & submissions.c.type.in_(operation_types))


def known_operations(db: Connection) -> set[str]:
    """All operations that are known to be some submission's, of whatever target."""
    query = select(submissions.c.operation_id)
    return set(db.scalars(query.where(submissions.c.operation_id.is_not(None))))


def date_anew(db: Connection, submission_id: str, intended_at: int) -> None:
    """Note that it is only now about to be sent (epoch milliseconds by 360Learning's clock)."""
    values = {"intended_at_platform": intended_at}
    db.execute(update(submissions).filter_by(id=submission_id).values(**values))


def mark_sent(db: Connection, submission_id: str, operation_id: str, now_ms: int) -> None:
    """Note the operation that 360Learning made of it."""
    values = {"state": "sent", "operation_id": operation_id, "sent_at": now_ms}
    db.execute(update(submissions).filter_by(id=submission_id).values(**values))


def close(db: Connection, submission_id: str, state: State, now_ms: int) -> None:
    """End a submission: settled once its results are in the ledger, failed where nothing was taken."""
    values = {"state": state, "rows": None, "enrollments": None, "settled_at": now_ms}
    db.execute(update(submissions).filter_by(id=submission_id).values(**values))


def _open(db: Connection, which: ColumnElement[bool]) -> list[Submission]:
    columns = submissions.c
    query = select(submissions).where(which, columns.state.in_(OPEN_STATES)).order_by(columns.intended_at)
    return [
        Submission(
            id=row.id,
            target_id=row.target_id,
            run_id=row.run_id,
            type=row.type,
            rows=_unpacked(row.rows),
            intended_at=row.intended_at_platform,
            enrollments=None if row.enrollments is None else _unpacked(row.enrollments),
            operation_id=row.operation_id,
        )
        for row in db.execute(query)
    ]


def _packed(rows: pd.DataFrame) -> bytes:
    # Nobody searches in it: without what Parquet would put down for that it takes two thirds of the time.
    return rows.to_parquet(compression="lz4", use_dictionary=False, write_statistics=False)


def _unpacked(packed: bytes) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(packed))
