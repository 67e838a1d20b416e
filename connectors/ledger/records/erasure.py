"""Taking one learner out of the ledger, wherever they stand in it."""

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select

from connectors.addresses import fold, mentions
from connectors.ledger.records import submissions
from connectors.ledger.schema import attempts, enrollments, learners, rejects, targets

#: Tables in which a learner stands by their address, or by an externalId of Coursera's that is their address.
BY_ADDRESS = (enrollments, attempts, learners)


def is_under_way(db: Connection, learner: str) -> bool:
    """Whether an operation that is not settled carries a statistic of theirs."""
    return any(
        one.rows["learner"].eq(learner).any()
        for target_id in db.scalars(select(targets.c.id))
        for one in submissions.left_open(db, target_id, (submissions.STATISTIC_IMPORT,))
    )


def known(db: Connection, learner: str) -> dict[str, int]:
    """How many rows each table has of a learner, of whatever integration, also of one that is gone."""
    counts = {table.name: _count(db, table, _is_theirs(db, table, learner)) for table in BY_ADDRESS}
    return counts | {rejects.name: len(_rejected(db, learner))}


def forget(db: Connection, learner: str) -> dict[str, int]:
    """Remove a learner's rows; returns how many of each table."""
    counts = known(db, learner)
    for table in BY_ADDRESS:
        db.execute(delete(table).where(_is_theirs(db, table, learner)))
    for target_id, stream, row_id in _rejected(db, learner):
        db.execute(delete(rejects).filter_by(target_id=target_id, stream=stream, row_id=row_id))
    return counts


def other_addresses(db: Connection, learner: str) -> list[str]:
    """Other addresses beside the same externalIds of Coursera's: perhaps the same person's."""
    theirs = select(learners.c.external_id).filter_by(learner=learner)
    query = select(learners.c.learner).where(
        learners.c.external_id.in_(theirs), learners.c.learner != learner
    )
    return sorted(set(db.scalars(query)))


def _is_theirs(db: Connection, table: Table, learner: str) -> ColumnElement[bool]:
    """By address, or by an externalId that is it: databases have lower cases of their own."""
    is_address = table.c.external_id.contains("@")
    known = db.scalars(select(table.c.external_id).where(is_address).distinct())
    return or_(
        table.c.learner == learner, table.c.external_id.in_([one for one in known if fold(one) == learner])
    )


def _count(db: Connection, table: Table, which: ColumnElement[bool]) -> int:
    return db.scalar(select(func.count()).select_from(table).where(which)) or 0


def _rejected(db: Connection, learner: str) -> list[tuple[int, str, str]]:
    """The keys of the rejected rows that are theirs, or name them anywhere in what was read."""
    columns = rejects.c
    query = select(columns.target_id, columns.stream, columns.row_id, columns.learner, columns.raw)
    theirs = or_(columns.learner == learner, columns.raw.is_not(None))
    named = mentions(learner)
    return [
        (row.target_id, row.stream, row.row_id)
        for row in db.execute(query.where(theirs))
        if row.learner == learner or named.search(fold(f"{row.row_id} {row.raw}"))
    ]
