"""Where courses are used in 360Learning, as far as its API and the scopes let it be seen.

No operation lists the paths, catalogs or libraries that a course is in. What can be seen is the name of the
group that the courses belong to, and of each course the attempts: by how many learners, out of which paths.
"""

from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from connectors.errors import SyncError
from connectors.learning360.client import Learning360Client
from connectors.learning360.errors import MissingScopeError
from connectors.ledger.records.courses import course_ids
from tasks.extract.learning360 import IDS_AT_ONCE
from tasks.runtime.run_context import RunContext

MOST_PATHS = 3

T = TypeVar("T")


@dataclass
class _Attempts:
    """Who attempted a course (360Learning's ids of learners), and out of which paths (ids)."""

    learners: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)


async def usage_by_course(run: RunContext, external_ids: Sequence[str]) -> dict[str, str]:
    """Say in words where each course is used. What cannot be seen is told as a note, and fails nothing."""
    if not external_ids or run.target.integration_id is None:
        return {}
    with run.ledger.read() as db:
        by_id = course_ids(db, run.target.id, external_ids)
    group_id = run.settings.learning360.group_id
    group = await _seen(run, "groups:read", _group(run.learning360, group_id))
    attempts = await _seen(run, "courseStats:read", _attempts(run.learning360, by_id))
    return {one: _in_words(group, None if attempts is None else attempts[one]) for one in external_ids}


async def _seen(run: RunContext, scope: str, look: Awaitable[T]) -> T | None:
    try:
        return await look
    except MissingScopeError:
        run.note(f"Course usage is incomplete: scope {scope} is not granted")
    except SyncError as error:
        run.note(f"Course usage is incomplete: {error}")
    return None


async def _group(learning360: Learning360Client, group_id: str) -> str:
    group = await learning360.group(group_id)
    return str(group["name"])


async def _attempts(learning360: Learning360Client, by_id: Mapping[str, str]) -> defaultdict[str, _Attempts]:
    """What was attempted, by externalId; ``by_id``: the externalIds by 360Learning's own ids.

    Courses whose id at 360Learning is not known show none.
    """
    ids = list(by_id)
    found: defaultdict[str, _Attempts] = defaultdict(_Attempts)
    for at in range(0, len(ids), IDS_AT_ONCE):
        async for page in learning360.course_attempts(ids[at : at + IDS_AT_ONCE]):
            for attempt in (one for one in page if one["courseId"] in by_id):
                course = found[by_id[attempt["courseId"]]]
                course.learners.add(attempt["userId"])
                course.paths |= {attempt["pathId"]} if attempt.get("pathId") else set()
    return found


def _in_words(group: str | None, attempts: _Attempts | None) -> str:
    parts = [f"group {group}"] if group else []
    if attempts is not None:
        learners = len(attempts.learners)
        parts += [_paths(sorted(attempts.paths))] if attempts.paths else []
        parts += [f"{learners} learner{'' if learners == 1 else 's'}"]
    return ", ".join(parts)


def _paths(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - MOST_PATHS} more" if len(ids) > MOST_PATHS else ""
    return f"path{'' if len(ids) == 1 else 's'} {' '.join(ids[:MOST_PATHS])}{more}"
