"""What a step leaves behind, as short lines in a fixed order: in full, and in brief for the golden file."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import orjson

from sandbox.learning360 import Learning360
from sandbox.learning360.attempts import Attempt
from sandbox.learning360.courses import ExternalCourse
from sandbox.values import iso

#: One learner in so many is shown in full; of the others a digest tells whether anything differs.
SHOWN_ONE_IN = 5


def in_full(platform: Learning360) -> list[str]:
    """Every course and every attempt that 360Learning holds."""
    return sorted(map(orjson_text, _course_data(platform))) + [
        line for lines in _attempts(platform).values() for line in lines
    ]


def in_brief(platform: Learning360) -> list[str]:
    """The same, so short that it can be kept and read."""
    courses = sorted(_course_line(platform, course) for course in platform.courses.by_id.values())
    return courses + [
        line for learner, lines in _attempts(platform).items() for line in _shortened(learner, lines)
    ]


def orjson_text(value: Any) -> str:
    """One value as one line of JSON, its fields in alphabetical order."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def difference(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """What is to be taken out of the lines before (`-`) and put in (`+`) to have those after."""
    old, new = set(before), set(after)
    gone, come = (
        ((line[:60], "-", line) for line in old - new),
        ((line[:60], "+", line) for line in new - old),
    )
    return [f"{sign} {line}" for _, sign, line in sorted([*gone, *come])]


def applied(before: Iterable[str], changes: Iterable[str]) -> list[str]:
    """The lines before with a difference applied to them."""
    lines = set(before)
    for change in changes:
        sign, line = change[0], change[2:]
        lines = lines - {line} if sign == "-" else lines | {line}
    return sorted(lines)


def _course_data(platform: Learning360) -> list[dict[str, Any]]:
    return [
        {"group": _group(platform, course), "archived": course.archived, "course": course.data}
        for course in platform.courses.by_id.values()
    ]


def _course_line(platform: Learning360, course: ExternalCourse) -> str:
    archived = " archived" if course.archived else ""
    place = f"{_group(platform, course)} {course.external_id[:8]}"
    return f"{place} {_digest(orjson_text(course.data))}{archived}"


def _attempts(platform: Learning360) -> dict[str, list[str]]:
    """The lines of each learner: course after course, the attempts of each in the order of their making."""
    found: defaultdict[tuple[str, str, str], list[Attempt]] = defaultdict(list)
    for attempt in platform.attempts.all:
        course = platform.courses.by_id[attempt.course_id]
        mail = platform.users[attempt.user_id]["mail"]
        found[mail, course.external_id, _group(platform, course)].append(attempt)
    lines: defaultdict[str, list[str]] = defaultdict(list)
    for (mail, external_id, group), attempts in sorted(found.items()):
        for number, attempt in enumerate(attempts, 1):
            who = f"{mail.partition('@')[0]} {group} {external_id[:8]}"
            lines[mail].append(f"{who} {number} {_attempt_text(attempt)}")
    return dict(lines)


def _attempt_text(attempt: Attempt) -> str:
    state = "open" if attempt.completed_ms is None else f"completed {iso(attempt.completed_ms)}"
    state = state.removesuffix(f" {iso(attempt.last_ms)}")
    score = "" if attempt.score is None else f" score {attempt.score}"
    dates = f"{iso(attempt.first_ms)} {iso(attempt.last_ms)}"
    return f"{attempt.origin} {dates} {attempt.progress}% {attempt.time_spent_ms:.0f}ms {state}{score}"


def _shortened(learner: str, lines: list[str]) -> list[str]:
    if int(_digest(learner), 16) % SHOWN_ONE_IN == 0:
        return lines
    completed = sum(" completed" in line for line in lines)
    name = learner.partition("@")[0]
    return [f"{name} {len(lines)} attempts, {completed} completed {_digest(learner, *lines)}"]


def _group(platform: Learning360, course: ExternalCourse) -> str:
    """The group's first word: a target is told by its group."""
    group_id = platform.integrations[course.integration_id]["groupId"]
    return str(platform.groups[group_id]["name"]).split()[0]


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:8]
