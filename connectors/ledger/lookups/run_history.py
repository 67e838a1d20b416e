"""What the ledger tells for reports: past runs, how far learners are, what courses are called."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, select

from connectors.ledger.database import is_among, scan_eq
from connectors.ledger.schema import attempts, courses, runs


@dataclass(frozen=True)
class PastRun:
    """A run that was: when it began (epoch ms), how it ended, and its summary's counts."""

    started_at: int
    state: str
    counts: dict[str, Any]


def past_runs(db: Connection, target_id: int, flow: str, most: int) -> list[PastRun]:
    """The last runs of a flow, oldest first, dry runs and those under way left out."""
    query = select(runs.c.started_at, runs.c.state, runs.c.summary)
    query = query.filter_by(target_id=target_id, flow=flow, dry_run=False).where(runs.c.state != "running")
    rows = db.execute(query.order_by(runs.c.started_at.desc()).limit(most)).all()
    return [PastRun(row.started_at, row.state, json.loads(row.summary or "{}")) for row in reversed(rows)]


def progress_deciles(db: Connection, target_id: int, run_id: str) -> Counter[tuple[int, bool]]:
    """How many accepted attempts are at each decile of progress (10 is 100 %), and whether by this run."""
    of_run = func.sum(case((attempts.c.run_id == run_id, 1), else_=0))
    query = select(attempts.c.progress, func.count(), of_run)
    query = query.where(scan_eq(attempts.c.target_id, target_id))
    found: Counter[tuple[int, bool]] = Counter()
    for progress, every, ours in db.execute(query.group_by(attempts.c.progress)):
        found[progress // 10, True] += ours
        found[progress // 10, False] += every - ours
    return found


def course_bodies(db: Connection, target_id: int, external_ids: Sequence[str]) -> dict[str, str]:
    """The courses as they were last accepted (JSON), by external id."""
    query = select(courses.c.external_id, courses.c.body).filter_by(target_id=target_id)
    rows = db.execute(query.where(is_among(db, courses.c.external_id, external_ids)))
    return {row.external_id: row.body for row in rows}
