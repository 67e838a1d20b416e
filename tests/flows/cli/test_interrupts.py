"""A command that is interrupted in the middle of a bulk operation: it ends, says so, leaves no process."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tasks.reporting.summary import INTERRUPTED
from tests.installation import Sync
from tests.running_server import PATIENCE_SECONDS, ROOT, eventually

COMMAND = [str(Path(sys.executable).with_name("coursera-sync")), "catalog", "--json"]

# Interrupts itself when a module is about to be imported.
INTERRUPTED_AT = """
import os, signal, sys
module, number, *arguments = sys.argv[1:]
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), int(number))
sys.meta_path.insert(0, Interrupting())
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["coursera-sync", *arguments]
from flows.cli import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["typer", "pydantic", "prefect.settings"])
def test_an_interrupt_while_modules_are_imported_ends_as_any_other(
    tmp_path: Path, module: str, number: signal.Signals
) -> None:
    environment = os.environ | {"PREFECT_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", INTERRUPTED_AT, module, str(number.value), "catalog", "--json"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert (ended.returncode, ended.stderr) == (1, f"coursera-sync: {INTERRUPTED}\n")
    (line,) = ended.stdout.splitlines()
    assert json.loads(line) == {"flow": "catalog", "state": "failed", "error": INTERRUPTED}


@pytest.fixture
def held(sync: Sync, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sync]:
    """An installation on whose platform bulk operations do not end, for a process on a Prefect of its own."""
    sync.add_courses(2)
    sync.sandbox.learning360.options.hold_operations = True
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    # Whoever runs the tests in the background has them ignore it, and a process passes that on.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield sync
    signal.signal(signal.SIGINT, before)


@contextmanager
def waiting_for_its_operation(sync: Sync) -> Iterator["subprocess.Popen[str]"]:
    """The command, leader of a process group of its own, once it looks whether its operation has ended."""
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - our own command
        COMMAND, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        try:
            eventually(lambda: sync.requests("GET", "/bulk/operations/"), lambda: process.poll() is None)
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def ends_and_says_so(process: "subprocess.Popen[str]") -> None:
    stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1, stderr
    (line,) = stdout.splitlines()
    said = json.loads(line)
    assert (said["flow"], said["state"]) == ("catalog", "failed")
    assert said["error"].startswith("Interrupted.")
    assert f"coursera-sync: {said['error']}" in stderr
    assert "Traceback" not in stderr
    with pytest.raises(ProcessLookupError):  # nobody is left in its group
        os.killpg(process.pid, 0)


def goes_on_from_there(sync: Sync) -> None:
    sync.sandbox.learning360.release()
    summary = sync.catalog()
    assert (summary.state, summary.recovered, summary.unchanged) == ("completed", 2, 2)
    assert len(sync.sandbox.learning360.operations.all) == 1
    assert len(sync.courses()) == 2


def test_ctrl_c_ends_the_run_and_its_temporary_server_and_the_next_run_goes_on(held: Sync) -> None:
    with waiting_for_its_operation(held) as process:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        ends_and_says_so(process)
    (run,) = held.ledger("runs")
    assert run["state"] == "failed"
    goes_on_from_there(held)


def test_nobody_else_gets_into_its_temporary_server(held: Sync) -> None:
    with waiting_for_its_operation(held) as process:
        path = f"/proc/{process.pid}/task/*/children"
        (server,) = (pid for one in Path("/").glob(path[1:]) for pid in one.read_text().split())
        arguments = Path(f"/proc/{server}/cmdline").read_text().split("\0")
        address = f"http://127.0.0.1:{arguments[arguments.index('--port') + 1]}/api/flows/count"
        page = {"Origin": "https://elsewhere.example"}
        answer = httpx.post(address, content=b"{}", headers=page, trust_env=False)
        asks = page | {"Access-Control-Request-Method": "POST"}
        assert httpx.options(address, headers=asks, trust_env=False).status_code == 400
        process.terminate()
        ends_and_says_so(process)
    assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (401, False)


def test_a_temporary_server_that_is_killed_leaves_no_slot_taken(held: Sync, tmp_path: Path) -> None:
    with waiting_for_its_operation(held) as process:
        os.killpg(process.pid, signal.SIGKILL)  # as a power loss does
        process.wait()
    query = "SELECT coalesce(sum(active_slots), 0) FROM concurrency_limit_v2"
    with closing(sqlite3.connect(tmp_path / "prefect" / "prefect.db")) as db:
        assert db.execute(query).fetchone() == (0,)
    goes_on_from_there(held)


def test_a_temporary_server_that_dies_is_named_and_the_runs_own_result_told(held: Sync) -> None:
    with waiting_for_its_operation(held) as process:
        (server,) = [pid for pid in _children(process.pid) if b"uvicorn" in _command_of(pid)]
        os.kill(server, signal.SIGKILL)
        held.sandbox.learning360.release()
        held.clock.advance(ms=60_000)
        stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, stderr
    said = json.loads(stdout)
    assert (said["state"], said["accepted"]) == ("completed", 2)
    assert [note for note in said["notes"] if note.startswith("Prefect's server failed")]


def _children(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(one) for thread in threads for one in thread.read_text().split()]


def _command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_sigterm_does_the_same_on_a_server_that_stays(held: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", held.prefect_api)
    with waiting_for_its_operation(held) as process:
        process.send_signal(signal.SIGTERM)
        ends_and_says_so(process)
    newest = {"sort": "START_TIME_DESC", "limit": 1}
    (run,) = httpx.post(f"{held.prefect_api}/flow_runs/filter", json=newest).raise_for_status().json()
    assert (run["name"], run["state_type"]) == ("catalog", "CRASHED")
    goes_on_from_there(held)
