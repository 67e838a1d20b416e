"""Between the ledger's rows and pandas frames."""

from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Boolean, Column, Connection, Float, Integer, Select


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A frame's rows as a driver takes them: Python values, None where there is none."""
    plain = frame.astype(object)
    return plain.where(frame.notna(), None).to_dict("records")  # type: ignore[return-value]


def read_frame(db: Connection, statement: Select[Any]) -> pd.DataFrame:
    """A query's rows as a frame, each column with the dtype of its kind, empty or not."""
    columns = list(statement.selected_columns)
    rows = db.execute(statement).all()
    frame = pd.DataFrame(rows, columns=[column.name for column in columns], dtype=object)
    return frame.astype({column.name: _dtype(column) for column in columns})


def _dtype(column: Any) -> str:  # noqa: ANN401 - a table's column or an expression over one
    whole = isinstance(column.type, Integer | BigInteger)
    if isinstance(column.type, Boolean):
        return "bool"
    if isinstance(column.type, Float):
        return "float64"
    if whole:
        return "int64" if isinstance(column, Column) and not column.nullable else "Int64"
    return "str"
