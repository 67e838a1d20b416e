"""Who is who: a learner is an address, and Coursera's externalId tells when that address has changed."""

from dataclasses import dataclass

import pandas as pd

MOVE_COLUMNS = ("old", "new")


@dataclass(frozen=True)
class AddressChanges:
    """What is believed of changed addresses.

    ``moves`` (old, new str): learners whose records move; ``current``: the known address (str) by externalId,
    for rows that are older than what is known; ``touched``: all addresses that a change is about.
    """

    moves: pd.DataFrame
    current: pd.Series
    touched: frozenset[str]


NO_MOVES = pd.DataFrame({name: pd.Series(dtype="str") for name in MOVE_COLUMNS})
NO_CHANGES = AddressChanges(NO_MOVES, pd.Series(dtype="str"), frozenset())


def latest_addresses(seen: pd.DataFrame) -> pd.DataFrame:
    """Each address (learner) beside its external_id once, with the latest of its dates (updated_at)."""
    by_date = seen.sort_values("updated_at")
    return by_date.drop_duplicates(["external_id", "learner"], keep="last", ignore_index=True)


def address_changes(seen: pd.DataFrame, known: pd.DataFrame) -> AddressChanges:
    """Recognise learners whose address has changed.

    ``seen``: learner, external_id ("" where there is none) and updated_at of a whole reading; ``known``: what
    the ledger knows of these externalIds, a row for each external_id and learner with its updated_at.

    An externalId that stands beside several addresses, here or in the ledger, is no proof of anything, nor is
    one whose old address is still in use, or is said to have become several: such rows stay as they are.
    """
    changes = _changes(seen, known)
    newer = changes["updated_at"].ge(changes["updated_at_known"])
    in_use = changes["learner_known"].isin(
        seen.loc[seen["learner"].isin(changes["learner_known"]), "learner"]
    )
    moves = changes.loc[newer & ~in_use, ["learner_known", "learner"]]
    moves = moves.set_axis(list(MOVE_COLUMNS), axis="columns").drop_duplicates()
    moves = moves.drop_duplicates("old", keep=False).reset_index(drop=True)
    current = changes.loc[~newer].set_index("external_id")["learner_known"]
    return AddressChanges(moves, current, frozenset([*changes["learner"], *changes["learner_known"]]))


def with_known_addresses(enrollments: pd.DataFrame, changes: AddressChanges) -> pd.DataFrame:
    """Give the rows that are older than what is known the known address."""
    if changes.current.empty:
        return enrollments
    learner = enrollments["external_id"].map(changes.current).astype("str")
    return enrollments.assign(learner=learner.fillna(enrollments["learner"]))


def with_new_addresses(frame: pd.DataFrame, moves: pd.DataFrame) -> pd.DataFrame:
    """Give the rows of moved learners their new address."""
    if moves.empty:
        return frame
    new = frame["learner"].map(moves.set_index("old")["new"]).astype("str")
    return frame.assign(learner=new.fillna(frame["learner"]))


def _changes(enrollments: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """ExternalIds with one address here and another one in the ledger, each with its latest date."""
    both = _single(enrollments).merge(_single(known), on="external_id", suffixes=("", "_known"))
    return both.loc[both["learner"].ne(both["learner_known"])]


def _single(rows: pd.DataFrame) -> pd.DataFrame:
    """ExternalIds that stand beside one address only: external_id, learner, updated_at."""
    latest = latest_addresses(rows.loc[rows["external_id"].ne(""), ["external_id", "learner", "updated_at"]])
    return latest.loc[~latest["external_id"].duplicated(keep=False)]
