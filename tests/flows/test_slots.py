"""The slots for bulk operations: held by a limit on the Prefect server, else by 360Learning alone."""

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.installation import Sync

pytestmark = pytest.mark.usefixtures("prefect_api")


def run_of(client_id: str) -> Any:
    """As much of a run as slots need."""
    platform = SimpleNamespace(api_url="https://app.example", client_id=client_id)
    settings = SimpleNamespace(learning360=platform, sync=SimpleNamespace(operation_wait=60))
    shared = SimpleNamespace(limiting=asyncio.Lock(), slot_limits=set(), own_slots={})
    return SimpleNamespace(settings=settings, shared=shared)


def in_a_flow(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    from prefect import flow  # noqa: PLC0415 - once its test server runs

    @flow(name="slots")
    async def slots() -> Any:
        return await work()

    return asyncio.run(slots())


class Holders:
    """Who holds a slot for a while, and how many did so at once at the most."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._held = 0
        self.most = 0

    async def hold(self, run: Any) -> None:
        """Hold a slot of a run."""
        from tasks.load.slots import slot  # noqa: PLC0415

        async with slot(run):
            self._held += 1
            self.most = max(self.most, self._held)
            await asyncio.sleep(self._seconds)
            self._held -= 1


def test_two_runs_together_hold_no_more_than_three() -> None:
    from tasks.load.slots import ensure_limit  # noqa: PLC0415

    holders = Holders(0.2)

    async def work() -> None:
        platform = uuid.uuid4().hex
        runs = [run_of(platform), run_of(platform)]
        for run in runs:
            await ensure_limit(run)
        assert len(set.union(*(run.shared.slot_limits for run in runs))) == 1
        await asyncio.gather(*(holders.hold(run) for run in runs for _ in range(2)))

    in_a_flow(work)
    assert holders.most == 3


def test_a_limit_that_people_changed_stays_so(sync: Sync) -> None:
    from prefect.client.orchestration import get_client  # noqa: PLC0415
    from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate  # noqa: PLC0415

    from tasks.load.slots import limit_name  # noqa: PLC0415

    settings = sync.environment()
    name = limit_name(settings["LEARNING360_API_URL"], settings["LEARNING360_CLIENT_ID"])

    async def limit(change: int | None = None) -> int:
        async with get_client() as client:
            if change is not None:
                await client.update_global_concurrency_limit(name, GlobalConcurrencyLimitUpdate(limit=change))
            return (await client.read_global_concurrency_limit_by_name(name)).limit

    sync.add_courses(1)
    sync.catalog()
    assert asyncio.run(limit()) == 3
    asyncio.run(limit(2))
    sync.add_courses(1)
    assert sync.catalog().accepted == 1
    assert asyncio.run(limit()) == 2


def test_without_a_limit_the_runs_of_a_process_share_three() -> None:
    from tasks.load.slots import ensure_limit  # noqa: PLC0415

    holders = Holders(0)

    async def work() -> None:
        run = run_of("x")
        await ensure_limit(run)
        assert run.shared.slot_limits == set()
        await asyncio.gather(*(holders.hold(run) for _ in range(8)))

    asyncio.run(work())
    assert holders.most == 3


@pytest.mark.parametrize(
    "request_that_fails",
    [
        pytest.param("increment_concurrency_slots_with_lease", id="when it is taken"),
        pytest.param("release_concurrency_slots_with_lease", id="when it is given back"),
        pytest.param("create_global_concurrency_limit", id="when it is made"),
    ],
)
def test_a_run_goes_on_when_the_limit_fails(
    sync: Sync, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, request_that_fails: str
) -> None:
    from prefect.client.orchestration import PrefectClient  # noqa: PLC0415 - Prefect is prepared by then

    answered = getattr(PrefectClient, request_that_fails)

    async def lost(*arguments: Any, **named: Any) -> None:
        await answered(*arguments, **named)
        raise httpx.ReadError("gone")

    monkeypatch.setattr(PrefectClient, request_that_fails, lost)
    sync.add_courses(2)
    assert sync.catalog().accepted == 2
    assert "360Learning itself will" in caplog.text


def test_a_limit_that_is_gone_lets_nobody_through_unseen(caplog: pytest.LogCaptureFixture) -> None:
    from prefect.client.orchestration import get_client  # noqa: PLC0415

    from tasks.load.slots import ensure_limit, slot  # noqa: PLC0415

    async def work() -> None:
        run = run_of(uuid.uuid4().hex)
        await ensure_limit(run)
        (name,) = run.shared.slot_limits
        async with get_client() as client:
            await client.delete_global_concurrency_limit_by_name(name)
        async with slot(run):
            assert "360Learning itself will" in caplog.text

    in_a_flow(work)


def test_what_fails_while_a_slot_is_held_is_raised_as_it_is() -> None:
    from tasks.load.slots import ensure_limit, slot  # noqa: PLC0415

    async def work() -> None:
        run = run_of(uuid.uuid4().hex)
        await ensure_limit(run)
        for _ in range(4):  # a slot that stayed taken would be missed by the fourth
            with pytest.raises(LookupError):
                async with slot(run):
                    raise LookupError

    in_a_flow(work)
