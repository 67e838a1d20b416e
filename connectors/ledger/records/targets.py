"""Targets: the integrations in 360Learning's groups, and whether the ledger knows what they hold."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, insert, select, update

from connectors.ledger.records.refresh_tokens import fingerprint
from connectors.ledger.schema import runs, targets


@dataclass(frozen=True)
class Target:
    """An integration in a 360Learning group.

    ``key`` names the group's integration, whichever it is; ``integration_id`` is None until it is set up;
    ``knows_remote`` says whether the ledger knows what it holds (in the column ``trusted``).
    """

    id: int
    key: str
    integration_id: str | None
    knows_remote: bool


def known_target(db: Connection, api_url: str, group_id: str, platform_name: str) -> Target | None:
    """The ledger's record of a target; None where there is none."""
    query = select(targets.c.id, targets.c.integration_id, targets.c.trusted)
    identity = {"api_url": api_url, "group_id": group_id, "platform_name": platform_name}
    row = db.execute(query.filter_by(**identity, retired=False)).one_or_none()
    if row is None:
        return None
    key = fingerprint(f"{api_url} {group_id} {platform_name}")[:16]
    return Target(row.id, key, row.integration_id, row.trusted)


def find_target(db: Connection, api_url: str, group_id: str, platform_name: str) -> Target:
    """The ledger's record of a target, made where there is none."""
    known = known_target(db, api_url, group_id, platform_name)
    if known is not None:
        return known
    identity = {"api_url": api_url, "group_id": group_id, "platform_name": platform_name}
    db.execute(insert(targets).values(**identity, retired=False, trusted=False))
    return find_target(db, api_url, group_id, platform_name)


def identity_of_target(db: Connection, run_id: str) -> tuple[str, str, str] | None:
    """The api_url, group_id and platform_name of the target that a run serves."""
    query = select(targets.c.api_url, targets.c.group_id, targets.c.platform_name)
    row = db.execute(
        query.join(runs, runs.c.target_id == targets.c.id).where(runs.c.id == run_id)
    ).one_or_none()
    return None if row is None else (row.api_url, row.group_id, row.platform_name)


def set_integration(
    db: Connection, target: Target, run_id: str, integration_id: str, *, knows_remote: bool
) -> Target:
    """Note which integration a target is, and whether the ledger knows what it holds.

    Where it was another one before, that one is gone with all that it held: its records are retired, and
    the target begins anew. The run becomes one of the new target's.
    """
    if target.integration_id is not None:
        target = _successor(db, target)
        db.execute(update(runs).where(runs.c.id == run_id).values(target_id=target.id))
    values = {"integration_id": integration_id, "trusted": knows_remote}
    db.execute(update(targets).where(targets.c.id == target.id).values(**values))
    return replace(target, integration_id=integration_id, knows_remote=knows_remote)


def _successor(db: Connection, target: Target) -> Target:
    identity = (targets.c.api_url, targets.c.group_id, targets.c.platform_name)
    row = db.execute(select(*identity).where(targets.c.id == target.id)).one()
    db.execute(update(targets).where(targets.c.id == target.id).values(retired=True))
    return find_target(db, *row)


def trust(db: Connection, target: Target) -> Target:
    """Note that the ledger knows what the integration holds, or is to go on as if it did."""
    db.execute(update(targets).where(targets.c.id == target.id).values(trusted=True))
    return replace(target, knows_remote=True)
