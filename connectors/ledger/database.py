"""The ledger's database: opened privately, written in transactions."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import orjson
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Table,
    cast,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from connectors.errors import SettingsError, SyncError, TryLaterError
from connectors.files.private_files import warn_of_readers
from connectors.ledger.lock import Lock, try_advisory_lock, try_file_lock
from connectors.ledger.migrations import DAMAGED, is_current, migrate

BUSY_SECONDS = 30
# So many pages (of 4 KiB) may wait in SQLite's write-ahead log: a page that is written by one operation after
# another then goes into the database once, not each time.
PAGES_AHEAD = 16_384
# Prepared statements that a connection of SQLite's keeps, of 128 that it would. One for hundreds of rows is
# 0.6 MiB large, and the last ones of a frame need one for their number: they were 40 MiB of a large peak.
STATEMENTS_KEPT = 16
V = TypeVar("V", int, str)

READ_ONLY = "coursera_sync_read_only"
# Some number of ours, so that of several workers only one makes the tables.
MIGRATION_LOCK = 360_001
# SQLite's codes; what is beyond the first byte says more.
DAMAGES, PRIMARY_CODE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}, 0xFF
LOCKED = "The ledger is locked by another program. Try again later."


class Ledger:
    """An open ledger. Close it, or use it as a context manager."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: all of what is done in it is kept, or nothing."""
        with _told_plainly(), self._engine.begin() as db:
            yield db

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A look at the ledger that holds up nobody."""
        with _told_plainly(), self._engine.connect().execution_options(**{READ_ONLY: True}) as db:
            yield db

    def compact(self) -> None:
        """Write SQLite's file anew, so that nothing of what was deleted is left in it.

        PostgreSQL does as much by itself, in its own time.
        """
        if self._engine.dialect.name == "sqlite":
            with _told_plainly(), self._engine.connect() as db:
                db.connection.cursor().execute("VACUUM")

    def try_lock(self, name: str) -> Lock | None:
        """Take a lock of that name, which is free again when it is released or this process dies.

        Returns None where another process holds it.
        """
        if self._engine.dialect.name == "sqlite":
            return try_file_lock(f"{self._engine.url.database}.{name}.lock")
        return try_advisory_lock(self._engine, name)


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Say what is wrong with the database in words for people."""
    try:
        yield
    except OperationalError as error:
        if _is_locked(error):
            raise TryLaterError(LOCKED) from error
        raise SyncError(
            f"The ledger cannot be used ({error.orig}): see that its disk has room and its database is up. "
            "Nothing is lost; the next run goes on from what the ledger knows."
        ) from error
    except DBAPIError as error:
        if _is_damaged(error):
            raise SyncError(DAMAGED) from error
        # PostgreSQL names the values that it refuses, learners' addresses among them.
        raise SyncError(f"The ledger refuses a change ({type(error).__name__}): please report it.") from None


def open_ledger(state_url: str) -> Ledger:
    """Open the ledger, and make it where there is none, file and folders for the user alone.

    Raises SettingsError where SYNC_STATE_URL cannot be used.
    """
    url = make_url(state_url)
    try:
        if url.get_backend_name() == "sqlite":
            _make_private_file(Path(url.database or ""))
        engine = _engine(url)
        try:
            _bring_forward(engine)
        except BaseException:
            engine.dispose()
            raise
    except (OSError, SQLAlchemyError) as error:
        if isinstance(error, OperationalError) and _is_locked(error):
            raise TryLaterError(LOCKED) from error
        if _is_damaged(error):
            raise SettingsError(DAMAGED) from error
        raise SettingsError(
            f"SYNC_STATE_URL cannot be used: {_reason(error)}. It names the database that remembers what "
            "360Learning has accepted; give one that can be written."
        ) from error
    return Ledger(engine)


def _bring_forward(engine: Engine) -> None:
    """Make or migrate the tables; a ledger that needs neither is only looked at."""
    with engine.connect().execution_options(**{READ_ONLY: True}) as db:
        if is_current(db):
            return
    with engine.begin() as db:
        if db.dialect.name == "postgresql":  # SQLite's transactions wait for one another anyway
            db.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        migrate(db)


def _is_locked(error: OperationalError) -> bool:
    return "locked" in str(error.orig)


def _is_damaged(error: Exception) -> bool:
    """Whether SQLite says that its file is damaged, or none of its own."""
    said = getattr(error, "orig", None)
    return isinstance(said, sqlite3.Error) and said.sqlite_errorcode & PRIMARY_CODE in DAMAGES


def _make_private_file(path: Path) -> None:
    missing = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    os.close(descriptor)
    warn_of_readers(path, "The ledger")


def _engine(url: URL) -> Engine:
    """An engine whose errors never show the values of a statement: they hold learners' addresses."""
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    of_driver = {"timeout": BUSY_SECONDS, "cached_statements": STATEMENTS_KEPT}
    engine = create_engine(url, connect_args=of_driver, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _begin_sqlite(db: Connection) -> None:
    """A transaction that will write takes its place at once, so that it cannot fail for it half-way."""
    db.exec_driver_sql("BEGIN" if db.get_execution_options().get(READ_ONLY) else "BEGIN IMMEDIATE")


def _prepare_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own connection
    connection.isolation_level = None  # transactions begin where we say so, tables included
    with suppress(sqlite3.OperationalError):  # another opener is just setting it, for the file and for good
        connection.execute("PRAGMA journal_mode=WAL").close()
    for pragma in ("synchronous=FULL", "foreign_keys=ON", f"wal_autocheckpoint={PAGES_AHEAD}"):
        connection.execute(f"PRAGMA {pragma}").close()


def _reason(error: Exception) -> str:
    """What is wrong, without the URL, which may carry a password."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, OperationalError):
        return "the database cannot be opened"
    return type(error).__name__


def upsert(db: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; those of the same primary key are replaced, but for columns that the rows leave out."""
    if not rows:
        return
    dialect = sqlite if db.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    keys = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    db.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), list(rows))


def is_among(db: Connection, column: Column[V], values: Sequence[V]) -> ColumnElement[bool]:
    """Whether a column's value is one of many: one parameter, however many there are."""
    if db.dialect.name == "sqlite":
        each = func.json_each(orjson.dumps(list(values)).decode()).table_valued("value")
        return column.in_(select(each.c.value))
    return column == func.any(cast(list(values), ARRAY(column.type)))


def scan_eq(column: Column[V], value: V) -> ColumnElement[bool]:
    """Whether a column has a value that most rows have: all of them are looked at, in the order of the file.

    By an index SQLite would go through the same rows to and fro, which took four times as long.
    """
    return (column + 0) == value
