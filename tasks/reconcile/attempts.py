"""Reconciling: learners' attempts in 360Learning beside what Coursera says, learner by learner."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from connectors.errors import AccessError
from connectors.ledger.keys import keyed
from tasks.extract.learning360 import addresses, as_one, attempts_on
from tasks.reconcile.courses import RemoteCourses
from tasks.reporting.summary import Counts
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.statistics.compare import map_part, with_unseen
from tasks.statistics.ledger_state import LedgerState, accepted_between
from tasks.statistics.parts import Part
from tasks.statistics.target_parts import TargetParts
from tasks.transform.comparison import (
    DIFFERENCES,
    LAUNCH,
    ONLY,
    Compared,
    compare_attempts,
    expected_attempts,
    found_attempts,
)
from tasks.transform.statistics.attempts import HELD, merge

#: Without these no attempt can be told by its learner.
ATTEMPT_SCOPES = ("courseStats:read", "users:read")


class RemoteAttempts:
    """What 360Learning holds of learners. A plain class, so that Prefect does not walk through it.

    ``attempts``: see `tasks.extract.learning360.REMOTE_COLUMNS`, learner and course as categories, for there
    are many, and their key (int64); ``learners``: the addresses that 360Learning knows; ``courses``: the
    courses (externalIds) that it has.
    """

    def __init__(self, attempts: pd.DataFrame, learners: set[str], courses: RemoteCourses) -> None:
        self.attempts = keyed(attempts).astype({"learner": "category", "course": "category"})
        self.learners = learners
        self.courses = courses

    @property
    def all(self) -> pd.DataFrame:
        """All of them: REMOTE_COLUMNS, and key."""
        return self.attempts.astype({"learner": "str", "course": "str"})

    def between(self, first: int, last: int) -> pd.DataFrame:
        """The attempts whose keys lie between two, both included: REMOTE_COLUMNS, and key."""
        theirs = self.attempts.loc[self.attempts["key"].between(first, last)]
        return theirs.astype({"learner": "str", "course": "str"}).reset_index(drop=True)


def is_comparable(missing_scopes: Sequence[str]) -> bool:
    """Whether attempts can be compared without these scopes."""
    return not set(missing_scopes).intersection(ATTEMPT_SCOPES)


def require_comparable(missing_scopes: Sequence[str], *, required: bool) -> None:
    """Raise AccessError where attempts cannot be compared, and that is required."""
    without = [scope for scope in ATTEMPT_SCOPES if scope in missing_scopes]
    if without and required:
        raise AccessError(
            f"360Learning does not grant {', '.join(without)} to LEARNING360_CLIENT_ID: without reading back "
            "what it holds there is nothing to repair or to adopt."
        )


@step("read back the attempts that 360Learning holds")
async def read_remote_attempts(run: RunContext, courses: RemoteCourses) -> RemoteAttempts:
    """Read all attempts on the integration's courses."""
    learners = await addresses(run.learning360)
    attempts = await as_one(attempts_on(run.learning360, courses.by_id, learners))
    return RemoteAttempts(attempts, set(learners.values()), courses)


@step("compare learners' progress with what 360Learning holds")
async def compare_remote(
    run: RunContext, part: Part, parts: TargetParts, remote: RemoteAttempts, *, repair: bool, shows_all: bool
) -> pd.DataFrame:
    """Compare the learners' courses of a part; returns what to send to ``repair`` (SENT_COLUMNS).

    What a reading does not show can only be said to be missing at Coursera where it ``shows_all``.
    """
    found = map_part(part, parts.rules)
    state = LedgerState.load(run.ledger, run.target.id, found.keys, parts.addresses)
    enrollments = with_unseen(found.enrollments, state.enrollments)
    merged, _ = merge(enrollments, state.accepted, launch_rule=parts.rules.launch_rule)
    accepted, theirs = state.accepted, remote.between(part.first, part.last)
    if shows_all:
        others = accepted_between(run.ledger, run.target.id, part, parts.addresses)
        others = others.loc[~others["key"].isin(found.keys["key"])]
        accepted = pd.concat([accepted, others], ignore_index=True)
    else:
        theirs = theirs.loc[theirs["key"].isin(found.keys["key"])].reset_index(drop=True)
    expected = expected_attempts(merged, accepted)
    compared = compare_attempts(expected, theirs, launch_rule=parts.rules.launch_rule)
    send = compared.repairable if repair else compared.repairable.iloc[:0]
    _tell(run, compared, remote)
    run.recorder.add(found.counts + _count(len(found.enrollments), merged, send))
    run.recorder.reject(found.unmappable["reason"])
    return send


def _count(shown: int, merged: pd.DataFrame, send: pd.DataFrame) -> Counts:
    """Every row that was read is in one attempt, whose first row is counted by what becomes of it.

    Attempts that are sent though no row was read of them are extracted, too. All others are unchanged: they
    are the same on both sides, or nothing is sent that would change that.
    """
    spoken_for = merged["rows"].gt(0)
    is_held = merged["action"].eq(HELD)
    return Counts(
        extracted=shown + int(send["rows"].eq(0).sum()),
        merged=shown - int(spoken_for.sum()),
        held=int((spoken_for & is_held).sum()),
        unchanged=int((spoken_for & ~is_held).sum()) - int(send["rows"].gt(0).sum()),
    )


def _tell(run: RunContext, compared: Compared, remote: RemoteAttempts) -> None:
    sorts = Counter(compared.attempts["difference"])
    sorts[ONLY] += len(compared.remote_only)

    found = found_attempts(
        compared, remote.courses.names, learners=remote.learners, courses=remote.courses.bodies
    )
    launches = found["difference"].eq(LAUNCH)
    found = pd.concat([found.loc[~launches], found.loc[launches]], ignore_index=True)
    run.recorder.differ(found, {sort: sorts[sort] for sort in DIFFERENCES})
