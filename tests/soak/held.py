"""What 360Learning holds, in the oracle's terms, and how it differs from what it must hold."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import zip_longest

from sandbox.learning360.attempts import Attempt
from sandbox.values import iso
from tests.soak.oracle import Key, State
from tests.soak.world import Customer

Attempts = dict[Key, list[State]]


def statistics_of(customer: Customer) -> Attempts:
    """The attempts that came of statistics, in the order of their making."""
    return _of_origin(customer, "statistic")


def launches_of(customer: Customer) -> Attempts:
    """The attempts that came of launches."""
    return _of_origin(customer, "launch")


def differing(expected: Attempts, held: Attempts) -> Iterator[str]:
    """Each learner's course of which another thing is held than expected, in words."""
    for key in sorted(expected.keys() | held.keys()):
        if expected.get(key, []) != held.get(key, []):
            yield f"{key[0]} on {key[1]}: expected {_told(expected, key)}, held {_told(held, key)}"


def out_of_bounds(before: Attempts, after: Attempts, held: Attempts) -> Iterator[str]:
    """The same while a day is not healed: nothing may be less than before, or more than there is to be."""
    for key in sorted(before.keys() | after.keys() | held.keys()):
        states = before.get(key, []), after.get(key, []), held.get(key, [])
        if not all(_is_between(*three) for three in zip_longest(*states)):
            bounds = f"expected {_told(before, key)} or as far as {_told(after, key)}"
            yield f"{key[0]} on {key[1]}: {bounds}, held {_told(held, key)}"


def _is_between(before: State | None, after: State | None, held: State | None) -> bool:
    """An attempt may be as it was or as it is to be, or show some of what it is to show."""
    if held is None:
        return before is None
    if after is None:
        return False
    return (before.progress if before else 1) <= held.progress <= after.progress


def in_each(attempts: Attempts, targets: int) -> Attempts:
    """What one target must hold as what so many hold: their courses are told apart by a number."""
    return {
        (person, named(course, target)): states
        for (person, course), states in attempts.items()
        for target in range(targets)
    }


def named(course: str, target: int) -> str:
    """A course in one of the targets."""
    return f"{course} in group {target}" if target else course


def _of_origin(customer: Customer, origin: str) -> Attempts:
    platform = customer.sandbox.learning360
    platform.operations.settle()
    numbers = {integration: number for number, integration in enumerate(platform.integrations)}
    people = {person.mail: person.external_id for person in customer.people}
    found: defaultdict[Key, list[State]] = defaultdict(list)
    for attempt in platform.attempts.all:
        if attempt.origin == origin:
            person = people[platform.users[attempt.user_id]["mail"]]
            course = platform.courses.by_id[attempt.course_id]
            place = person, named(course.external_id, numbers[course.integration_id])
            found[place].append(_state(attempt))
    return dict(found)


def _state(attempt: Attempt) -> State:
    is_completed = attempt.completed_ms is not None
    assert attempt.completed_ms in {None, attempt.last_ms}, "a completion is dated by the last activity"
    return State(
        attempt.first_ms, attempt.last_ms, attempt.progress, is_completed, round(attempt.time_spent_ms)
    )


def _told(attempts: Attempts, key: Key) -> str:
    return "; ".join(_words(one) for one in attempts.get(key, [])) or "nothing"


def _words(state: State) -> str:
    done = "completed" if state.completed else "open"
    return (
        f"{done} {state.progress} % from {iso(state.first_ms)} to {iso(state.last_ms)}, {state.spent_ms} ms"
    )
