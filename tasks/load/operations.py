"""The three kinds of bulk operation, each with its way of sending, recognising and writing down its rows."""

from collections.abc import Hashable, Sequence
from contextlib import suppress

import msgspec
import orjson
import pandas as pd
from sqlalchemy import Connection

from connectors.addresses import fold
from connectors.learning360.errors import MissingScopeError
from connectors.learning360.models import Archival, OperationType, Result, ResultIdentifier, ResultInput
from connectors.ledger.bulk_io import records
from connectors.ledger.records import courses, rejects
from connectors.ledger.records.attempts import ATTEMPT_COLUMNS, accept_attempts
from connectors.ledger.records.enrollments import record_enrollments
from connectors.ledger.records.rejects import reject_ids
from connectors.ledger.records.submissions import Submission
from connectors.ledger.streams import CATALOG, STATISTICS
from tasks.extract.learning360 import (
    find_created_attempts,
    holds_attempt,
    is_course_elsewhere,
    remote_courses,
)
from tasks.load import payloads
from tasks.load.results import course_key, statistic_key
from tasks.runtime.run_context import RunContext
from tasks.transform.timestamps import iso_times

#: What is kept of an attempt while it is sent.
SENT_COLUMNS = [*ATTEMPT_COLUMNS, "rule", "force_new"]
INTERRUPTED = "not sent: an earlier run was interrupted"
UNCERTAIN = (
    "outcome unknown: 360Learning reported no result, and courseStats:read or users:read is not granted"
)


class _Courses:
    """Rows that are told apart by their external_id, and can be sent again without harm."""

    def row_keys(self, rows: pd.DataFrame) -> Sequence[Hashable]:
        """A course is its externalId."""
        return rows["external_id"].tolist()

    def result_key(self, sent: ResultInput) -> Hashable:
        """The same, from a result's input."""
        return course_key(sent)

    async def is_made_here(self, run: RunContext, results: Sequence[Result]) -> bool | None:
        """Whether the integration's course of an externalId is the one that came of it."""
        made = next((one for one in results if one.resourceId and one.input), None)
        if made is None or made.input is None:
            return None
        course = str(made.input.externalId)
        held = await remote_courses(run.learning360, run.integration_id, [course])
        return course in held and held[course]["courseId"] == made.resourceId

    async def resolve(self, run: RunContext, rows: pd.DataFrame) -> pd.DataFrame:  # noqa: ARG002
        """Nothing to find out about rows without a result: they are sent again."""
        return rows


class CourseUpsert(_Courses):
    """Courses to create or replace: row_id, external_id, body and raw (JSON), digest, learning_seconds."""

    type: OperationType = "importExternalCourses"
    max_rows = 10_000
    label = "send courses"

    async def submit(self, run: RunContext, rows: pd.DataFrame) -> str:
        """Submit the bodies as they were planned."""
        courses = [msgspec.Raw(body) for body in rows["body"]]
        return await run.learning360.upsert_courses(run.integration_id, courses)

    def settle(self, db: Connection, run: RunContext, rows: pd.DataFrame, submission: Submission) -> None:
        """Accepted courses are known by their digest; refused ones are rejected."""
        known = rows.assign(course_id=rows["resource_id"])
        accepted, refused = known.loc[rows["accepted"]], known.loc[~rows["accepted"]]
        now_ms = run.clock.now_ms()
        courses.accept_courses(
            db, run.target.id, accepted, run_id=run.id, operation_id=submission.operation_id, now_ms=now_ms
        )
        rejects.delete(db, run.target.id, CATALOG, accepted["row_id"].tolist())
        self._reject(db, run, refused)

    def requeue(self, db: Connection, run: RunContext, submission: Submission) -> None:
        """Reject the courses: the run takes them up again."""
        self._reject(db, run, submission.rows.assign(reason=INTERRUPTED))

    def count(self, run: RunContext, rows: pd.DataFrame) -> None:
        """Count accepted and rejected rows."""
        _count(run, rows)

    def _reject(self, db: Connection, run: RunContext, rows: pd.DataFrame) -> None:
        now_ms = run.clock.now_ms()
        named = rows.assign(course=rows["external_id"], learner=None)
        rejects.upsert(db, run.target.id, CATALOG, named, run_id=run.id, now_ms=now_ms)


class CourseArchive(_Courses):
    """Courses to archive: rows with external_id."""

    type: OperationType = "archiveExternalCourses"
    max_rows = 1_000
    label = "archive courses"

    async def submit(self, run: RunContext, rows: pd.DataFrame) -> str:
        """Submit the external ids."""
        archivals: list[Archival] = [{"externalId": external_id} for external_id in rows["external_id"]]
        return await run.learning360.archive_courses(run.integration_id, archivals)

    def settle(self, db: Connection, run: RunContext, rows: pd.DataFrame, submission: Submission) -> None:
        """Archived courses are no longer live; one that was refused stays, and is archived by a later run."""
        archived = rows.loc[rows["accepted"], "external_id"].tolist()
        operation_id = submission.operation_id
        courses.archive_courses(db, run.target.id, archived, run_id=run.id, operation_id=operation_id)

    def requeue(self, db: Connection, run: RunContext, submission: Submission) -> None:
        """Nothing to write down: the courses are still live, and still missed."""

    def count(self, run: RunContext, rows: pd.DataFrame) -> None:
        """Count archived courses: they are not among the rows that were read."""
        run.recorder.add(archived=int(rows["accepted"].sum()))
        refused = int((~rows["accepted"]).sum())
        if refused:
            run.note(
                f"Courses that 360Learning did not archive, to be tried again by the next run: {refused}"
            )


class StatisticImport:
    """Attempts to create or update: SENT_COLUMNS, as `transform.statistics.attempts.merge` gives them."""

    type: OperationType = "importExternalStatistics"
    max_rows = 10_000
    label = "send progress"

    async def submit(self, run: RunContext, rows: pd.DataFrame) -> str:
        """Submit the attempts' state as it was planned."""
        states = await run.shared.packing.do(payloads.statistics, rows)
        return await run.learning360.send_statistics(run.integration_id, states)

    def row_keys(self, rows: pd.DataFrame) -> Sequence[Hashable]:
        """A statistic is its course, its learner and the first activity of its attempt."""
        begun = iso_times(rows["first_at"])
        return list(zip(rows["course"].tolist(), rows["learner"].tolist(), begun, strict=True))

    def result_key(self, sent: ResultInput) -> Hashable:
        """The same, from a result's input."""
        return statistic_key(sent)

    async def is_made_here(self, run: RunContext, results: Sequence[Result]) -> bool | None:
        """Whether one of its attempts is on a course of the integration.

        Without the scopes to look it is if no other integration has a course of that externalId.
        """
        shown = next((one for one in results if one.resourceId), results[0])
        sent = shown.input or ResultInput()
        course, learner = _value(sent.courseIdentifier), fold(_value(sent.userIdentifier))
        with suppress(MissingScopeError):
            if shown.resourceId:
                return await holds_attempt(run, learner, course, str(shown.resourceId))
        return None if await is_course_elsewhere(run, course) else True

    async def resolve(self, run: RunContext, rows: pd.DataFrame) -> pd.DataFrame:
        """Look for the attempts that should have come of forceNew rows without a result.

        Sent again blindly they could open a second attempt, so that without the scopes to look they are
        uncertain. So is the update of an attempt beside them: it would reach the next one, too, if that is
        there. All others can be sent again without harm.
        """
        doubtful = ~rows["answered"] & rows["key"].isin(rows.loc[rows["force_new"], "key"])
        if not doubtful.any():
            return rows
        try:
            found = await find_created_attempts(run, rows.loc[doubtful])
        except MissingScopeError:
            return rows.assign(uncertain=doubtful, reason=rows["reason"].mask(doubtful, UNCERTAIN))
        came = found.reindex(rows.index)
        return rows.assign(
            accepted=rows["accepted"] | came.notna(), resource_id=rows["resource_id"].mask(came.notna(), came)
        )

    def settle(self, db: Connection, run: RunContext, rows: pd.DataFrame, submission: Submission) -> None:
        """Accepted states are the attempts' own now, and their rows are known; refused ones are rejected."""
        accepted, refused = rows.loc[rows["accepted"]], rows.loc[~rows["accepted"]]
        now_ms = run.clock.now_ms()
        accept_attempts(
            db, run.target.id, accepted, run_id=run.id, operation_id=submission.operation_id, now_ms=now_ms
        )
        learners = rejects.rejected_learners(db, run.target.id, STATISTICS)
        again = accepted.loc[accepted["learner"].isin(learners)]
        rejects.delete(db, run.target.id, STATISTICS, reject_ids(again).tolist())
        self._reject(db, run, refused)
        self._know(db, run, submission, accepted)

    def requeue(self, db: Connection, run: RunContext, submission: Submission) -> None:
        """Reject the statistics, and know their rows without a digest: the run takes them up again."""
        self._reject(db, run, submission.rows.assign(reason=INTERRUPTED))
        self._know(db, run, submission, submission.rows.iloc[:0])

    def count(self, run: RunContext, rows: pd.DataFrame) -> None:
        """Count accepted and rejected rows."""
        _count(run, rows)

    def _know(self, db: Connection, run: RunContext, submission: Submission, accepted: pd.DataFrame) -> None:
        """Know the rows behind the statistics: with their digest, and so settled, only what was accepted."""
        rows = submission.enrollments
        if rows is None or rows.empty:
            return
        settled = accepted[["key", "number"]].rename(columns={"number": "attempt"})
        found = rows[["key", "attempt"]].merge(settled, how="left", indicator=True)["_merge"]
        is_settled = found.eq("both").to_numpy()
        known = rows.assign(digest=rows["digest"].where(is_settled))
        record_enrollments(db, run.target.id, known, run_id=run.id)

    def _reject(self, db: Connection, run: RunContext, rows: pd.DataFrame) -> None:
        now_ms = run.clock.now_ms()
        rejected = rows.assign(row_id=reject_ids(rows), raw=None, uncertain=_as_json(rows))
        rejects.upsert(db, run.target.id, STATISTICS, rejected, run_id=run.id, now_ms=now_ms)


def _value(identifier: ResultIdentifier | None) -> str:
    return "" if identifier is None else str(identifier.value)


def _as_json(rows: pd.DataFrame) -> pd.Series:
    """The attempts that are uncertain as JSON, so that a later run can find out about them."""
    if "uncertain" not in rows:
        return pd.Series(None, index=rows.index, dtype="str")
    columns = [name for name in SENT_COLUMNS if name != "key"]
    texts = [orjson.dumps(row).decode() for row in records(rows[columns])]
    return pd.Series(texts, index=rows.index, dtype="str").where(rows["uncertain"])


def _count(run: RunContext, rows: pd.DataFrame) -> None:
    run.recorder.add(submitted=len(rows), accepted=int(rows["accepted"].sum()))
    run.recorder.reject(rows.loc[~rows["accepted"], "reason"])
