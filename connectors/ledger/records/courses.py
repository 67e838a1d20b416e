"""The courses that 360Learning has accepted."""

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Connection, Update, select, update

from connectors.ledger.bulk_io import read_frame, upsert_frame
from connectors.ledger.database import is_among
from connectors.ledger.schema import courses


def known_courses(db: Connection, target_id: int) -> pd.DataFrame:
    """All courses ever accepted.

    Columns external_id, digest str; live bool; learning_seconds float64; missing_since and missed_on str
    (ISO dates); missed_days int64.
    """
    names = (
        *("external_id", "digest", "live", "learning_seconds"),
        *("missing_since", "missed_on", "missed_days"),
    )
    query = select(*(courses.c[name] for name in names)).filter_by(target_id=target_id)
    return read_frame(db, query)


def archived_courses(db: Connection, target_id: int) -> pd.DataFrame:
    """The courses that were archived, as they were last accepted, in the order of their ids.

    Columns external_id, digest, body (JSON) str; learning_seconds float64.
    """
    names = ("external_id", "digest", "body", "learning_seconds")
    query = select(*(courses.c[name] for name in names)).filter_by(target_id=target_id, live=False)
    return read_frame(db, query.order_by(courses.c.external_id))


def course_ids(db: Connection, target_id: int, external_ids: Sequence[str]) -> dict[str, str]:
    """360Learning's ids of courses, as far as they are known: externalId by courseId."""
    query = select(courses.c.course_id, courses.c.external_id).filter_by(target_id=target_id)
    query = query.where(courses.c.course_id.is_not(None), is_among(db, courses.c.external_id, external_ids))
    return {row.course_id: row.external_id for row in db.execute(query)}


def accept_courses(
    db: Connection,
    target_id: int,
    accepted: pd.DataFrame,
    *,
    run_id: str,
    operation_id: str | None,
    now_ms: int,
) -> None:
    """Record courses that an upsert brought in: external_id, course_id, digest, body, learning_seconds."""
    columns = ["external_id", "course_id", "digest", "body", "learning_seconds"]
    marks = {"run_id": run_id, "operation_id": operation_id, "accepted_at": now_ms, "live": True}
    # Not missed_on: the day on which a course was restored stays one that does not count.
    seen = {"missing_since": None, "missed_days": 0}
    upsert_frame(db, courses, accepted[columns], target_id=target_id, **marks, **seen)


def archive_courses(
    db: Connection, target_id: int, external_ids: Sequence[str], *, run_id: str, operation_id: str | None
) -> None:
    """Record that courses were archived: they are no longer live."""
    values = {"live": False, "run_id": run_id, "operation_id": operation_id}
    db.execute(_of(db, target_id, external_ids).values(**values))


def note_missing(db: Connection, target_id: int, external_ids: Sequence[str], day: str) -> None:
    """Count one more day (ISO date) on which a complete reading missed these courses; a day counts once."""
    of_these = _of(db, target_id, external_ids)
    on_another_day = courses.c.missed_on.is_(None) | (courses.c.missed_on != day)
    count = {"missed_on": day, "missed_days": courses.c.missed_days + 1}
    db.execute(of_these.where(courses.c.missing_since.is_(None)).values(missing_since=day))
    db.execute(of_these.where(on_another_day).values(**count))


def note_present(db: Connection, target_id: int, external_ids: Sequence[str]) -> None:
    """Forget that these courses were ever missed: a reading shows them again."""
    nothing = {"missing_since": None, "missed_on": None, "missed_days": 0}
    db.execute(_of(db, target_id, external_ids).where(courses.c.missed_days > 0).values(**nothing))


def note_restored(db: Connection, target_id: int, external_ids: Sequence[str], day: str) -> None:
    """Let the grace of courses begin anew, on the day (ISO date) after this one."""
    anew = {"missing_since": None, "missed_on": day, "missed_days": 0}
    db.execute(_of(db, target_id, external_ids).values(**anew))


def _of(db: Connection, target_id: int, external_ids: Sequence[str]) -> Update:
    these = is_among(db, courses.c.external_id, external_ids)
    return update(courses).where(courses.c.target_id == target_id, these)
