"""What a backfill leaves out: report rows outside its window of last activity, and other learners' rows."""

import hashlib
from collections.abc import Collection, Sequence

import pandas as pd

from tasks.mapping.columns import blank, frame, number, text


def digest_of(address: str) -> str:
    """What stands for an address where the address itself must not: flow parameters, logs."""
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()


def chosen(
    elements: Sequence[object],
    *,
    active_from_ms: int | None = None,
    active_to_ms: int | None = None,
    learners: Collection[str] = (),
) -> list[object]:
    """Keep the report rows with from ≤ lastActivityAt < to (epoch ms), of the learners with these digests.

    A row whose lastActivityAt is no number passes: whoever maps it puts it aside with its reason. A row
    without one passes only where no window is given.
    """
    reports = frame(elements, ("email", "externalId", "lastActivityAt"))
    kept = pd.Series(data=True, index=reports.index)
    if active_from_ms is not None or active_to_ms is not None:
        active, wrong = number(reports["lastActivityAt"])
        after = True if active_from_ms is None else active.ge(active_from_ms)
        before = True if active_to_ms is None else active.lt(active_to_ms)
        kept &= (active.notna() & after & before) | wrong
    if learners:
        kept &= _digests(reports).isin(list(learners))
    return [element for element, keep in zip(elements, kept, strict=True) if keep]


def _digests(reports: pd.DataFrame) -> pd.Series:
    """The digest of each row's address, each different one reckoned once."""
    email, _ = text(reports["email"])
    external_id, _ = text(reports["externalId"])
    address = email.where(~blank(email), external_id)
    return address.map({one: digest_of(one) for one in address.dropna().unique()})
