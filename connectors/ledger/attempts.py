"""Attempts that 360Learning has accepted, by the keys of learners' courses (see `connectors.ledger.keys`)."""

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Integer, bindparam, select, update

from connectors.ledger.bulk_io import Numbers, no_rows, read_frame, records, upsert_frame
from connectors.ledger.database import is_among, scan_eq
from connectors.ledger.keys import KEY
from connectors.ledger.schema import attempts

STATE = ["external_id", "first_at", "last_at", "completed", "progress", "time_spent", "score"]
ATTEMPT_COLUMNS = ["key", *KEY, "number", *STATE]


_ATTEMPTS = select(*(attempts.c[name] for name in ATTEMPT_COLUMNS))


# Made once: a first run asks for nothing, time and again.
NO_ATTEMPTS = no_rows(_ATTEMPTS)


def attempts_of(db: Connection, target_id: int, keys: Numbers) -> pd.DataFrame:
    """The accepted attempts of learners' courses: the columns of ATTEMPT_COLUMNS."""
    if not len(keys):
        return NO_ATTEMPTS.copy()
    query = _ATTEMPTS.filter_by(target_id=target_id)
    return read_frame(db, query.where(is_among(db, attempts.c.key, keys.tolist())))


def latest_attempts(db: Connection, target_id: int, most: int) -> pd.DataFrame:
    """The attempts that were accepted last of us, the latest first: the columns of ATTEMPT_COLUMNS."""
    query = _ATTEMPTS.filter_by(target_id=target_id)
    query = query.where(attempts.c.operation_id.is_not(None))
    return read_frame(db, query.order_by(attempts.c.accepted_at.desc()).limit(most))


def attempted(db: Connection, target_id: int) -> Numbers:
    """The keys of learners' courses of which an attempt was accepted."""
    query = select(attempts.c.key).filter_by(target_id=target_id).distinct()
    return np.fromiter(db.scalars(query), dtype="int64")


def attempted_courses(db: Connection, target_id: int) -> list[str]:
    """The courses (externalIds) on which an attempt was accepted."""
    of_target = scan_eq(attempts.c.target_id, target_id)
    return list(db.scalars(select(attempts.c.course).where(of_target).distinct()))


def renumber_attempts(db: Connection, target_id: int, numbers: pd.DataFrame) -> None:
    """Give attempts other numbers: key, number and, in ``becomes``, the new one."""
    if numbers.empty:
        return
    is_one = (attempts.c.key == bindparam("of")) & (attempts.c.number == bindparam("was"))
    row = (attempts.c.target_id == target_id) & is_one
    names = {"key": "of", "number": "was"}
    # Two may change places: the new numbers are below zero until all have theirs.
    db.execute(
        update(attempts).where(row).values(number=-bindparam("becomes", type_=Integer)),
        records(numbers.rename(columns=names)[[*names.values(), "becomes"]]),
    )
    below_zero = (attempts.c.target_id == target_id) & (attempts.c.number < 0)
    db.execute(update(attempts).where(below_zero).values(number=-attempts.c.number))


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
    rows = accepted[[*ATTEMPT_COLUMNS, "rule", "resource_id"]]
    marks = {"run_id": run_id, "operation_id": operation_id, "accepted_at": now_ms}
    upsert_frame(db, attempts, rows, target_id=target_id, **marks)
