"""Enrollments: what Coursera said of learners' courses, by their keys (see `connectors.ledger.keys`)."""

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Connection, func, select, update

from connectors.ledger.bulk_io import ROWS_AT_ONCE, Numbers, no_rows, read_frame, read_numbers, upsert_frame
from connectors.ledger.database import is_among
from connectors.ledger.keys import KEY
from connectors.ledger.records.attempts import STATE
from connectors.ledger.schema import enrollments, runs

ENROLLMENT_COLUMNS = ["key", *KEY, "program", *STATE, "attempt", "digest"]


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


def digests_of(db: Connection, target_id: int, keys: Numbers) -> pd.DataFrame:
    """The enrollments of learners' courses that need nothing while they stay as they are.

    Columns key, digest and attempt int64; ``attempt`` may be HELD_ATTEMPT.
    """
    some = (keys[at : at + ROWS_AT_ONCE] for at in range(0, max(1, len(keys)), ROWS_AT_ONCE))
    found = [_digests(db, target_id, is_among(db, enrollments.c.key, few.tolist())) for few in some]
    return pd.concat(found, ignore_index=True)


def all_digests(db: Connection, target_id: int) -> pd.DataFrame:
    """The same of all learners' courses."""
    return _digests(db, target_id)


def _digests(db: Connection, target_id: int, *which: ColumnElement[bool]) -> pd.DataFrame:
    attempt = func.coalesce(enrollments.c.attempt, HELD_ATTEMPT)
    query = select(enrollments.c.key, enrollments.c.digest, attempt).filter_by(target_id=target_id)
    rows = read_numbers(db, query.where(*which, enrollments.c.digest.is_not(None)))
    return pd.DataFrame(rows, columns=["key", "digest", "attempt"])


def keys_recorded_since(
    db: Connection, target_id: int, keys: Numbers, moment_ms: int, run_id: str
) -> Numbers:
    """The learners' courses, of these, of which another run recorded a row that ended after a moment."""
    query = select(enrollments.c.key).join(runs, runs.c.id == enrollments.c.run_id).distinct()
    query = query.where(
        enrollments.c.target_id == target_id,
        is_among(db, enrollments.c.key, keys.tolist()),
        runs.c.id != run_id,
        runs.c.ended_at > moment_ms,
    )
    return np.fromiter(db.scalars(query), dtype="int64")


def record_enrollments(db: Connection, target_id: int, read: pd.DataFrame, *, run_id: str) -> None:
    """Keep enrollments as they were read: the columns of ENROLLMENT_COLUMNS."""
    upsert_frame(db, enrollments, read[ENROLLMENT_COLUMNS], target_id=target_id, run_id=run_id)


def reset_digests(db: Connection, target_id: int) -> None:
    """Have all enrollments looked at again, whether or not they change: what was accepted has changed."""
    db.execute(update(enrollments).filter_by(target_id=target_id).values(digest=None))
