"""Parts of a run's reading that runs on other workers work on: put down by one, taken up by the others."""

import io

import pandas as pd
from sqlalchemy import Connection, delete, insert, select

from connectors.ledger.schema import shares


def put_down(
    db: Connection, place: tuple[str, int, int], target_id: int, rows: pd.DataFrame, rejected: pd.DataFrame
) -> None:
    """Put down a part for a worker; ``place``: the run that shares it, the worker, the part's number."""
    own = dict(zip(("run_id", "worker", "number"), place, strict=True)) | {"target_id": target_id}
    db.execute(insert(shares).values(**own, rows=_packed(rows), rejects=_packed(rejected)))


def numbers(db: Connection, run_id: str, worker: int) -> list[int]:
    """The parts of a worker that are not settled."""
    query = select(shares.c.number).filter_by(run_id=run_id, worker=worker)
    return list(db.scalars(query.order_by(shares.c.number)))


def take_up(db: Connection, run_id: str, worker: int, number: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a part, and what was rejected of the same learners' courses."""
    query = select(shares.c.rows, shares.c.rejects).filter_by(run_id=run_id, worker=worker, number=number)
    rows, rejected = db.execute(query).tuples().one()
    return pd.read_parquet(io.BytesIO(rows)), pd.read_parquet(io.BytesIO(rejected))


def settled(db: Connection, run_id: str, worker: int) -> None:
    """Forget the parts of a worker: all that they led to has been settled."""
    db.execute(delete(shares).where(shares.c.run_id == run_id, shares.c.worker == worker))


def left(db: Connection, target_id: int) -> list[tuple[str, int]]:
    """The runs and workers that have not settled all of their parts."""
    query = select(shares.c.run_id, shares.c.worker).filter_by(target_id=target_id).distinct()
    return [(row.run_id, row.worker) for row in db.execute(query)]


def drop(db: Connection, target_id: int) -> None:
    """Forget all parts of a target."""
    db.execute(delete(shares).where(shares.c.target_id == target_id))


def lock_name(run_id: str, worker: int) -> str:
    """What the lock is called that a worker holds while it works on its share."""
    return f"{run_id[:12]}-{worker}"


def _packed(rows: pd.DataFrame) -> bytes:
    return rows.to_parquet(compression="zstd")
