"""The ledger at a glance, for `coursera-sync status`: plain values, no frames, so that it answers at once."""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, func, select

from connectors.clock import utc
from connectors.ledger.schema import courses, rejects, runs, submissions, targets, watermarks

LAST_RUNS = 10
OPEN_STATES = ("intended", "sent")

Row = dict[str, Any]


def overview(db: Connection) -> list[Row]:
    """Each target: integration, watermarks, last runs, open operations, rejected rows by reason."""
    everything = select(targets.c.id, targets.c.group_id, targets.c.platform_name, targets.c.integration_id)
    return [_overview_of(db, row) for row in readable_rows(db, everything.filter_by(retired=False))]


def _overview_of(db: Connection, target: Row) -> Row:
    target_id = target.pop("id")
    return target | {
        "live_courses": db.scalar(
            select(func.count()).select_from(courses).filter_by(target_id=target_id, live=True)
        ),
        "watermarks": list(readable_rows(db, _watermarks(target_id))),
        "runs": [_with_summary(run) for run in readable_rows(db, _last_runs(target_id))],
        "open_operations": list(readable_rows(db, _open_operations(target_id))),
        "rejected": list(readable_rows(db, _rejected_by_reason(target_id))),
    }


def rejected_rows(db: Connection) -> Iterator[Row]:
    """Every rejected row, with the learner's address: private, for `--csv` alone."""
    in_use = select(targets.c.id).filter_by(retired=False)
    names = ("stream", "row_id", "reason", "learner", "course", "first_at", "last_at")
    query = select(*(rejects.c[name] for name in names)).where(rejects.c.target_id.in_(in_use))
    return readable_rows(db, query.order_by(rejects.c.stream, rejects.c.row_id))


def _watermarks(target_id: int) -> Select[Any]:
    return select(watermarks.c.stream, watermarks.c.read_at, watermarks.c.read_in_full_at).filter_by(
        target_id=target_id
    )


def _last_runs(target_id: int) -> Select[Any]:
    names = ("id", "flow", "dry_run", "state", "started_at", "ended_at", "summary")
    query = select(*(runs.c[name] for name in names)).filter_by(target_id=target_id)
    return query.order_by(runs.c.started_at.desc()).limit(LAST_RUNS)


def _open_operations(target_id: int) -> Select[Any]:
    names = ("type", "state", "operation_id", "row_count", "intended_at", "sent_at")
    query = select(*(submissions.c[name] for name in names)).filter_by(target_id=target_id)
    return query.where(submissions.c.state.in_(OPEN_STATES)).order_by(submissions.c.intended_at)


def _rejected_by_reason(target_id: int) -> Select[Any]:
    count = func.count().label("count")
    query = select(rejects.c.stream, rejects.c.reason, count).filter_by(target_id=target_id)
    return query.group_by(rejects.c.stream, rejects.c.reason).order_by(count.desc(), rejects.c.reason)


def readable_rows(db: Connection, query: Select[Any]) -> Iterator[Row]:
    """A query's rows as people read them, moments (``..._at``) as ISO 8601 in UTC."""
    return ({name: _readable(name, row[name]) for name in row} for row in db.execute(query).mappings())


def _readable(name: str, value: Any) -> Any:  # noqa: ANN401 - a column's value
    """Moments as ISO 8601 in UTC, to the second; all else as it is."""
    if not name.endswith("_at") or value is None:
        return value
    return utc(value).isoformat(timespec="seconds").replace("+00:00", "Z")


def _with_summary(run: Row) -> Row:
    return run | {"summary": json.loads(run["summary"]) if run["summary"] else None}
