"""How a task of this project behaves under Prefect."""

from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import signature
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from connectors.errors import TryLaterError
from tasks.reporting.recorder import RunRecorder
from tasks.runtime.memory import collect_garbage

RETRY_DELAY_SECONDS = 2


class Recorded(Protocol):
    """Whatever a step works for: a run, or what all runs share."""

    @property
    def recorder(self) -> RunRecorder:
        """What records it."""

    def with_recorder(self, recorder: RunRecorder) -> Self:
        """The same, recorded elsewhere."""


C = TypeVar("C", bound=Recorded)
P = ParamSpec("P")
R = TypeVar("R")
Step = Callable[Concatenate[C, P], Coroutine[Any, Any, R]]


async def _time_can_mend(_task: Any, _run: TaskRun, state: State[Any]) -> bool:  # noqa: ANN401 - Prefect's
    """Whether a failed task is worth its one retry: only where the same again may succeed later."""
    return isinstance(await state.aresult(raise_on_failure=False), TryLaterError)


def step(name: str, *, run_name: str | None = None) -> Callable[[Step[C, P, R]], Step[C, P, R]]:
    """Make a function a Prefect task, tried again once where time can mend what went wrong.

    The function is given a context of its own, whose recorder is a draft: what it counts and tells becomes
    the run's once it has succeeded, so that nothing is told twice where it is tried again. How long it takes
    is recorded in every case. ``run_name`` names a run of it after its arguments. Nothing is cached: hashing
    the frames that tasks are given would cost more than most tasks.
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
    async def measured(call: _Call[Any, Any]) -> None:
        with call.run.recorder.step(name):
            await call.attempt()

    def made(function: Step[C, P, R]) -> Step[C, P, R]:
        @wraps(function)
        async def called(run: C, /, *args: P.args, **kwargs: P.kwargs) -> R:
            given = signature(function).bind(run, *args, **kwargs).arguments
            named = (run_name or name).format(**given)
            call: _Call[C, R] = _Call(named, run, lambda draft: function(draft, *args, **kwargs))
            try:
                await measured(call)
                return cast("R", call.result)
            finally:
                call.forget()
                collect_garbage()

        called.task = measured  # type: ignore[attr-defined]
        return called

    return made


class _Call(Generic[C, R]):
    """A call of a step. Prefect keeps what a task was given until the flow ends: this, emptied by then.

    A plain class: Prefect looks for futures inside dataclasses that are given to tasks.
    """

    def __init__(self, name: str, run: C, work: Callable[[C], Coroutine[Any, Any, R]]) -> None:
        self.name = name
        self.run = run
        self.work = work
        self.result: R | None = None

    async def attempt(self) -> None:
        """Do the work; what it records is the run's only if it succeeds."""
        draft = self.run.recorder.draft()
        self.result = await self.work(self.run.with_recorder(draft))
        self.run.recorder.take_over(draft)

    def forget(self) -> None:
        """Let go of frames."""
        del self.work, self.result
