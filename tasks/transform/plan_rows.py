"""What a run would do, as one table: a row for each field that changes, or for each course or attempt.

The table of a dry run has PLAN_COLUMNS, all str: action (create, update, restore, archive or keep), kind
(course or attempt), course (externalId), name (the course's), learner (address), attempt (number), field,
before, after, and why; what a row has none of is empty.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from tasks.transform.row_keys import KEY
from tasks.transform.statistics.attempts import STATE
from tasks.transform.timestamps import iso_times

PLAN_COLUMNS = [
    "action", "kind", "course", "name", "learner", "attempt", "field", "before", "after", "why",
]  # fmt: skip
_TIMES = ("first_at", "last_at")

Body = dict[str, Any]


def course_rows(courses: pd.DataFrame, known: Mapping[str, str], archived: Collection[str]) -> pd.DataFrame:
    """Say what becomes of courses to send: external_id, body (JSON) and action (create, update or restore).

    `known` are the bodies (JSON) that 360Learning has accepted, `archived` those that it has archived since.
    """
    rows: list[dict[str, str]] = []
    for external_id, text, action in zip(
        courses["external_id"], courses["body"], courses["action"], strict=True
    ):
        body: Body = json.loads(text)
        row = {"action": action, "kind": "course", "course": external_id, "name": str(body.get("name", ""))}
        row["why"] = "it was archived" if external_id in archived else ""
        before: Body = json.loads(known.get(external_id, "{}"))
        changed = changes(before, body) if action == "update" else []
        rows += [row | change for change in changed] or [row]
    return filled(pd.DataFrame(rows))


def missing_course_rows(missing: pd.DataFrame) -> pd.DataFrame:
    """Plan what becomes of missing courses: external_id, name, to_archive, missed, outcome, used."""
    why = "missed " + missing["missed"] + ", " + missing["outcome"]
    used = (", used by " + missing["used"]).where(missing["used"].ne(""), "")
    action = missing["to_archive"].map({True: "archive", False: "keep"})
    named = missing.rename(columns={"external_id": "course"})
    return filled(named.assign(action=action, kind="course", why=why + used))


def attempt_rows(send: pd.DataFrame, accepted: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Say what becomes of attempts to send, as `merge` gives them; `names` are the courses' by externalId.

    `accepted` is their state before, where there was one: ATTEMPT_COLUMNS. A new attempt is one row, its
    progress; one that goes on has a row for each field that changes.
    """
    place = [*KEY, "number"]
    both = send.merge(
        accepted[[*place, *STATE]], on=place, how="left", suffixes=("", "_before"), indicator=True
    )
    new = both["_merge"].eq("left_only")
    parts = [_changed(both[new], "create", "progress")]
    parts += [_changed(both[~new & _differs(both, field)], "update", field) for field in STATE]
    rows = pd.concat(parts).sort_index(kind="stable")
    return filled(rows.assign(kind="attempt", name=rows["course"].map(names)))


def filled(rows: pd.DataFrame) -> pd.DataFrame:
    """PLAN_COLUMNS of a table that has some of them: as text, empty where there is nothing."""
    return rows.reindex(columns=PLAN_COLUMNS).astype("str").fillna("").reset_index(drop=True)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, str]]:
    """The fields of a body that differ, as texts."""
    return [
        {"field": name, "before": _text(before.get(name)), "after": _text(after.get(name))}
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _differs(both: pd.DataFrame, field: str) -> pd.Series:
    now, before = both[field], both[f"{field}_before"]
    return ~(now.eq(before).fillna(value=False).astype(bool) | (now.isna() & before.isna()))


def _changed(both: pd.DataFrame, action: str, field: str) -> pd.DataFrame:
    """The rows of a field; one that is created has no state before."""
    before = in_words(both[f"{field}_before"], field) if action == "update" else ""
    new_attempt = both["force_new"].astype(bool).map({True: ", with forceNew", False: ""})
    return pd.DataFrame(
        {
            "action": action,
            "course": both["course"],
            "learner": both["learner"],
            "attempt": both["number"].astype("str"),
            "field": field,
            "before": before,
            "after": in_words(both[field], field),
            "why": both["rule"] + new_attempt,
        },
        index=both.index,
    )


def in_words(values: pd.Series, field: str) -> pd.Series:
    """The values of a field of an attempt's state, as texts."""
    if field in _TIMES:
        return pd.Series(iso_times(values.astype("int64")), index=values.index, dtype="str")
    if field == "completed":
        return values.astype(bool).map({True: "yes", False: "no"})
    return values.astype("Int64").astype("str")
