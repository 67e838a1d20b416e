"""A learner's course as a number: what its records are told apart by, and found by.

Addresses and ids as keys made indexes as large as the tables, and writing to them the largest cost of a run.
Among a million records two would share a number once in some 40 million ledgers.
"""

import numpy as np
import pandas as pd

from connectors.ledger.bulk_io import Numbers

KEY = ["learner", "course"]


def keys(rows: pd.DataFrame) -> Numbers:
    """The learner and course of each row as 64 bits, the same for ever: they are kept in the ledger."""
    # Not by pandas' way of looking for what is there twice first: nearly all is there once.
    hashed = pd.util.hash_pandas_object(rows[KEY], index=False, categorize=False)
    return hashed.to_numpy().view(np.int64)


def keyed(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with their ``key`` (int64) beside."""
    return rows.assign(key=keys(rows))


def key_of(learner: str, course: str) -> int:
    """The key of one learner's course."""
    (key,) = keys(pd.DataFrame({"learner": [learner], "course": [course]}, dtype="str"))
    return int(key)
