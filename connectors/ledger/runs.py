"""Targets, runs, watermarks and renewed tokens: the small records of the ledger."""

import hashlib
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, insert, select, update

from connectors.ledger.schema import renewed_tokens, runs, targets, watermarks
from connectors.ledger.store import upsert


@dataclass(frozen=True)
class Target:
    """An integration in a 360Learning group.

    ``key`` names the group's integration, whichever it is; ``integration_id`` is None until it is set up;
    ``trusted`` says whether the ledger knows what it holds.
    """

    id: int
    key: str
    integration_id: str | None
    trusted: bool


@dataclass(frozen=True)
class NewRun:
    """A run that begins; ``holder`` says in words who it is, for those who may wait for it.

    ``part_of`` is the run whose work it shares.
    """

    id: str
    target_id: int
    flow: str
    holder: str
    dry_run: bool
    started_at: int
    part_of: str | None = None


@dataclass(frozen=True)
class Watermark:
    """When the last good reading of a stream began, and the last one in full (epoch milliseconds)."""

    read_at: int
    read_in_full_at: int | None


def find_target(db: Connection, api_url: str, group_id: str, platform_name: str) -> Target:
    """The ledger's record of a target, made where there is none."""
    identity = {"api_url": api_url, "group_id": group_id, "platform_name": platform_name, "retired": False}
    query = select(targets.c.id, targets.c.integration_id, targets.c.trusted).filter_by(**identity)
    row = db.execute(query).one_or_none()
    if row is None:
        db.execute(insert(targets).values(**identity, trusted=False))
        row = db.execute(query).one()
    key = fingerprint(f"{api_url} {group_id} {platform_name}")[:16]
    return Target(row.id, key, row.integration_id, row.trusted)


def identity_of_target(db: Connection, run_id: str) -> tuple[str, str, str] | None:
    """The api_url, group_id and platform_name of the target that a run serves."""
    query = select(targets.c.api_url, targets.c.group_id, targets.c.platform_name)
    row = db.execute(
        query.join(runs, runs.c.target_id == targets.c.id).where(runs.c.id == run_id)
    ).one_or_none()
    return None if row is None else (row.api_url, row.group_id, row.platform_name)


def set_integration(
    db: Connection, target: Target, run_id: str, integration_id: str, *, trusted: bool
) -> Target:
    """Note which integration a target is, and whether the ledger knows what it holds.

    Where it was another one before, that one is gone with all that it held: its records are retired, and
    the target begins anew. The run becomes one of the new target's.
    """
    if target.integration_id is not None:
        target = _successor(db, target)
        db.execute(update(runs).where(runs.c.id == run_id).values(target_id=target.id))
    values = {"integration_id": integration_id, "trusted": trusted}
    db.execute(update(targets).where(targets.c.id == target.id).values(**values))
    return replace(target, integration_id=integration_id, trusted=trusted)


def _successor(db: Connection, target: Target) -> Target:
    identity = (targets.c.api_url, targets.c.group_id, targets.c.platform_name)
    row = db.execute(select(*identity).where(targets.c.id == target.id)).one()
    db.execute(update(targets).where(targets.c.id == target.id).values(retired=True))
    return find_target(db, *row)


def trust(db: Connection, target: Target) -> Target:
    """Note that the ledger knows what the integration holds, or is to go on as if it did."""
    db.execute(update(targets).where(targets.c.id == target.id).values(trusted=True))
    return replace(target, trusted=True)


def start_run(db: Connection, run: NewRun) -> None:
    """Note that a run has begun."""
    db.execute(insert(runs).values(**asdict(run), state="running"))


def holder_of(db: Connection, target_id: int, stream: str) -> str:
    """Who holds a stream's lock: the flow, since when (epoch ms) and where, as it noted itself."""
    query = select(runs.c.flow, runs.c.holder).filter_by(target_id=target_id, stream=stream, state="running")
    row = db.execute(query.order_by(runs.c.started_at.desc()).limit(1)).one_or_none()
    return "another run" if row is None else f"a {row.flow} run ({row.holder})"


def note_stream(db: Connection, run_id: str, stream: str | None) -> None:
    """Note whose lock a run holds, or that it has let go."""
    db.execute(update(runs).filter_by(id=run_id).values(stream=stream))


def note_crashed(db: Connection, target_id: int, stream: str, now_ms: int) -> None:
    """Note that the runs of a stream that never ended have died: whoever holds its lock now knows that."""
    died = update(runs).filter_by(target_id=target_id, stream=stream, state="running")
    db.execute(died.values(state="crashed", ended_at=now_ms))


def is_running(db: Connection, run_id: str) -> bool:
    """Whether a run goes on, as far as the ledger knows."""
    return db.scalar(select(runs.c.state).filter_by(id=run_id)) == "running"


def summaries_of_parts(db: Connection, run_id: str) -> list[str]:
    """The summaries (JSON) of the ended runs that shared a run's work."""
    query = select(runs.c.summary).filter_by(part_of=run_id)
    return list(db.scalars(query.where(runs.c.summary.is_not(None))))


def finish_run(db: Connection, run_id: str, state: str, summary: str, now_ms: int) -> None:
    """Note how a run ended; ``summary`` is its JSON."""
    values = {"state": state, "summary": summary, "ended_at": now_ms}
    db.execute(update(runs).where(runs.c.id == run_id).values(**values))


def read_watermark(db: Connection, target_id: int, stream: str) -> Watermark | None:
    """A stream's watermark; None before its first good run."""
    query = select(watermarks.c.read_at, watermarks.c.read_in_full_at)
    row = db.execute(query.filter_by(target_id=target_id, stream=stream)).one_or_none()
    return None if row is None else Watermark(*row)


def move_watermark(db: Connection, target_id: int, stream: str, read_at: int, *, in_full: bool) -> None:
    """Move a stream's watermark to the moment at which a good reading began."""
    row = {"target_id": target_id, "stream": stream, "read_at": read_at}
    upsert(db, watermarks, [row | ({"read_in_full_at": read_at} if in_full else {})])


def fingerprint(secret: str) -> str:
    """A digest that tells whether a setting has changed, without keeping it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def renewed_token(db: Connection, org_id: str, setting: str) -> str | None:
    """The refresh token that took the place of the setting's; None where the setting is the newer one."""
    query = select(renewed_tokens.c.refresh_token)
    return db.scalar(query.filter_by(org_id=org_id, setting_fingerprint=fingerprint(setting)))


def keep_renewed_token(db: Connection, org_id: str, setting: str, token: str, now_ms: int) -> None:
    """Keep a renewed refresh token in the place of the setting's."""
    row = {
        "org_id": org_id,
        "setting_fingerprint": fingerprint(setting),
        "refresh_token": token,
        "renewed_at": now_ms,
    }
    upsert(db, renewed_tokens, [row])
