"""How a task of this project behaves under Prefect."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from connectors.errors import TryLaterError
from tasks.run import Run

RETRY_DELAY_SECONDS = 2

P = ParamSpec("P")
R = TypeVar("R")
Step = Callable[Concatenate[Run, P], Coroutine[Any, Any, R]]


async def _time_can_mend(_task: Any, _run: TaskRun, state: State[Any]) -> bool:  # noqa: ANN401 - Prefect's
    """Whether a failed task is worth its one retry: only where the same again may succeed later."""
    return isinstance(await state.aresult(raise_on_failure=False), TryLaterError)


def step(name: str, *, run_name: str | None = None) -> Callable[[Step[P, R]], Step[P, R]]:
    """Make a function a Prefect task, tried again once where time can mend what went wrong.

    How long it takes goes into the run's story. Nothing is cached: hashing the frames that tasks are given
    would cost more than most tasks.
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

    def made(function: Step[P, R]) -> Step[P, R]:
        @wraps(function)
        async def measured(run: Run, /, *args: P.args, **kwargs: P.kwargs) -> R:
            with run.story.step(name):
                return await function(run, *args, **kwargs)

        return cast("Step[P, R]", decorate(measured))

    return made
