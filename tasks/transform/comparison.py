"""What 360Learning holds, beside what it should hold: attempt by attempt, and course by course.

What it should hold is what Coursera says, by the rules of the statistics, and what it has accepted before: an
accepted attempt that Coursera shows no more, or shows with less, stays as it was accepted.

All differences together are a table of FOUND_COLUMNS, all str: difference (see DIFFERENCES, or LAUNCH), kind
(course or attempt), course (externalId), name (the course's), learner (address), attempt (number), field,
coursera and learning360 (the values there), and why; what a row has none of is empty.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tasks.transform.courses.names import name_of
from tasks.transform.plan_rows import changes, in_words
from tasks.transform.row_keys import KEY, Mask, Numbers
from tasks.transform.statistics.attempts import ATTEMPT_COLUMNS, HELD, STATE
from tasks.transform.statistics.enrollments import LaunchRule

FOUND_COLUMNS = [
    "difference", "kind", "course", "name", "learner", "attempt", "field", "coursera", "learning360", "why",
]  # fmt: skip

SAME = ""
MISSING, DIFFERENT, IMMUTABLE, AHEAD, ONLY = "missing", "different", "closed", "further", "only"
#: The sorts of difference, and what they are called for people.
DIFFERENCES = {
    MISSING: "missing in 360Learning",
    DIFFERENT: "different",
    IMMUTABLE: "different, but completed in 360Learning, which cannot be changed",
    AHEAD: "further on in 360Learning than at Coursera, which is not taken back",
    ONLY: "only in 360Learning",
}
LAUNCH = "launch"
REPAIRABLE = (MISSING, DIFFERENT)

_PLACE = [*KEY, "number"]
_TOLD = [*KEY, "first_at"]
_NOWHERE = -1
_LISTS: dict[str, object] = {"subjects": [], "sources": []}
# What 360Learning adds to a course of ours.
_THEIRS = ("courseId", "authorId")


@dataclass(frozen=True, eq=False)
class Compared:
    """What a comparison of attempts found.

    ``attempts``: the expected ones (see `expected_attempts`) with ``difference`` (SAME, or one of DIFFERENCES
    but ONLY) and, beside each field of STATE, 360Learning's (``_remote``; NA where it is missing), and
    bool ``force_new``: sent, it has to open a new attempt. ``remote_only``: its attempts that nothing stands
    for; ``launches``: those completed at 0 % whose learner did not go on.
    """

    attempts: pd.DataFrame
    remote_only: pd.DataFrame
    launches: pd.DataFrame

    @property
    def repairable(self) -> pd.DataFrame:
        """The attempts that can be sent to mend it, as `tasks.load.operations.StatisticImport` takes them."""
        found = self.attempts.loc[self.attempts["difference"].isin(REPAIRABLE)]
        return found.assign(rule="reconcile: " + found["difference"]).reset_index(drop=True)


def expected_attempts(merged: pd.DataFrame, accepted: pd.DataFrame) -> pd.DataFrame:
    """The attempts that 360Learning should hold of some learners.

    ``merged``: what their rows add up to, as `tasks.transform.statistics.attempts.merge` gives it;
    ``accepted``: all that it has accepted of them, ATTEMPT_COLUMNS. Returns ATTEMPT_COLUMNS; ``rows`` int64,
    how many read rows are in the attempt; ``known_first`` int64, its first activity as accepted, -1 where
    none was.
    """
    begun = merged.loc[merged["action"].ne(HELD), [*ATTEMPT_COLUMNS, "rows"]]
    known = accepted[list(ATTEMPT_COLUMNS)].merge(begun[[*_PLACE, "rows"]], on=_PLACE, how="left")
    known = known.assign(known_first=known["first_at"])
    # Closed for good, or nothing that was read speaks for it: it stays as it was accepted.
    stays = known.loc[known["completed"] | known["rows"].isna()]
    stays = stays.assign(rows=stays["rows"].fillna(0))
    begun = begun.merge(known[[*_PLACE, "known_first"]], on=_PLACE, how="left")
    begun = begun.assign(known_first=begun["known_first"].fillna(_NOWHERE))
    placed = begun[_PLACE].merge(stays[_PLACE], on=_PLACE, how="left", indicator=True)["_merge"]
    parts = [begun.loc[placed.eq("left_only").to_numpy()], stays[begun.columns]]
    filled = [part for part in parts if len(part)] or parts[:1]
    whole = {"rows": "int64", "known_first": "int64"}
    return pd.concat(filled, ignore_index=True).astype(whole)


def compare_attempts(expected: pd.DataFrame, remote: pd.DataFrame, *, launch_rule: LaunchRule) -> Compared:
    """Compare the attempts of some learners; ``remote``: see `tasks.extract.learning360.REMOTE_COLUMNS`.

    An attempt is told by its learner, its course and its first activity. One at 0 % is a launch's, and no
    difference.
    """
    is_real = remote["progress"].gt(0)
    real = remote.loc[is_real].sort_values(["completed", "progress", "last_at"]).reset_index(drop=True)
    at = _found(expected, real)
    beside = real[STATE].reindex(at).set_axis(expected.index).add_suffix("_remote")
    attempts = pd.concat([expected, beside], axis="columns")
    attempts["difference"] = _difference(attempts, is_missing=at == _NOWHERE)
    # Beside a launch, or beside any other attempt, a plain statistic could vanish, or change that one.
    is_beside = _among(attempts, real, KEY)
    attempts["force_new"] = (at == _NOWHERE) & ((launch_rule == "completed") | is_beside)
    launches = remote.loc[~is_real & remote["completed"]]
    launches = launches.loc[~_among(launches, expected, KEY)].reset_index(drop=True)
    return Compared(attempts, real.drop(index=at[at != _NOWHERE]).reset_index(drop=True), launches)


def found_attempts(
    compared: Compared, names: Mapping[str, str], *, learners: Collection[str], courses: Collection[str]
) -> pd.DataFrame:
    """What was found of attempts, as FOUND_COLUMNS; ``names`` are the courses' by externalId.

    ``learners`` and ``courses`` are those that 360Learning knows: why an attempt is missing.
    """
    attempts = compared.attempts
    missing = attempts.loc[attempts["difference"].eq(MISSING)]
    why = pd.Series("", index=missing.index, dtype="str")
    why = why.mask(~missing["learner"].isin(learners), "360Learning does not know the learner")
    why = why.mask(~missing["course"].isin(courses), "360Learning does not have the course")
    parts = [_attempt_rows(missing, "progress", missing["difference"]).assign(learning360="", why=why)]
    differing = attempts.loc[~attempts["difference"].isin([SAME, MISSING])]
    for field in STATE:
        rows = differing.loc[_differs(differing, field)]
        parts.append(_attempt_rows(rows, field, rows["difference"]))
    rows = pd.concat([part for part in parts if len(part)] or parts[:1]).sort_index(kind="stable")
    return filled(
        pd.concat([rows, _remote_rows(compared.remote_only, ONLY), _remote_rows(compared.launches, LAUNCH)]),
        names,
    )


def found_courses(
    expected: Mapping[str, str], remote: Mapping[str, str], *, archived: Collection[str]
) -> pd.DataFrame:
    """What was found of courses (JSON by externalId), as FOUND_COLUMNS; ``archived`` are held, but hidden."""
    rows: list[dict[str, str]] = []
    for external_id, text in expected.items():
        row = {"course": external_id, "name": name_of(text)}
        if external_id not in remote or external_id in archived:
            why = "it is archived there" if external_id in archived else ""
            rows.append(row | {"difference": MISSING, "why": why})
            continue
        differences = changes(_comparable(remote[external_id]), _comparable(text))
        rows += [
            row
            | {"difference": DIFFERENT, "field": one["field"]}
            | {"coursera": one["after"], "learning360": one["before"]}
            for one in differences
        ]
    gone = [one for one in remote if one not in expected and one not in archived]
    rows += [{"difference": ONLY, "course": one, "name": name_of(remote[one])} for one in gone]
    return filled(pd.DataFrame(rows, columns=FOUND_COLUMNS).assign(kind="course"))


def filled(rows: pd.DataFrame, names: Mapping[str, str] | None = None) -> pd.DataFrame:
    """FOUND_COLUMNS of a table that has some of them: as text, empty where there is nothing."""
    named = rows if names is None else rows.assign(name=rows["course"].map(dict(names)))
    return named.reindex(columns=FOUND_COLUMNS).astype("str").fillna("").reset_index(drop=True)


def _found(expected: pd.DataFrame, real: pd.DataFrame) -> Numbers:
    """Where each expected attempt is among the held ones; none stands for two of them.

    It is looked for by its first activity, then by the one that was accepted.
    """
    at = _places(expected[_TOLD], real)
    free = real.drop(index=at[at != _NOWHERE])
    known = expected[[*KEY, "known_first"]].set_axis(_TOLD, axis="columns")
    before = _places(known, free)
    before[pd.Series(before).duplicated().to_numpy()] = _NOWHERE
    return np.where(at == _NOWHERE, before, at)


def _places(told: pd.DataFrame, real: pd.DataFrame) -> Numbers:
    """The last held attempt of each learner, course and first activity: its label, else -1."""
    last = real[_TOLD].assign(at=real.index).drop_duplicates(_TOLD, keep="last")
    at = told.merge(last, on=_TOLD, how="left")["at"].fillna(_NOWHERE).to_numpy(dtype="int64", copy=True)
    at[told.duplicated().to_numpy()] = _NOWHERE
    return at


def _difference(attempts: pd.DataFrame, *, is_missing: Mask) -> pd.Series:
    differs = np.logical_or.reduce([_differs(attempts, field) for field in STATE])
    closed = attempts["completed_remote"].eq(True).fillna(value=False)  # noqa: FBT003 - NA where it is missing
    back = attempts["progress_remote"].gt(attempts["progress"]) | attempts["first_at"].gt(
        attempts["first_at_remote"]
    )
    found = pd.Series(SAME, index=attempts.index, dtype="str").mask(differs, DIFFERENT)
    found = found.mask(differs & back.fillna(value=False).astype(bool), AHEAD)
    return found.mask(differs & closed.astype(bool), IMMUTABLE).mask(is_missing, MISSING)


def _differs(attempts: pd.DataFrame, field: str) -> pd.Series:
    """Where a field that is sent is held with another value."""
    same = attempts[field].eq(attempts[f"{field}_remote"]).fillna(value=False).astype(bool)
    return ~same & attempts[field].notna()


def _among(rows: pd.DataFrame, others: pd.DataFrame, on: list[str]) -> Mask:
    seen = rows[on].merge(others[on].drop_duplicates(), on=on, how="left", indicator=True)["_merge"]
    is_seen: Mask = seen.eq("both").to_numpy()
    return is_seen


def _attempt_rows(rows: pd.DataFrame, field: str, difference: pd.Series) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "difference": difference,
            "kind": "attempt",
            "course": rows["course"],
            "learner": rows["learner"],
            "attempt": rows["number"].astype("str"),
            "field": field,
            "coursera": in_words(rows[field], field),
            "learning360": in_words(rows[f"{field}_remote"].fillna(0), field),
            "why": "",
        },
        index=rows.index,
    )


def _remote_rows(remote: pd.DataFrame, difference: str) -> pd.DataFrame:
    """Rows of what only 360Learning has: how far it is, or of a launch when it was."""
    field = "last_at" if difference == LAUNCH else "progress"
    return pd.DataFrame(
        {
            "difference": difference,
            "kind": "attempt",
            "course": remote["course"],
            "learner": remote["learner"],
            "field": field,
            "learning360": in_words(remote[field], field),
        }
    )


def _comparable(text: str) -> dict[str, object]:
    """A course's fields as far as both sides have them; of translations only the languages are ours."""
    body = json.loads(text)
    languages = sorted(one["lang"] for one in body.get("translations", []))
    ours = {name: value for name, value in body.items() if name not in _THEIRS}
    return _LISTS | ours | {"translations": languages}
