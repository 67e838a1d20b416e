"""Runs whose process is gone: a worker that dies with its run cannot say so, and later ones would wait."""

import os
from pathlib import Path

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import State, StateType
from prefect.states import Crashed

GOING_ON = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
MESSAGE = (
    "Its process on {host} is gone, and its worker with it. The next run goes on from what the ledger knows."
)


async def mark_dead_runs(client: PrefectClient, work_pool: str) -> int:
    """Mark runs of a work pool as crashed whose process is gone; returns how many.

    Prefect notes a process by its number alone: all workers of the pool must be on this machine.
    """
    going_on = await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=GOING_ON))),
        work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[work_pool])),
    )
    dead = [run for run in going_on if _is_gone(run.infrastructure_pid)]
    for run in dead:
        state: State[None] = Crashed(message=MESSAGE)
        await client.set_flow_run_state(run.id, state, force=True)
    return len(dead)


def _is_gone(infrastructure_pid: str | None) -> bool:
    return bool(
        infrastructure_pid and infrastructure_pid.isdigit() and not _is_prefects(int(infrastructure_pid))
    )


def _is_prefects(pid: int) -> bool:
    """Whether a process is there and Prefect's: after a reboot its number may be another's."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's: it may be a worker of theirs
        return True
    command = Path(f"/proc/{pid}/cmdline")
    return not command.exists() or b"prefect" in command.read_bytes()
