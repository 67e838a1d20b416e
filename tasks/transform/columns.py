"""Columns of unproven JSON as typed columns beside a mask of what is wrong in them.

A listing's elements promise nothing about their fields. Each function here takes one column as it came and
returns what can be used of it together with `wrong`, true where a value is present but of another kind.
Missing (absent, null, NaN) is never wrong: whether a field is required is for the mapping to say.
Columns of one kind are judged as a whole; only mixed ones are looked at cell by cell.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

import numpy as np
import pandas as pd
from pandas.api import types

NOT_AN_OBJECT = "not_an_object"
# What pandas calls columns of one kind; None and NaN aside.
_TEXT = {"string", "empty"}
_NUMBER = {"integer", "floating", "mixed-integer-float", "empty"}
_FLAG = {"boolean", "empty"}
#: Of what tells rows apart, in characters: indexes of databases bear no more.
LONGEST_ID = 500
#: Control characters; line breaks and tabs are none of them.
CONTROL = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"


def frame(elements: Sequence[object], columns: Sequence[str]) -> pd.DataFrame:
    """Lay the elements of a listing out as rows.

    Returns one row for each element (a RangeIndex: the row's label is the element's position) with the
    named columns (objects as they came, None where there is nothing); and the bool column `not_an_object`,
    true where the element is no JSON object, whose row is all missing. Other keys cost nothing.
    """
    rows = [element if isinstance(element, dict) else {} for element in elements]
    table = pd.DataFrame(
        {name: pd.Series([row.get(name) for row in rows], dtype=object) for name in columns},
        index=pd.RangeIndex(len(rows)),
    )
    table[NOT_AN_OBJECT] = _mask(table, [not isinstance(element, dict) for element in elements])
    return table


def text(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Take the strings of a column: (str dtype, NaN where there is none; bool `wrong`).

    For ids and addresses: a string with control characters cannot be one, and is wrong too.
    """
    values, wrong = prose(column)
    odd = values.str.contains(CONTROL, na=False).astype(bool)
    if not odd.any():
        return values, wrong
    return values.mask(odd), wrong | odd


def identifier(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Take the strings of a column of ids: as `text`, and one that is too long is wrong."""
    values, wrong = text(column)
    odd = values.str.len().gt(LONGEST_ID)
    return (values.mask(odd), wrong | odd) if odd.any() else (values, wrong)


def prose(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Take the strings of a column that are only read by people; otherwise as `text`.

    A string that is not valid Unicode (a lone surrogate) cannot be sent on, and is wrong too.
    """
    if _kind(column) in _TEXT:
        with suppress(UnicodeEncodeError):
            return column.astype("str"), _nowhere(column)
    usable = _encodable(column)
    return column.where(usable, None).astype("str"), column.notna() & ~usable


def number(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Take the numbers of a column: (float64, NaN where there is none; bool `wrong`).

    Integers and floats are numbers; booleans, strings that look like numbers, and infinities are wrong.
    """
    floats = _floats(column)
    finite = np.isfinite(floats)
    if finite.all():
        return floats, _nowhere(column)
    return floats.where(finite), column.notna() & ~finite


def flag(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Take the booleans of a column: (bool, False where there is none; bool `wrong`)."""
    if _kind(column) in _FLAG:
        return column.eq(other=True), _nowhere(column)
    flags = instances(column, bool)
    return column.where(flags, other=False).astype(bool), column.notna() & ~flags


def blank(values: pd.Series) -> pd.Series:
    """Tell where a column of text (see `text`) is missing or holds only white space."""
    return values.isna() | values.str.strip().eq("")


def instances(column: pd.Series, kind: type | tuple[type, ...]) -> pd.Series:
    """Tell cell by cell which values are of a Python type (slow: meant for object columns)."""
    return _mask(column, [isinstance(value, kind) for value in column])


class Faults(Protocol):
    """Takes down what is wrong in rows."""

    def add(self, mask: pd.Series, what: str) -> None:
        """Say what is wrong in the rows of a bool mask (of the same index)."""


class Reasons:
    """Why rows are rejected: the first reason that is added for a row stays."""

    def __init__(self, index: pd.Index) -> None:
        """Start with no reason for any row of the index."""
        self.index = index
        self.series: pd.Series[str] = pd.Series(None, index=index, dtype="str", name="reason")

    @property
    def bad(self) -> pd.Series:
        """Bool mask of the rows that have a reason."""
        return self.series.notna()

    def add(self, mask: pd.Series, what: str) -> None:
        """Give the reason to the rows of a bool mask (of the same index) that have none yet."""
        fresh = mask & self.series.isna()
        if fresh.any():
            self.series = self.series.mask(fresh, what)


class Ignored:
    """Values that are left out because they are wrong: their rows go all the same."""

    def __init__(self, index: pd.Index) -> None:
        """Start with nothing ignored in any row of the index."""
        self.index = index
        self._masks: dict[str, pd.Series] = {}

    def add(self, mask: pd.Series, what: str) -> None:
        """Note that something is ignored in the rows of a bool mask (of the same index)."""
        if mask.any():
            self._masks[what] = mask | self._masks.get(what, False)

    def of(self, rows: pd.Series) -> dict[str, pd.Index]:
        """The labels of the rows in which something is ignored, by what it is; of the rows of a bool mask."""
        return {what: self.index[mask & rows] for what, mask in self._masks.items() if (mask & rows).any()}


def _kind(column: pd.Series) -> str:
    """What pandas calls the kind of a column's values, missing ones aside."""
    return types.infer_dtype(column, skipna=True)


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


def _floats(column: pd.Series) -> pd.Series:
    """A column's numbers as float64, NaN for all else; what a float cannot hold becomes infinite."""
    if _kind(column) in _NUMBER:
        with suppress(OverflowError):
            return column.astype("float64")
    return pd.Series([_as_float(value) for value in column], index=column.index, dtype="float64")


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
