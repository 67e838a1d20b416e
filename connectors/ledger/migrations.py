"""Ledgers of earlier versions are brought forward when they are opened, each step and its record at once."""

from collections.abc import Callable

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, Connection, String, Text, inspect, select, update

from connectors.errors import SettingsError
from connectors.ledger.schema import SCHEMA_VERSION, metadata, schema_versions


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
    if version > SCHEMA_VERSION:
        raise SettingsError(
            f"The ledger was written by a newer coursera-sync (schema {version}, this one knows "
            f"{SCHEMA_VERSION}): upgrade this installation."
        )
    operations = Operations(MigrationContext.configure(db))
    for step in range(version + 1, SCHEMA_VERSION + 1):
        MIGRATIONS[step](operations)
        db.execute(update(schema_versions).values(version=step))


def _version(db: Connection) -> int | None:
    if not inspect(db).has_table(schema_versions.name):
        return None
    return db.scalar(select(schema_versions.c.version))


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


MIGRATIONS: dict[int, Callable[[Operations], None]] = {2: _to_2}
