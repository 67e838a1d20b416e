"""Two workers of one pool share a backfill; PostgreSQL is behind Prefect and the ledger."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from sandbox.clock import system_clock
from sandbox.sandbox import Sandbox
from sandbox.server import running
from sandbox.snapshot import comparable, state
from sandbox.world import Sizes, World
from tests.postgres import new_database
from tests.running_server import ROOT, eventually

NOW_MS = system_clock()
PREFECT = [sys.executable, "-m", "prefect"]
PATIENCE_SECONDS = 120.0


@contextmanager
def started(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    """A process that lasts as long as the context."""
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            yield
        finally:
            process.terminate()


def ran(command: list[str], environment: dict[str, str]) -> None:
    """Run a command to its end."""
    subprocess.run(  # noqa: S603 - our own commands
        command, cwd=ROOT, env=environment, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )


def is_up(api: str) -> bool:
    """Whether the server answers."""
    try:
        return httpx.get(f"{api}/health").is_success
    except httpx.TransportError:
        return False


def customer() -> Sandbox:
    """A customer, the same each time."""
    sandbox = Sandbox(World.seeded(NOW_MS, sizes=Sizes(300, 200, 4_000)))
    sandbox.learning360.options.operation_base_ms = 1_000
    return sandbox


def held_by(sandbox: Sandbox, environment: dict[str, str], backfill: list[str]) -> object:
    """What 360Learning holds after a catalog and a backfill."""
    ours = sandbox.environment() | environment
    ran([sys.executable, "-m", "flows.cli", "setup"], ours)
    subprocess.run([sys.executable, "-m", "flows.cli", "catalog"], cwd=ROOT, env=ours, check=False)
    subprocess.run(backfill, cwd=ROOT, env=ours, check=False)  # noqa: S603 - exit 3 where rows are rejected
    return comparable(state(sandbox.learning360))["attempts"]


@pytest.mark.long
def test_two_workers_come_to_the_same_as_one(postgres: str, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    api = f"http://127.0.0.1:{port}/api"
    ours = ("COURSERA_", "LEARNING360_", "SYNC_", "PREFECT_")
    outside = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment = outside | {
        "PREFECT_API_URL": api,
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_API_DATABASE_CONNECTION_URL": new_database(postgres).replace("+psycopg", "+asyncpg"),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "SYNC_STATE_URL": new_database(postgres).replace("+psycopg", ""),
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    alone = environment | {"SYNC_STATE_URL": f"sqlite:///{tmp_path}/alone.db"}
    with ExitStack() as stack:
        serve = [*PREFECT, "server", "start", "--host", "127.0.0.1", "--port", port]
        stack.enter_context(started(serve, environment))
        eventually(lambda: is_up(api), seconds=PATIENCE_SECONDS)
        shared = stack.enter_context(running(customer()))
        workers_own = environment | shared.environment()
        ran([sys.executable, "-m", "flows.cli", "register"], workers_own)
        ran([*PREFECT, "--no-prompt", "deploy", "--all"], workers_own)
        for name in ("one", "two"):
            worker = [*PREFECT, "worker", "start", "--pool", "coursera-sync", "--name", name]
            stack.enter_context(started(worker, workers_own))
        run = [*PREFECT, "deployment", "run", "backfill/backfill", "--param", "workers=2"]
        together = held_by(shared, environment, [*run, "--param", "dry_run=false", "--watch"])
        by_itself = stack.enter_context(running(customer()))
        single = held_by(by_itself, alone, [sys.executable, "-m", "flows.cli", "backfill"])
    assert together == single
    assert most_at_once(shared) <= 3
    with psycopg.connect(environment["SYNC_STATE_URL"]) as db:
        parts = db.execute("SELECT holder FROM runs WHERE flow = 'backfill-part'").fetchall()
    assert len(parts) == 2


def most_at_once(sandbox: Sandbox) -> int:
    """How many bulk operations were under way at a time, at the most."""
    spans = [(one.created_ms, one.ends_ms) for one in sandbox.learning360.operations.all]
    return max(sum(began <= at < ended for began, ended in spans) for at, _ in spans)
