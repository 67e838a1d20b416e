"""Examples of what a run sends, for its report: courses by name, learners' progress without the learners."""

from collections.abc import Mapping
from typing import Any

import orjson
import pandas as pd

from connectors.ledger.bulk_io import records
from connectors.ledger.run_history import course_bodies
from tasks.reporting.recorder import Example
from tasks.runtime.run_context import Run
from tasks.transform.row_keys import KEY

# So many of each sort of change, so that one sort does not take all the room.
OF_EACH_SORT = 4
SORTS = {"create": "new", "update": "changed", "restore": "brought back"}

Body = dict[str, Any]


def show_courses(run: Run, send: pd.DataFrame, archive: pd.DataFrame) -> None:
    """Tell of courses to send (external_id, body, action) and to archive (external_id)."""
    run.story.changes.update(send["action"].map(SORTS).tolist())
    run.story.changes.update({"archived": len(archive)} if len(archive) else {})
    some = _some(send, "action", run.story.room)
    gone = archive["external_id"].head(OF_EACH_SORT).tolist()
    with run.ledger.read() as db:
        texts = course_bodies(db, run.target.id, [*some["external_id"], *gone])
    known = {external_id: orjson.loads(text) for external_id, text in texts.items()}
    run.story.show(
        Example(_name(known.get(external_id, {}), external_id), "archived") for external_id in gone
    )
    for row in records(some):
        body, external_id = orjson.loads(row["body"]), row["external_id"]
        run.story.show([Example(_name(body, external_id), _difference(known.get(external_id), body))])


def _difference(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> str:
    if before is None:
        return "new"
    fields = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return f"changed: {', '.join(fields)}" if fields else "brought back"


def show_attempts(run: Run, send: pd.DataFrame, accepted: pd.DataFrame) -> None:
    """Tell of attempts to send, and of their state before (KEY, number, progress), where there was one."""
    sorts = _sorts(send)
    run.story.changes.update(_counted(sorts))
    run.story.tenths.update(_counted(send["progress"] // 10))
    if not run.story.room:
        return
    some = _some(send.assign(sort=sorts), "sort", run.story.room)
    before = accepted[[*KEY, "number", "progress"]]
    some = some.merge(before, on=[*KEY, "number"], how="left", suffixes=("", "_before"))
    with run.ledger.read() as db:
        texts = course_bodies(db, run.target.id, some["course"].unique().tolist())
    for row in records(some):
        name = _name(orjson.loads(texts.get(row["course"], "{}")), row["course"])
        run.story.show([Example(f"{run.story.learner(row['learner'])}: {name}", _moved(row))])


def _counted(values: pd.Series) -> dict[Any, int]:
    """How many there are of each."""
    return values.value_counts().to_dict()


def _sorts(send: pd.DataFrame) -> pd.Series:
    sorts = pd.Series("went on", index=send.index, dtype="str").mask(send["force_new"], "begun")
    return sorts.mask(send["completed"], "completed")


def _moved(row: dict[str, Any]) -> str:
    before, after = row["progress_before"], "completed" if row["completed"] else f"{row['progress']} %"
    return f"new: {after}" if before is None else f"{before:.0f} % → {after}"


def _some(rows: pd.DataFrame, sort: str, most: int) -> pd.DataFrame:
    """A few rows of each sort."""
    return rows.groupby(sort, sort=False).head(OF_EACH_SORT).head(most)


def _name(body: Body, external_id: str) -> str:
    return str(body.get("name") or external_id)
