"""One run at a time for a target and a stream, across processes and, with PostgreSQL, machines."""

import logging
import os
import socket

from connectors.clock import Clock, utc
from connectors.errors import SyncError
from connectors.ledger.database import Ledger
from connectors.ledger.lock import Lock
from connectors.ledger.records.runs import holder_of
from connectors.ledger.records.targets import Target

POLL_SECONDS = 1.0

logger = logging.getLogger("coursera_sync.run")


async def locked(ledger: Ledger, target: Target, stream: str, patience_seconds: float, clock: Clock) -> Lock:
    """Take a stream's lock; where another run has it, say who, and wait for it to end."""
    deadline = clock.monotonic() + patience_seconds
    holder = ""
    while (lock := ledger.try_lock(f"{target.key}-{stream}")) is None:
        if not holder:
            with ledger.read() as db:
                holder = holder_of(db, target.id, stream)
            logger.info("Waiting for %s to end", holder)
        if clock.monotonic() >= deadline:
            raise SyncError(
                f"The {stream} of this target is held by {holder}, which did not end within "
                f"{patience_seconds:.0f} s (SYNC_LOCK_WAIT). Run again once it has."
            )
        await clock.sleep(POLL_SECONDS)
    return lock


def here(now_ms: int) -> str:
    """Who a run is, for those who wait for it."""
    since = utc(now_ms)
    return f"since {since:%Y-%m-%d %H:%M} UTC, process {os.getpid()} on {socket.gethostname()}"
