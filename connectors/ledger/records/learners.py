"""Learners: which addresses stand beside Coursera's externalIds, and records that move to a new one."""

from collections.abc import Mapping, Sequence

import pandas as pd
from sqlalchemy import Connection, Table, delete, func, select

from connectors.ledger.bulk_io import read_frame, upsert_frame
from connectors.ledger.database import is_among
from connectors.ledger.keys import keyed
from connectors.ledger.records import rejects
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
    olds = list(moves)
    if not olds:
        return set()
    accepted, read = _taken(db, attempts, target_id, olds), _taken(db, enrollments, target_id, olds)
    rejected = rejects.statistics_of(db, target_id, olds)
    found = {*accepted["learner"], *read["learner"], *rejected["learner"]}
    accepted, read, rejected = (_under_new(rows, moves) for rows in (accepted, read, rejected))
    last = _last_numbers(db, target_id, pd.concat([accepted["key"], read["key"], rejected["key"]]))
    _put(db, attempts, target_id, accepted.assign(number=_numbers(accepted) + _beside(accepted, last)))
    free = _free(db, target_id, read.assign(attempt=read["attempt"] + _beside(read, last)))
    _put(db, enrollments, target_id, free.assign(digest=pd.Series(pd.NA, free.index, dtype="Int64")))
    rejects.rename(db, target_id, rejected.assign(number=rejected["number"] + _beside(rejected, last)))
    is_old = (learners.c.target_id == target_id) & is_among(db, learners.c.learner, olds)
    db.execute(delete(learners).where(is_old))
    return found


def _taken(db: Connection, table: Table, target_id: int, olds: Sequence[str]) -> pd.DataFrame:
    """Take the records of learners out of a table."""
    columns = [column for column in table.columns if column.name != "target_id"]
    is_theirs = (table.c.target_id == target_id) & is_among(db, table.c.learner, olds)
    rows = read_frame(db, select(*columns).where(is_theirs))
    if len(rows):
        db.execute(delete(table).where(is_theirs))
    return rows


def _under_new(rows: pd.DataFrame, moves: Mapping[str, str]) -> pd.DataFrame:
    """Records of learners under their new addresses and keys; ``was`` is the address they had."""
    learner = rows["learner"]
    return keyed(rows.assign(was=learner, learner=learner.map(dict(moves)).astype("str")))


def _last_numbers(db: Connection, target_id: int, keys: pd.Series) -> dict[int, int]:
    """The last numbers of the attempts that stand under keys, by the key."""
    query = select(attempts.c.key, func.max(attempts.c.number)).filter_by(target_id=target_id)
    query = query.where(is_among(db, attempts.c.key, keys.unique().tolist())).group_by(attempts.c.key)
    return dict(db.execute(query).tuples().all())


def _beside(rows: pd.DataFrame, last: Mapping[int, int]) -> pd.Series:
    """The last number that stands under the key of each row; 0 without."""
    return rows["key"].map(dict(last)).fillna(0).astype("int64")


def _numbers(accepted: pd.DataFrame) -> pd.Series:
    """The numbers of attempts, one after the other where two addresses become one."""
    ordered = accepted.sort_values(["key", "was", "number"])
    is_joined = ordered.groupby("key")["was"].transform("nunique").gt(1)
    return ordered["number"].mask(is_joined, ordered.groupby("key").cumcount() + 1).reindex(accepted.index)


def _free(db: Connection, target_id: int, read: pd.DataFrame) -> pd.DataFrame:
    """The enrollments whose place is free."""
    query = select(enrollments.c.key, enrollments.c.program).filter_by(target_id=target_id)
    query = query.where(is_among(db, enrollments.c.key, read["key"].unique().tolist()))
    taken = set(db.execute(query).tuples().all())
    is_free = [place not in taken for place in zip(read["key"], read["program"], strict=True)]
    return read.loc[is_free].drop_duplicates(["key", "program"], keep="last")


def _put(db: Connection, table: Table, target_id: int, rows: pd.DataFrame) -> None:
    if len(rows):
        upsert_frame(db, table, rows.drop(columns="was"), target_id=target_id)


def record_addresses(db: Connection, target_id: int, seen: pd.DataFrame, known: pd.DataFrame) -> None:
    """Keep the addresses that stand beside externalIds, with their latest date.

    ``seen``: external_id ("" where there is none), learner and updated_at; ``known``: the same of all that
    the ledger knows of these externalIds, so that what is no news is not written again.
    """
    named = seen.loc[seen["external_id"].ne(""), ["external_id", "learner", "updated_at"]]
    latest = named.sort_values("updated_at").drop_duplicates(["external_id", "learner"], keep="last")
    both = latest.merge(known, on=["external_id", "learner"], how="left", suffixes=("", "_known"))
    is_news = ~both["updated_at"].le(both["updated_at_known"])
    upsert_frame(
        db, learners, both.loc[is_news, ["external_id", "learner", "updated_at"]], target_id=target_id
    )
