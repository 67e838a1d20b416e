"""Runs: who runs, holds a stream's lock, and how it ended."""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, select, update

from connectors.ledger.schema import runs


@dataclass(frozen=True)
class NewRun:
    """A run that begins; ``holder_label`` says in words who it is, for those who may wait for it.

    ``part_of`` is the run whose work it shares.
    """

    id: str
    target_id: int
    flow: str
    holder_label: str
    dry_run: bool
    started_at: int
    part_of: str | None = None


def start_run(db: Connection, run: NewRun) -> None:
    """Note that a run has begun."""
    values = asdict(run)
    values["holder"] = values.pop("holder_label")
    db.execute(insert(runs).values(**values, state="running"))


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


def runs_of_parts(db: Connection, run_id: str) -> list[str]:
    """The runs that shared a run's work."""
    return list(db.scalars(select(runs.c.id).filter_by(part_of=run_id)))


def summaries_of_parts(db: Connection, run_id: str) -> list[str]:
    """The summaries (JSON) of the ended runs that shared a run's work."""
    query = select(runs.c.summary).filter_by(part_of=run_id)
    return list(db.scalars(query.where(runs.c.summary.is_not(None))))


def finish_run(db: Connection, run_id: str, state: str, summary: str, now_ms: int) -> None:
    """Note how a run ended; ``summary`` is its JSON."""
    values = {"state": state, "summary": summary, "ended_at": now_ms}
    db.execute(update(runs).where(runs.c.id == run_id).values(**values))
