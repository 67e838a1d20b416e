"""What each kind of bulk operation does with a row."""

from typing import Protocol

from sandbox.clock import Clock
from sandbox.learning360 import rows
from sandbox.learning360.attempts import Attempts, Statistic
from sandbox.learning360.courses import Courses, ExternalCourse
from sandbox.learning360.operations import RowError
from sandbox.learning360.options import Learning360Options
from sandbox.learning360.schema import Check, complaint
from sandbox.values import Json, ObjectIds, parse_ms


class Platform(Protocol):
    """What the rows change, and what they are looked up in."""

    clock: Clock
    new_id: ObjectIds
    users: dict[str, Json]
    courses: Courses
    attempts: Attempts

    @property
    def options(self) -> Learning360Options:
        """What is switched on."""

    def user_of(self, mail: str) -> Json | None:
        """The account of an address."""


def upsert_course(platform: Platform, integration_id: str, row: Json) -> str:
    """Creates the course or replaces it wholly; tags and places in catalogs and libraries are left alone."""
    _expect_valid(rows.course, row)
    now_ms = platform.clock()
    course = platform.courses.find(integration_id, row["externalId"])
    if course is None:
        made = ExternalCourse(platform.new_id(), integration_id, row["externalId"], row, now_ms, now_ms)
        return platform.courses.add(made).id
    course.data = row
    course.modified_ms = now_ms
    if platform.options.upsert_revives:
        course.archived = False
    return course.id


def archive_course(platform: Platform, integration_id: str, row: Json) -> str:
    """Archives the course; one that is archived already stays so."""
    _expect_valid(rows.archived_course, row)
    course = platform.courses.find(integration_id, row["externalId"])
    if course is None:
        raise RowError(f"Course not found: {row['externalId']}")
    course.archived = True
    return course.id


def record_statistic(platform: Platform, integration_id: str, row: Json) -> str:
    """Creates or updates attempts by the documented rule."""
    _expect_valid(rows.statistic, row)
    course = _course(platform, integration_id, row["courseIdentifier"])
    user = _user(platform, row["userIdentifier"])
    score = row.get("score")
    statistic = Statistic(
        user_id=user["_id"],
        course_id=course.id,
        lang=row.get("lang", course.lang),
        progress=int(row["progress"]),
        time_spent_ms=row["timeSpent"],
        first_ms=parse_ms(row["firstActivityAt"]),
        last_ms=parse_ms(row["lastActivityAt"]),
        force_new=row.get("forceNew", False),
        score=None if score is None else round(score),
    )
    return platform.attempts.record(statistic, platform.new_id()).id


def _expect_valid(check: Check, row: Json) -> None:
    if found := complaint(check, row):
        raise RowError(f"Invalid input: {found}")


def _course(platform: Platform, integration_id: str, identifier: Json) -> ExternalCourse:
    value = identifier["value"]
    if identifier["type"] == "internalId":
        course = platform.courses.by_id.get(value)
    else:
        course = platform.courses.find(integration_id, value)
    if course is None or course.archived or course.integration_id != integration_id:
        raise RowError(f"Course not found: {value}")
    return course


def _user(platform: Platform, identifier: Json) -> Json:
    value = identifier["value"]
    user = platform.users.get(value) if identifier["type"] == "internalId" else platform.user_of(value)
    if user is None or user["status"] == "deleted":
        raise RowError("User not found")
    return user
