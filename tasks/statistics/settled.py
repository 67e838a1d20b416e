"""Rows about which there is nothing left to do while they stay as they are."""

import numpy as np
import pandas as pd

from connectors.ledger import rejects
from connectors.ledger.enrollments import knows_nothing, settled_rows
from connectors.ledger.keys import keyed
from connectors.ledger.streams import STATISTICS
from tasks.runtime.run_context import RunContext
from tasks.transform.row_keys import KEY, Mask, Numbers, isin_sorted, search_sorted

NONE: Numbers = np.empty((0, 3), dtype="int64")


def statistics_aside(run: RunContext) -> pd.DataFrame:
    """The statistics that were put aside: row_id, KEY and uncertain str, key int64."""
    with run.ledger.read() as db:
        aside = rejects.known_rejects(db, run.target.id, STATISTICS)
    return keyed(aside.loc[aside["learner"].notna(), ["row_id", *KEY, "uncertain"]].reset_index(drop=True))


class Settled:
    """The rows that the ledger knows to be settled, and which of them a reading shows.

    A row is told by its digest (see `tasks.transform.statistics.enrollment_reports`), so that it need not
    even be mapped. Those that are shown are accounted for once: with others of their learner's course, where
    there is something to do about that, else all together in the end.
    """

    def __init__(self, run: RunContext, *, in_full: bool) -> None:
        """``in_full``: the reading shows most of them, else none is looked up."""
        #: Statistics that earlier runs put aside: to be sent again, so that their rows are not settled.
        self.aside = statistics_aside(run)
        with run.ledger.read() as db:
            #: There is no enrollment and no attempt at all, and none will be adopted: nothing to look up.
            self.knows_nothing = run.target.knows_remote and knows_nothing(db, run.target.id)
            is_used = in_full and run.target.knows_remote and not self.knows_nothing
            rows = settled_rows(db, run.target.id) if is_used else NONE
        rows = rows[~np.isin(rows[:, 1], self.aside["key"])]
        digests, keys, attempts = rows[np.argsort(rows[:, 0])].T
        self._digests, self._keys = np.ascontiguousarray(digests), np.ascontiguousarray(keys)
        self._attempts = np.ascontiguousarray(attempts)
        self._is_left = np.zeros(len(self._digests), dtype=bool)
        #: How many times a row is shown beyond the first.
        self.doubled = 0

    def among(self, digests: Numbers) -> Mask:
        """Which rows, by their digests, are settled."""
        return isin_sorted(digests, self._digests)

    def show(self, digests: Numbers) -> None:
        """The reading shows these rows, all of which are settled."""
        if len(digests):
            self._is_left[search_sorted(digests, self._digests)] = True
        self.doubled = len(digests) - int(self._is_left.sum())

    def take(self, digests: Numbers) -> Mask:
        """Which rows, by their digests, are shown and not accounted for; from now on they are."""
        if not self._is_left.any():
            return np.zeros(len(digests), dtype=bool)
        at = search_sorted(digests, self._digests)
        taken: Mask = (self._digests[at] == digests) & self._is_left[at]
        self._is_left[at[taken]] = False
        return taken

    @property
    def shown(self) -> Numbers:
        """The digests of the rows that are shown and not accounted for."""
        return self._digests[self._is_left]

    @property
    def left(self) -> Numbers:
        """The key and the attempt (or HELD_ATTEMPT) of each row that is shown and not accounted for."""
        return np.column_stack([self._keys[self._is_left], self._attempts[self._is_left]])
