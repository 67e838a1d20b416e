"""`coursera-sync explain`: the story of one learner on one course, without Prefect.

The address was given by whoever reads the answer, at their own terminal: there, and only there, it is shown.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import typer

from connectors.addresses import fold
from connectors.alias_file import load_aliases
from connectors.clock import utc
from connectors.errors import MissingSettingsError, SyncError
from connectors.ledger.database import Ledger, open_ledger
from connectors.ledger.lookups import learner_lookup
from connectors.settings import Settings, load_settings, load_sync_settings
from connectors.target_file import by_target
from flows.cli.run_flow import print_json
from tasks.extract.lookup import Answer, answer, ask_coursera, ask_learning360
from tasks.reporting.redaction import plain
from tasks.runtime.handed_in import handed_in

RULES = {
    "first statistic of an attempt": "the first real activity opens an attempt of its own, beside what a "
    "launch left",
    "update of an open attempt": "an open attempt is updated, and only ever forward",
}
HELD = "launch rule: without activity the course stays as a launch leaves it; nothing is sent"
MERGED = "the rows of several programs are one attempt: completed before open, then the most progress"
CLOSED = "a completed attempt is closed: later changes of it are not sent"
OFFLINE = "not asked (--offline)"
NO_SETTINGS = "not asked: the platforms' settings are neither in the environment nor in .env"
ELSEWHERE = "not asked: the settings name another group or integration"

Row = dict[str, Any]


def explain(learner: str, course: str, *, offline: bool, as_json: bool) -> None:
    """Print the story; where the ledger knows nothing of it, a SyncError says what may have been meant."""
    learner = fold(learner)
    sync = load_sync_settings()
    learner = load_aliases(sync.aliases).get(learner, learner)
    with open_ledger(sync.state_url) as ledger:
        told = [_told(ledger, target, learner, course) for target in _targets(ledger)]
        stories = [one for one in told if _says_something(one)]
        if not stories:
            raise SyncError(_what_may_be_meant(ledger, learner, course))
        settings = OFFLINE if offline else _settings()
        stories = [one | asyncio.run(_asked(settings, ledger, one, learner, course)) for one in stories]
    if as_json:
        ending = {"flow": "explain", "state": "completed", "learner": learner, "course": course}
        print_json(ending | {"targets": stories})
        return
    for one in stories:
        typer.echo("\n".join([plain(f"{learner} on {_named(course, one['course_name'])}"), *_lines(one)]))


def _targets(ledger: Ledger) -> list[Row]:
    with ledger.read() as db:
        return learner_lookup.targets_in_use(db)


def _told(ledger: Ledger, target: Row, learner: str, course: str) -> Row:
    """What the ledger knows, and the rules that this came of in words."""
    with ledger.read() as db:
        story = learner_lookup.story(db, target["id"], learner, course)
        known = learner_lookup.course_of(db, target["id"], course)
    return target | story | {"course_name": known and known["name"], "rules": list(_rules(story))}


def _says_something(story: Row) -> bool:
    return any(story[name] for name in ("enrollments", "attempts", "put_aside", "on_the_way"))


def _rules(story: Row) -> Iterable[str]:
    parts = [row["attempt"] for row in story["enrollments"]]
    if None in parts:
        yield HELD
    if any(parts.count(number) > 1 for number in parts if number is not None):
        yield MERGED
    for attempt in story["attempts"]:
        yield f"attempt {attempt['number']}: {RULES.get(attempt['rule'], attempt['rule'])}"
        if attempt["completed"]:
            yield f"attempt {attempt['number']}: {CLOSED}"


def _settings() -> Settings | str:
    """The settings of both platforms, or why they are not asked."""
    try:
        return load_settings()
    except MissingSettingsError:
        return NO_SETTINGS


async def _asked(settings: Settings | str, ledger: Ledger, story: Row, learner: str, course: str) -> Row:
    """What both platforms say now."""
    coursera = learning360 = Answer(said=settings if isinstance(settings, str) else ELSEWHERE)
    ours = None if isinstance(settings, str) else _of(settings, story)
    if ours is not None:
        clock = handed_in().clock
        known = [(row["program"], row["external_id"]) for row in story["enrollments"]]
        coursera, learning360 = await asyncio.gather(
            answer(lambda: ask_coursera(ours, ledger, clock, course, known)),
            answer(lambda: ask_learning360(ours, clock, story["integration_id"], learner, course)),
        )
    return {"coursera_now": asdict(coursera), "learning360_now": asdict(learning360)}


def _of(settings: Settings, target: Row) -> Settings | None:
    """The settings that are a target's; None where they name no such."""
    identity = (target["api_url"], target["group_id"], target["platform_name"])
    return next((one for one in by_target(settings) if one.learning360.identity == identity), None)


def _what_may_be_meant(ledger: Ledger, learner: str, course: str) -> str:
    with ledger.read() as db:
        theirs = learner_lookup.courses_of(db, learner)
        learners = learner_lookup.similar_learners(db, learner)
        courses = learner_lookup.similar_courses(db, course)
    if theirs:
        known = ", ".join(_named(*one) for one in theirs.items())
        return f"The ledger knows nothing of {learner} on {course}. It knows them on: {known}."
    said = f"The ledger knows no learner {learner}. Coursera's reports name them by this address once they "
    said += "are enrolled; new enrollments show after up to 48 hours."
    said += f" Similar addresses: {', '.join(learners)}." if learners else ""
    return said + (
        f" Courses like that: {', '.join(_named(*one) for one in courses.items())}." if courses else ""
    )


def _lines(story: Row) -> list[str]:
    lines = [
        ("in", f"{story['platform_name']}, group {story['group_id']}"),
        ("Coursera said", f"reports last read {_time(story['read_at'])}"),
        *(("", _enrollment(row)) for row in story["enrollments"]),
        *_now("Coursera now", story["coursera_now"], _reported),
        *(("rule", rule) for rule in story["rules"]),
        *(("sent", _accepted(row)) for row in story["attempts"]),
        *(("on its way", _on_the_way(row)) for row in story["on_the_way"]),
        *(("rejected", _rejected(row)) for row in story["put_aside"]),
        *_now("360Learning now", story["learning360_now"], _remote),
    ]
    return [f"  {label:<16} {plain(text)}" for label, text in lines]


def _now(label: str, said: Row, show: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - a function of a row
    rows = [(label, show(row)) for row in said["rows"]]
    return [*rows, *([(label, said["said"])] if said["said"] else [])]


def _enrollment(row: Row) -> str:
    part = "held" if row["attempt"] is None else f"attempt {row['attempt']}"
    return f"{_reported(row)}, so since the reading of {_time(row['seen_at'])}: {part}"


def _reported(row: Row) -> str:
    return f"program {row['program'] or '(none)'}: {_state(row)}"


def _accepted(row: Row) -> str:
    where = f"operation {row['operation_id']}" if row["operation_id"] else "no operation of ours"
    return (
        f"attempt {row['number']}: {_state(row)}, by the {row['flow']} run of "
        f"{_time(row['run_started_at'])}, {where}; accepted {_time(row['accepted_at'])}"
    )


def _on_the_way(row: Row) -> str:
    where = f"in operation {row['operation_id']}" if row["operation_id"] else "about to be sent"
    return f"attempt {row['attempt']}: {row['progress']} %, {where}; the next run finds out what came of it"


def _rejected(row: Row) -> str:
    what = "a row" if row["attempt"] is None else f"attempt {row['attempt']}"
    again = "its outcome is looked for" if row["outcome_unknown"] else "tried again"
    return (
        f"{what}: {row['reason']} (since {_time(row['first_at'])}, last {_time(row['last_at'])}; {again} by "
        "every run)"
    )


def _remote(row: Row) -> str:
    """An attempt as 360Learning's API gives it."""
    state = "completed" if row.get("completedAt") else "open"
    moments = f"{_time(row.get('firstActivityAt'))} to {_time(row.get('lastActivityAt'))}"
    return f"{state} at {row.get('progress')} %, {moments} ({row.get('_id')})"


def _state(row: Row) -> str:
    state = "completed" if row["completed"] else f"{row['progress']} %"
    return f"{state}, {_time(row['first_at'])} to {_time(row['last_at'])}"


def _named(course: str, name: str | None) -> str:
    return f"{name} ({course})" if name and name != course else course


def _time(moment: str | int | None) -> str:
    if isinstance(moment, int):
        moment = utc(moment).isoformat()
    return f"{moment[:16].replace('T', ' ')} UTC" if moment else "never"
