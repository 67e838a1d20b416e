"""Reading back what 360Learning holds: attempts, by learner and course as we name them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from connectors.addresses import fold
from connectors.errors import RequestError
from connectors.learning360.client import Learning360Client
from connectors.learning360.errors import NotFoundError
from connectors.ledger.records.courses import course_ids
from tasks.runtime.run_context import RunContext

# Ids in one filter, so that its URL stays short; requests at a time, far below the platform's 50 a second.
IDS_AT_ONCE = 50
REQUESTS_AT_ONCE = 8

REMOTE_COLUMNS = (
    "learner",
    "course",
    "first_at",
    "last_at",
    "completed",
    "progress",
    "time_spent",
    "score",
    "resource_id",
)


async def remote_attempts(run: RunContext, courses: Sequence[str]) -> AsyncIterator[pd.DataFrame]:
    """All attempts that 360Learning holds on courses (externalIds), some courses a frame: REMOTE_COLUMNS.

    learner, course and resource_id str; times int64 epoch milliseconds; completed bool; progress and
    time_spent int64; score Int64. Raises MissingScopeError without courseStats:read and users:read.
    """
    by_id = await _course_ids(run, courses)
    async for frame in attempts_on(run.learning360, by_id, await addresses(run.learning360)):
        yield frame


async def as_one(frames: AsyncIterator[pd.DataFrame]) -> pd.DataFrame:
    """Frames of attempts (REMOTE_COLUMNS) as one."""
    filled = [frame async for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else _frame([])


async def addresses(learning360: Learning360Client) -> dict[str, str]:
    """The addresses, in lower case, of all users by their ids; MissingScopeError without users:read."""
    return {
        user["_id"]: fold(user["mail"])
        async for page in learning360.users()
        for user in page
        if user.get("mail")
    }


async def attempts_on(
    learning360: Learning360Client, courses: Mapping[str, str], learners: Mapping[str, str]
) -> AsyncIterator[pd.DataFrame]:
    """The attempts on courses (externalIds) of learners (addresses), both by 360Learning's ids.

    REMOTE_COLUMNS, all attempts on a course in one frame; MissingScopeError without courseStats:read.
    """
    ids = list(courses)
    for at in range(0, len(ids), IDS_AT_ONCE):
        found = [
            _remote(one, learners, courses)
            async for page in learning360.course_attempts(ids[at : at + IDS_AT_ONCE])
            for one in page
            if _is_of(one, learners, courses)
        ]
        yield _frame(found)


async def find_created_attempts(run: RunContext, rows: pd.DataFrame) -> pd.Series:
    """Which statistics have come to be attempts: resource_id by the index of the rows, those found alone.

    An attempt is told by its learner, its course and its first activity, to the millisecond; an update of one
    (without ``force_new``) has come where the attempt is as far as that, too.
    """
    remote = await as_one(remote_attempts(run, rows["course"].unique().tolist()))
    told, far = ["learner", "course", "first_at"], ["progress", "completed"]
    sent = rows[[*told, *far, "force_new"]].reset_index()
    found = sent.merge(remote[[*told, *far, "resource_id"]], on=told, suffixes=("", "_remote"))
    is_as_far = found["progress"].eq(found["progress_remote"]) & found["completed"].eq(
        found["completed_remote"]
    )
    came = found.loc[found["force_new"] | is_as_far].drop_duplicates("index")
    return came.set_index("index")["resource_id"]


async def holds_attempt(run: RunContext, learner: str, course: str, resource_id: str) -> bool:
    """Whether an attempt is a learner's on our integration's course; MissingScopeError as above."""
    courses = list(await _course_ids(run, [course]))
    users = [user["_id"] async for page in run.learning360.users([learner]) for user in page]
    if not courses or not users:
        return False
    pages = run.learning360.course_attempts(courses, users)
    return resource_id in [attempt["_id"] async for page in pages for attempt in page]


async def is_course_elsewhere(run: RunContext, course: str) -> bool:
    """Whether another integration of the platform has a course of that externalId, too."""
    learning360, name = run.learning360, run.settings.learning360.platform_name
    every = [*await learning360.integrations(name), *await learning360.other_integrations(name)]
    others = [one.id for one in every if one.id != run.integration_id]
    return any([await remote_courses(learning360, other, [course]) for other in others])


async def _course_ids(run: RunContext, courses: Sequence[str]) -> dict[str, str]:
    """360Learning's ids of courses: from the ledger, else asked for; one that is not there has none."""
    with run.ledger.read() as db:
        known = course_ids(db, run.target.id, courses)
    unknown = set(courses) - set(known.values())
    asked = await remote_courses(run.learning360, run.integration_id, sorted(unknown))
    return known | {str(course["courseId"]): external_id for external_id, course in asked.items()}


async def remote_courses(
    learning360: Learning360Client, integration_id: str, external_ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The courses of the integration as 360Learning holds them, by externalId, as far as they are there."""
    gate = asyncio.Semaphore(REQUESTS_AT_ONCE)

    async def ask(external_id: str) -> dict[str, Any] | None:
        async with gate:
            try:
                return await learning360.external_course(integration_id, external_id)
            except (NotFoundError, RequestError):
                return None

    asked = await asyncio.gather(*(ask(one) for one in external_ids))
    return {one: course for one, course in zip(external_ids, asked, strict=True) if course is not None}


def _is_of(attempt: dict[str, Any], mails: Mapping[str, str], by_id: Mapping[str, str]) -> bool:
    return attempt["userId"] in mails and attempt["courseId"] in by_id


def _remote(attempt: dict[str, Any], mails: Mapping[str, str], by_id: Mapping[str, str]) -> dict[str, Any]:
    done = _ms(attempt.get("completedAt"))
    last = done or _ms(attempt.get("lastActivityAt")) or _ms(attempt.get("firstActivityAt"))
    return {
        "learner": mails[attempt["userId"]],
        "course": by_id[attempt["courseId"]],
        "first_at": _ms(attempt.get("firstActivityAt")) or last,
        "last_at": last,
        "completed": done is not None,
        "progress": int(attempt["progress"]),
        "time_spent": int(attempt["timeSpent"]),
        "score": attempt.get("score"),
        "resource_id": attempt["_id"],
    }


def _ms(moment: str | None) -> int | None:
    return None if moment is None else round(datetime.fromisoformat(moment).timestamp() * 1000)


def _frame(attempts: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(attempts, columns=list(REMOTE_COLUMNS), dtype=object).dropna(subset="first_at")
    whole = dict.fromkeys(("first_at", "last_at", "progress", "time_spent"), "int64")
    texts = dict.fromkeys(("learner", "course", "resource_id"), "str")
    return frame.astype({**whole, **texts, "completed": "bool", "score": "Int64"})
