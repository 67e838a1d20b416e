"""The small server as it stands: `serve` and `register`, the deployments on a worker, alerts, limits.

One server serves all of them, in order; what takes time begins early and is looked for late.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.clock import system_clock
from sandbox.sandbox import Sandbox
from sandbox.server import running
from sandbox.world import Sizes, World
from tests.running_server import ROOT, SIGN_IN, RunningServer, eventually, last_json

DEPLOYED = {"setup", "catalog", "statistics", "backfill", "backfill-part", "reconcile", "restore"}
TIMES = {"catalog": (7, 45), "statistics": (8, 0)}
SILENCE = "a run gave no sign of life"
ALERTS = {
    "a run failed",
    "no good catalog run for 26 hours",
    "no good statistics run for 26 hours",
    "refresh token unused for 10 days",
    "many rows put aside",
    SILENCE,
}

# Takes one slot as a run does, and dies with it.
HOLDER = """
import asyncio, os, signal, sys
from prefect.concurrency.asyncio import concurrency
from tasks.load.slots import LEASE_SECONDS
async def hold():
    async with concurrency(sys.argv[1], lease_duration=LEASE_SECONDS, strict=True):
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(hold())
"""
# A run of ours whose process and whose worker die together: nobody is left to say so.
SILENT = """
import signal
from prefect import flow, tags
@flow(name="setup", flow_run_name="silent")
def wait():
    signal.pause()
with tags("coursera", "360learning"):
    wait()
"""
# A lease is 60 s, the least that Prefect's server allows; here it looks every second for those that ran out.
LEASE_PATIENCE_SECONDS = 75.0


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(World.seeded(system_clock(), sizes=Sizes(40, 10, 40)), system_clock)
    with running(sandbox):
        yield sandbox
    assert sandbox.log.errors == []


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that knows no credentials: they come from the blocks that `register` saves from elsewhere."""
    folder = tmp_path_factory.mktemp("server")
    server = RunningServer(
        folder, {"SYNC_STATE_URL": f"sqlite:///{folder}/ledger.db", "SYNC_ALERT_REJECTS": "1"}
    )
    server.start()
    yield server
    if server.is_kept():
        server.stop()


@pytest.fixture(scope="module")
def registered(server: RunningServer, sandbox: Sandbox) -> list[str]:
    """What `register` said on a machine that has the credentials."""
    sandbox.coursera.options.rotate_refresh_token = True
    ended = server.command("register", "--json", **sandbox.environment())
    assert ended.returncode == 0, ended.stderr
    done: list[str] = last_json(ended.stdout)["done"]
    return done


def alerts_of(server: RunningServer) -> dict[str, dict[str, Any]]:
    found = server.ask("/automations/filter", {})
    names = [one["name"] for one in found]
    assert len(names) == len(set(names)), "an alert is there twice"
    return {name.removeprefix("coursera-sync: "): one for name, one in zip(names, found, strict=True)}


def bulk_limit(server: RunningServer) -> dict[str, Any]:
    limits = server.ask("/v2/concurrency_limits/filter", {})
    (found,) = (one for one in limits if one["name"].startswith("360learning-bulk-"))
    assert isinstance(found, dict)
    return found


def test_the_server_runs_privately_and_says_where(server: RunningServer) -> None:
    assert server.home.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in server.home.iterdir() if path.suffix == ".log")
    assert (server.home / "encryption.key").stat().st_mode & 0o777 == 0o600
    assert any(f"The UI is at http://127.0.0.1:{server.port}" in line for line in server.said)
    page = server.api.get(f"http://127.0.0.1:{server.port}/")
    assert page.headers["content-type"].startswith("text/html")


def test_nobody_gets_in_without_the_sign_in(server: RunningServer) -> None:
    assert server.api.get("/flows/count", auth=("keeper", "guessed")).status_code in {401, 405}
    assert server.api.post("/flows/count", json={}, auth=("keeper", "guessed")).status_code == 401
    ended = server.command("register", PREFECT_API_AUTH_STRING="keeper:guessed")
    assert (ended.returncode, "PREFECT_API_AUTH_STRING" in ended.stderr) == (1, True), ended.stderr


def test_a_second_server_does_not_start_in_the_same_folder(server: RunningServer) -> None:
    ended = server.command("serve", "--home", str(server.home), "--port", str(server.port))
    assert (ended.returncode, "--port" in ended.stderr) == (2, True), ended.stderr


def test_register_says_what_it_did(registered: list[str], server: RunningServer) -> None:
    said = " ".join(registered)
    for what in ("coursera-credentials/default", "learning360-credentials/default", "Created the limit"):
        assert what in said
    assert "Found the work pool" in said
    assert bulk_limit(server)["limit"] == 3


def test_register_again_doubles_nothing_and_leaves_what_people_switched_off(
    registered: list[str], server: RunningServer, sandbox: Sandbox
) -> None:
    off = alerts_of(server)["refresh token unused for 10 days"]
    server.api.patch(f"/automations/{off['id']}", json={"enabled": False}).raise_for_status()
    ended = server.command("register", **sandbox.environment())
    assert (ended.returncode, "Created" in ended.stdout) == (0, False), ended.stdout + ended.stderr
    alerts = alerts_of(server)
    assert set(alerts) == ALERTS
    assert [name for name, one in alerts.items() if not one["enabled"]] == [
        "refresh token unused for 10 days"
    ]
    assert len(registered) == len(ended.stdout.splitlines())


def test_a_holder_of_a_slot_dies(registered: list[str], server: RunningServer) -> None:
    """Its slot stays taken for the rest of its lease; one of the last tests looks whether it came back."""
    assert registered
    command = [sys.executable, "-c", HOLDER, bulk_limit(server)["name"]]
    died = subprocess.run(command, cwd=ROOT, env=server.environment(), check=False)  # noqa: S603
    assert died.returncode == -signal.SIGKILL
    assert bulk_limit(server)["active_slots"] == 1


def test_proactive_alerts_can_be_seen_to_wait(server: RunningServer) -> None:
    """Copies of the templates that lose patience after ten seconds: later tests look whether they did."""
    for name, seconds in (("no good statistics run for 26 hours", 26 * 3600), (SILENCE, 600)):
        alert = alerts_of(server)[name]
        trigger = alert["trigger"]
        assert (trigger["posture"], trigger["within"]) == ("Proactive", seconds)
        impatient = {key: value for key, value in trigger.items() if key != "id"} | {"within": 10}
        copy = {key: alert[key] for key in ("description", "actions")}
        copy |= {"name": f"impatient: {name}", "trigger": impatient}
        server.api.post("/automations/", json=copy).raise_for_status()


def test_a_run_falls_silent(server: RunningServer) -> None:
    """It was heard once; a later test looks whether it is marked as crashed."""
    with subprocess.Popen([sys.executable, "-c", SILENT], env=server.environment()) as process:  # noqa: S603
        try:
            eventually(lambda: server.events("prefect.flow-run.heartbeat"), lambda: process.poll() is None)
        finally:
            process.kill()
    assert run_named(server, "silent")["state_type"] == "RUNNING"


def run_named(server: RunningServer, name: str) -> dict[str, Any]:
    (found,) = server.ask("/flow_runs/filter", {"flow_runs": {"name": {"any_": [name]}}})
    assert isinstance(found, dict)
    return found


def test_everything_is_deployed(server: RunningServer) -> None:
    deployments = {one["name"]: one for one in server.ask("/deployments/filter", {})}
    assert set(deployments) >= DEPLOYED
    for one in deployments.values():
        assert one["description"]
        assert all(field["description"] for field in one["parameter_openapi_schema"]["properties"].values())
        assert one["version"] == "0.1.0"
        assert one["work_pool_name"] == "coursera-sync"
        assert set(one["tags"]) == {"coursera", "360learning"}
        assert one["pull_steps"][0]["prefect.deployments.steps.set_working_directory"]["directory"] == str(
            ROOT
        )


def test_runs_of_a_deployment_wait_for_each_other_but_for_parts_of_a_backfill(server: RunningServer) -> None:
    limits = {
        one["name"]: (
            one["global_concurrency_limit"]["limit"],
            one["concurrency_options"]["collision_strategy"],
        )
        for one in server.ask("/deployments/filter", {})
        if one["global_concurrency_limit"]
    }
    assert limits == dict.fromkeys(DEPLOYED - {"backfill-part"}, (1, "ENQUEUE"))


@pytest.mark.parametrize("month", [1, 7], ids=["in winter", "in summer"])
@pytest.mark.parametrize("name", TIMES)
async def test_the_daily_runs_are_at_the_same_time_all_year(
    server: RunningServer, name: str, month: int
) -> None:
    from prefect.client.schemas.schedules import CronSchedule  # noqa: PLC0415 - as its server computes it
    from prefect.server.schemas.schedules import CronSchedule as ServersSchedule  # noqa: PLC0415

    (held,) = server.ask(f"/deployments/name/{name}/{name}")["schedules"]
    assert held["active"]
    schedule = ServersSchedule(**CronSchedule(**held["schedule"]).model_dump())
    start = datetime(datetime.now(UTC).year + 1, month, 10, tzinfo=UTC)
    dates = [moment.astimezone(UTC) for moment in await schedule.get_dates(3, start=start)]
    assert [(moment.day, moment.hour, moment.minute) for moment in dates] == [
        (day, *TIMES[name]) for day in (10, 11, 12)
    ]


WEEKLY = (6, 2, 0)  # Sunday, 2:00 UTC


def test_the_next_runs_are_scheduled(server: RunningServer) -> None:
    def scheduled() -> list[dict[str, Any]]:
        wanted = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
        found: list[dict[str, Any]] = server.ask("/flow_runs/filter", wanted)
        return found if len({one["deployment_id"] for one in found}) == 1 + len(TIMES) else []

    moments = [
        datetime.fromisoformat(one["expected_start_time"]).astimezone(UTC) for one in eventually(scheduled)
    ]
    weekly = {(one.weekday(), one.hour, one.minute) for one in moments if one.hour == WEEKLY[1]}
    assert weekly == {WEEKLY}
    assert {(one.hour, one.minute) for one in moments} - {WEEKLY[1:]} == set(TIMES.values())


@pytest.mark.parametrize("name", ["setup", "catalog", "statistics"])
def test_the_worker_runs_a_deployment(server: RunningServer, sandbox: Sandbox, name: str) -> None:
    before = sandbox.coursera.sign_in.refresh_token
    flow_run = server.run(name)
    assert flow_run["state_type"] == "COMPLETED", flow_run["state"]
    now = sandbox.coursera.sign_in.refresh_token
    assert now != before
    assert server.block("coursera-credentials")["refresh_token"] == now


def test_both_sides_met(server: RunningServer, sandbox: Sandbox) -> None:
    assert sandbox.learning360.courses.by_id
    assert sandbox.learning360.operations.all
    holders = server.ask("/v2/concurrency_limits/filter", {})
    assert bulk_limit(server)["active_slots"] <= 1, holders  # that of the holder that died


def test_a_run_that_fails_sets_off_its_alert_and_another_teams_does_not(
    server: RunningServer, sandbox: Sandbox
) -> None:
    """The other one, whose flow has a name of ours, fails first."""
    flow = server.ask("/flows/", {"name": "catalog"})
    theirs = server.ask("/flow_runs/", {"flow_id": flow["id"], "tags": ["coursera"]})
    server.ask(f"/flow_runs/{theirs['id']}/set_state", {"state": {"type": "FAILED"}, "force": True})
    sandbox.coursera.options.personal_app = True
    flow_run = server.run("setup")
    sandbox.coursera.options.personal_app = False
    assert flow_run["state_type"] == "FAILED"
    eventually(lambda: f"prefect.flow-run.{flow_run['id']}" in set_off(server, "coursera-sync: a run failed"))
    assert f"prefect.flow-run.{theirs['id']}" not in set_off(server, "coursera-sync: a run failed")


def test_rejected_rows_and_runs_that_do_not_come_set_off_theirs(server: RunningServer) -> None:
    eventually(lambda: set_off(server, "coursera-sync: many rows put aside"))
    eventually(lambda: set_off(server, "impatient: no good statistics run for 26 hours"))
    (ended, *_) = server.events("coursera-sync.run.ended")
    assert "@" not in str(ended["payload"])


def test_a_run_that_gave_no_sign_of_life_is_marked_as_crashed(server: RunningServer) -> None:
    silent = eventually(lambda: found if (found := run_named(server, "silent"))["end_time"] else None)
    assert (silent["state_type"], silent["state"]["message"]) == ("CRASHED", "It gave no sign of life.")


def set_off(server: RunningServer, alert: str) -> list[str]:
    """What has set off an alert, once for each time: the resource of the event, or "" where none came."""
    return [
        (event["payload"]["triggering_event"] or {"resource": {}})["resource"].get("prefect.resource.id", "")
        for event in server.events("prefect.automation.triggered")
        if event["resource"]["prefect.resource.name"] == alert
    ]


def test_a_server_that_was_ended_leaves_nobody_behind_and_comes_back_as_it_was(
    server: RunningServer, sandbox: Sandbox
) -> None:
    """A run that goes on when it ends has crashed, and the next one need not wait for it."""

    def remembered() -> dict[str, Any]:
        runs = server.ask(
            "/flow_runs/filter", {"flow_runs": {"state": {"type": {"not_any_": ["SCHEDULED"]}}}}
        )
        return {
            "runs": sorted((run["id"], run["state_name"]) for run in runs),
            "blocks": [server.block(slug) for slug in ("coursera-credentials", "learning360-credentials")],
            "deployments": sorted(one["id"] for one in server.ask("/deployments/filter", {})),
            "alerts": sorted((name, one["enabled"]) for name, one in alerts_of(server).items()),
        }

    before = remembered()
    sandbox.coursera.options.latency_ms = 120_000
    broken_off = server.begin("setup")
    eventually(lambda: server.state_of(broken_off) == "Running")
    assert server.processes()
    assert server.stop() == 0
    assert any("Stopped." in line for line in server.said)
    assert server.processes() == []
    sandbox.coursera.options.latency_ms = 0
    server.start()
    after = remembered()
    after["runs"].remove((broken_off, "Crashed"))
    assert after == before
    assert server.run("setup")["state_type"] == "COMPLETED"


def test_the_slot_of_a_holder_that_died_is_free_again(server: RunningServer) -> None:
    eventually(lambda: bulk_limit(server)["active_slots"] == 0, seconds=LEASE_PATIENCE_SECONDS)


def test_secrets_show_nowhere(registered: list[str], server: RunningServer, sandbox: Sandbox) -> None:
    logs = str(server.ask("/logs/filter", {"limit": 200}))
    kept = [path.read_bytes() for path in server.home.rglob("*") if path.is_file() and path.suffix != ".key"]
    masked = str(server.ask("/block_documents/filter", {"include_secrets": False}))
    sign_in, client = sandbox.coursera.sign_in, sandbox.learning360.client
    for secret in (sign_in.client_secret, sign_in.refresh_token, client.client_secret, SIGN_IN):
        assert secret not in logs + masked + "".join(registered)
        assert not any(secret.encode() in content for content in kept)


def test_a_server_whose_supervisor_is_killed_leaves_nobody_behind(server: RunningServer) -> None:
    assert server.processes()
    server.kill()
    eventually(lambda: server.processes() == [])
