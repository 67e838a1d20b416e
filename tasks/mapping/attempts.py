"""Enrollments become attempts: what the rows of one learner and one course add up to.

The rows of two programs are one attempt, an enrollment after a completion opens a new one, and what
360Learning has accepted never goes back. The outcome does not depend on the order of the rows.
"""

import pandas as pd

from tasks.mapping.statistics import LaunchRule, completion

KEY = ["learner", "course"]
# Which of the rows of an attempt speaks for it: the greatest by these, in this order.
RANK = ["completed", "progress", "last_at", "time_spent", "score_rank"]
STATE = ["first_at", "last_at", "completed", "progress", "time_spent", "score"]

ATTEMPT_COLUMNS = (*KEY, "number", "external_id", *STATE)
HELD, UNCHANGED, SEND = "held", "unchanged", "send"


def merge(
    enrollments: pd.DataFrame, accepted: pd.DataFrame, *, launch_rule: LaunchRule = "completed"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fold enrollments into attempts, and say of each what is to be done.

    ``enrollments``: rows with ENROLLMENT_COLUMNS and a bool ``read`` (false for rows that only the ledger
    knows); ``accepted``: what 360Learning accepted, ATTEMPT_COLUMNS. Both hold all rows of their learners'
    courses. Returns the attempts and the enrollments:

    - attempts: ATTEMPT_COLUMNS; ``completion`` str; ``rows`` int64, how many read rows are in it;
      ``action`` str (held, unchanged or send); ``force_new`` bool; ``rule`` str, in words.
    - enrollments: as given, with ``attempt`` (int64), the number of the attempt each row is part of.
    """
    pool = _pool(enrollments, accepted)
    pool["round"] = _rounds(pool)
    group = [*KEY, "round"]
    ranked = pool.sort_values(RANK, kind="stable")
    attempts = ranked.drop_duplicates(group, keep="last").set_index(group).sort_index()
    grouped = pool.groupby(group)
    attempts["first_at"] = grouped["first_at"].min()
    done = pool.loc[pool["completed"]].groupby(group)["last_at"].min()
    attempts["last_at"] = done.reindex(attempts.index).fillna(attempts["last_at"]).astype("int64")
    attempts["rows"] = grouped["read"].sum().astype("int64")
    attempts["known"] = grouped["known"].max()
    attempts = _numbered(attempts.drop(columns="number").reset_index())
    attempts = _decided(_polished(attempts), accepted, launch_rule)
    numbers = pool.merge(attempts[[*group, "number"]], on=group, how="left", suffixes=("_known", ""))
    parts = enrollments.assign(attempt=numbers["number"].to_numpy()[: len(enrollments)])
    return attempts.drop(columns=["round", "known", "score_rank"]), parts


def _pool(enrollments: pd.DataFrame, accepted: pd.DataFrame) -> pd.DataFrame:
    """Enrollments and accepted attempts as rows alike: an accepted state is one more that was seen."""
    columns = [*KEY, "external_id", *STATE, "read"]
    rows = enrollments[columns].assign(number=0)
    known = accepted.assign(read=False)[[*columns, "number"]]
    pool = pd.concat([rows, known], ignore_index=True) if len(known) else rows.reset_index(drop=True)
    pool["known"] = pool["number"]
    pool["score_rank"] = pool["score"].fillna(-1).astype("int64")
    return pool


def _rounds(pool: pd.DataFrame) -> pd.Series:
    """Number the groups of rows between completions: 1 up to the first completion, 2 up to the next, ...

    A row whose dates all lie after the earliest completion among the rows of its round is of a later round.
    """
    rounds = pd.Series(1, index=pool.index, dtype="int64")
    if pool.empty:  # pandas cannot join nothing with nothing
        return rounds
    rest = pool
    while True:
        done = rest.loc[rest["completed"]].groupby(KEY)["last_at"].min().rename("done_at")
        later = rest.join(done, on=KEY)["done_at"].lt(rest["first_at"])
        if not later.any():
            return rounds
        rest = rest.loc[later]
        rounds.loc[rest.index] += 1


def _numbered(attempts: pd.DataFrame) -> pd.DataFrame:
    """Number attempts in the order in which they were recorded: known ones keep theirs, new ones follow."""
    new = attempts["known"].eq(0)
    by_key = attempts.groupby(KEY)
    following = (
        by_key["known"].transform("max") + new.astype("int64").groupby([attempts[k] for k in KEY]).cumsum()
    )
    attempts["number"] = attempts["known"].where(~new, following)
    return attempts


def _polished(attempts: pd.DataFrame) -> pd.DataFrame:
    """What the platform asks of a statistic: a last activity after the first, time spent only once."""
    # The platform updates an attempt only when its first activity is *earlier* than its last one.
    attempts["last_at"] = attempts["last_at"].where(
        attempts["last_at"].gt(attempts["first_at"]), attempts["first_at"] + 1
    )
    attempts["time_spent"] = attempts["time_spent"].where(attempts["number"].eq(1), 1)
    attempts["score"] = attempts["score"].where(attempts["completed"])
    return attempts


def _decided(attempts: pd.DataFrame, accepted: pd.DataFrame, launch_rule: LaunchRule) -> pd.DataFrame:
    known = attempts["known"].gt(0)
    untouched = ~known & ~attempts["completed"] & attempts["progress"].eq(0)
    same = _same_as_accepted(attempts, accepted)
    attempts["completion"] = completion(attempts["completed"], attempts["progress"], launch_rule)
    attempts["action"] = (
        pd.Series(SEND, index=attempts.index, dtype="str").mask(same, UNCHANGED).mask(untouched, HELD)
    )
    attempts["force_new"] = ~known & (launch_rule == "completed")
    attempts["rule"] = _rule(attempts, known)
    return attempts


def _same_as_accepted(attempts: pd.DataFrame, accepted: pd.DataFrame) -> pd.Series:
    """Which attempts need nothing: the accepted state is the same, or completed and so closed."""
    left = attempts[[*KEY, "number", *STATE]]
    both = left.merge(
        accepted[[*KEY, "number", *STATE]], on=[*KEY, "number"], how="left", suffixes=("", "_held")
    )
    closed = both["completed_held"].eq(True)  # noqa: FBT003 - NA where there is no accepted attempt
    same = both["completed_held"].notna()
    for column in STATE:
        held = both[f"{column}_held"]
        same &= both[column].eq(held).fillna(value=False).astype(bool) | (both[column].isna() & held.isna())
    return pd.Series((closed | same).to_numpy(dtype=bool), index=attempts.index)


def _rule(attempts: pd.DataFrame, known: pd.Series) -> pd.Series:
    rule = pd.Series("first statistic of an attempt", index=attempts.index, dtype="str")
    rule = rule.mask(known, "update of an open attempt")
    rule = rule.mask(known & attempts["action"].eq(UNCHANGED), "nothing new")
    return rule.mask(attempts["action"].eq(HELD), "launch rule: no activity yet")
