"""Who gets into a server on loopback: this user, unasked; no page of a browser, by whatever name."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flows.server.guarded import names
from tests.running_server import RunningServer, eventually

FOREIGN = "https://elsewhere.example"
# A page's way to send JSON without asking leave first: Prefect takes a body without a type for JSON.
UNTYPED = b"{}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that nobody has given a sign-in."""
    folder = tmp_path_factory.mktemp("server")
    server = RunningServer(folder, {"SYNC_STATE_URL": f"sqlite:///{folder}/ledger.db"}, sign_in=None)
    server.start()
    yield server
    if server.is_kept():
        server.stop()


@pytest.fixture(scope="module")
def sign_in(server: RunningServer) -> str:
    return (server.home / "sign-in").read_text()


def test_it_is_made_kept_privately_and_told_with_the_address(server: RunningServer, sign_in: str) -> None:
    user, _, password = sign_in.partition(":")
    assert (user, len(password)) == ("coursera-sync", 32)
    assert (server.home / "sign-in").stat().st_mode & 0o777 == 0o600
    ready, told = server.said[-2:]
    assert f"The UI is at http://127.0.0.1:{server.port} " in ready
    assert sign_in in told


def test_our_commands_use_it_unasked(server: RunningServer) -> None:
    ended = server.command("register")
    assert (ended.returncode, "Found the work pool" in ended.stdout) == (0, True), ended.stderr
    ended = server.command("setup", "--json")
    assert "COURSERA_ORG_ID is missing" in ended.stdout, ended.stderr  # said by a run on that server
    wanted = {"flow_runs": {"name": {"any_": ["setup"]}}}
    assert server.api.post("/flow_runs/count", json=wanted, auth=basic(server)).json() == 1


def basic(server: RunningServer) -> tuple[str, str]:
    user, _, password = (server.home / "sign-in").read_text().partition(":")
    return user, password


def test_another_sign_in_than_the_servers_is_refused_in_plain_words(server: RunningServer) -> None:
    for command in ("register", "setup"):
        ended = server.command(command, PREFECT_API_AUTH_STRING="keeper:guessed")
        assert (ended.returncode, "set PREFECT_API_AUTH_STRING" in ended.stderr) == (1, True), ended.stderr


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/block_documents/filter"),
        ("POST", "/deployments/"),
        ("POST", "/flows/count"),
        ("GET", "/admin/settings"),
        ("GET", "/block_types/slug/secret/block_documents?include_secrets=true"),
    ],
)
def test_without_it_nothing_is_answered(server: RunningServer, method: str, path: str) -> None:
    answer = server.api.request(method, path, content=UNTYPED, headers={"Origin": FOREIGN})
    assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (401, False)


@pytest.mark.parametrize(
    "origin", [FOREIGN, "null", "http://127.0.0.1:1", "http://localhost.elsewhere.example"]
)
def test_no_page_of_another_origin_is_let_in(server: RunningServer, origin: str) -> None:
    asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    assert server.api.options("/flows/count", headers=asks).status_code == 400
    answer = server.api.post("/flows/count", json={}, auth=basic(server), headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/api/health", "/api/flows/count", "/api/events/in"])
def test_a_name_that_was_made_to_lead_here_is_refused(server: RunningServer, path: str) -> None:
    address = f"http://127.0.0.1:{server.port}{path}"
    foreign = f"elsewhere.example:{server.port}"
    assert server.api.get(address, headers={"Host": foreign}, auth=basic(server)).status_code == 400
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Host": foreign}
    assert server.api.get(address, headers=upgrade).status_code == 400


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_the_names_of_this_machine_are_its_own(server: RunningServer, name: str) -> None:
    page = httpx.get(
        f"http://127.0.0.1:{server.port}/", headers={"Host": f"{name}:{server.port}"}, trust_env=False
    )
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("host", "answered"),
    [("127.0.0.9", "127.0.0.9"), ("::1", "[::1]"), ("0.0.0.0", "*")],  # noqa: S104
)
def test_the_address_that_it_listens_on_is_its_name(host: str, answered: str) -> None:
    assert names(host)[0] == answered


@pytest.mark.parametrize(
    ("moment", "taken"),
    [("2026-01-31", True), ("2026-01-31T08:00:00.000Z", True), ("2026-01-31T08:00:00+01:00", True)]
    + [(wrong, False) for wrong in ("yesterday", "", "31.1.2026", "2026-31-01", "2026-01-31x")],
)
def test_a_run_with_a_moment_that_is_none_is_not_even_made(
    server: RunningServer, moment: str, *, taken: bool
) -> None:
    deployment = server.api.get("/deployments/name/backfill/backfill", auth=basic(server)).json()["id"]
    later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2999-01-01T00:00:00Z"}}
    run = {"parameters": {"active_from": moment}, "state": later}

    def answer() -> int | None:
        """Again while the server's SQLite is busy."""
        path = f"/deployments/{deployment}/create_flow_run"
        status = server.api.post(path, json=run, auth=basic(server)).status_code
        return None if status == httpx.codes.SERVICE_UNAVAILABLE else status

    assert eventually(answer) == (201 if taken else 409)


def test_it_stands_on_no_command_line_and_in_no_log(server: RunningServer, sign_in: str) -> None:
    password = sign_in.partition(":")[2].encode()
    lines = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in server.processes()]
    assert lines
    assert not any(password in line for line in lines)
    kept = [path for path in server.home.rglob("*") if path.is_file() and path.name != "sign-in"]
    assert [path for path in kept if password in path.read_bytes()] == []


def test_it_stays_and_is_not_told_again(server: RunningServer, sign_in: str) -> None:
    assert server.stop() == 0
    assert list(Path(server.environment()["XDG_STATE_HOME"]).rglob("servers/*")) == []
    server.start()
    assert (server.home / "sign-in").read_text() == sign_in
    assert sign_in not in "".join(server.said)
    assert os.fspath(server.home / "sign-in") in server.said[-1]
