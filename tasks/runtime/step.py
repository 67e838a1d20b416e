"""How a task of this project behaves under Prefect."""

from collections.abc import Callable, Coroutine
from functools import partial, wraps
from inspect import signature
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from connectors.errors import TryLaterError
from tasks.runtime.memory import tidy
from tasks.runtime.run_context import Run

RETRY_DELAY_SECONDS = 2

P = ParamSpec("P")
R = TypeVar("R")
Step = Callable[Concatenate[Run, P], Coroutine[Any, Any, R]]


async def _time_can_mend(_task: Any, _run: TaskRun, state: State[Any]) -> bool:  # noqa: ANN401 - Prefect's
    """Whether a failed task is worth its one retry: only where the same again may succeed later."""
    return isinstance(await state.aresult(raise_on_failure=False), TryLaterError)


def step(name: str, *, run_name: str | None = None) -> Callable[[Step[P, R]], Step[P, R]]:
    """Make a function a Prefect task, tried again once where time can mend what went wrong.

    ``run_name`` names a run of it after its arguments. How long it takes goes into the run's story. Nothing
    is cached: hashing the frames that tasks are given would cost more than most tasks.
    """

    @task(
        name=name,
        task_run_name="{call.name}" if run_name else None,
        retries=1,
        retry_delay_seconds=RETRY_DELAY_SECONDS,
        retry_condition_fn=_time_can_mend,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    async def measured(call: _Call[Any]) -> None:
        with call.run.recorder.step(name):
            call.result = await call.work()

    def made(function: Step[P, R]) -> Step[P, R]:
        @wraps(function)
        async def called(run: Run, /, *args: P.args, **kwargs: P.kwargs) -> R:
            given = signature(function).bind(run, *args, **kwargs).arguments
            named = (run_name or name).format(**given)
            call: _Call[R] = _Call(named, run, partial(function, run, *args, **kwargs))
            try:
                await measured(call)
                return cast("R", call.result)
            finally:
                call.forget()
                tidy()

        called.task = measured  # type: ignore[attr-defined]
        return called

    return made


class _Call(Generic[R]):
    """A call of a step. Prefect keeps what a task was given until the flow ends: this, emptied by then."""

    def __init__(self, name: str, run: Run, work: Callable[[], Coroutine[Any, Any, R]]) -> None:
        self.name = name
        self.run = run
        self.work = work
        self.result: R | None = None

    def forget(self) -> None:
        """Let go of frames."""
        del self.work, self.result
