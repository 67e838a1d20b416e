"""How runs end in Prefect, and what can be read there: never a secret, never a learner's address."""

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import FlowRun, Log, State, StateType
from prefect.settings import PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

from connectors.errors import SyncError
from flows.backfill import backfill
from flows.catalog import catalog
from flows.cli.run_flow import prepare
from flows.setup import setup
from flows.statistics import statistics
from sandbox.clock import DAY_MS
from tasks.reporting.summary import Summary
from tests.installation import Sync
from tests.running_server import eventually

ANN = "ann@example.com"
LOGS_AT_ONCE = 200


class Seen:
    """What people can read of flow runs at Prefect."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def run(self, flow: Any, **parameters: Any) -> State[Any]:
        """Run a flow to its end, whatever that is, and keep all that Prefect shows of it."""
        state: State[Any] = asyncio.run(flow(**parameters, return_state=True))
        flow_run_id = state.state_details.flow_run_id
        assert flow_run_id is not None
        asyncio.run(self._look(flow_run_id))
        # Prefect sends them behind the run's back.
        logs = eventually(lambda: asyncio.run(self._logs(flow_run_id)))
        self.texts += [log.message for log in logs]
        result = asyncio.run(state.aresult(raise_on_failure=False))
        summary = result.summary if isinstance(result, SyncError) else result
        assert isinstance(summary, Summary)
        self.texts.append(json.dumps(summary.as_json()))
        return state

    async def _look(self, flow_run_id: UUID) -> None:
        async with get_client() as client:
            run = await client.read_flow_run(flow_run_id)
            states = await client.read_flow_run_states(flow_run_id)
            self.texts += [json.dumps(run.parameters), *(str(state.message) for state in states)]

    @staticmethod
    async def _logs(flow_run_id: UUID) -> list[Log]:
        """All that was logged; nothing while the flow's last line has not come."""
        only = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[flow_run_id]))
        async with get_client() as client:
            logs: list[Log] = await client.read_logs(only, limit=LOGS_AT_ONCE)
        assert len(logs) < LOGS_AT_ONCE
        has_ended = any(log.task_run_id is None and log.message.startswith("Finished in") for log in logs)
        return logs if has_ended else []

    def __contains__(self, word: str) -> bool:
        return any(word.lower() in text.lower() for text in self.texts)


@pytest.fixture
def seen(caplog: pytest.LogCaptureFixture) -> Iterator[Seen]:
    """Nothing yet; our own log lines are written down as the command has them."""
    caplog.set_level(logging.INFO, "coursera_sync")
    with temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: True}):
        yield Seen()


def read_back(state: State[Any]) -> FlowRun:
    async def read() -> FlowRun:
        async with get_client() as client:
            assert state.state_details.flow_run_id is not None
            return await client.read_flow_run(state.state_details.flow_run_id)

    return asyncio.run(read())


def private(sync: Sync) -> Iterator[str]:
    """All that nobody may read: addresses, secrets, tokens."""
    world, platform, sign_in = sync.sandbox.world, sync.sandbox.learning360, sync.sandbox.coursera.sign_in
    yield from (user["mail"] for user in platform.users.values())
    for row in world.reports:
        yield from (str(row[name]) for name in ("email", "externalId") if "@" in str(row.get(name)))
    yield from (platform.client.client_secret, sign_in.client_secret, *sign_in.refresh_tokens)
    yield from sign_in.access_tokens
    yield from platform.access._tokens  # noqa: SLF001 - what was issued, whoever holds it


def leaked(sync: Sync, seen: Seen, capfd: pytest.CaptureFixture[str]) -> list[str]:
    seen.texts += capfd.readouterr()
    return [word for word in private(sync) if word in seen]


def test_a_run_that_put_nothing_aside_is_completed(sync: Sync, seen: Seen) -> None:
    sync.add_courses(1)
    state = read_back(seen.run(catalog)).state
    assert state is not None
    assert (state.type, state.name) == (StateType.COMPLETED, "Completed")


def test_rejected_rows_show_in_the_name_of_the_state(sync: Sync, seen: Seen) -> None:
    sync.sandbox.world.add_content("   ")
    state = read_back(seen.run(catalog)).state
    assert state is not None
    assert (state.type, state.name) == (StateType.COMPLETED, "Completed with rejects")
    assert "1" in str(state.message)
    assert "coursera-sync status --rejected" in str(state.message)


def test_a_dry_run_is_completed(sync: Sync, seen: Seen) -> None:
    sync.sandbox.world.add_content("   ")
    assert seen.run(catalog, dry_run=True).name == "Completed"


@pytest.mark.parametrize(
    "url", ["postgresql://u:alpha@beta:gamma@127.0.0.1/d", "postgresql://u:alpha@127.0.0.1:1/d"]
)
def test_a_ledgers_password_shows_in_no_state(
    sync: Sync, seen: Seen, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    assert sync
    monkeypatch.setenv("SYNC_STATE_URL", url)
    assert seen.run(setup).is_failed()
    assert "SYNC_STATE_URL" in seen
    assert not any(part in seen for part in ("alpha", "beta", "gamma"))


@pytest.mark.parametrize("flow", [setup, catalog, statistics], ids=lambda flow: str(flow.name))
def test_a_failed_run_is_failed_and_says_why(
    sync: Sync,
    seen: Seen,
    monkeypatch: pytest.MonkeyPatch,
    flow: Any,
) -> None:
    monkeypatch.setenv("LEARNING360_CLIENT_SECRET", "wrong")
    state = read_back(seen.run(flow)).state
    assert state is not None
    assert (state.type, state.name) == (StateType.FAILED, "Failed")
    assert "LEARNING360_CLIENT_SECRET" in str(state.message)
    assert sync.sandbox.learning360.integrations == {}


def test_our_log_lines_are_read_at_prefect(busy_sync: Sync, seen: Seen) -> None:
    prepare(verbose=False)  # as any command does, also when Prefect is at work already
    seen.run(catalog)
    assert "Read 300 contents from Coursera" in seen
    assert "importExternalCourses ended: 297 rows, 0 refused" in seen
    assert busy_sync.courses()


def test_nobody_can_be_recognised_by_days_of_runs(
    busy_sync: Sync, seen: Seen, capfd: pytest.CaptureFixture[str]
) -> None:
    for flow in (setup, catalog, statistics):
        seen.run(flow)
    for _ in range(2):
        busy_sync.days_pass(1)
        busy_sync.sandbox.next_day()
        seen.run(statistics)
    assert "Learners moved to their new address" in seen
    assert leaked(busy_sync, seen, capfd) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"path": "/results$", "body": [ANN]},
        {"path": "/results$", "body": {"input": ANN}},
        {"path": "/operations/", "body": {"status": ANN}},
        {"path": "/stats$", "status": 400, "body": {"error": {"code": ANN, "message": ANN}}},
        {"path": "/stats$", "status": 422, "body": ANN},
        {"path": "/enrollmentReports$", "body": {"elements": ANN}},
        {"path": "/enrollmentReports$", "status": 400, "body": {"errorCode": ANN, "message": ANN}},
        {"path": "/oauth2/token$", "body": {"access_token": {"of": ANN}, "expires_in": ANN}},
        {"path": "/oauth2/token$", "status": 400, "body": {"error": ANN}},
        {"path": "/api/v2/integrations$", "body": [{"externalPlatform": ANN}]},
    ],
    ids=[
        "results that are no objects",
        "results that are no list",
        "an operation of another shape",
        "a refused submission",
        "a refused submission in words",
        "a page of another shape",
        "a refused page",
        "a token of another shape",
        "a refused sign-in",
        "an integration of another shape",
    ],
)
def test_nobody_can_be_recognised_by_an_answer_that_is_wrong(
    sync: Sync, seen: Seen, capfd: pytest.CaptureFixture[str], fault: dict[str, Any]
) -> None:
    (course,) = sync.add_courses(1)
    sync.catalog()
    sync.sandbox.enroll(ANN, course, overallProgress=10)
    sync.sandbox.faults.add("answer", **{"status": 200, **fault})
    assert seen.run(statistics).type == StateType.FAILED
    assert leaked(sync, seen, capfd) == []


def test_a_learner_whom_360learning_refuses_is_not_named(
    sync: Sync, seen: Seen, capfd: pytest.CaptureFixture[str]
) -> None:
    (course,) = sync.add_courses(1)
    sync.catalog()
    sync.sandbox.enroll(ANN, course, overallProgress=10, enrolledAt=sync.clock() + DAY_MS)
    sync.sandbox.enroll("x@y@example.com", course, overallProgress=10)
    sync.sandbox.world.add_report("stranger@example.com", course, overallProgress=10)
    assert seen.run(statistics).name == "Completed with rejects"
    assert leaked(sync, seen, capfd) == []
    assert not any(word in str(sync.rejected("statistics").values()) for word in private(sync))


@pytest.mark.parametrize(
    "parameters",
    [
        {"active_from": "yesterday"},
        {"active_to": 5e300},
        {"programs": 7},
        {"programs": [7]},
        {"learners": "ann"},
    ],
    ids=str,
)
@pytest.mark.usefixtures("sync")
def test_a_parameter_of_another_type_fails_the_run_by_its_name(parameters: dict[str, Any]) -> None:
    """Where the server lets one in, the run's name is no reason to crash."""
    flow: Any = backfill
    state: State[Any] = asyncio.run(flow(**parameters, return_state=True))
    assert state.type is StateType.FAILED
    assert all(name in str(state.message) for name in parameters)
