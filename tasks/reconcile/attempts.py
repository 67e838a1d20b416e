"""Reconciling: learners' attempts in 360Learning beside what Coursera says, learner by learner."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from connectors.errors import AccessError
from connectors.ledger.attempts import attempted, attempts_of
from connectors.ledger.database import Ledger
from connectors.ledger.keys import keyed
from connectors.ledger.learners import move_learners
from tasks.extract.learning360 import addresses, attempts_on
from tasks.load.dispatcher import Outbox
from tasks.reconcile.courses import RemoteCourses
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.statistics.intake import Intake
from tasks.statistics.parts import ADDRESS, Part, parts, whole
from tasks.statistics.pool import NO_KEYS, Pool, known_as
from tasks.transform.comparison import (
    DIFFERENCES,
    LAUNCH,
    ONLY,
    Compared,
    compare_attempts,
    expected_attempts,
    found_attempts,
)
from tasks.transform.row_keys import Numbers
from tasks.transform.statistics.attempts import HELD, merge
from tasks.transform.statistics.learner_moves import NO_MOVES

#: Without these no attempt can be told by its learner.
ATTEMPT_SCOPES = ("courseStats:read", "users:read")
KEYS_AT_ONCE = 50_000


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

    def of(self, keys: Numbers) -> pd.DataFrame:
        """The attempts of some learners' courses: REMOTE_COLUMNS, and key."""
        theirs = self.attempts.loc[self.attempts["key"].isin(keys)]
        return theirs.astype({"learner": "str", "course": "str"}).reset_index(drop=True)


def comparable(missing_scopes: Sequence[str], *, required: bool) -> bool:
    """Whether attempts can be compared; AccessError names the scopes where that is required."""
    without = [scope for scope in ATTEMPT_SCOPES if scope in missing_scopes]
    if without and required:
        raise AccessError(
            f"360Learning does not grant {', '.join(without)} to LEARNING360_CLIENT_ID: without reading back "
            "what it holds there is nothing to repair or to adopt."
        )
    return not without


@step("read back the attempts that 360Learning holds")
async def read_remote_attempts(run: RunContext, courses: RemoteCourses) -> RemoteAttempts:
    """Read all attempts on the integration's courses."""
    learners = await addresses(run.learning360)
    attempts = await attempts_on(run.learning360, courses.by_id, learners)
    return RemoteAttempts(attempts, set(learners.values()), courses)


async def reconcile_attempts(
    run: RunContext,
    intake: Intake,
    held: RemoteAttempts,
    *,
    repair: bool,
    is_exhaustive: bool,
    outbox: Outbox,
) -> None:
    """Compare all that was read, and all that is held or known of others, part by part; repair what can be.

    What a reading does not show can only be said to be missing at Coursera where it ``is_exhaustive``.
    """
    unmapped = intake.put_aside
    run.recorder.add(extracted=len(unmapped))
    run.recorder.reject(unmapped["reason"])
    seen: list[Numbers] = []
    for part in parts(run, intake, whole(intake, is_exhaustive=is_exhaustive)):
        keys = known_as([part.rows], part.moves)
        seen.append(keys)
        await outbox.add(await compare(run, part, keys, held, repair=repair))
    if is_exhaustive:
        nothing = Part(intake.nothing, NO_KEYS, NO_KEYS, NO_MOVES, intake.nothing[ADDRESS])
        for keys in _others(run.ledger, run.target.id, held, seen):
            await outbox.add(await compare(run, nothing, keys, held, repair=repair))


def _others(
    ledger: Ledger, target_id: int, held: RemoteAttempts, seen: Sequence[Numbers]
) -> Iterator[Numbers]:
    """The learners' courses that the reading does not show, though there are attempts on this side."""
    with ledger.read() as db:
        known = attempted(db, target_id)
    every = np.union1d(known, held.attempts["key"])
    others = np.setdiff1d(every, np.concatenate([every[:0], *seen]), assume_unique=False)
    for at in range(0, len(others), KEYS_AT_ONCE):
        yield others[at : at + KEYS_AT_ONCE]


@step("compare learners' progress with what 360Learning holds")
async def compare(
    run: RunContext, part: Part, keys: Numbers, held: RemoteAttempts, *, repair: bool
) -> pd.DataFrame:
    """Compare learners' courses, of which a part has all rows or none; returns what to send to ``repair``."""
    rule = run.settings.sync.launch_rule
    pool = Pool(run, part.rows, moves=part.moves)
    merged, _ = merge(pool.enrollments, pool.accepted, launch_rule=rule)
    accepted = pool.accepted
    if part.rows.empty:
        with run.ledger.read() as db:
            accepted = attempts_of(db, run.target.id, keys)
    compared = compare_attempts(expected_attempts(merged, accepted), held.of(keys), launch_rule=rule)
    send = compared.repairable if repair else compared.repairable.iloc[:0]
    _record_differences(run, compared, held)
    _count(run, part, merged, send)
    if repair and len(part.moves):
        # What is sent of learners who moved is accepted under their new address: the ledger goes first.
        with run.ledger.begin() as db:
            moves = dict(zip(part.moves["old"], part.moves["new"], strict=True))
            move_learners(db, run.target.id, moves)
    return send


def _count(run: RunContext, part: Part, merged: pd.DataFrame, send: pd.DataFrame) -> None:
    """Every row that was read is in one attempt, whose first row is counted by what becomes of it.

    Attempts that are sent though no row was read of them are extracted, too. All others are unchanged: they
    are the same on both sides, or nothing is sent that would change that.
    """
    spoken_for = merged["rows"].gt(0)
    is_held = merged["action"].eq(HELD)
    run.recorder.add(
        extracted=len(part.rows) + int(send["rows"].eq(0).sum()),
        merged=len(part.rows) - int(spoken_for.sum()),
        held=int((spoken_for & is_held).sum()),
        unchanged=int((spoken_for & ~is_held).sum()) - int(send["rows"].gt(0).sum()),
    )


def _record_differences(run: RunContext, compared: Compared, held: RemoteAttempts) -> None:
    sorts = Counter(compared.attempts["difference"])
    sorts[ONLY] += len(compared.remote_only)

    found = found_attempts(compared, held.courses.names, learners=held.learners, courses=held.courses.bodies)
    launches = found["difference"].eq(LAUNCH)
    found = pd.concat([found.loc[~launches], found.loc[launches]], ignore_index=True)
    run.recorder.differ(found, {sort: sorts[sort] for sort in DIFFERENCES})
