"""Learners: which addresses stand beside Coursera's externalIds, and records that move to a new one."""

from collections.abc import Mapping, Sequence

import pandas as pd
from sqlalchemy import Connection, Table, bindparam, delete, select, update

from connectors.ledger.bulk_io import read_frame, upsert_frame
from connectors.ledger.database import is_among
from connectors.ledger.keys import key_of
from connectors.ledger.schema import attempts, enrollments, learners


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
