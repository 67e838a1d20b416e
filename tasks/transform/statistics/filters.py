"""What a backfill leaves out: rows outside its window, and other learners' rows."""

import hashlib
from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from tasks.transform.columns import blank, number, text
from tasks.transform.row_keys import Mask

USED = ("email", "externalId", "lastActivityAt")


def digest_of(address: str) -> str:
    """What stands for an address where the address itself must not: flow parameters, logs."""
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()


def chosen(
    columns: Mapping[str, Sequence[object]],
    *,
    active_from_ms: int | None = None,
    active_to_ms: int | None = None,
    learners: Collection[str] = (),
) -> Mask:
    """Which report rows (columns of USED) have from ≤ lastActivityAt < to (epoch ms), of these learners.

    ``learners`` are digests of their addresses; none: of all.

    A row whose lastActivityAt is no number passes: whoever maps it puts it aside with its reason. A row
    without one passes only where no window is given.
    """
    reports = {name: pd.Series(list(columns[name]), dtype=object) for name in USED}
    kept = pd.Series(data=True, index=reports["email"].index)
    if active_from_ms is not None or active_to_ms is not None:
        active, wrong = number(reports["lastActivityAt"])
        after = True if active_from_ms is None else active.ge(active_from_ms)
        before = True if active_to_ms is None else active.lt(active_to_ms)
        kept &= (active.notna() & after & before) | wrong
    if learners:
        kept &= _digests(reports).isin(list(learners))
    return kept.to_numpy()


def _digests(reports: Mapping[str, pd.Series]) -> pd.Series:
    """The digest of each row's address, each different one reckoned once."""
    email, _ = text(reports["email"])
    external_id, _ = text(reports["externalId"])
    address = email.where(~blank(email), external_id)
    return address.map({one: digest_of(one) for one in address.dropna().unique()})
