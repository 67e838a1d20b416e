"""Adoption: a ledger that was lost, or takes over from another connector, learns what 360Learning holds."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from connectors.errors import AccessError, SyncError
from connectors.learning360.errors import MissingScopeError
from connectors.ledger.keys import keyed, keys
from connectors.ledger.records.attempts import accept_attempts, attempts_of
from connectors.ledger.records.enrollments import reset_digests
from connectors.ledger.records.targets import trust
from tasks.extract.coursera import Reports
from tasks.extract.learning360 import remote_attempts
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.transform.row_keys import KEY

RULE = "adopted: 360Learning held it before this ledger"


async def ensure_adopted(run: RunContext, reports: Reports, *, fresh: bool = False) -> RunContext:
    """Adopt the attempts on the courses read, where the ledger did not see the integration created.

    Statistics sent blindly would open every attempt a second time. ``fresh`` goes on regardless. Returns the
    run with a target that is known: from now on, where all there is was read, else for this run alone.
    """
    if run.target.knows_remote:
        return run
    if run.dry_run:
        run.note("The ledger does not know what the integration holds: a run would adopt that first")
        return run
    if fresh:
        run.note("Going on without knowing what the integration holds, as --fresh asks for")
    else:
        await _adopt_remote(run, reports.staged.courses)
    if fresh or reports.read.is_exhaustive:
        with run.ledger.begin() as db:
            return run.with_target(trust(db, run.target))
    return run.with_target(replace(run.target, knows_remote=True))


def require_known(run: RunContext) -> None:
    """Raise SyncError where the ledger does not know what the integration holds."""
    if not run.target.knows_remote:
        raise SyncError(
            "This ledger does not know what the integration in 360Learning holds: run `coursera-sync "
            "statistics` first, which finds that out."
        )


@step("make sure that the ledger knows what 360Learning holds")
async def _adopt_remote(run: RunContext, courses: Sequence[str]) -> None:
    """Course by course, each written at once: a run that is interrupted goes on where it was."""
    new = 0
    try:
        async for remote in remote_attempts(run, courses):
            new += _record(run, remote)
    except MissingScopeError as error:
        raise AccessError(
            "This ledger does not know what the integration in 360Learning holds: it was lost, or another "
            "connector was here before. Restore the ledger, or grant courseStats:read and users:read so that "
            "it can be read back; `coursera-sync statistics --fresh` goes on regardless, and opens attempts "
            "anew that are there already."
        ) from error
    if new:
        run.note(f"Attempts that 360Learning held already, adopted into the ledger: {new}")


async def adopt_attempts(run: RunContext, remote: pd.DataFrame) -> RunContext:
    """Let the ledger know the attempts that 360Learning holds (REMOTE_COLUMNS) and it does not.

    Returns the run with a target that is known from now on.
    """
    await _adopt_all(run, remote)
    with run.ledger.begin() as db:
        reset_digests(db, run.target.id)
        return run.with_target(trust(db, run.target))


@step("adopt what 360Learning holds")
async def _adopt_all(run: RunContext, remote: pd.DataFrame) -> None:
    new = _record(run, remote)
    run.note(f"Attempts that 360Learning held already, adopted into the ledger: {new}")


def _record(run: RunContext, remote: pd.DataFrame) -> int:
    """Record attempts (REMOTE_COLUMNS) that the ledger does not know; returns how many there were.

    An attempt is told by its learner, its course and its first activity; what the ledger knows stays, and
    others are numbered on from it.
    """
    with run.ledger.read() as db:
        known = attempts_of(db, run.target.id, np.unique(keys(remote)))
    told = [*KEY, "first_at"]
    new = remote.merge(known[told].drop_duplicates(), on=told, how="left", indicator=True)
    new = numbered(new.loc[new["_merge"].eq("left_only")].drop(columns="_merge"))
    last = known.groupby(KEY)["number"].max().rename("last_number")
    beside = new.join(last, on=KEY)["last_number"].fillna(0).astype("int64")
    now_ms = run.clock.now_ms()
    with run.ledger.begin() as db:
        attempts = new.assign(number=new["number"] + beside)
        accept_attempts(db, run.target.id, attempts, run_id=run.id, operation_id=None, now_ms=now_ms)
    return len(new)


def numbered(remote: pd.DataFrame) -> pd.DataFrame:
    """Attempts that 360Learning holds as the ledger keeps them, numbered by their first activity.

    An attempt at 0 % is a launch's and no statistic's: it is left out.
    """
    real = remote.loc[remote["progress"].gt(0)].sort_values([*KEY, "first_at", "last_at"])
    number = real.groupby(KEY).cumcount() + 1
    return keyed(real.assign(number=number, external_id="", rule=RULE))
