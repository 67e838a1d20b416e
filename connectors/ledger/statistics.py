"""What Coursera said of learners, and the attempts that 360Learning has accepted.

Learners' courses are asked for by their keys, see `connectors.ledger.keys`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Integer, Table, bindparam, delete, exists, func, or_, select, update

from connectors.ledger.frames import Numbers, no_rows, read_frame, read_numbers, records, upsert_frame
from connectors.ledger.keys import KEY, key_of
from connectors.ledger.schema import attempts, enrollments, learners, runs
from connectors.ledger.store import is_among, is_of_most

_STATE = ["external_id", "first_at", "last_at", "completed", "progress", "time_spent", "score"]
ENROLLMENT_COLUMNS = ["key", *KEY, "program", *_STATE, "attempt", "digest"]
ATTEMPT_COLUMNS = ["key", *KEY, "number", *_STATE]
ENDED_WELL = ("completed", "completed_with_rejects")
_ENROLLMENTS = select(*(enrollments.c[name] for name in ENROLLMENT_COLUMNS))
_ATTEMPTS = select(*(attempts.c[name] for name in ATTEMPT_COLUMNS))
# Made once: a first run asks for nothing, time and again.
NO_ENROLLMENTS, NO_ATTEMPTS = no_rows(_ENROLLMENTS), no_rows(_ATTEMPTS)
#: In place of an attempt's number: the launch rule holds the row.
HELD_ATTEMPT = -1


def enrollments_of(db: Connection, target_id: int, keys: Numbers) -> pd.DataFrame:
    """The enrollments of learners' courses as they were last read: the columns of ENROLLMENT_COLUMNS."""
    if not len(keys):
        return NO_ENROLLMENTS.copy()
    query = _ENROLLMENTS.filter_by(target_id=target_id)
    return read_frame(db, query.where(is_among(db, enrollments.c.key, keys.tolist())))


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
    of_target = is_of_most(attempts.c.target_id, target_id)
    return list(db.scalars(select(attempts.c.course).where(of_target).distinct()))


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


def addresses_of(db: Connection, target_id: int, external_ids: Sequence[str]) -> pd.DataFrame:
    """The addresses known beside Coursera's externalIds: external_id, learner, updated_at (the latest)."""
    query = select(learners.c.external_id, learners.c.learner, learners.c.updated_at)
    query = query.filter_by(target_id=target_id)
    return read_frame(db, query.where(is_among(db, learners.c.external_id, external_ids)))


def move_learners(db: Connection, target_id: int, moves: Mapping[str, str]) -> set[str]:
    """Give the records of learners their new addresses (by the old ones); returns the old ones that had any.

    Where the new address has records of the same course, those of the old one stay.
    """
    involved = [*moves, *moves.values()]
    enrolled = _pairs(db, enrollments, target_id, involved)
    taken = enrolled | _pairs(db, attempts, target_id, involved)
    moved: dict[tuple[str, str], str] = {}
    for old, new in moves.items():
        for course in sorted(course for learner, course in taken if learner == old):
            if (new, course) not in taken:
                moved[old, course] = new
                taken = taken - {(old, course)} | {(new, course)}
    _move(db, enrollments, target_id, moved, digest=None)
    _move(db, attempts, target_id, moved)
    gone = moves.keys() - {learner for learner, _ in enrolled - moved.keys()}
    is_gone = (learners.c.target_id == target_id) & is_among(db, learners.c.learner, sorted(gone))
    db.execute(delete(learners).where(is_gone))
    return {learner for learner, _ in moved}


def _pairs(db: Connection, table: Table, target_id: int, addresses: Sequence[str]) -> set[tuple[str, str]]:
    """The learners' courses of which a table has a record."""
    query = select(table.c.learner, table.c.course).filter_by(target_id=target_id).distinct()
    return {
        (row.learner, row.course) for row in db.execute(query.where(is_among(db, table.c.learner, addresses)))
    }


def _move(
    db: Connection, table: Table, target_id: int, moved: Mapping[tuple[str, str], str], **values: object
) -> None:
    """Give the records of learners' courses another learner."""
    if not moved:
        return
    row = (table.c.target_id == target_id) & (table.c.key == bindparam("was"))
    change = update(table).where(row).values(learner=bindparam("new"), key=bindparam("becomes"), **values)
    db.execute(
        change,
        [
            {"was": key_of(old, course), "becomes": key_of(new, course), "new": new}
            for (old, course), new in moved.items()
        ],
    )


def record_addresses(db: Connection, target_id: int, seen: pd.DataFrame) -> None:
    """Keep the addresses that stand beside externalIds, with their latest date.

    ``seen``: external_id ("" where there is none), learner and updated_at.
    """
    named = seen.loc[seen["external_id"].ne(""), ["external_id", "learner", "updated_at"]]
    if named.empty:
        return
    latest = named.sort_values("updated_at").drop_duplicates(["external_id", "learner"], keep="last")
    known = addresses_of(db, target_id, latest["external_id"].unique().tolist())
    both = latest.merge(known, on=["external_id", "learner"], how="left", suffixes=("", "_known"))
    is_news = ~both["updated_at"].le(both["updated_at_known"])
    upsert_frame(
        db, learners, both.loc[is_news, ["external_id", "learner", "updated_at"]], target_id=target_id
    )


def record_enrollments(db: Connection, target_id: int, read: pd.DataFrame, *, run_id: str) -> None:
    """Keep enrollments as they were read: the columns of ENROLLMENT_COLUMNS."""
    upsert_frame(db, enrollments, read[ENROLLMENT_COLUMNS], target_id=target_id, run_id=run_id)


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


def unsettle(db: Connection, target_id: int) -> None:
    """Have all enrollments looked at again, whether or not they change: what was accepted has changed."""
    db.execute(update(enrollments).filter_by(target_id=target_id).values(digest=None))


def knows_nothing(db: Connection, target_id: int) -> bool:
    """Whether there is no enrollment and no attempt at all."""
    tables = (enrollments, attempts)
    return not any(db.scalar(select(exists().where(table.c.target_id == target_id))) for table in tables)
