"""`coursera-sync forget`: takes one person out of the ledger, without Prefect and beside no run."""

import asyncio
import sys
from contextlib import ExitStack

import typer

from connectors.addresses import fold
from connectors.errors import SettingsError, SyncError
from connectors.ledger.database import Ledger, open_ledger
from connectors.ledger.lookups.learner_lookup import targets_in_use
from connectors.ledger.records import erasure
from connectors.ledger.records.targets import known_target
from connectors.ledger.streams import STATISTICS
from connectors.settings import load_sync_settings
from flows.cli.run_flow import print_json
from tasks.runtime.handed_in import handed_in
from tasks.runtime.locks import locked

WARNING = (
    "The next statistics run brings this person back as long as Coursera reports them, and opens their "
    "attempts in 360Learning a second time: have Coursera delete them first. What 360Learning holds stays."
)
UNDER_WAY = (
    "A bulk operation with this learner is still open. Run `coursera-sync statistics`, which finds out what "
    "came of it, and forget them then. Nothing was removed."
)


def forget(learner: str, *, yes: bool, as_json: bool) -> None:
    """Remove a learner from the ledger, once it is confirmed.

    Raises SyncError where it has none of them, and while they are being sent.
    """
    learner = fold(learner)
    settings = load_sync_settings()
    with open_ledger(settings.state_url) as ledger:
        with ledger.read() as db:
            counts = erasure.known(db, learner)
            others = erasure.other_addresses(db, learner)
        if not any(counts.values()):
            raise SyncError(f"The ledger has no records of {learner}. Nothing was removed.")
        typer.echo(f"The ledger has of {learner}: {_in_words(counts)}.\n{WARNING}", err=True)
        _confirm(yes=yes)
        counts = asyncio.run(_forgotten(ledger, learner, settings.lock_wait))
    if as_json:
        print_json({"flow": "forget", "state": "completed", "learner": learner, "removed": counts})
    else:
        typer.echo(f"Removed: {_in_words(counts)}.")
    if others:
        typer.echo(f"Other addresses, perhaps of the same person: {', '.join(others)}", err=True)


def _confirm(*, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise SettingsError("Not a terminal: pass --yes to confirm. Nothing was removed.")
    if not typer.confirm("Remove them?", err=True):
        raise SyncError("Nothing was removed.")


async def _forgotten(ledger: Ledger, learner: str, patience_seconds: float) -> dict[str, int]:
    """Remove them while no run of the statistics or a backfill goes on."""
    with ExitStack() as stack:
        with ledger.read() as db:
            every = targets_in_use(db)
        for row in every:
            with ledger.read() as db:
                target = known_target(db, row["api_url"], row["group_id"], row["platform_name"])
            if target is not None:
                stack.callback(await locked(ledger, target, STATISTICS, patience_seconds, handed_in().clock))
        with ledger.begin() as db:
            if erasure.is_under_way(db, learner):
                raise SyncError(UNDER_WAY)
            counts = erasure.forget(db, learner)
        ledger.compact()
    return counts


def _in_words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {table}" for table, count in counts.items() if count)
