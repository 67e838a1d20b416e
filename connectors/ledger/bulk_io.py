"""Between the ledger's rows and pandas frames, by columns: there are millions of rows."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import BigInteger, Boolean, Column, Connection, Float, Integer, Select, Table

Numbers = np.ndarray[Any, np.dtype[np.int64]]
#: What all rows of a frame have in common, and what each of them has of its own, by column.
Marks = Mapping[str, object]
Columns = Mapping[str, list[Any]]

# So many rows are turned into Python's values at a time.
ROWS_AT_ONCE = 50_000
# SQLite lets other Python threads go on while it carries a statement out, and then waits until one of them
# does the same, 5 ms where it is busy: that is not to happen at every row.
ROWS_A_STATEMENT = 500


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A frame's rows as a driver takes them: Python values, None where there is none."""
    return [
        dict(zip(frame.columns, row, strict=True)) for row in zip(*map(_values, _columns(frame)), strict=True)
    ]


def upsert_frame(db: Connection, table: Table, frame: pd.DataFrame, **marks: object) -> None:
    """Insert a frame's rows (columns named as the table's), each with the same marks beside.

    Rows of the same primary key are replaced, but for the columns that are not given. The statement goes to
    the driver as it is: what SQLAlchemy does for each value would cost more than all the rest of a run.
    """
    # In the order of the primary key, as far as that is quickly made: by it the rows lie on the disk.
    frame = frame.sort_values(next(column.name for column in table.primary_key if column.name in frame))
    upsert_rows = _upsert_in_sqlite if db.dialect.name == "sqlite" else _upsert_one_by_one
    for at in range(0, len(frame), ROWS_AT_ONCE):
        values = map(_values, _columns(frame.iloc[at : at + ROWS_AT_ONCE]))
        upsert_rows(db, table, marks, dict(zip(frame.columns, values, strict=True)))


def _upsert_one_by_one(db: Connection, table: Table, marks: Marks, columns: Columns) -> None:
    beside = tuple(marks.values())
    values = ", ".join(["%s"] * (len(marks) + len(columns)))
    rows = [(*beside, *row) for row in zip(*columns.values(), strict=True)]
    db.exec_driver_sql(_upsert(table, [*marks, *columns], values, 1), rows)


def _upsert_in_sqlite(db: Connection, table: Table, marks: Marks, columns: Columns) -> None:
    """Many rows a statement, to which the marks are given once."""
    driver: Any = db.connection.driver_connection
    # How many values a statement may have: 999 before SQLite 3.32.
    most_values = driver.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    most = min(ROWS_A_STATEMENT, (most_values - len(marks)) // len(columns))
    values = ", ".join([*(f"?{number}" for number in range(1, len(marks) + 1)), *["?"] * len(columns)])
    rows = len(next(iter(columns.values())))
    # Made once: the driver looks a statement up by its text, which is long.
    statement = cache(partial(_upsert, table, [*marks, *columns], values))
    for at in range(0, rows, most):
        some = _row_by_row([column[at : at + most] for column in columns.values()])
        db.exec_driver_sql(statement(min(most, rows - at)), (*marks.values(), *some))


def _row_by_row(columns: Sequence[list[Any]]) -> list[Any]:
    """The values of one row after the other."""
    values: list[Any] = [None] * (len(columns) * len(columns[0]))
    for place, column in enumerate(columns):
        values[place :: len(columns)] = column
    return values


def read_frame(db: Connection, statement: Select[Any]) -> pd.DataFrame:
    """A query's rows as a frame, each column with the dtype of its kind, empty or not."""
    columns = list(statement.selected_columns)
    frames = [_frame(columns, rows) for rows in _rows(db, statement)]
    return pd.concat(frames, ignore_index=True) if frames else no_rows(statement)


def no_rows(statement: Select[Any]) -> pd.DataFrame:
    """What `read_frame` gives where a query finds nothing."""
    return _frame(list(statement.selected_columns), [])


def read_numbers(db: Connection, statement: Select[Any]) -> Numbers:
    """A query's rows as whole numbers, none of them missing: an array of rows by columns."""
    parts = [np.array(rows, dtype="int64") for rows in _rows(db, statement)]
    return np.concatenate([np.empty((0, len(statement.selected_columns)), dtype="int64"), *parts])


def _rows(db: Connection, statement: Select[Any]) -> Iterator[Sequence[Any]]:
    """A query's rows as the driver gives them, some at a time."""
    cursor = db.execute(statement).cursor
    if cursor is None:
        raise TypeError("a query of ours gives rows")
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        yield rows


def _frame(columns: list[Any], rows: Sequence[Any]) -> pd.DataFrame:
    values = zip(*rows, strict=True) if rows else repeat((), len(columns))
    return pd.DataFrame(
        {
            column.name: pd.Series(list(value), dtype=_dtype(column))
            for column, value in zip(columns, values, strict=True)
        }
    )


def _upsert(table: Table, names: Sequence[str], values: str, rows: int) -> str:
    """The statement for so many rows, each with these values."""
    keys = [column.name for column in table.primary_key]
    changed = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    return (
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {', '.join([f'({values})'] * rows)} "  # noqa: S608 - our own names
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changed}"
    )


def _columns(frame: pd.DataFrame) -> list[pd.Series]:
    return [frame[name] for name in frame.columns]


def _values(column: pd.Series) -> list[Any]:
    """A column's values as Python's own, None where there is none."""
    if column.hasnans:
        return column.astype(object).where(column.notna(), None).tolist()
    return column.tolist()


def _dtype(column: Any) -> str:  # noqa: ANN401 - a table's column or an expression over one
    whole = isinstance(column.type, Integer | BigInteger)
    if isinstance(column.type, Boolean):
        return "bool"
    if isinstance(column.type, Float):
        return "float64"
    if whole:
        return "int64" if isinstance(column, Column) and not column.nullable else "Int64"
    return "str"
