"""Runs that meet: what they all need is done once, when each of them has come or left."""

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tasks.runtime.meeting import Meeting


class Doing:
    """Notes for whom it was done."""

    def __init__(self) -> None:
        self.done: list[list[int]] = []

    async def __call__(self, wants: Sequence[int]) -> int:
        """Add up what is wanted."""
        self.done.append(sorted(wants))
        await asyncio.sleep(0)
        return sum(wants)


async def test_it_is_done_once_for_all_who_come() -> None:
    meeting, doing = Meeting(3), Doing()
    outcomes = await asyncio.gather(*(meeting.of_all("sum", want, doing) for want in (1, 2, 3)))
    assert outcomes == [6, 6, 6]
    assert doing.done == [[1, 2, 3]]


async def test_nobody_waits_for_one_who_has_left() -> None:
    meeting, doing = Meeting(2), Doing()
    first = asyncio.ensure_future(meeting.of_all("sum", 1, doing))
    await asyncio.sleep(0)
    assert not first.done()
    await meeting.leave()
    assert await first == 1


async def test_those_who_came_for_something_else_are_served_apart() -> None:
    meeting, one, other = Meeting(3), Doing(), Doing()
    works = (meeting.of_all("one", 1, one), meeting.of_all("other", 2, other), meeting.of_all("one", 3, one))
    assert list(await asyncio.gather(*works)) == [4, 2, 4]


async def test_an_error_is_everyones_and_they_can_meet_again() -> None:
    meeting, doing = Meeting(2), Doing()

    async def fails(_: Sequence[int]) -> int:
        raise ValueError

    outcomes = await asyncio.gather(
        *(meeting.of_all("sum", want, fails) for want in (1, 2)), return_exceptions=True
    )
    assert [type(one) for one in outcomes] == [ValueError, ValueError]
    assert await asyncio.gather(*(meeting.of_all("sum", want, doing) for want in (1, 2))) == [3, 3]


async def test_who_is_cancelled_while_it_is_done_leaves_nobody_waiting() -> None:
    meeting = Meeting(2)

    async def forever(_: Sequence[int]) -> int:
        await asyncio.Event().wait()
        return 0

    works = [asyncio.ensure_future(meeting.of_all("sum", want, forever)) for want in (1, 2)]
    for _ in range(5):
        await asyncio.sleep(0)
    works[0].cancel()
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in outcomes)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_however_often_each_comes_every_meeting_has_all_who_still_run(rounds: list[int]) -> None:
    doing = Doing()

    async def together() -> None:
        meeting = Meeting(len(rounds))

        async def run(number: int) -> None:
            for _ in range(rounds[number]):
                await meeting.of_all("sum", number, doing)
            await meeting.leave()

        async with asyncio.timeout(5):
            await asyncio.gather(*map(run, range(len(rounds))))

    asyncio.run(together())
    expected = [
        [number for number, times in enumerate(rounds) if times > turn] for turn in range(max(rounds))
    ]
    assert doing.done == expected
