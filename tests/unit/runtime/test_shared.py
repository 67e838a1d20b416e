"""The workthread does one thing at a time, off the loop, and nobody leaves before theirs is done."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from tasks.runtime.shared import SingleThread


def waiting_for(event: threading.Event, told: list[str], name: str) -> Callable[[], str]:
    """Work that says when it begins and ends, and ends once the event has come."""

    def work() -> str:
        told.append(f"{name} begins")
        assert event.wait(60)
        told.append(f"{name} ends")
        return name

    return work


async def test_the_loop_goes_on_while_work_is_done() -> None:
    go_on = threading.Event()
    done = asyncio.create_task(SingleThread().do(waiting_for(go_on, [], "work")))
    await asyncio.sleep(0)
    assert not done.done()
    go_on.set()  # nobody could say so, if the loop stood still
    assert await done == "work"


async def test_one_thing_is_done_at_a_time_in_the_order_of_asking() -> None:
    told, go_on, thread = list[str](), threading.Event(), SingleThread()
    works = [asyncio.create_task(thread.do(waiting_for(go_on, told, name))) for name in "abc"]
    await asyncio.sleep(0)
    go_on.set()
    assert await asyncio.gather(*works) == ["a", "b", "c"]
    assert told == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]


async def test_what_goes_wrong_is_raised_and_the_next_one_has_its_turn() -> None:
    thread = SingleThread()
    with pytest.raises(ZeroDivisionError):
        await thread.do(divmod, 1, 0)
    assert await thread.do(divmod, 7, 2) == (3, 1)


async def test_whoever_is_cancelled_leaves_only_once_the_work_has_ended() -> None:
    told, begun, go_on = list[str](), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        waiting_for(go_on, told, "work")()

    cancelled = asyncio.create_task(SingleThread().do(work))
    await asyncio.to_thread(begun.wait, 60)
    cancelled.cancel()
    await asyncio.sleep(0)
    assert not cancelled.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert told == ["work begins", "work ends"]
