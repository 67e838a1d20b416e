"""Columns of unproven JSON as typed columns beside a mask of what is wrong in them.

A listing's elements promise nothing about their fields. Each function here takes one column as it came and
returns what can be used of it together with `wrong`, true where a value is present but of another kind.
Missing (absent, null, NaN) is never wrong: whether a field is required is for the mapping to say.
Homogeneous columns are judged by their dtype; only mixed ones are looked at cell by cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pandas.api import types

if TYPE_CHECKING:
    from collections.abc import Sequence

NOT_AN_OBJECT = "not_an_object"


def frame(elements: Sequence[object], columns: Sequence[str]) -> pd.DataFrame:
    """Lay the elements of a listing out as rows.

    Returns one row for each element (a RangeIndex: the row's label is the element's position) with the
    named columns, dtypes as inferred, None or NaN where there is nothing; and the bool column
    `not_an_object`, true where the element is no JSON object, whose row is all missing. Other keys cost
    nothing.
    """
    rows = [element if isinstance(element, dict) else {} for element in elements]
    table = _table(rows, list(columns))
    table[NOT_AN_OBJECT] = _mask(table, [not isinstance(element, dict) for element in elements])
    return table


def text(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Take the strings of a column: (str dtype, NaN where there is none; bool `wrong`).

    A string that is not valid Unicode (a lone surrogate) cannot be sent on, and is wrong too.
    """
    if isinstance(column.dtype, pd.StringDtype):
        return column.astype("str"), _nowhere(column)
    usable = _encodable(column) if types.is_object_dtype(column.dtype) else _nowhere(column)
    return column.where(usable, None).astype("str"), column.notna() & ~usable


def number(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Take the numbers of a column: (float64, NaN where there is none; bool `wrong`).

    Integers and floats are numbers; booleans, strings that look like numbers, and infinities are wrong.
    """
    values = column if _is_numeric(column) else _numbers_among(column)
    floats = pd.Series(
        values.to_numpy(dtype="float64", na_value=np.nan), index=column.index, name=column.name
    )
    finite = pd.Series(np.isfinite(floats.to_numpy()), index=column.index)
    return floats.where(finite), column.notna() & ~finite


def flag(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Take the booleans of a column: (bool, False where there is none; bool `wrong`)."""
    if column.dtype == np.dtype(bool):
        return column, _nowhere(column)
    flags = instances(column, bool)
    return column.where(flags, other=False).astype(bool), column.notna() & ~flags


def blank(values: pd.Series) -> pd.Series:
    """Tell where a column of text (see `text`) is missing or holds only white space."""
    return values.isna() | values.str.strip().eq("")


def instances(column: pd.Series, kind: type | tuple[type, ...]) -> pd.Series:
    """Tell cell by cell which values are of a Python type (slow: meant for object columns)."""
    return _mask(column, [isinstance(value, kind) for value in column])


class Reasons:
    """Why rows are put aside: the first reason that is added for a row stays."""

    def __init__(self, index: pd.Index) -> None:
        """Start with no reason for any row of the index."""
        self.series: pd.Series[str] = pd.Series(None, index=index, dtype="str", name="reason")

    @property
    def bad(self) -> pd.Series:
        """Bool mask of the rows that have a reason."""
        return self.series.notna()

    def add(self, mask: pd.Series, reason: str) -> None:
        """Give the reason to the rows of a bool mask (of the same index) that have none yet."""
        fresh = mask & self.series.isna()
        if fresh.any():
            self.series = self.series.mask(fresh, reason)


def _table(rows: list[dict[str, object]], columns: list[str]) -> pd.DataFrame:
    """Lay dicts out as rows, as objects where some string cannot be stored as Unicode text."""
    try:
        return pd.DataFrame(rows, columns=columns)
    except UnicodeEncodeError:
        return pd.DataFrame(rows, columns=columns, dtype=object)


def _encodable(column: pd.Series) -> pd.Series:
    """Tell which cells of an object column are strings that UTF-8 can carry."""
    return _mask(column, [isinstance(value, str) and _is_unicode(value) for value in column])


def _is_unicode(value: str) -> bool:
    """Whether a string has no lone surrogate."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_numeric(column: pd.Series) -> bool:
    """Whether the dtype says that the whole column is numbers (pandas counts bool as numeric)."""
    return types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype)


def _numbers_among(column: pd.Series) -> pd.Series:
    """Keep an object column's numbers as float64; what a float cannot hold becomes infinite."""
    values = [_as_float(value) for value in column] if types.is_object_dtype(column.dtype) else np.nan
    return pd.Series(values, index=column.index, dtype="float64")


def _as_float(value: object) -> float:
    """Turn one number into a float, NaN where the value is none."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return np.nan
    try:
        return float(value)
    except OverflowError:
        return np.inf


def _mask(beside: pd.Series | pd.DataFrame, values: list[bool]) -> pd.Series:
    """Bool mask beside a column or a table."""
    return pd.Series(values, index=beside.index, dtype=bool)


def _nowhere(column: pd.Series) -> pd.Series:
    """Mask that is false for every row of a column."""
    return pd.Series(data=False, index=column.index, dtype=bool)
