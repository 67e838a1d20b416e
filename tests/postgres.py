"""A PostgreSQL server of the tests' own: Debian's package, on loopback, gone when the tests end."""

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import psycopg.sql
import pytest

PACKAGED = Path("/usr/lib/postgresql")
# A test marked so runs once with its ledger on each.
BOTH_DATABASES = pytest.mark.parametrize("state_url", ["sqlite", "postgresql"], indirect=True)
# PostgreSQL refuses to run as root; the package brings this user.
USER = "postgres" if os.geteuid() == 0 else None


def programs() -> Path | None:
    """The folder of the newest installed server's programs; None where there is none."""
    installed = sorted(PACKAGED.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return installed[-1].parent if installed else None


@contextmanager
def serving(bin_folder: Path) -> Iterator[str]:
    """Serve an empty cluster while the context lasts; yields a URL without a database's name."""
    folder = Path(tempfile.mkdtemp(prefix="coursera-sync-postgres-"))
    if USER is not None:
        shutil.chown(folder, USER)
    data, port = folder / "data", _free_port()
    _run(bin_folder / "initdb", "--auth=trust", "--username=tests", "--no-sync", "-D", str(data))
    options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
    _run(bin_folder / "pg_ctl", "start", "-w", "-D", str(data), "-l", str(folder / "log"), "-o", options)
    try:
        yield f"postgresql://tests@127.0.0.1:{port}"
    finally:
        _run(bin_folder / "pg_ctl", "stop", "-m", "immediate", "-D", str(data))
        shutil.rmtree(folder)


def new_database(server_url: str) -> str:
    """The URL of a new, empty database of a server."""
    name = f"ledger_{uuid.uuid4().hex}"
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as db:
        db.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
    return f"{server_url}/{name}".replace("postgresql:", "postgresql+psycopg:")


def _run(program: Path, *arguments: str) -> None:
    subprocess.run(  # noqa: S603 - the server's own programs
        [str(program), *arguments], check=True, user=USER, cwd="/", stdout=subprocess.DEVNULL
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
