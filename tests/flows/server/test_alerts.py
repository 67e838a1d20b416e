"""The alerts on a server: made once, brought up to date, notifying where there is something to notify by."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.errors import SettingsError, SyncError

pytestmark = pytest.mark.usefixtures("prefect_api")


def installed() -> tuple[list[str], dict[str, Any]]:
    """Install the alerts: what was said, and all automations of ours by name."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - once its test server runs

    from flows.server.alerts import install  # noqa: PLC0415

    async def work() -> tuple[list[str], list[Any]]:
        async with get_client() as client:
            return await install(client), list(await client.read_automations())

    said, automations = asyncio.run(work())
    assert len({one.name for one in automations}) == len(automations)
    return said, {one.name: one for one in automations}


@pytest.fixture
def notification_block() -> Iterator[Any]:
    from prefect.blocks.notifications import CustomWebhookNotificationBlock  # noqa: PLC0415

    from flows.server.alerts import ALERTS_BLOCK  # noqa: PLC0415

    block = CustomWebhookNotificationBlock(name="server", url="https://alerts.example")
    yield block.save(ALERTS_BLOCK)
    CustomWebhookNotificationBlock.delete(ALERTS_BLOCK)


def test_alerts_are_made_once_and_say_that_they_notify_nobody() -> None:
    installed()
    said, automations = installed()
    assert len(automations) == 6
    assert not any(line.startswith("Created") for line in said)
    assert "notify nobody" in said[-1]
    failed = automations["coursera-sync: a run failed"]
    assert [action.type for action in failed.actions] == ["do-nothing"]


def test_alerts_notify_by_the_block_of_our_name(notification_block: Any) -> None:
    said, automations = installed()
    assert "notify nobody" not in " ".join(said)
    silent = automations.pop("coursera-sync: a run gave no sign of life")
    assert [action.type for action in silent.actions] == ["change-flow-run-state"]
    for name, automation in automations.items():
        (action,) = automation.actions
        assert (action.type, action.block_document_id) == ("send-notification", notification_block)
        assert (action.subject, action.body) == (name, automation.description)


@pytest.mark.parametrize(
    ("server", "kind", "message"),
    [
        (None, SettingsError, "PREFECT_API_URL is not set"),
        ("http://127.0.0.1:9/api", SyncError, "PREFECT_API_URL"),
    ],
    ids=["no server", "a server that is down"],
)
def test_register_says_what_is_wrong_with_the_server(
    server: str | None, kind: type[SyncError], message: str
) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings  # noqa: PLC0415

    from flows.server.register import register  # noqa: PLC0415

    with (
        temporary_settings({PREFECT_API_URL: server}, restore_defaults={PREFECT_API_URL}),
        pytest.raises(kind, match=message) as raised,
    ):
        register()
    assert raised.value.exit_code == kind.exit_code
