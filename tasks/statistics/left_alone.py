"""Rows of learners' courses that are wholly as the ledger knows them: they are counted, and no more."""

import numpy as np
import pandas as pd

from connectors.ledger.records.enrollments import HELD_ATTEMPT
from tasks.reporting.summary import Counts
from tasks.transform.row_keys import Mask, Numbers, search_sorted
from tasks.transform.statistics.enrollment_reports import NO_DIGEST

#: The ledger knows nothing like this: no row is left alone.
NO_DIGESTS = pd.DataFrame({name: pd.Series(dtype="int64") for name in ("key", "digest", "attempt")})


def leave_alone(rows: pd.DataFrame, digests: pd.DataFrame, rejected: pd.Series) -> pd.DataFrame:
    """Find the rows of a reading about which there is nothing to find out.

    ``rows``: key and digest of each; ``digests``: key, digest and attempt of the enrollments that need
    nothing as they are; ``rejected``: keys of learners' courses of which something was rejected. Returns for
    each row its key, its attempt (HELD_ATTEMPT where it is held or not known) and is_left_alone bool.
    """
    attempt, is_unchanged = _known_attempts(rows["key"].to_numpy(), rows["digest"].to_numpy(), digests)
    busy = pd.concat([rows["key"][~is_unchanged], rejected])
    return rows[["key"]].assign(attempt=attempt, is_left_alone=~rows["key"].isin(busy))


def count_left_alone(alone: pd.DataFrame) -> Counts:
    """Count rows (key, attempt): one speaks for each attempt, or for those held; the others are in it."""
    each = alone.drop_duplicates()
    is_held = each["attempt"].eq(HELD_ATTEMPT)
    return Counts(
        extracted=len(alone),
        merged=len(alone) - len(each),
        held=int(is_held.sum()),
        unchanged=int((~is_held).sum()),
    )


def _known_attempts(key: Numbers, digest: Numbers, digests: pd.DataFrame) -> tuple[Numbers, Mask]:
    """The attempt of each row, and whether it is as the ledger knows it."""
    if digests.empty:
        return np.full(len(key), HELD_ATTEMPT, dtype="int64"), np.zeros(len(key), dtype=bool)
    known = digests.sort_values("digest")
    at = search_sorted(digest, known["digest"].to_numpy())
    same = (known["digest"].to_numpy()[at] == digest) & (known["key"].to_numpy()[at] == key)
    return known["attempt"].to_numpy()[at], same & (digest != NO_DIGEST)
