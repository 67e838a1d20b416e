"""Learners: which addresses stand beside Coursera's externalIds, and records that move to a new one."""

from collections.abc import Mapping, Sequence

import pandas as pd
from sqlalchemy import Connection, Table, delete, func, select

from connectors.ledger.bulk_io import read_frame, upsert_frame
from connectors.ledger.database import is_among
from connectors.ledger.keys import keyed
from connectors.ledger.records.rejects import move_rejects
from connectors.ledger.schema import attempts, enrollments, learners

_LEARNERS = select(learners.c.external_id, learners.c.learner, learners.c.updated_at)


def addresses_of(db: Connection, target_id: int, external_ids: Sequence[str]) -> pd.DataFrame:
    """The addresses known beside Coursera's externalIds: external_id, learner, updated_at (the latest)."""
    query = _LEARNERS.filter_by(target_id=target_id)
    return read_frame(db, query.where(is_among(db, learners.c.external_id, external_ids)))


def external_ids_of(db: Connection, target_id: int, addresses: Sequence[str]) -> pd.DataFrame:
    """The externalIds known beside addresses: external_id, learner, updated_at (the latest)."""
    query = _LEARNERS.filter_by(target_id=target_id)
    return read_frame(db, query.where(is_among(db, learners.c.learner, addresses)))


def move_learners(db: Connection, target_id: int, moves: Mapping[str, str]) -> set[str]:
    """Give all records of learners their new addresses (by the old ones); returns the old ones that had any.

    Where the new address has records of the same course, both are joined: attempts are numbered on from
    those of the new address, and of two enrollments in one program its own stays. An enrollment that moved
    has no digest: it is looked at again.
    """
    olds = [old for old, new in moves.items() if old != new]
    if not olds:
        return set()
    numbers, found = _move_attempts(db, target_id, olds, moves)
    found |= _move_enrollments(db, target_id, olds, moves, numbers)
    found |= move_rejects(db, target_id, {old: moves[old] for old in olds}, _last_numbers(numbers))
    is_old = (learners.c.target_id == target_id) & is_among(db, learners.c.learner, olds)
    db.execute(delete(learners).where(is_old))
    return found


def _move_attempts(
    db: Connection, target_id: int, olds: Sequence[str], moves: Mapping[str, str]
) -> tuple[pd.DataFrame, set[str]]:
    """Move attempts; returns was (a key), number and becomes, of each attempt, and whose there were."""
    rows = _taken(db, attempts, target_id, olds)
    was, learner = rows["key"], rows["learner"]
    rows = keyed(rows.assign(learner=learner.map(dict(moves)).astype("str")))
    last = select(attempts.c.key, func.max(attempts.c.number).label("last")).filter_by(target_id=target_id)
    last = last.where(is_among(db, attempts.c.key, rows["key"].unique().tolist())).group_by(attempts.c.key)
    beside = dict(db.execute(last).tuples().all())
    rows = rows.assign(was=was).sort_values(["key", "was", "number"])
    following = rows.groupby("key").cumcount() + 1 + rows["key"].map(beside).fillna(0).astype("int64")
    numbers = rows[["was", "key", "number"]].assign(becomes=following)
    _put(db, attempts, target_id, rows.assign(number=following).drop(columns="was"))
    return numbers, set(learner)


def _move_enrollments(
    db: Connection, target_id: int, olds: Sequence[str], moves: Mapping[str, str], numbers: pd.DataFrame
) -> set[str]:
    rows = _taken(db, enrollments, target_id, olds)
    of_attempt = numbers.rename(columns={"was": "key", "number": "attempt", "key": "new_key"})
    both = rows[["key", "attempt"]].merge(of_attempt, on=["key", "attempt"], how="left")
    attempt = both["becomes"].astype("Int64").set_axis(rows.index).fillna(rows["attempt"])
    moved = keyed(rows.assign(learner=rows["learner"].map(dict(moves)).astype("str"), attempt=attempt))
    query = select(enrollments.c.key, enrollments.c.program).filter_by(target_id=target_id)
    query = query.where(is_among(db, enrollments.c.key, moved["key"].unique().tolist()))
    taken = set(db.execute(query).tuples().all())
    is_free = [place not in taken for place in zip(moved["key"], moved["program"], strict=True)]
    moved = moved.loc[is_free].drop_duplicates(["key", "program"], keep="last")
    _put(db, enrollments, target_id, moved.assign(digest=pd.Series(pd.NA, index=moved.index, dtype="Int64")))
    return set(rows["learner"])


def _last_numbers(numbers: pd.DataFrame) -> dict[int, int]:
    """How far the attempts of a learner's course were numbered on, by the key they have now."""
    shift = numbers["becomes"] - numbers["number"]
    return dict(zip(numbers["key"], shift, strict=True))


def _taken(db: Connection, table: Table, target_id: int, olds: Sequence[str]) -> pd.DataFrame:
    """Take the records of learners out of a table."""
    columns = [column for column in table.columns if column.name != "target_id"]
    is_theirs = (table.c.target_id == target_id) & is_among(db, table.c.learner, olds)
    rows = read_frame(db, select(*columns).where(is_theirs))
    if len(rows):
        db.execute(delete(table).where(is_theirs))
    return rows


def _put(db: Connection, table: Table, target_id: int, rows: pd.DataFrame) -> None:
    if len(rows):
        upsert_frame(db, table, rows, target_id=target_id)


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
