"""`coursera-sync register`: blocks, limit, work pool and alerts on the Prefect server in PREFECT_API_URL."""

import asyncio
from dataclasses import dataclass, field

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists
from prefect.settings import PREFECT_API_URL
from pydantic import SecretStr

from connectors.blocks import NAME, CourseraCredentials, Learning360Credentials
from connectors.errors import SettingsError, SyncError
from connectors.ledger.records.refresh_tokens import fingerprint
from connectors.settings import CourseraSettings, Learning360Settings, settings_from_environment
from flows.server import alerts
from flows.server.crashed_runs import mark_dead_runs
from flows.server.sign_in import refused, signed_in
from tasks.load.slots import BULK_SLOTS, create_limit, limit_name
from tasks.runtime.credentials import saved

WORK_POOL = "coursera-sync"


@dataclass
class Registration:
    """What was done on the server, in words."""

    server: str
    done: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The registration as one JSON object."""
        return {"flow": "register", "state": "completed", "server": self.server, "done": self.done}


def register(*, one_machine: bool = False) -> Registration:
    """Put onto the server all that the flows need there. Doing it again changes nothing that is right.

    Where all workers are on ``one_machine``, this one, runs whose process is gone are marked as crashed.
    Raises SettingsError without PREFECT_API_URL, or where the settings at hand are wrong.
    """
    server = PREFECT_API_URL.value()
    if not server:
        raise SettingsError(
            "PREFECT_API_URL is not set: it names the Prefect server to register with, such as "
            "http://127.0.0.1:4200/api (`coursera-sync serve` runs one)."
        )
    try:
        with signed_in():
            return asyncio.run(_register(server, one_machine=one_machine))
    except httpx.HTTPStatusError as error:
        raise refused(error) from error
    except httpx.HTTPError as error:
        raise SyncError(
            f"The Prefect server at {server} (PREFECT_API_URL) cannot be reached ({type(error).__name__})."
        ) from error


async def _register(server: str, *, one_machine: bool) -> Registration:
    coursera, learning360 = (
        settings_from_environment(CourseraSettings),
        settings_from_environment(Learning360Settings),
    )
    registration = Registration(server)
    async with get_client() as client:
        registration.done += [
            await _coursera_block(coursera),
            await _learning360_block(learning360),
            await _limit(client, learning360),
            await _work_pool(client),
            *await alerts.install(client),
        ]
        if one_machine and (dead := await mark_dead_runs(client, WORK_POOL)):
            registration.done.append(f"Marked runs as crashed whose process is gone: {dead}")
    return registration


async def _coursera_block(settings: CourseraSettings | None) -> str:
    await CourseraCredentials.aregister_type_and_schema()
    if settings is None:
        return _left("COURSERA_", CourseraCredentials)
    block = CourseraCredentials(**settings.model_dump())
    there = await saved(CourseraCredentials)
    if there is not None and _renewed_since(there, settings.refresh_token):
        block.refresh_token, block.renewed_from = there.refresh_token, there.renewed_from
    await block.asave(NAME, overwrite=True)
    return _put(CourseraCredentials)


def _renewed_since(there: CourseraCredentials, setting: SecretStr | None) -> bool:
    """Whether the block holds what Coursera has put in the place of the token in the settings."""
    return setting is not None and there.renewed_from == fingerprint(setting.get_secret_value())


async def _learning360_block(settings: Learning360Settings | None) -> str:
    await Learning360Credentials.aregister_type_and_schema()
    if settings is None:
        return _left("LEARNING360_", Learning360Credentials)
    await Learning360Credentials(**settings.model_dump()).asave(NAME, overwrite=True)
    return _put(Learning360Credentials)


def _put(block: type[CourseraCredentials] | type[Learning360Credentials]) -> str:
    return f"Saved the block {block.get_block_type_slug()}/{NAME} from the settings"


def _left(prefix: str, block: type[CourseraCredentials] | type[Learning360Credentials]) -> str:
    return (
        f"Left the block {block.get_block_type_slug()}/{NAME} as it is: {prefix}* is not all set here. It "
        "can be filled in in Prefect's UI, too, under Blocks"
    )


async def _limit(client: PrefectClient, settings: Learning360Settings | None) -> str:
    known = settings or await saved(Learning360Credentials)
    if known is None:
        return "Left the limit of bulk operations to the first run: the 360Learning platform is not known yet"
    name = limit_name(known.api_url, known.client_id)
    new = await create_limit(client, name)
    return (
        f"Created the limit {name}: {BULK_SLOTS} bulk operations at a time"
        if new
        else f"Found the limit {name}"
    )


async def _work_pool(client: PrefectClient) -> str:
    try:
        await client.create_work_pool(WorkPoolCreate(name=WORK_POOL, type="process"))
    except ObjectAlreadyExists:
        return f"Found the work pool {WORK_POOL}"
    return f"Created the work pool {WORK_POOL}, of type process"
