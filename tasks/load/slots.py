"""The slots for bulk operations: three at a time for a whole 360Learning platform, on whatever machine.

The runs of a process share three; across processes and machines a global concurrency limit on the Prefect
server holds the slots, if that server stays. A temporary one serves one command and would leave its count to
the next ones, taken for ever where the command was killed. Where there is no limit, or the server cannot be
asked, 360Learning's own refusal is the last word.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from prefect.client.base import ServerType
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.client.schemas.objects import ConcurrencyLeaseHolder
from prefect.concurrency.asyncio import concurrency
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from connectors.ledger.records.refresh_tokens import fingerprint
from tasks.runtime.run_context import RunContext

# What 360Learning allows at a time for a whole customer platform.
BULK_SLOTS = 3
# How long the slots of a holder that died stay taken; those who live renew theirs.
LEASE_SECONDS = 60.0

logger = logging.getLogger("coursera_sync.slots")


def limit_name(api_url: str, client_id: str) -> str:
    """The limit's name on the Prefect server: one for each customer platform, told by its API client."""
    return f"360learning-bulk-{fingerprint(f'{api_url} {client_id}')[:8]}"


async def create_limit(client: PrefectClient, name: str) -> bool:
    """Create the limit where there is none, and leave one that people have changed; whether it is new."""
    try:
        await client.read_global_concurrency_limit_by_name(name)
    except ObjectNotFound:
        wanted = GlobalConcurrencyLimitCreate(name=name, limit=BULK_SLOTS)
        try:
            await client.create_global_concurrency_limit(wanted)
        except ObjectAlreadyExists:  # another run was quicker
            return False
        return True
    return False


async def ensure_limit(run: RunContext) -> None:
    """Make sure that the limit is there, once a platform and flow run, on a Prefect server that stays."""
    if _limit(run) is not None or FlowRunContext.get() is None:
        return
    name = _name(run)
    try:
        async with run.shared.limiting, get_client() as client:
            if client.server_type is ServerType.EPHEMERAL:
                return
            await create_limit(client, name)
    except Exception as error:  # noqa: BLE001 - whatever fails there must not stop the run
        _log_unkept(error)
    else:
        run.shared.slot_limits.add(name)


def _limit(run: RunContext) -> str | None:
    """The limit of the run's platform, once it is sure to be there."""
    name = _name(run)
    return name if name in run.shared.slot_limits else None


def _name(run: RunContext) -> str:
    platform = run.settings.learning360
    return limit_name(platform.api_url, platform.client_id)


@asynccontextmanager
async def slot(run: RunContext) -> AsyncIterator[None]:
    """Hold one of the platform's bulk operation slots."""
    async with run.shared.own_slots.setdefault(_name(run), asyncio.Semaphore(BULK_SLOTS)):
        held = await _held(_limit(run), run.settings.sync.operation_wait)
        try:
            yield
        finally:
            await _given_back(held)


async def _held(limit: str | None, patience_seconds: float) -> AsyncExitStack:
    """A slot of the limit, held until the stack is closed; an empty stack where there is none to be had.

    Then the platform itself is asked: it may have one where Prefect's count has gone astray.
    """
    stack = AsyncExitStack()
    if limit is None:
        return stack
    try:
        await stack.enter_async_context(
            concurrency(
                limit,
                timeout_seconds=patience_seconds,
                lease_duration=LEASE_SECONDS,
                strict=True,
                holder=_holder(),
                raise_on_lease_renewal_failure=False,
            )
        )
    except Exception as error:  # noqa: BLE001 - the platform has the last word, not Prefect
        _log_unkept(error)
    return stack


def _holder() -> ConcurrencyLeaseHolder | None:
    """Who holds the slot, for people who look at the limit in Prefect."""
    context = FlowRunContext.get()
    flow_run = context and context.flow_run
    return ConcurrencyLeaseHolder(type="flow_run", id=flow_run.id) if flow_run else None


async def _given_back(held: AsyncExitStack) -> None:
    try:
        await held.aclose()
    except Exception as error:  # noqa: BLE001 - its lease runs out by itself
        _log_unkept(error)


def _log_unkept(error: Exception) -> None:
    logger.warning(
        "The Prefect server does not keep the bulk operation slots just now (%s); 360Learning itself will",
        type(error).__name__,
    )
