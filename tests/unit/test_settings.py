"""Settings are judged before anything is asked of anybody, and secrets stay secret."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.errors import SettingsError
from connectors.settings import Settings, load_settings

GOOD = {
    "COURSERA_ORG_ID": "org",
    "COURSERA_CLIENT_ID": "id",
    "COURSERA_CLIENT_SECRET": "coursera-secret",
    "COURSERA_REFRESH_TOKEN": "refresh-secret",
    "LEARNING360_CLIENT_ID": "id",
    "LEARNING360_CLIENT_SECRET": "learning360-secret",
    "LEARNING360_GROUP_ID": "a" * 24,
    "LEARNING360_AUTHOR_ID": "b" * 24,
}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def load(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> Settings:
    for name, value in {**GOOD, **changes}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    return load_settings()


def test_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)
    assert settings.learning360.platform_name == "Coursera for Business"
    assert settings.learning360.api_url == "https://app.360learning.com"
    assert not settings.learning360.no_group_propagation
    sync = settings.sync
    assert sync.state_url.startswith("sqlite")
    assert (sync.default_language, sync.archive_removed, sync.archive_limit) == ("en", False, 0.1)
    assert (sync.send_scores, sync.full_every_days, sync.program_order) == (False, 7, ())
    assert (sync.archive_grace, sync.launch_rule, sync.lock_wait) == (2, "completed", 21_600)


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("refresh", ("https://api.coursera.org/api", "https://accounts.coursera.org/oauth2/v1/token")),
        (
            None,
            (
                "https://api.coursera.com/ent/api",
                "https://api.coursera.com/oauth2/client_credentials/token",
            ),
        ),
    ],
    ids=["with a refresh token", "without one"],
)
def test_the_refresh_token_decides_where_coursera_is(
    monkeypatch: pytest.MonkeyPatch, token: str | None, expected: tuple[str, str]
) -> None:
    assert load(monkeypatch, COURSERA_REFRESH_TOKEN=token).coursera.addresses == expected


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("COURSERA_ORG_ID", None, "COURSERA_ORG_ID is missing"),
        ("COURSERA_ORG_ID", "", "COURSERA_ORG_ID is missing"),
        ("LEARNING360_CLIENT_SECRET", None, "LEARNING360_CLIENT_SECRET is missing"),
        ("COURSERA_API_URL", "http://api.coursera.org/api", "COURSERA_API_URL must begin with https://"),
        ("COURSERA_TOKEN_URL", "ftp://x.y", "COURSERA_TOKEN_URL is not a URL that begins with https://"),
        ("LEARNING360_API_URL", "https://", "LEARNING360_API_URL is not a URL"),
        ("LEARNING360_API_URL", "https://a:b@c.d", "LEARNING360_API_URL must carry no user name"),
        ("LEARNING360_GROUP_ID", "short", "LEARNING360_GROUP_ID"),
        ("SYNC_STATE_URL", "nonsense", "SYNC_STATE_URL is not an SQLAlchemy URL"),
        ("SYNC_STATE_URL", "mysql://h/d", "SYNC_STATE_URL must be an sqlite:// or a postgresql:// URL"),
        ("SYNC_STATE_URL", "sqlite://", "SYNC_STATE_URL must name a file"),
        ("SYNC_ARCHIVE_LIMIT", "2", "SYNC_ARCHIVE_LIMIT"),
        ("SYNC_LAUNCH_RULE", "closed", "SYNC_LAUNCH_RULE"),
        ("SYNC_FULL_EVERY_DAYS", "0", "SYNC_FULL_EVERY_DAYS"),
        ("LEARNING360_RESULTS_MIB", "0", "LEARNING360_RESULTS_MIB"),
    ],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | None, message: str
) -> None:
    with pytest.raises(SettingsError, match=message) as raised:
        load(monkeypatch, **{name: value})
    assert raised.value.exit_code == 2
    assert not any(secret in str(raised.value) for secret in GOOD.values() if secret.endswith("-secret"))


def test_all_problems_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as raised:
        load(monkeypatch, COURSERA_ORG_ID=None, LEARNING360_AUTHOR_ID="x", SYNC_ARCHIVE_GRACE="0")
    for name in ("COURSERA_ORG_ID", "LEARNING360_AUTHOR_ID", "SYNC_ARCHIVE_GRACE"):
        assert name in str(raised.value)


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:9"])
def test_loopback_may_be_http(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    settings = load(monkeypatch, LEARNING360_API_URL=f"http://{host}/")
    assert settings.learning360.api_url == f"http://{host}"


def test_program_order_is_a_list_of_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, SYNC_PROGRAM_ORDER=" p2, p1 ,").sync.program_order == ("p2", "p1")


def test_the_env_file_is_read_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("COURSERA_ORG_ID=from-file\nSYNC_SEND_SCORES=true\nOTHER=1\n")
    assert load(monkeypatch).coursera.org_id == "org"
    assert load(monkeypatch, COURSERA_ORG_ID=None).coursera.org_id == "from-file"
    assert load(monkeypatch).sync.send_scores


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_a_line_break_at_the_end_of_a_value_is_no_part_of_it(
    monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    settings = load(monkeypatch, **{name: value + end for name, value in GOOD.items()})
    secrets = (settings.coursera.client_secret, settings.coursera.refresh_token)
    assert [one and one.get_secret_value() for one in secrets] == ["coursera-secret", "refresh-secret"]
    assert settings.learning360.client_secret.get_secret_value() == "learning360-secret"
    assert settings.learning360.group_id == GOOD["LEARNING360_GROUP_ID"]
    monkeypatch.delenv("COURSERA_CLIENT_SECRET")
    of_block = load_settings({"COURSERA_": {"client_secret": SecretStr(f"from-block{end}")}})
    assert of_block.coursera.client_secret.get_secret_value() == "from-block"


@pytest.mark.parametrize("secret", ["a${HOME}b", "$HOME", "${x:-y}", "p%40${", "back\\slash"])
def test_a_value_in_the_env_file_stays_as_it_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, secret: str
) -> None:
    (tmp_path / ".env").write_text(f"COURSERA_CLIENT_SECRET={secret}\n", encoding="utf-8-sig")
    settings = load(monkeypatch, COURSERA_CLIENT_SECRET=None)
    assert settings.coursera.client_secret.get_secret_value() == secret


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
def test_an_env_file_that_is_not_utf_8_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str
) -> None:
    (tmp_path / ".env").write_text("COURSERA_CLIENT_SECRET=Stra\u00dfe\n", encoding=encoding)
    with pytest.raises(SettingsError, match=r"^\.env cannot be read: it is not UTF-8") as raised:
        load(monkeypatch)
    assert "Stra" not in str(raised.value)


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = repr(load(monkeypatch))
    assert not any(secret in shown for secret in GOOD.values() if secret.endswith("-secret"))
