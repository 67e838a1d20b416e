"""The difference between a reading and the ledger: what to create, update, leave alone and archive."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import blake2b

import pandas as pd

_DIGEST_BYTES = 16


def digest(body: Mapping[str, object]) -> str:
    """Fingerprint a body (32 hexadecimal digits): the same for equal JSON, whatever the order of its keys."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return blake2b(canonical.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def digests(bodies: Iterable[Mapping[str, object]]) -> pd.Series:
    """Fingerprint bodies in their order (str dtype, RangeIndex)."""
    return pd.Series([digest(body) for body in bodies], dtype="str", name="digest")


def plan_courses(courses: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """Say for each course (externalId, digest) what its row needs: create, update or unchanged (str dtype).

    `known` is what the platform has accepted: external_id (unique), digest, live (bool, false once archived).
    An archived course that is read again is an update, for the upsert is what brings it back.
    """
    accepted = known.set_index("external_id")
    ids = courses["externalId"]
    held = ids.map(accepted["digest"].where(accepted["live"].astype(bool)))
    actions = pd.Series("update", index=courses.index, dtype="str", name="action")
    return actions.mask(held.eq(courses["digest"]), "unchanged").mask(~ids.isin(accepted.index), "create")


def missing(known: pd.DataFrame, read_ids: Iterable[str]) -> pd.Index:
    """List the external ids that are live in `known` (external_id, live) but not in a complete reading."""
    live = known.loc[known["live"].astype(bool), "external_id"]
    return _ids(live[~live.isin(list(read_ids))])


def archivable(missed: pd.DataFrame, grace: int) -> pd.Index:
    """List the external ids that enough complete readings have missed.

    `missed` has external_id and missed_days, the number of days on which a complete reading did not show the
    course, today's included; `grace` is how many it takes (1: at once).
    """
    return _ids(missed.loc[missed["missed_days"].ge(grace), "external_id"])


def exceeds(missing_count: int, live_count: int, limit: float) -> bool:
    """Whether more than the share `limit` (0 to 1) of the live courses is missing.

    Reckoned in decimals: as floats, 29 of 100 would be more than 0.29 of them.
    """
    return missing_count > Decimal(str(limit)) * live_count


def _ids(column: pd.Series) -> pd.Index:
    """External ids as an index of their own (str dtype)."""
    ids: pd.Index = pd.Index(column.tolist(), dtype="str", name="external_id")
    return ids
