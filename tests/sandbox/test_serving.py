import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from sandbox.server import Sandbox, running

COMMAND = (sys.executable, "-m", "sandbox", "--courses", "40", "--learners", "10", "--enrollments", "30")


@contextmanager
def command(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", dict[str, object]]]:
    """The running command and what it announced."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def farewell(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_stop(number: signal.Signals) -> None:
    with command() as (process, announced):
        environment, control = announced["environment"], announced["control"]
        assert isinstance(environment, dict)
        with httpx.Client(trust_env=False) as client:
            assert client.get(f"{control}/environment").json() == environment
            assert client.get(environment["LEARNING360_API_URL"] + "/api/v2/users").status_code == 401
            process.send_signal(number)
            assert farewell(process) == (0, "", "")


def test_the_command_ends_with_its_parent() -> None:
    with command("--while-stdin-open") as (process, _):
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_the_command_takes_the_ports_it_is_given() -> None:
    base = free_ports(3)
    with command("--port-base", str(base)) as (process, announced):
        assert announced["control"] == f"http://127.0.0.1:{base + 2}"
        process.terminate()
        assert farewell(process)[0] == 0


def test_the_command_says_what_sizes_are_wrong() -> None:
    with subprocess.Popen([*COMMAND, "--courses", "1"], stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        code, _, err = farewell(process)
    assert code == 2
    assert err.endswith("at least 30 courses and 6 learners are needed\n")


def free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody uses."""
    for base in range(42_000, 60_000, count):
        try:
            for port in range(base, base + count):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return base
    raise AssertionError("no free ports")


def test_settings_are_there_only_while_it_is_served(sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError, match="not being served"):
        sandbox.environment()
    with running(sandbox):
        assert "COURSERA_REFRESH_TOKEN" in sandbox.environment()
        assert "COURSERA_REFRESH_TOKEN" not in sandbox.environment("client_credentials")
    with pytest.raises(RuntimeError, match="not being served"):
        sandbox.url("control")


def test_answers_are_dated_by_the_clock_that_was_handed_in(served: Sandbox, http: httpx.Client) -> None:
    for app in ("coursera", "learning360", "control"):
        assert http.get(served.url(app)).headers["date"] == "Thu, 15 Jan 2026 08:00:00 GMT"


def test_nothing_is_left_behind(sandbox: Sandbox) -> None:
    before = threading.active_count()
    with running(sandbox):
        url = sandbox.url("control")
        with httpx.Client(trust_env=False) as client:
            assert client.get(url).status_code == 200
    assert threading.active_count() == before
    with httpx.Client(trust_env=False) as client, pytest.raises(httpx.ConnectError):
        client.get(url)


def test_a_sandbox_can_be_served_again_and_keeps_its_state(sandbox: Sandbox) -> None:
    for expected in (1, 2):
        with running(sandbox), httpx.Client(base_url=sandbox.url("control"), trust_env=False) as client:
            sandbox.learning360.add_user(f"user{expected}@example.com")
            assert client.get("/state").json()["users"] == 1 + expected


def test_it_stops_at_once_with_connections_open_and_requests_under_way(sandbox: Sandbox) -> None:
    sandbox.faults.add("delay", delay_ms=60_000)
    with httpx.Client(trust_env=False) as client, running(sandbox):
        assert client.get(sandbox.url("control")).status_code == 200
        with pytest.raises(httpx.ReadTimeout):
            client.get(sandbox.url("coursera"), timeout=0.05)


def test_a_start_that_fails_says_why(sandbox: Sandbox) -> None:
    del sandbox.learning360
    before = threading.active_count()
    with pytest.raises(AttributeError, match="learning360"), running(sandbox):
        pass
    assert threading.active_count() == before
    assert sandbox.ports == {}


def test_a_block_that_fails_still_stops_it(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="of the test"), running(sandbox):
        raise ValueError("of the test")
    assert sandbox.ports == {}
