"""What the ledger knows of one learner: plain values, for a person who asks at their own terminal."""

import json
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, Select, select, union

from connectors.addresses import fold, mentions
from connectors.ledger.keys import key_of
from connectors.ledger.lookups.status import Row, readable_rows
from connectors.ledger.records import submissions
from connectors.ledger.schema import attempts, courses, enrollments, rejects, runs, targets, watermarks
from connectors.ledger.streams import STATISTICS

MOST_SIMILAR = 5

_STATE = ("first_at", "last_at", "completed", "progress", "time_spent", "score")


def targets_in_use(db: Connection) -> list[Row]:
    """The integrations that are synchronised: id, api_url, group_id, platform_name, integration_id."""
    names = ("id", "api_url", "group_id", "platform_name", "integration_id")
    return list(readable_rows(db, select(*(targets.c[name] for name in names)).filter_by(retired=False)))


def story(db: Connection, target_id: int, learner: str, course: str) -> Row:
    """All that the ledger knows of a learner on a course.

    ``read_at``: when the reports were last read; ``enrollments``: what Coursera said, each with ``seen_at``,
    when it was read like that; ``attempts``: what 360Learning accepted; ``put_aside``; ``on_the_way``.
    """
    known = {"target_id": target_id, "key": key_of(learner, course)}
    mark = select(watermarks.c.read_at).filter_by(target_id=target_id, stream=STATISTICS)
    return {
        "read_at": next((row["read_at"] for row in readable_rows(db, mark)), None),
        "enrollments": list(readable_rows(db, _enrollments(known))),
        "attempts": list(readable_rows(db, _attempts(known))),
        "put_aside": list(_rejected(db, target_id, learner, course)),
        "on_the_way": list(_on_the_way(db, target_id, learner, course)),
    }


def course_of(db: Connection, target_id: int, course: str) -> Row | None:
    """A course as the ledger knows it: course_id (360Learning's), name, live; None where it does not."""
    query = select(courses.c.course_id, courses.c.body, courses.c.live)
    row = db.execute(query.filter_by(target_id=target_id, external_id=course)).one_or_none()
    return None if row is None else {"course_id": row.course_id, "name": _name(row.body), "live": row.live}


def courses_of(db: Connection, learner: str) -> dict[str, str]:
    """The courses on which the ledger knows a learner: names by id."""
    tables = (enrollments, attempts, rejects)
    theirs = union(*(select(table.c.course).filter_by(learner=learner) for table in tables))
    ids = [course for course in db.scalars(theirs) if course]
    return {one: names[0] if (names := _names(db, one)) else one for one in sorted(ids)}


def similar_learners(db: Connection, learner: str) -> list[str]:
    """Addresses in the ledger that one may have meant: of the same name, or nearly written like that."""
    begins = learner.partition("@")[0][:2]
    tables = (enrollments, attempts, rejects)
    alike = (
        select(table.c.learner).where(table.c.learner.startswith(begins, autoescape=True)) for table in tables
    )
    found = [address for address in db.scalars(union(*alike)) if address]
    name = learner.partition("@")[0]
    same = [address for address in found if address.partition("@")[0] == name]
    near = get_close_matches(learner, found, MOST_SIMILAR, cutoff=0.8)
    return list(dict.fromkeys([*same, *near]))[:MOST_SIMILAR]


def similar_courses(db: Connection, course: str) -> dict[str, str]:
    """Courses that one may have meant: names by id, where the name or the id holds what was given."""
    query = select(courses.c.external_id, courses.c.body)
    wanted = course.casefold()
    named = {row.external_id: _name(row.body) for row in db.execute(query)}
    alike = {one: name for one, name in named.items() if wanted in f"{one} {name}".casefold()}
    return dict(list(alike.items())[:MOST_SIMILAR])


def _enrollments(known: Row) -> Select[Any]:
    names = ("program", "external_id", *_STATE, "attempt")
    query = select(*(enrollments.c[name] for name in names), runs.c.started_at.label("seen_at"))
    query = query.select_from(enrollments).filter_by(**known)
    return query.join(runs, enrollments.c.run_id == runs.c.id).order_by(enrollments.c.program)


def _attempts(known: Row) -> Select[Any]:
    names = ("number", *_STATE, "rule", "operation_id", "resource_id", "accepted_at")
    run = (runs.c.flow, runs.c.started_at.label("run_started_at"))
    query = select(*(attempts.c[name] for name in names), *run).select_from(attempts).filter_by(**known)
    return query.join(runs, attempts.c.run_id == runs.c.id).order_by(attempts.c.number)


def _rejected(db: Connection, target_id: int, learner: str, course: str) -> Iterator[Row]:
    """Rejected statistics of theirs, and rows that name them and could not be mapped."""
    names = ("row_id", "reason", "learner", "course", "raw", "uncertain", "first_at", "last_at")
    query = select(*(rejects.c[name] for name in names)).filter_by(target_id=target_id, stream=STATISTICS)
    of_course = (rejects.c.course == course) | rejects.c.course.is_(None)
    theirs = (rejects.c.learner == learner) | rejects.c.raw.is_not(None)
    named = mentions(learner)
    for row in readable_rows(db, query.where(of_course, theirs)):
        if row["raw"] is None or named.search(fold(row["raw"])):
            told = {name: row[name] for name in ("reason", "first_at", "last_at")}
            yield told | {"attempt": _number(row), "outcome_unknown": row["uncertain"] is not None}


def _number(row: Row) -> int | None:
    """The attempt's number, which a statistic's row_id ends with."""
    return None if row["learner"] is None else int(row["row_id"].rpartition("~")[2])


def _on_the_way(db: Connection, target_id: int, learner: str, course: str) -> Iterator[Row]:
    """Their statistics in operations that have not been settled."""
    for submission in submissions.left_open(db, target_id, (submissions.STATISTIC_IMPORT,)):
        rows = submission.rows
        theirs = rows.loc[rows["learner"].eq(learner) & rows["course"].eq(course)]
        for number, progress in zip(theirs["number"].tolist(), theirs["progress"].tolist(), strict=True):
            yield {"attempt": number, "progress": progress, "operation_id": submission.operation_id}


def _names(db: Connection, course: str) -> list[str]:
    return [_name(body) for body in db.scalars(select(courses.c.body).filter_by(external_id=course))]


def _name(body: str) -> str:
    return str(json.loads(body).get("name", ""))
