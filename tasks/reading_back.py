"""Reading back what 360Learning holds: attempts, by learner and course as we name them."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from connectors.errors import RequestError
from connectors.learning360.answers import NotFoundError
from connectors.ledger.courses import course_ids
from tasks.run import Run

# Ids in one filter, so that its URL stays short; requests at a time, far below the platform's 50 a second.
IDS_AT_ONCE = 50
REQUESTS_AT_ONCE = 8

HELD_COLUMNS = (
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


async def held_attempts(run: Run, courses: Sequence[str]) -> pd.DataFrame:
    """All attempts that 360Learning holds on courses (externalIds): HELD_COLUMNS.

    learner, course and resource_id str; times int64 epoch milliseconds; completed bool; progress and
    time_spent int64; score Int64. Raises MissingScopeError without courseStats:read and users:read.
    """
    by_id = await _course_ids(run, courses)
    mails = {
        user["_id"]: user["mail"].strip().lower()
        async for page in run.learning360.users()
        for user in page
        if user.get("mail")
    }
    ids = list(by_id)
    attempts = [
        _held(attempt, mails, by_id)
        for at in range(0, len(ids), IDS_AT_ONCE)
        async for page in run.learning360.course_attempts(ids[at : at + IDS_AT_ONCE])
        for attempt in page
        if attempt["userId"] in mails and attempt["courseId"] in by_id
    ]
    return _frame(attempts)


async def proven(run: Run, rows: pd.DataFrame) -> pd.Series:
    """Which statistics have become attempts: resource_id by the index of the rows, those found alone.

    An attempt is told by its learner, its course and its first activity, to the millisecond.
    """
    held = await held_attempts(run, rows["course"].unique().tolist())
    told = ["learner", "course", "first_at"]
    found = rows[told].reset_index().merge(held[[*told, "resource_id"]].drop_duplicates(told), on=told)
    return found.set_index("index")["resource_id"]


async def _course_ids(run: Run, courses: Sequence[str]) -> dict[str, str]:
    """360Learning's ids of courses: from the ledger, else asked for; one that is not there has none."""
    with run.ledger.read() as db:
        known = course_ids(db, run.target.id, courses)
    gate = asyncio.Semaphore(REQUESTS_AT_ONCE)

    async def ask(external_id: str) -> tuple[str, str] | None:
        async with gate:
            try:
                course = await run.learning360.external_course(run.integration_id, external_id)
            except (NotFoundError, RequestError):
                return None
        return str(course["courseId"]), external_id

    asked = await asyncio.gather(*(ask(one) for one in courses if one not in known.values()))
    return known | dict(pair for pair in asked if pair is not None)


def _held(attempt: dict[str, Any], mails: dict[str, str], by_id: dict[str, str]) -> dict[str, Any]:
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
    frame = pd.DataFrame(attempts, columns=list(HELD_COLUMNS), dtype=object).dropna(subset="first_at")
    whole = dict.fromkeys(("first_at", "last_at", "progress", "time_spent"), "int64")
    texts = dict.fromkeys(("learner", "course", "resource_id"), "str")
    return frame.astype({**whole, **texts, "completed": "bool", "score": "Int64"})
