"""Watermarks: from when on a stream is read next."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from connectors.ledger.database import upsert
from connectors.ledger.schema import watermarks


@dataclass(frozen=True)
class Watermark:
    """When the last good reading of a stream began, and the last one in full (epoch milliseconds)."""

    read_at: int
    read_in_full_at: int | None


def read_watermark(db: Connection, target_id: int, stream: str) -> Watermark | None:
    """A stream's watermark; None before its first good run."""
    query = select(watermarks.c.read_at, watermarks.c.read_in_full_at)
    row = db.execute(query.filter_by(target_id=target_id, stream=stream)).one_or_none()
    return None if row is None else Watermark(*row)


def move_watermark(db: Connection, target_id: int, stream: str, read_at: int, *, in_full: bool) -> None:
    """Move a stream's watermark to the moment at which a good reading began."""
    row = {"target_id": target_id, "stream": stream, "read_at": read_at}
    upsert(db, watermarks, [row | ({"read_in_full_at": read_at} if in_full else {})])
