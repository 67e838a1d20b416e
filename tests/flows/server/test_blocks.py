"""Credentials as Prefect blocks: looked for last, and a token that was renewed goes back to them."""

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.errors import SettingsError
from tests.installation import Sync

OURS = ("COURSERA_", "LEARNING360_")


@pytest.fixture
def registered(sync: Sync) -> Iterator[Sync]:
    """An installation whose credentials were registered; the blocks are gone afterwards."""
    from flows.server.register import register  # noqa: PLC0415 - Prefect is imported once its test server runs

    register()
    yield sync
    _forget_blocks()


def _forget_blocks() -> None:
    from connectors.blocks import NAME, CourseraCredentials, Learning360Credentials  # noqa: PLC0415

    CourseraCredentials.delete(NAME)
    Learning360Credentials.delete(NAME)


def without_environment(monkeypatch: pytest.MonkeyPatch, sync: Sync, *kept: str) -> None:
    for name in sync.environment():
        if name.startswith(OURS) and name not in kept:
            monkeypatch.delenv(name)


def block() -> Any:
    from connectors.blocks import NAME, CourseraCredentials  # noqa: PLC0415

    return CourseraCredentials.load(NAME)


def token_in_block() -> str:
    value: str = block().refresh_token.get_secret_value()
    return value


def test_without_blocks_what_is_missing_is_named(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    without_environment(monkeypatch, sync)
    summary = sync.setup()
    assert summary.state == "failed"
    assert "COURSERA_ORG_ID is missing" in str(summary.error)
    assert "LEARNING360_GROUP_ID is missing" in str(summary.error)


def test_the_blocks_stand_in_for_the_environment(registered: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    without_environment(monkeypatch, registered)
    assert registered.setup().state == "completed"


def test_the_environment_wins_over_the_blocks(registered: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    without_environment(monkeypatch, registered, "LEARNING360_CLIENT_SECRET")
    monkeypatch.setenv("LEARNING360_CLIENT_SECRET", "wrong-secret")
    assert "LEARNING360_CLIENT_SECRET" in str(registered.setup().error)


def test_credentials_that_are_whole_take_no_token_from_a_block(
    registered: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where 360Learning's come from the block, Coursera's client credentials stay what they are."""
    without_environment(monkeypatch, registered)
    for name, value in registered.sandbox.environment("client_credentials").items():
        if name.startswith("COURSERA_"):
            monkeypatch.setenv(name, value)
    assert registered.setup().state == "completed"
    assert registered.requests("POST", "/oauth2/client_credentials/token") == 1


def test_a_renewed_token_goes_back_to_its_block(registered: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    registered.sandbox.coursera.options.rotate_refresh_token = True
    without_environment(monkeypatch, registered)
    for _ in range(2):
        assert registered.setup().state == "completed"
        assert token_in_block() == registered.sandbox.coursera.sign_in.refresh_token
    assert registered.ledger("renewed_tokens") == []


def test_a_token_of_the_environment_is_kept_in_the_ledger(registered: Sync) -> None:
    registered.sandbox.coursera.options.rotate_refresh_token = True
    before = token_in_block()
    registered.setup()
    assert token_in_block() == before
    assert len(registered.ledger("renewed_tokens")) == 1


def test_a_token_that_cannot_go_back_is_kept_in_the_ledger(
    registered: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connectors.blocks import CourseraCredentials  # noqa: PLC0415

    def broken(*_: object, **__: object) -> None:
        raise OSError("the server is gone")

    registered.sandbox.coursera.options.rotate_refresh_token = True
    without_environment(monkeypatch, registered)
    with monkeypatch.context() as patched:
        patched.setattr(CourseraCredentials, "save", broken)
        assert registered.setup().state == "completed"
    assert len(registered.ledger("renewed_tokens")) == 1
    assert registered.setup().state == "completed"


def test_register_keeps_a_token_that_was_renewed_since(
    registered: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.server.register import register  # noqa: PLC0415

    registered.sandbox.coursera.options.rotate_refresh_token = True
    with monkeypatch.context() as elsewhere:
        without_environment(elsewhere, registered)
        registered.setup()
    renewed = token_in_block()
    register()
    assert token_in_block() == renewed
    monkeypatch.setenv("COURSERA_REFRESH_TOKEN", "set anew by people")
    register()
    assert token_in_block() == "set anew by people"


def test_register_leaves_blocks_alone_that_it_has_no_settings_for(
    registered: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.server.register import register  # noqa: PLC0415

    before = token_in_block()
    without_environment(monkeypatch, registered, "COURSERA_REFRESH_TOKEN")
    monkeypatch.setenv("COURSERA_REFRESH_TOKEN", "half a set")
    said = " ".join(register().done)
    assert "Left the block coursera-credentials/default as it is" in said
    assert "Found the limit" in said
    assert token_in_block() == before


def test_register_refuses_a_setting_that_is_wrong(registered: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.server.register import register  # noqa: PLC0415

    assert registered
    monkeypatch.setenv("LEARNING360_GROUP_ID", "short")
    with pytest.raises(SettingsError, match="LEARNING360_GROUP_ID"):
        register()


def test_secrets_show_in_no_block(registered: Sync) -> None:
    environment = registered.environment()
    shown = repr(block())
    for name in ("COURSERA_CLIENT_SECRET", "COURSERA_REFRESH_TOKEN"):
        assert environment[name] not in shown
