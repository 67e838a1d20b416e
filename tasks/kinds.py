"""The three kinds of bulk operation, each with its way of sending, recognising and writing down its rows."""

from collections.abc import Hashable, Sequence
from typing import Any, cast

import orjson
import pandas as pd
from sqlalchemy import Connection

from connectors.learning360.models import Archival, OperationType, Statistic
from connectors.ledger import courses, rejects, statistics
from tasks.mapping import bodies
from tasks.mapping.outcomes import course_key, statistic_key
from tasks.run import Run


class CourseUpserts:
    """Courses to create or replace: row_id, external_id, body and raw (JSON), digest, learning_seconds."""

    type: OperationType = "importExternalCourses"
    most_rows = 10_000

    async def submit(self, run: Run, rows: pd.DataFrame) -> str:
        """Submit the bodies as they were planned."""
        fragments = [orjson.Fragment(body) for body in rows["body"]]
        return await run.learning360.upsert_courses(run.integration_id, fragments)

    def keys(self, rows: pd.DataFrame) -> Sequence[Hashable]:
        """A course is its externalId."""
        return rows["external_id"].tolist()

    def key(self, body: dict[str, Any]) -> Hashable:
        """The same, from a result's input."""
        return course_key(body)

    def settle(self, db: Connection, run: Run, rows: pd.DataFrame, operation_id: str) -> None:
        """Accepted courses are known by their digest; refused ones are put aside."""
        known = rows.assign(course_id=rows["resource_id"], course=rows["external_id"], learner=None)
        accepted, refused = known.loc[rows["accepted"]], known.loc[~rows["accepted"]]
        now_ms = run.surroundings.now_ms()
        courses.accept_courses(
            db, run.target.id, accepted, run_id=run.id, operation_id=operation_id, now_ms=now_ms
        )
        rejects.take_back(db, run.target.id, "catalog", accepted["row_id"].tolist())
        rejects.put_aside(db, run.target.id, "catalog", refused, run_id=run.id, now_ms=now_ms)

    def count(self, run: Run, rows: pd.DataFrame) -> None:
        """Count accepted and rejected rows."""
        _count(run, rows)


class CourseArchivals:
    """Courses to archive: rows with external_id."""

    type: OperationType = "archiveExternalCourses"
    most_rows = 1_000

    async def submit(self, run: Run, rows: pd.DataFrame) -> str:
        """Submit the external ids."""
        archivals: list[Archival] = [{"externalId": external_id} for external_id in rows["external_id"]]
        return await run.learning360.archive_courses(run.integration_id, archivals)

    def keys(self, rows: pd.DataFrame) -> Sequence[Hashable]:
        """A course is its externalId."""
        return rows["external_id"].tolist()

    def key(self, body: dict[str, Any]) -> Hashable:
        """The same, from a result's input."""
        return course_key(body)

    def settle(self, db: Connection, run: Run, rows: pd.DataFrame, operation_id: str) -> None:
        """Archived courses are no longer live; one that was refused stays, and is archived by a later run."""
        archived = rows.loc[rows["accepted"], "external_id"].tolist()
        courses.archive_courses(db, run.target.id, archived, run_id=run.id, operation_id=operation_id)

    def count(self, run: Run, rows: pd.DataFrame) -> None:
        """Count archived courses: they are not among the rows that were read."""
        run.summary.archived += int(rows["accepted"].sum())
        refused = int((~rows["accepted"]).sum())
        if refused:
            run.note(f"360Learning did not archive {refused} courses; the next run tries again")


class Statistics:
    """Attempts to create or update: rows as `tasks.mapping.attempts.merge` gives them."""

    type: OperationType = "importExternalStatistics"
    most_rows = 10_000

    async def submit(self, run: Run, rows: pd.DataFrame) -> str:
        """Submit the attempts' state as it was planned."""
        states = cast("list[Statistic]", bodies.statistics(rows))
        return await run.learning360.send_statistics(run.integration_id, states)

    def keys(self, rows: pd.DataFrame) -> Sequence[Hashable]:
        """A statistic is its course, its learner and the first activity of its attempt."""
        return list(zip(rows["course"], rows["learner"], bodies.iso_times(rows["first_at"]), strict=True))

    def key(self, body: dict[str, Any]) -> Hashable:
        """The same, from a result's input."""
        return statistic_key(body)

    def settle(self, db: Connection, run: Run, rows: pd.DataFrame, operation_id: str) -> None:
        """Accepted states are the attempts' own now; refused ones are put aside."""
        known = rows.assign(row_id=attempt_ids(rows), raw=None)
        accepted, refused = known.loc[rows["accepted"]], known.loc[~rows["accepted"]]
        now_ms = run.surroundings.now_ms()
        statistics.accept_attempts(
            db, run.target.id, accepted, run_id=run.id, operation_id=operation_id, now_ms=now_ms
        )
        rejects.take_back(db, run.target.id, "statistics", accepted["row_id"].tolist())
        rejects.put_aside(db, run.target.id, "statistics", refused, run_id=run.id, now_ms=now_ms)

    def count(self, run: Run, rows: pd.DataFrame) -> None:
        """Count accepted and rejected rows."""
        _count(run, rows)


def attempt_ids(attempts: pd.DataFrame) -> pd.Series:
    """What an attempt is called among the rows put aside: learner, course and number."""
    return attempts["learner"] + "~" + attempts["course"] + "~" + attempts["number"].astype("str")


def _count(run: Run, rows: pd.DataFrame) -> None:
    accepted = int(rows["accepted"].sum())
    run.summary.submitted += len(rows)
    run.summary.accepted += accepted
    run.summary.rejected += len(rows) - accepted
