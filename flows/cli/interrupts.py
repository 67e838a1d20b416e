"""Running a flow so that an interrupt ends it soon, whatever it waits for just then.

The flow has a thread of its own while the main one only waits for it, and so is free to act on a signal.
On the main thread a signal might end nothing: while Prefect's temporary server starts none gets through, and
Prefect's own handler of SIGTERM raises its error in whatever code is running just then.

A flow that is cancelled says so to Prefect's server. A temporary one must live to hear it, though Ctrl-C at a
terminal is sent to that process, too.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from threading import Thread
from typing import Any, TypeVar

# A server that is gone would be asked again for minutes: each further cancellation breaks off another wait.
GRACE_SECONDS = 2.0
MOST_CANCELLATIONS = 3

T = TypeVar("T")


def run_interruptibly(work: Coroutine[Any, Any, T], done: Future[Any], patience_seconds: float) -> T:
    """Run it to its end and return its result, or raise its error.

    On a KeyboardInterrupt it is cancelled, and given some seconds to end; then the KeyboardInterrupt goes on.
    The same where it has not ended so long after its work was ``done``, with a TimeoutError.
    """
    ended: Future[T] = Future()
    cancel: Future[Callable[[], object]] = Future()

    async def announced() -> T:
        task = asyncio.current_task()
        if task is not None:
            cancel.set_result(partial(asyncio.get_running_loop().call_soon_threadsafe, task.cancel))
        return await work

    def play() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which the temporary server inherits
        try:
            ended.set_result(asyncio.run(announced()))
        except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
            ended.set_exception(error)

    Thread(target=copy_context().run, args=(play,), daemon=True).start()
    try:
        wait([ended, done], return_when=FIRST_COMPLETED)
        return ended.result(patience_seconds)
    except (KeyboardInterrupt, TimeoutError):
        _end(ended, cancel.result())
        raise


def _end(ended: Future[Any], cancel: Callable[[], object]) -> None:
    for _ in range(MOST_CANCELLATIONS):
        with suppress(RuntimeError):  # it has just ended by itself, and its loop is closed
            cancel()
        if wait([ended], GRACE_SECONDS).done:
            return
