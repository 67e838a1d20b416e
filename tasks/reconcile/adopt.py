"""Adoption: a ledger that was lost, or takes over from another connector, learns what 360Learning holds."""

import logging

import numpy as np
import pandas as pd

from connectors.errors import AccessError, SyncError
from connectors.learning360.errors import MissingScopeError
from connectors.ledger.attempts import accept_attempts, attempts_of
from connectors.ledger.database import Ledger
from connectors.ledger.enrollments import reset_digests
from connectors.ledger.keys import keyed, keys
from connectors.ledger.targets import Target, trust
from tasks.extract.learning360 import remote_attempts
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.transform.row_keys import KEY

RULE = "adopted: 360Learning held it before this ledger"

logger = logging.getLogger("coursera_sync.adoption")


async def ensure_adopted(run: RunContext, courses: list[str], *, fresh: bool) -> RunContext:
    """Adopt the attempts on these courses, where the ledger did not see the integration created.

    Statistics sent blindly would open every attempt a second time. ``fresh`` goes on regardless. Returns the
    run with the target as it is then.
    """
    return run.with_target(await _known(run, courses, fresh=fresh))


@step("make sure that the ledger knows what 360Learning holds")
async def _known(run: RunContext, courses: list[str], *, fresh: bool) -> Target:
    if run.target.knows_remote:
        return run.target
    if run.dry_run:
        run.note("The ledger does not know what the integration holds: a run would adopt that first")
        return run.target
    if fresh:
        run.note("Going on without knowing what the integration holds, as --fresh asks for")
        attempts = pd.DataFrame()
    else:
        attempts = await _adopted(run, courses)
    now_ms = run.clock.now_ms()
    with run.ledger.begin() as db:
        if len(attempts):
            accept_attempts(db, run.target.id, attempts, run_id=run.id, operation_id=None, now_ms=now_ms)
        target = trust(db, run.target)
    if len(attempts):
        run.note(f"Attempts that 360Learning held already, adopted into the ledger: {len(attempts)}")
    return target


def require_known(run: RunContext) -> None:
    """Raise SyncError where the ledger does not know what the integration holds: a part cannot adopt it."""
    if not run.target.knows_remote and not run.dry_run:
        raise SyncError(
            "This ledger does not know what the integration in 360Learning holds: run `coursera-sync "
            "statistics` first, which finds that out."
        )


async def _adopted(run: RunContext, courses: list[str]) -> pd.DataFrame:
    try:
        held = await remote_attempts(run, courses)
    except MissingScopeError as error:
        raise AccessError(
            "This ledger does not know what the integration in 360Learning holds: it was lost, or another "
            "connector was here before. Restore the ledger, or grant courseStats:read and users:read so that "
            "it can be read back; `coursera-sync statistics --fresh` goes on regardless, and opens attempts "
            "anew that are there already."
        ) from error
    return numbered(held)


async def adopt_attempts(run: RunContext, held: pd.DataFrame) -> RunContext:
    """Let the ledger know the attempts that 360Learning holds (REMOTE_COLUMNS) and it does not.

    An attempt is told by its learner, its course and its first activity; what the ledger knows stays. Returns
    the run with the target as it is then.
    """
    return run.with_target(await _adopt(run, held))


@step("adopt what 360Learning holds")
async def _adopt(run: RunContext, held: pd.DataFrame) -> Target:
    known_of = _known_attempts(run.ledger, run.target.id, held)
    told = [*KEY, "first_at"]
    new = held.merge(known_of[told].drop_duplicates(), on=told, how="left", indicator=True)
    new = numbered(new.loc[new["_merge"].eq("left_only")].drop(columns="_merge"))
    last = known_of.groupby(KEY)["number"].max().rename("last_number")
    beside = new.join(last, on=KEY)["last_number"].fillna(0).astype("int64")
    now_ms = run.clock.now_ms()
    with run.ledger.begin() as db:
        attempts = new.assign(number=new["number"] + beside)
        accept_attempts(db, run.target.id, attempts, run_id=run.id, operation_id=None, now_ms=now_ms)
        reset_digests(db, run.target.id)
        target = trust(db, run.target)
    run.note(f"Attempts that 360Learning held already, adopted into the ledger: {len(new)}")
    return target


def _known_attempts(ledger: Ledger, target_id: int, held: pd.DataFrame) -> pd.DataFrame:
    with ledger.read() as db:
        return attempts_of(db, target_id, np.unique(keys(held)))


def numbered(held: pd.DataFrame) -> pd.DataFrame:
    """Attempts that 360Learning holds as the ledger keeps them, numbered by their first activity.

    An attempt at 0 % is a launch's and no statistic's: it is left out.
    """
    real = held.loc[held["progress"].gt(0)].sort_values([*KEY, "first_at", "last_at"])
    number = real.groupby(KEY).cumcount() + 1
    return keyed(real.assign(number=number, external_id="", rule=RULE))
