"""Locks that die with their holder: on a file for one machine, in PostgreSQL across machines."""

import hashlib
import os
from collections.abc import Callable

from filelock import FileLock, Timeout
from sqlalchemy import Engine, func, select

# What releases a lock that was taken.
Lock = Callable[[], None]


def try_file_lock(path: str) -> Lock | None:
    """Lock a file for this process; the operating system frees it when the process ends, however it ends."""
    lock = FileLock(path, mode=0o600, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    os.chmod(path, 0o600)  # noqa: PTH101 - a path as the database's URL has it
    return lock.release


def try_advisory_lock(engine: Engine, name: str) -> Lock | None:
    """Lock a number in PostgreSQL on a connection of its own; the server frees it when that one ends."""
    key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    if not connection.scalar(select(func.pg_try_advisory_lock(key))):
        connection.close()
        return None

    def release() -> None:
        connection.detach()  # back in the pool it would live on, and the lock with it
        connection.close()

    return release
