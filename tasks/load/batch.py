"""Rows on their way into bulk operations, and how they are cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import pandas as pd


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows to send, and perhaps the enrollments that the ledger is to know once those are settled.

    Statistics have a ``key``, as their enrollments do: the rows of one key are neighbours, and stay together.
    """

    rows: pd.DataFrame
    enrollments: pd.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def cut(self, most: int) -> tuple[Self, Self]:
        """At most so many of the first rows, and the rest; one key's rows are not cut, however many."""
        at = most
        if "key" in self.rows:
            at = _between_keys(self.rows["key"], most)
        first, rest = self.rows.iloc[:at], self.rows.iloc[at:]
        of_first = of_rest = self.enrollments
        if self.enrollments is not None:
            is_first = self.enrollments["key"].isin(first["key"])
            of_first, of_rest = self.enrollments.loc[is_first], self.enrollments.loc[~is_first]
        return type(self)(first, of_first), type(self)(rest, of_rest)


def joined(batches: Sequence[Batch]) -> Batch:
    """Batches as one."""
    if len(batches) == 1:
        return batches[0]
    enrollments = [one.enrollments for one in batches if one.enrollments is not None]
    return Batch(
        pd.concat([one.rows for one in batches], ignore_index=True),
        pd.concat(enrollments, ignore_index=True) if enrollments else None,
    )


def shares(rows: int, slots: int, least: int) -> int:
    """Into how many operations the last rows go: one a slot, but none smaller than it is worth."""
    return max(1, min(slots, rows // least))


def _between_keys(keys: pd.Series, most: int) -> int:
    """The last place up to ``most`` at which another key begins; where one key has more, its end."""
    if len(keys) <= most:
        return len(keys)
    values = keys.to_numpy()
    at = most
    while at > 0 and values[at] == values[at - 1]:
        at -= 1
    if at == 0:
        at = most
        while at < len(values) and values[at] == values[at - 1]:
            at += 1
    return at
