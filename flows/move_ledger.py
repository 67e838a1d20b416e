"""`python -m flows.move_ledger URL`: copies the ledger in SYNC_STATE_URL into an empty database.

Nothing of ours may run meanwhile. The old ledger stays as it is.
"""

import sys
from typing import NoReturn

from sqlalchemy import Connection, Integer, Table, func, insert, select, text

from connectors.errors import SettingsError, SyncError
from connectors.ledger.database import open_ledger
from connectors.ledger.schema import metadata, schema_versions, targets
from connectors.settings import SyncSettings, load_sync_settings

ROWS_AT_ONCE = 1_000


def move(new_url: str) -> int:
    """Copy every row, in one transaction; returns how many there were.

    Raises SettingsError where the new ledger cannot be used, or knows something already.
    """
    old_url, new_url = load_sync_settings().state_url, SyncSettings(state_url=new_url).state_url
    with (
        open_ledger(old_url) as old,
        open_ledger(new_url) as new,
        old.read() as source,
        new.begin() as destination,
    ):
        if destination.scalar(select(func.count()).select_from(targets)):
            raise SettingsError("The new ledger is not empty: name a database that has none yet.")
        tables = [table for table in metadata.sorted_tables if table is not schema_versions]
        return sum(_copied(table, source, destination) for table in tables)


def _copied(table: Table, source: Connection, destination: Connection) -> int:
    count = 0
    for rows in source.execute(select(table)).mappings().partitions(ROWS_AT_ONCE):
        destination.execute(insert(table), [dict(row) for row in rows])
        count += len(rows)
    if destination.dialect.name == "postgresql":
        _count_on(table, destination)
    return count


def _count_on(table: Table, db: Connection) -> None:
    """Have PostgreSQL number further rows from the last copied one on, where it numbers them."""
    (first, *others) = table.primary_key.columns
    if not others and isinstance(first.type, Integer):
        last = f"SELECT setval(pg_get_serial_sequence('{table.name}', '{first.name}'), max({first.name})) "
        db.execute(text(f"{last} FROM {table.name}"))


def main() -> None:
    """Move it, and say so; a failure is one plain message."""
    try:
        (new_url,) = sys.argv[1:]
        sys.stdout.write(f"{move(new_url)} rows copied. Set SYNC_STATE_URL to the new ledger.\n")
    except ValueError:
        _fail(SettingsError("Name the new ledger, such as postgresql://user@host/database."))
    except SyncError as error:
        _fail(error)


def _fail(error: SyncError) -> NoReturn:
    sys.stderr.write(f"{error}\n")
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
