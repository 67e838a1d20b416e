"""Ledgers of earlier versions are brought forward when they are opened, each step and its record at once."""

import io
from collections.abc import Callable
from typing import Any

import pandas as pd
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    insert,
    inspect,
    select,
    text,
    update,
)

from connectors.errors import SettingsError
from connectors.ledger.keys import KEY, keyed
from connectors.ledger.schema import SCHEMA_VERSION, metadata, schema_versions

ROWS_AT_ONCE = 10_000
DAMAGED = (
    "SYNC_STATE_URL cannot be used: what it names is damaged, or no ledger. Put the ledger's last backup in "
    "its place, as docs/upkeep.md says under Restoring the ledger."
)


def is_current(db: Connection) -> bool:
    """Whether the tables are of the version that this program knows."""
    return _version(db) == SCHEMA_VERSION


def migrate(db: Connection) -> None:
    """Make the tables, or bring those that are there to the version that this program knows."""
    version = _version(db)
    if version is None:
        metadata.create_all(db)
        db.execute(schema_versions.insert().values(version=SCHEMA_VERSION))
        return
    if not isinstance(version, int) or version < 1:
        raise SettingsError(DAMAGED)
    if version > SCHEMA_VERSION:
        raise SettingsError(
            f"The ledger was written by a newer coursera-sync (schema {version}, this one knows "
            f"{SCHEMA_VERSION}): upgrade this installation. Where there is none newer it is damaged: put its "
            "last backup in its place."
        )
    operations = Operations(MigrationContext.configure(db))
    for step in range(version + 1, SCHEMA_VERSION + 1):
        MIGRATIONS[step](operations)
        db.execute(update(schema_versions).values(version=step))


def _version(db: Connection) -> int | None:
    """The version of the tables, 0 where it is lost; None where there are no tables."""
    if not inspect(db).has_table(schema_versions.name):
        return None
    return db.scalar(select(schema_versions.c.version)) or 0


def _to_2(operations: Operations) -> None:
    """Locks, recovery and adoption."""
    operations.execute("ALTER TABLE targets RENAME COLUMN created_here TO trusted")
    operations.add_column("runs", Column("stream", String))
    operations.add_column("runs", Column("holder", String))
    operations.add_column(
        "submissions", Column("intended_at_platform", BigInteger, nullable=False, server_default="0")
    )
    operations.execute("UPDATE submissions SET intended_at_platform = intended_at")
    operations.add_column("rejects", Column("uncertain", Text))


def _to_3(operations: Operations) -> None:
    """Addresses beside externalIds in a table of their own, and digests, and shares of a run's work."""
    for name in ("learners", "shares"):  # shares in their present form: version 5 makes them anew
        metadata.tables[name].create(operations.get_bind())
    operations.add_column("runs", Column("part_of", String))
    operations.execute(
        "INSERT INTO learners (target_id, external_id, learner, updated_at) "
        "SELECT target_id, external_id, learner, max(updated_at) FROM enrollments "
        "WHERE external_id <> '' GROUP BY target_id, external_id, learner"
    )
    operations.drop_index("enrollments_by_external_id")
    operations.drop_index("attempts_by_external_id")
    operations.drop_column("enrollments", "updated_at")
    operations.add_column("enrollments", Column("digest", BigInteger))


def _to_4(operations: Operations) -> None:
    """Records of a learner's course are told apart by a number; digests are of what Coursera said itself."""
    db = operations.get_bind()
    for name in ("enrollments", "attempts"):
        new = metadata.tables[name].to_metadata(MetaData(), name=f"{name}_anew")
        new.create(db)
        for rows in db.execute(text(f"SELECT * FROM {name}")).mappings().partitions(ROWS_AT_ONCE):  # noqa: S608 - our own names
            keys = keyed(pd.DataFrame([{one: row[one] for one in KEY} for row in rows]))["key"].tolist()
            db.execute(insert(new), [_anew(row, key) for row, key in zip(rows, keys, strict=True)])
        operations.drop_table(name)
        operations.rename_table(new.name, name)
    _add_keys(db, metadata.tables["submissions"])


def _to_5(operations: Operations) -> None:
    """A row is known once it is settled: digests of before stand for rows that were refused, too."""
    db = operations.get_bind()
    operations.add_column("submissions", Column("enrollments", LargeBinary))
    operations.drop_table("shares")  # of runs that ended with the older program
    metadata.tables["shares"].create(db)
    operations.execute("UPDATE enrollments SET digest = NULL")


def _anew(row: Any, key: int) -> dict[str, Any]:  # noqa: ANN401 - a row of SQLAlchemy's
    """A row with its key, and without a digest that means nothing any more."""
    given = {**row, "key": key} | ({"digest": None} if "digest" in row else {})
    return given | {"completed": bool(row["completed"])}


def _add_keys(db: Connection, table: Table) -> None:
    """Give the frames of learners' rows that a table keeps their keys."""
    place = list(table.primary_key)
    for *own, packed in db.execute(select(*place, table.c.rows).where(table.c.rows.is_not(None))).all():
        rows = pd.read_parquet(io.BytesIO(packed))
        if set(KEY) <= set(rows):
            is_one = [column == value for column, value in zip(place, own, strict=True)]
            db.execute(update(table).where(*is_one).values(rows=keyed(rows).to_parquet(compression="zstd")))


MIGRATIONS: dict[int, Callable[[Operations], None]] = {2: _to_2, 3: _to_3, 4: _to_4, 5: _to_5}
