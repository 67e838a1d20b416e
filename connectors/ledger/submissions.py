"""Bulk operations under way: the intent before, the operation's id after, nothing once settled."""

from typing import Literal

import pandas as pd
from sqlalchemy import Connection, select, update

from connectors.ledger.schema import submissions
from connectors.ledger.store import upsert

State = Literal["intended", "sent", "settled", "failed"]


def intend(
    db: Connection,
    submission_id: str,
    *,
    target_id: int,
    run_id: str,
    operation_type: str,
    rows: pd.DataFrame,
    now_ms: int,
) -> None:
    """Write down what is about to be sent, before it is sent."""
    intent = {
        "id": submission_id,
        "target_id": target_id,
        "run_id": run_id,
        "type": operation_type,
        "state": "intended",
        "row_count": len(rows),
        "rows": rows.to_parquet(compression="zstd"),
        "intended_at": now_ms,
    }
    upsert(db, submissions, [intent])


def operation_of(db: Connection, submission_id: str) -> str | None:
    """The operation that 360Learning made of a submission; None while it is not known to have taken it."""
    return db.scalar(select(submissions.c.operation_id).filter_by(id=submission_id))


def mark_sent(db: Connection, submission_id: str, operation_id: str, now_ms: int) -> None:
    """Note the operation that 360Learning made of it."""
    values = {"state": "sent", "operation_id": operation_id, "sent_at": now_ms}
    db.execute(update(submissions).filter_by(id=submission_id).values(**values))


def close(db: Connection, submission_id: str, state: State, now_ms: int) -> None:
    """End a submission: settled once its results are in the ledger, failed where nothing was taken."""
    values = {"state": state, "rows": None, "settled_at": now_ms}
    db.execute(update(submissions).filter_by(id=submission_id).values(**values))
