"""Enrollment reports as typed columns: what is usable of them, and what each row says as a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tasks.transform.columns import flag, number, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tasks.transform.row_keys import Mask, Numbers

TEXTS = ("email", "externalId", "contentId", "programId")
NUMBERS = (
    "enrolledAt", "lastActivityAt", "completedAt", "updatedAt", "overallProgress", "grade",
    "approxTotalCourseHrs", "approxTotalLearningHours",
)  # fmt: skip
FLAG = "isCompleted"
IS_ROW, NOT_A_ROW = "is_row", "not_a_row"
#: What a row says; ``updatedAt`` is left out, for it changes without anything else.
SAID = [name for name in (*TEXTS, *NUMBERS, FLAG) if name != "updatedAt"]


@dataclass(frozen=True, eq=False)
class Reports:
    """Report rows, by their position among the elements (the index).

    ``fields``: TEXTS str, NUMBERS float64, FLAG bool; NaN and false where there is nothing usable. ``wrong``:
    bool by field, true where a value is of another type, and NOT_A_ROW, where the element is no object.
    """

    fields: pd.DataFrame
    wrong: pd.DataFrame

    def __len__(self) -> int:
        return len(self.fields)

    def only(self, wanted: Mask) -> Reports:
        """Some of the rows."""
        return Reports(self.fields.loc[wanted], self.wrong.loc[wanted])

    def digests(self) -> Numbers:
        """What each row says as 64 bits, the same wherever it is read.

        Two different rows among a million share a number once in some 40 million readings. One that is wrong
        anywhere says nothing.
        """
        said = pd.util.hash_pandas_object(self.fields[SAID], index=False, categorize=False)
        return said.to_numpy().view(np.int64)

    @property
    def is_wrong(self) -> Mask:
        """Which rows are wrong anywhere."""
        is_wrong: Mask = self.wrong.any(axis="columns").to_numpy()
        return is_wrong


def read_reports(columns: Mapping[str, Sequence[object]]) -> Reports:
    """Type the columns of report rows: TEXTS, NUMBERS and FLAG as they came, and IS_ROW bool.

    Where IS_ROW is false the element was no object, and there is nothing in its other columns.
    """
    take = dict.fromkeys(TEXTS, text) | dict.fromkeys(NUMBERS, number) | {FLAG: flag}
    taken = {name: take[name](pd.Series(columns[name], dtype=object)) for name in take}
    fields = pd.DataFrame({name: column for name, (column, _) in taken.items()})
    wrong = {name: mask for name, (_, mask) in taken.items()}
    return Reports(fields, pd.DataFrame(wrong | {NOT_A_ROW: ~np.array(columns[IS_ROW], dtype=bool)}))
