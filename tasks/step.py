"""How a task of this project behaves under Prefect."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from connectors.errors import TryLaterError

RETRY_DELAY_SECONDS = 2

P = ParamSpec("P")
R = TypeVar("R")


async def _time_can_mend(_task: Any, _run: TaskRun, state: State[Any]) -> bool:  # noqa: ANN401 - Prefect's
    """Whether a failed task is worth its one retry: only where the same again may succeed later."""
    return isinstance(await state.aresult(raise_on_failure=False), TryLaterError)


def step(name: str, *, run_name: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function a Prefect task, tried again once where time can mend what went wrong.

    Nothing is cached: hashing the frames that tasks are given would cost more than most tasks.
    """
    decorate = task(
        name=name,
        task_run_name=run_name,
        retries=1,
        retry_delay_seconds=RETRY_DELAY_SECONDS,
        retry_condition_fn=_time_can_mend,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    return cast("Callable[[Callable[P, R]], Callable[P, R]]", decorate)
