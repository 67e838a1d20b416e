"""Which report rows a run is about: those of some programs, of a backfill's window, of some learners."""

import hashlib
from collections.abc import Collection

import pandas as pd

from connectors.addresses import fold
from tasks.transform.row_keys import Mask
from tasks.transform.statistics.enrollment_reports import is_wrong


def digest_of(address: str) -> str:
    """What stands for an address where the address itself must not: flow parameters, logs."""
    return hashlib.sha256(fold(address).encode()).hexdigest()


def selected(
    reports: pd.DataFrame,
    *,
    programs: Collection[str] = (),
    active_from_ms: int | None = None,
    active_to_ms: int | None = None,
    learners: Collection[str] = (),
) -> Mask:
    """Which report rows (REPORT_COLUMNS) are of these programs and learners, and of this window.

    The window is from ≤ lastActivityAt < to (epoch ms); ``learners`` are digests of their addresses at
    Coursera. No programs, no learners: of all.

    A row whose lastActivityAt is no number passes: whoever maps it rejects it with its reason. A row without
    one passes only where no window is given.
    """
    kept = pd.Series(data=True, index=reports.index)
    if programs:
        kept &= reports["programId"].isin(list(programs))
    if active_from_ms is not None or active_to_ms is not None:
        active = reports["lastActivityAt"]
        after = True if active_from_ms is None else active.ge(active_from_ms)
        before = True if active_to_ms is None else active.lt(active_to_ms)
        kept &= (active.notna() & after & before) | is_wrong(reports, "lastActivityAt")
    if learners:
        digests = {one: digest_of(one) for one in reports["address"].dropna().unique()}
        kept &= reports["address"].map(digests).isin(list(learners))
    return kept.to_numpy()
