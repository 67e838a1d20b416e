"""Who is who: a learner is an address, and Coursera's externalId tells when that address has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class AddressMap:
    """The address that a learner has now, by the one they had, as far as that is another one.

    Aliases (Coursera's address to the one in 360Learning) and changed addresses are the same here. No new
    address is an old one, too: to apply the map twice changes nothing more.
    """

    new_by_old: Mapping[str, str]

    def __bool__(self) -> bool:
        """Whether anybody has another address."""
        return bool(self.new_by_old)

    def current(self, learners: pd.Series) -> pd.Series:
        """The addresses (str, NaN where there is none) as they are now."""
        if not self.new_by_old:
            return learners
        return learners.map(self.new_by_old).astype("str").fillna(learners)

    def before(self, learners: pd.Series) -> pd.DataFrame:
        """The addresses that learners had: old and, in ``learner``, the one they have."""
        olds = pd.DataFrame(
            {"old": list(self.new_by_old), "learner": list(self.new_by_old.values())}, dtype="str"
        )
        return olds.loc[olds["learner"].isin(learners)]


NOBODY_MOVED = AddressMap({})


def latest_addresses(seen: pd.DataFrame, also: Sequence[str] = ()) -> pd.DataFrame:
    """Each address (learner) beside its external_id once, with the latest of its dates (updated_at).

    ``also``: columns by which they are told apart as well.
    """
    return seen.groupby(["external_id", "learner", *also], sort=False)["updated_at"].max().reset_index()


def address_map(seen: pd.DataFrame, known: pd.DataFrame, aliases: Mapping[str, str]) -> AddressMap:
    """Recognise learners whose address has changed, and those who have an alias.

    ``seen``: learner, external_id ("" where there is none) and updated_at of a whole reading, addresses as
    Coursera has them; ``known``: what the ledger knows of these externalIds, a row for each external_id and
    learner with its updated_at, and of others beside the addresses in doubt. ``aliases``: the address in
    360Learning by the one at Coursera.

    An externalId that stands beside several addresses, here or in the ledger, is no proof of anything, nor is
    one whose other address is in use, or is said to have become several: such learners stay as they are.
    Where the ledger's address is the newer one it counts, unless the ledger knows another externalId beside
    the older one.
    """
    named = AddressMap(aliases)
    seen = seen.assign(learner=named.current(seen["learner"]))
    known = known.assign(learner=named.current(known["learner"]))
    both = _single(seen).merge(_single(known), on="external_id", suffixes=("", "_known"))
    changed = both.loc[both["learner"].ne(both["learner_known"])]
    if changed.empty:
        return named
    is_newer = changed["updated_at"].ge(changed["updated_at_known"])
    old = changed["learner_known"].where(is_newer, changed["learner"])
    new = changed["learner"].where(is_newer, changed["learner_known"])
    in_use = _is_in_use(changed, old, seen) | (~is_newer & _is_in_use(changed, old, known))
    moves = pd.DataFrame({"old": old, "new": new})[~in_use].drop_duplicates()
    moves = moves.drop_duplicates("old", keep=False)
    moves = moves.loc[~moves["new"].isin(moves["old"])]  # swapped: nobody can tell who is who
    changes = dict(zip(moves["old"], moves["new"], strict=True))
    return AddressMap({one: changes.get(now, now) for one, now in aliases.items()} | changes)


def _is_in_use(changed: pd.DataFrame, old: pd.Series, rows: pd.DataFrame) -> pd.Series:
    """Whether an old address stands beside another externalId (or none)."""
    used = rows[["learner", "external_id"]].drop_duplicates()
    beside = changed[["external_id"]].assign(learner=old, at=changed.index).merge(used, on="learner")
    others = beside.loc[beside["external_id_x"].ne(beside["external_id_y"]), "at"]
    in_use: pd.Series = changed.index.to_series().isin(others)
    return in_use


def _single(rows: pd.DataFrame) -> pd.DataFrame:
    """ExternalIds that stand beside one address only: external_id, learner, updated_at."""
    latest = latest_addresses(rows.loc[rows["external_id"].ne(""), ["external_id", "learner", "updated_at"]])
    return latest.loc[~latest["external_id"].duplicated(keep=False)]
