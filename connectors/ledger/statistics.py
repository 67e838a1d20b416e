"""What Coursera said of learners, and the attempts that 360Learning has accepted."""

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Connection, Table, func, select, update

from connectors.ledger.frames import read_frame, records
from connectors.ledger.schema import attempts, enrollments
from connectors.ledger.store import in_batches, upsert

NO_MARKS = {"target_id", "run_id", "operation_id", "resource_id", "accepted_at", "rule"}
ENROLLMENT_COLUMNS = [column.name for column in enrollments.columns if column.name not in NO_MARKS]
ATTEMPT_COLUMNS = [column.name for column in attempts.columns if column.name not in NO_MARKS]


def enrollments_of(db: Connection, target_id: int, learners: Sequence[str]) -> pd.DataFrame:
    """The enrollments of learners as they were last read: the columns of ENROLLMENT_COLUMNS."""
    return _of(db, enrollments, ENROLLMENT_COLUMNS, target_id, learners)


def attempts_of(db: Connection, target_id: int, learners: Sequence[str]) -> pd.DataFrame:
    """The accepted attempts of learners: the columns of ATTEMPT_COLUMNS."""
    return _of(db, attempts, ATTEMPT_COLUMNS, target_id, learners)


def _of(
    db: Connection, table: Table, names: Sequence[str], target_id: int, learners: Sequence[str]
) -> pd.DataFrame:
    query = select(*(table.c[name] for name in names)).filter_by(target_id=target_id)
    frames = [read_frame(db, query.where(table.c.learner.in_(batch))) for batch in in_batches(learners)]
    return pd.concat(frames, ignore_index=True) if frames else read_frame(db, query.limit(0))


def addresses_of(db: Connection, target_id: int, external_ids: Sequence[str]) -> pd.DataFrame:
    """The addresses known beside Coursera's externalIds: external_id, learner, updated_at (the latest)."""
    latest = func.max(enrollments.c.updated_at).label("updated_at")
    query = select(enrollments.c.external_id, enrollments.c.learner, latest).filter_by(target_id=target_id)
    query = query.group_by(enrollments.c.external_id, enrollments.c.learner)
    frames = [
        read_frame(db, query.where(enrollments.c.external_id.in_(batch)))
        for batch in in_batches(external_ids)
    ]
    known = pd.concat(frames, ignore_index=True) if frames else read_frame(db, query.limit(0))
    return known.astype({"updated_at": "int64"})


def move_learner(db: Connection, target_id: int, old: str, new: str) -> None:
    """Give a learner's records the new address; where that one has records of the same course, they stay."""
    for table in (enrollments, attempts):
        rows = (table.c.target_id == target_id) & (table.c.learner == old)
        taken = select(table.c.course).where(table.c.target_id == target_id, table.c.learner == new)
        db.execute(update(table).where(rows, table.c.course.not_in(taken)).values(learner=new))


def record_enrollments(db: Connection, target_id: int, read: pd.DataFrame, *, run_id: str) -> None:
    """Keep enrollments as they were read: the columns of ENROLLMENT_COLUMNS."""
    marks = {"target_id": target_id, "run_id": run_id}
    upsert(db, enrollments, [row | marks for row in records(read[ENROLLMENT_COLUMNS])])


def accept_attempts(
    db: Connection,
    target_id: int,
    accepted: pd.DataFrame,
    *,
    run_id: str,
    operation_id: str | None,
    now_ms: int,
) -> None:
    """Record accepted statistics: the columns of ATTEMPT_COLUMNS, rule and resource_id."""
    marks = {
        "target_id": target_id,
        "run_id": run_id,
        "operation_id": operation_id,
        "accepted_at": now_ms,
    }
    columns = [*ATTEMPT_COLUMNS, "rule", "resource_id"]
    upsert(db, attempts, [row | marks for row in records(accepted[columns])])
