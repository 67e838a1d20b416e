"""`coursera-sync suggest`: who the learners may be that 360Learning does not know, for a person to decide."""

import asyncio
import csv
import io
from pathlib import Path

import typer

from connectors.addresses import fold
from connectors.alias_file import COMMENT, HEADER
from connectors.errors import SettingsError
from connectors.files.csv_cells import guarded
from connectors.learning360.client import Learning360Client
from connectors.learning360.errors import MissingScopeError
from connectors.learning360.models import JsonObject
from connectors.ledger.database import open_ledger
from connectors.ledger.lookups import learner_aliases
from connectors.settings import Settings, load_settings
from connectors.target_file import by_target
from flows.cli.output.private_files import require_writable, write_privately
from flows.cli.run_flow import print_json
from tasks.runtime.handed_in import handed_in
from tasks.transform.statistics.alias_suggestions import suggestions


def suggest(path: Path, *, as_json: bool) -> None:
    """Write a private file of aliases that may be right, in the form of SYNC_ALIASES."""
    require_writable("FILE", path)
    if path.exists():
        raise SettingsError(f"{path} is there already: name a new file, to be compared with it.")
    settings = load_settings()
    with open_ledger(settings.sync.state_url) as ledger, ledger.read() as db:
        refused = {
            learner
            for target in by_target(settings)
            for learner in learner_aliases.refused_learners(db, *target.learning360.identity)
        }
    users = asyncio.run(_users(settings))
    known = {fold(str(user.get("mail") or "")) for user in users}
    unmatched = sorted(refused - known)
    found = suggestions(unmatched, users)
    write_privately(path, _file(found).encode())
    if as_json:
        counts = {"unmatched": len(unmatched), "suggested": len(found)}
        print_json({"flow": "suggest", "state": "completed", **counts})
    else:
        typer.echo(
            f"{len(found)} of {len(unmatched)} learners that 360Learning does not know may be its users.\n"
            f"Look through {path}, keep what is right, and name it in SYNC_ALIASES."
        )


async def _users(settings: Settings) -> list[JsonObject]:
    """360Learning's users, but for those deleted."""
    async with Learning360Client(settings.learning360, clock=handed_in().clock) as client:
        try:
            every = [user async for page in client.users() for user in page]
        except MissingScopeError as error:
            raise MissingScopeError(
                "360Learning does not tell its users: grant the scope users:read, or write the file of "
                "SYNC_ALIASES by hand."
            ) from error
    return [user for user in every if user.get("status") != "deleted"]


def _file(found: dict[str, list[str]]) -> str:
    """The suggestions; where there are several for one learner, none of them counts until it is chosen."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for address, mails in found.items():
        for mail in mails:
            text.write(COMMENT if len(mails) > 1 else "")
            writer.writerow([guarded(address), guarded(mail)])
    return text.getvalue()
