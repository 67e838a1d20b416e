"""Enrollments become attempts: what the rows of one learner and one course add up to.

The rows of two programs are one attempt, an enrollment after a completion opens a new one, and what
360Learning has accepted never goes back. The outcome does not depend on the order of the rows.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tasks.transform.row_keys import KEY
from tasks.transform.statistics.enrollments import LaunchRule

# Which of the rows of an attempt speaks for it: the greatest by these, in this order. The last one decides
# only between rows alike in all that is sent (two addresses with one alias), so that their order does not.
RANK = ["completed", "progress", "last_at", "time_spent", "score_rank", "external_id"]
STATE = ["first_at", "last_at", "completed", "progress", "time_spent", "score"]

ATTEMPT_COLUMNS = ("key", *KEY, "number", "external_id", *STATE)
HELD, UNCHANGED, SEND = "held", "unchanged", "send"


def merge(
    enrollments: pd.DataFrame, accepted: pd.DataFrame, *, launch_rule: LaunchRule = "completed"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fold enrollments into attempts, and say of each what is to be done.

    ``enrollments``: rows with ENROLLMENT_COLUMNS, an int64 ``key`` (the learner and course as a number) and
    a bool ``read`` (false for rows that only the ledger knows); ``accepted``: what 360Learning accepted,
    ATTEMPT_COLUMNS. Both hold all rows of their learners' courses. Returns the attempts, in the order of
    their keys and numbers, and the enrollments:

    - attempts: ATTEMPT_COLUMNS; ``known`` int64, the number under which it was accepted, 0 where it was not;
      ``rows`` int64, how many read rows are in it; ``action`` str (held, unchanged or send); ``force_new``
      bool; ``rule`` str, in words.
    - enrollments: as given, with ``attempt`` (Int64), the number of the attempt each row is part of, NA where
      the launch rule holds it.
    """
    pool = _pool(enrollments, accepted)
    pool["group"] = _groups(pool["key"], _completion_epochs(pool))
    attempts = _normalise(_numbered(_fold(pool)))
    attempts = _decide(attempts, accepted, launch_rule)
    part_of = attempts["number"].astype("Int64").mask(attempts["action"].eq(HELD))
    numbers = part_of.take(np.searchsorted(attempts.index, pool["group"].iloc[: len(enrollments)]))
    parts = enrollments.assign(attempt=numbers.array)
    return attempts.drop(columns="score_rank").reset_index(drop=True), parts


def _pool(enrollments: pd.DataFrame, accepted: pd.DataFrame) -> pd.DataFrame:
    """Enrollments and accepted attempts as rows alike: an accepted state is one more that was seen."""
    columns = ["key", *KEY, "external_id", *STATE, "read"]
    pool = enrollments[columns].assign(known=0).reset_index(drop=True)
    if len(accepted):
        known = accepted.assign(read=False, known=accepted["number"])
        pool = pd.concat([pool, known[pool.columns]], ignore_index=True)
    pool["score_rank"] = pool["score"].fillna(-1).astype("int64")
    return pool


def _completion_epochs(pool: pd.DataFrame) -> pd.Series:
    """Number the groups of rows between completions: 1 up to the first completion, 2 up to the next, ...

    A row whose dates all lie after the earliest completion among the rows of its epoch is of a later one.
    """
    epochs = pd.Series(1, index=pool.index, dtype="int64")
    rest = pool.loc[pool["key"].duplicated(keep=False), ["key", "first_at", "last_at", "completed"]]
    while len(rest):
        done = rest.loc[rest["completed"]].groupby("key")["last_at"].min()
        rest = rest.loc[rest["key"].map(done).lt(rest["first_at"])]
        epochs.loc[rest.index] += 1
    return epochs


def _groups(keys: pd.Series, epochs: pd.Series) -> pd.Series:
    """A number for each key and epoch, in their order."""
    _, places = np.unique(keys.to_numpy(), return_inverse=True)
    return places * epochs.max() + epochs if len(epochs) else epochs


def _fold(pool: pd.DataFrame) -> pd.DataFrame:
    """One row for each group, which is the index: the row that speaks for it, and what all add up to."""
    pool = pool.assign(rows=pool["read"].astype("int64")).drop(columns="read")
    is_alone = ~pool["group"].duplicated(keep=False)
    several = pool.loc[~is_alone, ["group", *RANK, "first_at", "rows", "known"]]
    best = several.sort_values(RANK, kind="stable").drop_duplicates("group", keep="last").index
    speaks = pool["group"].loc[pool.index[is_alone].append(best)].sort_values().index
    folded = pool.loc[speaks].set_index("group")
    if several.empty:
        return folded
    grouped = several.groupby("group")
    done = several.loc[several["completed"]].groupby("group")["last_at"].min()
    added_up = {
        "first_at": grouped["first_at"].min(),
        "last_at": done,
        "rows": grouped["rows"].sum(),
        "known": grouped["known"].max(),
    }
    for name, values in added_up.items():
        folded.loc[values.index, name] = values
    return folded


def _numbered(attempts: pd.DataFrame) -> pd.DataFrame:
    """Number attempts in the order in which they were recorded: known ones keep theirs, new ones follow."""
    known = attempts["known"]
    number = known.where(known.gt(0), 1)
    several = attempts.loc[attempts["key"].duplicated(keep=False), ["key", "known"]]
    if len(several):
        is_new = several["known"].eq(0)
        last = several.groupby("key")["known"].transform("max")
        following = last + is_new.groupby(several["key"]).cumsum()
        number.loc[several.index] = several["known"].where(~is_new, following)
    return attempts.assign(number=number)


def _normalise(attempts: pd.DataFrame) -> pd.DataFrame:
    """What the platform asks of a statistic: a last activity after the first, time spent only once."""
    # The platform updates an attempt only when its first activity is *earlier* than its last one.
    attempts["last_at"] = attempts["last_at"].clip(lower=attempts["first_at"] + 1)
    attempts["time_spent"] = attempts["time_spent"].where(attempts["number"].eq(1), 1)
    attempts["score"] = attempts["score"].where(attempts["completed"])
    return attempts


def _decide(attempts: pd.DataFrame, accepted: pd.DataFrame, launch_rule: LaunchRule) -> pd.DataFrame:
    known = attempts["known"].gt(0)
    held = ~known & ~attempts["completed"] & attempts["progress"].eq(0)
    same = _same_as_accepted(attempts, accepted)
    attempts["action"] = _words(attempts.index, SEND, [(same, UNCHANGED), (held, HELD)])
    attempts["force_new"] = ~known & (launch_rule == "completed")
    rules = [
        (known, "update of an open attempt"),
        (same, "nothing new"),
        (held, "launch rule: no activity yet"),
    ]
    attempts["rule"] = _words(attempts.index, "first statistic of an attempt", rules)
    return attempts


def _same_as_accepted(attempts: pd.DataFrame, accepted: pd.DataFrame) -> pd.Series:
    """Which attempts need nothing: the accepted state is the same, or completed and so closed."""
    if accepted.empty:
        return pd.Series(data=False, index=attempts.index)
    known = attempts.loc[attempts["known"].gt(0), ["key", "known", *STATE]]
    held = accepted[["key", "number", *STATE]].rename(columns={"number": "known"})
    both = known.merge(held, on=["key", "known"], suffixes=("", "_held"), validate="1:1").set_axis(
        known.index
    )
    same = pd.Series(data=True, index=known.index)
    for column in STATE:
        now, before = both[column], both[f"{column}_held"]
        same &= now.eq(before).fillna(value=False).astype(bool) | (now.isna() & before.isna())
    return (both["completed_held"] | same).reindex(attempts.index, fill_value=False)


def _words(index: pd.Index, word: str, others: Sequence[tuple[pd.Series, str]]) -> pd.Series:
    """A word for each row: the last one of the others that is for it, else the first."""
    words = pd.Series(word, index=index, dtype="str")
    for mask, other in others:
        words = words.mask(mask, other)
    return words
