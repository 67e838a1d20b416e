"""Enrollments: what Coursera said of learners' courses, by their keys (see `connectors.ledger.keys`)."""

import pandas as pd
from sqlalchemy import Connection, exists, func, or_, select, update

from connectors.ledger.attempts import STATE
from connectors.ledger.bulk_io import Numbers, no_rows, read_frame, read_numbers, upsert_frame
from connectors.ledger.database import is_among
from connectors.ledger.keys import KEY
from connectors.ledger.schema import attempts, enrollments, runs

ENROLLMENT_COLUMNS = ["key", *KEY, "program", *STATE, "attempt", "digest"]


ENDED_WELL = ("completed", "completed_with_rejects")


_ENROLLMENTS = select(*(enrollments.c[name] for name in ENROLLMENT_COLUMNS))


# Made once: a first run asks for nothing, time and again.
NO_ENROLLMENTS = no_rows(_ENROLLMENTS)


#: In place of an attempt's number: the launch rule holds the row.
HELD_ATTEMPT = -1


def enrollments_of(db: Connection, target_id: int, keys: Numbers) -> pd.DataFrame:
    """The enrollments of learners' courses as they were last read: the columns of ENROLLMENT_COLUMNS."""
    if not len(keys):
        return NO_ENROLLMENTS.copy()
    query = _ENROLLMENTS.filter_by(target_id=target_id)
    return read_frame(db, query.where(is_among(db, enrollments.c.key, keys.tolist())))


def settled_rows(db: Connection, target_id: int) -> Numbers:
    """The enrollments that need nothing while they stay as they are: rows of digest, key and attempt.

    ``attempt`` may be HELD_ATTEMPT. They were recorded by runs that then ended well: what they led to was
    settled by then.
    """
    attempt = func.coalesce(enrollments.c.attempt, HELD_ATTEMPT)
    query = select(enrollments.c.digest, enrollments.c.key, attempt)
    query = query.join(runs, enrollments.c.run_id == runs.c.id)
    query = query.where(
        enrollments.c.target_id == target_id, enrollments.c.digest.is_not(None), runs.c.state.in_(ENDED_WELL)
    )
    return read_numbers(db, query)


def enrollments_beside(db: Connection, target_id: int, known: pd.DataFrame) -> pd.DataFrame:
    """The enrollments with a digest that are of these externalIds or of these learners (str columns).

    Columns external_id and learner str, digest int64.
    """
    columns = enrollments.c
    query = select(columns.external_id, columns.learner, columns.digest).filter_by(target_id=target_id)
    of_any = [
        is_among(db, columns[name], known[name].unique().tolist()) for name in ("external_id", "learner")
    ]
    return read_frame(db, query.where(columns.digest.is_not(None), or_(*of_any))).astype({"digest": "int64"})


def record_enrollments(db: Connection, target_id: int, read: pd.DataFrame, *, run_id: str) -> None:
    """Keep enrollments as they were read: the columns of ENROLLMENT_COLUMNS."""
    upsert_frame(db, enrollments, read[ENROLLMENT_COLUMNS], target_id=target_id, run_id=run_id)


def reset_digests(db: Connection, target_id: int) -> None:
    """Have all enrollments looked at again, whether or not they change: what was accepted has changed."""
    db.execute(update(enrollments).filter_by(target_id=target_id).values(digest=None))


def knows_nothing(db: Connection, target_id: int) -> bool:
    """Whether there is no enrollment and no attempt at all."""
    tables = (enrollments, attempts)
    return not any(db.scalar(select(exists().where(table.c.target_id == target_id))) for table in tables)
