"""Attempts that 360Learning has accepted, by the keys of learners' courses (see `connectors.ledger.keys`)."""

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Connection, select

from connectors.ledger.bulk_io import Numbers, no_rows, read_frame, upsert_frame
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


def attempts_between(db: Connection, target_id: int, first: int, last: int) -> pd.DataFrame:
    """The accepted attempts whose keys lie between two, both included: the columns of ATTEMPT_COLUMNS."""
    query = _ATTEMPTS.filter_by(target_id=target_id)
    return read_frame(db, query.where(attempts.c.key.between(first, last)))


def attempts_of_learners(db: Connection, target_id: int, learners: Sequence[str]) -> pd.DataFrame:
    """The accepted attempts under addresses: the columns of ATTEMPT_COLUMNS."""
    query = _ATTEMPTS.filter_by(target_id=target_id)
    return read_frame(db, query.where(is_among(db, attempts.c.learner, learners)))


def attempted_courses(db: Connection, target_id: int) -> list[str]:
    """The courses (externalIds) on which an attempt was accepted."""
    of_target = scan_eq(attempts.c.target_id, target_id)
    return list(db.scalars(select(attempts.c.course).where(of_target).distinct()))


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
