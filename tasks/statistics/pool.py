"""Rows that were read, together with all that the ledger knows of the same learners' courses."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from connectors.ledger.attempts import attempts_of
from connectors.ledger.enrollments import ENROLLMENT_COLUMNS, enrollments_of
from connectors.ledger.keys import keyed, keys
from tasks.runtime.run_context import RunContext
from tasks.statistics.settled import Settled
from tasks.transform.row_keys import KEY, NO_NUMBERS, Numbers
from tasks.transform.statistics.learner_moves import NO_MOVES, with_new_addresses

ROW = ["key", "program"]
NO_KEYS = pd.DataFrame({name: pd.Series(dtype="str") for name in KEY})


class Pool:
    """What `merge` takes: ``enrollments`` with ``read``, and ``accepted``.

    ``known`` are the enrollments as the ledger knows them: ENROLLMENT_COLUMNS; those of learners who moved
    have no digest, for they are to be kept anew.
    """

    def __init__(
        self,
        run: RunContext,
        read: pd.DataFrame,
        retried: pd.DataFrame = NO_KEYS,
        moves: pd.DataFrame = NO_MOVES,
        *,
        settled: Settled | None = None,
        is_first: bool = False,
    ) -> None:
        """``retried`` (KEY): attempts to send again though they were not read; their rows count as read.

        ``moves`` (old, new): addresses that have changed, under which the ledger still knows them;
        ``settled`` knows which rows were read without being among ``read``; they are taken from there.
        ``is_first``: the ledger knows nothing of these rows.
        """
        again = _moved(retried, moves)
        asked_for = NO_NUMBERS if is_first else known_as([read, again], moves)
        with run.ledger.read() as db:
            known = enrollments_of(db, run.target.id, asked_for)
            accepted = attempts_of(db, run.target.id, asked_for)
        if len(moves):
            has_moved = known["learner"].isin(moves["old"])
            known = _moved(known.assign(digest=known["digest"].mask(has_moved)), moves)
            accepted = _moved(accepted, moves)
        self.known = known.drop_duplicates(ROW)
        self.accepted = accepted.drop_duplicates(["key", "number"])
        self.enrollments = _with_known(read, self.known, again["key"], settled)


def known_as(frames: Sequence[pd.DataFrame], moves: pd.DataFrame) -> Numbers:
    """The keys of the rows' learners' courses, and those that they had before the learners moved."""
    found = [rows["key"].to_numpy(dtype="int64") for rows in frames]
    if len(moves):
        found += [_before(rows, moves) for rows in frames]
    return pd.unique(np.concatenate(found))


def _before(rows: pd.DataFrame, moves: pd.DataFrame) -> Numbers:
    """The keys that learners' courses had before the learners moved."""
    moved = rows[KEY].merge(moves, left_on="learner", right_on="new")
    return keys(moved.assign(learner=moved["old"]))


def _moved(rows: pd.DataFrame, moves: pd.DataFrame) -> pd.DataFrame:
    return keyed(with_new_addresses(rows, moves))


def _with_known(
    read: pd.DataFrame, known: pd.DataFrame, retried: pd.Series, settled: Settled | None
) -> pd.DataFrame:
    """The rows of a reading, and those that only the ledger knows: ENROLLMENT_COLUMNS but attempt; read."""
    columns = [name for name in ENROLLMENT_COLUMNS if name != "attempt"]
    rows = read[columns].assign(read=True)
    if known.empty:
        return rows
    is_seen = known[ROW].merge(read[ROW].drop_duplicates(), on=ROW, how="left", indicator=True)["_merge"]
    unseen = known.loc[is_seen.eq("left_only").to_numpy(), columns]
    is_read = unseen["key"].isin(retried).to_numpy()
    if settled is not None:
        is_read = is_read | settled.take(unseen["digest"].fillna(0).to_numpy(dtype="int64"))
    return pd.concat([rows, unseen.assign(read=is_read)], ignore_index=True)
