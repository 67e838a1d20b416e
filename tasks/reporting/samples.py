"""Examples of what a run sends, for its report: courses by name, learners' progress without the learners."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
import pandas as pd

from tasks.reporting.recorder import Example, RunRecorder
from tasks.transform.row_keys import KEY

# So many of each sort of change, so that one sort does not take all the room.
OF_EACH_SORT = 4
SORTS = {"create": "new", "update": "changed", "restore": "brought back"}

Body = dict[str, Any]
#: Gives texts by the externalIds of courses, as far as they are known.
TextsOf = Callable[[Sequence[str]], Mapping[str, str]]


def sample_archived(recorder: RunRecorder, external_ids: Sequence[str], names_of: TextsOf) -> None:
    """Tell of courses to archive; ``names_of`` gives what courses are called."""
    if not external_ids:
        return
    recorder.change({"archived": len(external_ids)})
    some = external_ids[:OF_EACH_SORT]
    names = names_of(some)
    recorder.sample([Example(names.get(one) or one, "archived") for one in some])


def sample_courses(recorder: RunRecorder, send: pd.DataFrame, bodies_of: TextsOf) -> None:
    """Tell of courses to send (external_id, body, action).

    ``bodies_of`` gives the courses as they were last accepted (JSON).
    """
    recorder.change(Counter(send["action"].map(SORTS).tolist()))
    some = _some(send, "action", recorder.room)
    texts = bodies_of(some["external_id"].tolist())
    known = {external_id: orjson.loads(text) for external_id, text in texts.items()}
    for row in some.to_dict("records"):
        body, external_id = orjson.loads(row["body"]), row["external_id"]
        recorder.sample([Example(_name(body, external_id), _difference(known.get(external_id), body))])


def _difference(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> str:
    if before is None:
        return "new"
    fields = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return f"changed: {', '.join(fields)}" if fields else "brought back"


def sample_attempts(
    recorder: RunRecorder, send: pd.DataFrame, accepted: pd.DataFrame, names_of: TextsOf
) -> None:
    """Tell of attempts to send, and of their state before (KEY, number, progress), where there was one.

    ``names_of`` gives what courses are called.
    """
    sorts = _sorts(send)
    recorder.change(_counted(sorts))
    recorder.progress(_counted(send["progress"] // 10))
    if not recorder.room:
        return
    some = _some(send.assign(sort=sorts), "sort", recorder.room)
    before = accepted[[*KEY, "number", "progress"]]
    some = some.merge(before, on=[*KEY, "number"], how="left", suffixes=("", "_before"))
    names = names_of(some["course"].unique().tolist())
    for row in some.to_dict("records"):
        name = names.get(row["course"]) or row["course"]
        recorder.sample([Example(f"{recorder.learner(row['learner'])}: {name}", _moved(row))])


def _counted(values: pd.Series) -> dict[Any, int]:
    """How many there are of each."""
    return values.value_counts().to_dict()


def _sorts(send: pd.DataFrame) -> pd.Series:
    sorts = pd.Series("went on", index=send.index, dtype="str").mask(send["force_new"], "begun")
    return sorts.mask(send["completed"], "completed")


def _moved(row: Mapping[Any, Any]) -> str:
    before, after = row["progress_before"], "completed" if row["completed"] else f"{row['progress']} %"
    return f"new: {after}" if pd.isna(before) else f"{before:.0f} % → {after}"


def _some(rows: pd.DataFrame, sort: str, most: int) -> pd.DataFrame:
    """A few rows of each sort."""
    return rows.groupby(sort, sort=False).head(OF_EACH_SORT).head(most)


def _name(body: Body, external_id: str) -> str:
    return str(body.get("name") or external_id)
