"""What the ledger knows of the learners' courses of a part."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from connectors.ledger.database import Ledger
from connectors.ledger.keys import keyed, keys
from connectors.ledger.records.attempts import attempts_between, attempts_of, attempts_of_learners
from connectors.ledger.records.enrollments import all_digests, digests_of, enrollments_of
from tasks.statistics.parts import Part
from tasks.transform.row_keys import Numbers
from tasks.transform.statistics.learner_moves import AddressMap

ROW = ["key", "program"]


@dataclass(frozen=True, eq=False)
class LedgerState:
    """What the ledger knows of some learners' courses, by the keys that they have now.

    ``enrollments``: ENROLLMENT_COLUMNS; ``accepted``: the attempts that 360Learning has accepted,
    ATTEMPT_COLUMNS (see `connectors.ledger.records`).
    """

    enrollments: pd.DataFrame
    accepted: pd.DataFrame

    @classmethod
    def load(
        cls, ledger: Ledger, target_id: int, part_keys: pd.DataFrame, addresses: AddressMap
    ) -> "LedgerState":
        """Load it; ``part_keys``: learner, course and key, each once.

        Under the old keys of learners with another address, too, where the ledger still has them there: a
        run that writes has moved them by now. Of two records of one row, that under the present key counts.
        """
        before = _keys_before(part_keys, addresses)
        asked_for = np.concatenate([part_keys["key"].to_numpy(dtype="int64"), before])
        with ledger.read() as db:
            enrollments = enrollments_of(db, target_id, asked_for)
            accepted = attempts_of(db, target_id, asked_for)
        if len(before):
            enrollments = _undigested(_moved(enrollments, before, addresses))
            accepted = _numbered_on(_moved(accepted, before, addresses))
        return cls(enrollments.reset_index(drop=True), accepted.reset_index(drop=True))


def known_digests(ledger: Ledger, target_id: int, keys: pd.Series, *, is_dense: bool) -> pd.DataFrame:
    """The enrollments of learners' courses that need nothing as they are: key, digest, attempt.

    ``is_dense``: the keys are most of what the ledger knows, so that to go through all of it in its order is
    quicker than to ask for each.
    """
    with ledger.read() as db:
        return all_digests(db, target_id) if is_dense else digests_of(db, target_id, np.unique(keys))


def accepted_between(ledger: Ledger, target_id: int, part: Part, addresses: AddressMap) -> pd.DataFrame:
    """The attempts accepted in a part's range of keys, those of other addresses under the present ones."""
    olds = list(addresses.new_by_old)
    with ledger.read() as db:
        accepted = attempts_between(db, target_id, part.first, part.last)
        moved = attempts_of_learners(db, target_id, olds) if olds else accepted.iloc[:0]
    moved = keyed(moved.assign(learner=addresses.current(moved["learner"])))
    moved = moved.loc[moved["key"].between(part.first, part.last)]
    return pd.concat([accepted.loc[~accepted["learner"].isin(olds)], moved], ignore_index=True)


def _keys_before(part_keys: pd.DataFrame, addresses: AddressMap) -> Numbers:
    """The keys that learners' courses had under their old addresses."""
    if not addresses:
        return np.array([], dtype="int64")
    olds = part_keys[["learner", "course"]].merge(addresses.before(part_keys["learner"]), on="learner")
    return keys(olds[["old", "course"]].set_axis(["learner", "course"], axis="columns"))


def _moved(records: pd.DataFrame, before: Numbers, addresses: AddressMap) -> pd.DataFrame:
    """Give records their present keys; ``was_before`` says which had another one."""
    was_before = records["key"].isin(before)
    return keyed(records.assign(was_before=was_before, learner=addresses.current(records["learner"])))


def _undigested(enrollments: pd.DataFrame) -> pd.DataFrame:
    """Each row once, that of the present address before others, which are to be looked at again."""
    was_before = enrollments["was_before"]
    ordered = enrollments.assign(digest=enrollments["digest"].mask(was_before))
    ordered = ordered.sort_values("was_before", kind="stable")
    return ordered.drop_duplicates(ROW).drop(columns="was_before")


def _numbered_on(accepted: pd.DataFrame) -> pd.DataFrame:
    """Number the attempts of two addresses that are one by now: those of the present one first."""
    ordered = accepted.sort_values(["key", "was_before", "number"], kind="stable")
    joined = ordered["key"].isin(ordered.loc[ordered["was_before"], "key"])
    number = ordered["number"].where(~joined, ordered.groupby("key").cumcount() + 1)
    return ordered.assign(number=number).drop(columns="was_before")
