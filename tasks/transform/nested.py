"""Objects and lists inside a column: taken apart into rows of their own, and gathered again.

A taken-apart column has one row for each entry, and its index names the row that the entry belongs to. What
is of the wrong type anywhere inside is a fault of that row; null and absent are nothing, not wrong.
"""

from collections.abc import Sequence

import pandas as pd

from tasks.transform.columns import CONTROL, NOT_AN_OBJECT, Ignored, Reasons, frame, instances, number, prose


def texts(column: pd.Series, name: str, faults: Reasons | Ignored) -> pd.Series:
    """Take a column's strings (str dtype), trimmed, without control characters; another type is a fault."""
    values, wrong = prose(column)
    faults.add(owners(wrong, faults.index), f"{name} is not text")
    return values.str.replace(CONTROL, "", regex=True).str.strip()


def numbers(column: pd.Series, name: str, faults: Reasons | Ignored) -> pd.Series:
    """Take a column's numbers (float64); another type is a fault."""
    values, wrong = number(column)
    faults.add(owners(wrong, faults.index), f"{name} is not a number")
    return values


def members(column: pd.Series, name: str, keys: Sequence[str], faults: Reasons | Ignored) -> pd.DataFrame:
    """Take the named members of a column's objects, one row for each row; what is no object is a fault."""
    table = frame(column.tolist(), keys).set_axis(column.index)
    wrong = table[NOT_AN_OBJECT] & column.notna()
    faults.add(owners(wrong, faults.index), f"{name} is not an object")
    return table.drop(columns=NOT_AN_OBJECT)


def entries(column: pd.Series, name: str, faults: Reasons | Ignored) -> pd.Series:
    """Take the entries of a column's lists, nulls left out (objects); what is no list is a fault."""
    is_list = instances(column, list)
    faults.add(owners(column.notna() & ~is_list, faults.index), f"{name} is not a list")
    found = column[is_list].astype(object).explode()
    return found[found.notna()]


def objects(column: pd.Series, name: str, keys: Sequence[str], faults: Reasons | Ignored) -> pd.DataFrame:
    """Take the named members of every object in a column's lists, one row for each object."""
    return members(entries(column, name, faults), f"an entry of {name}", keys, faults)


def owners(wrong: pd.Series, index: pd.Index) -> pd.Series:
    """Turn a bool mask of entries into one of the rows (of a unique index) that they belong to."""
    return pd.Series(index.isin(wrong.index[wrong]), index=index)


def distinct(values: pd.Series) -> pd.Series:
    """Keep each value once for each row it belongs to, where it stands first."""
    pairs = pd.DataFrame({"owner": values.index, "value": values.array})
    return values[~pairs.duplicated().to_numpy()]


def gathered(values: pd.Series, index: pd.Index) -> pd.Series:
    """Gather values into one list for each row of a sorted index (objects; empty lists where there is none).

    The values of a row keep their order. Slices of one list do what `groupby.agg(list)` does, far faster.
    """
    by_owner = values.sort_index(kind="stable")
    starts = by_owner.index.searchsorted(index, side="left")
    ends = by_owner.index.searchsorted(index, side="right")
    items = by_owner.tolist()
    return pd.Series(
        [items[start:end] for start, end in zip(starts, ends, strict=True)], index=index, dtype=object
    )
