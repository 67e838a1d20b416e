"""Rows of a run's that runs on other workers work on: put down by the one, taken up by the others."""

import io

import pandas as pd
from sqlalchemy import Connection, delete, insert, select

from connectors.ledger.schema import shares


def put_down(
    db: Connection, run_id: str, target_id: int, worker: int, number: int, rows: pd.DataFrame
) -> None:
    """Put down the rows of a worker, a number for each batch of them."""
    packed = rows.to_parquet(compression="zstd")
    own = {"run_id": run_id, "worker": worker, "number": number, "target_id": target_id}
    db.execute(insert(shares).values(**own, rows=packed))


def numbers(db: Connection, run_id: str, worker: int) -> list[int]:
    """The batches of a worker that are not settled."""
    query = select(shares.c.number).filter_by(run_id=run_id, worker=worker)
    return list(db.scalars(query.order_by(shares.c.number)))


def take_up(db: Connection, run_id: str, worker: int, number: int) -> pd.DataFrame:
    """The rows of a batch."""
    packed = db.scalar(select(shares.c.rows).filter_by(run_id=run_id, worker=worker, number=number))
    return pd.read_parquet(io.BytesIO(packed or b""))


def settled(db: Connection, run_id: str, worker: int) -> None:
    """Forget the batches of a worker: all that they led to has been settled."""
    db.execute(delete(shares).where(shares.c.run_id == run_id, shares.c.worker == worker))


def left(db: Connection, target_id: int) -> list[tuple[str, int]]:
    """The runs and workers that have not settled all of their batches."""
    query = select(shares.c.run_id, shares.c.worker).filter_by(target_id=target_id).distinct()
    return [(row.run_id, row.worker) for row in db.execute(query)]


def drop(db: Connection, target_id: int) -> None:
    """Forget all batches of a target."""
    db.execute(delete(shares).where(shares.c.target_id == target_id))


def lock_name(run_id: str, worker: int) -> str:
    """What the lock is called that a worker holds while it works on its share."""
    return f"{run_id[:12]}-{worker}"
