"""`serve` before anything runs: its folder, its key, its sign-in, the settings it hands on."""

import base64
from pathlib import Path

import pytest

from connectors.errors import SettingsError
from connectors.settings import is_loopback
from flows.server.home import ServerHome, open_home, private_key, project_folder, settings_here

HERE = "127.0.0.1"
SIGN_IN = "keeper:a-password"


@pytest.fixture(autouse=True)
def _no_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_SERVER_API_AUTH_STRING", raising=False)


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_folder_is_private(tmp_path: Path) -> None:
    home = open_home(HERE, 4200, tmp_path / "a" / "home", None)
    assert home.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("host", [HERE, "0.0.0.0", "::", "192.0.2.7", "host.example"])  # noqa: S104
def test_a_sign_in_is_made_once_wherever_it_listens(tmp_path: Path, host: str) -> None:
    made = open_home(host, 4200, tmp_path / "home", None)
    again = open_home(host, 4200, tmp_path / "home", None)
    assert (made.sign_in_is_new, again.sign_in_is_new) == (True, False)
    assert again.sign_in == made.sign_in == (tmp_path / "home" / "sign-in").read_text()
    assert open_home(host, 4200, tmp_path / "other", None).sign_in != made.sign_in


def test_a_sign_in_that_others_may_read_is_refused(tmp_path: Path) -> None:
    open_home(HERE, 4200, tmp_path, None)
    (tmp_path / "sign-in").chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        open_home(HERE, 4200, tmp_path, None)


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    key = private_key(tmp_path / "key")
    assert len(base64.urlsafe_b64decode(key)) == 32
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert private_key(tmp_path / "key") == key


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="chmod 600"):
        private_key(private(tmp_path / "key", "x", 0o644))


def test_the_sign_in_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth_file = private(tmp_path / "auth", f"{SIGN_IN}\n")
    assert open_home("0.0.0.0", 4200, tmp_path / "home", auth_file).sign_in == SIGN_IN  # noqa: S104
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "other:one\n")
    assert open_home("0.0.0.0", 4200, tmp_path / "home", None).sign_in == "other:one"  # noqa: S104


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        (SIGN_IN, 0o644, "chmod 600"),
        ("no-colon", 0o600, "user:password"),
        (":password", 0o600, "user:password"),
        ("user:", 0o600, "user:password"),
        ("", 0o600, "--auth-file"),
    ],
)
def test_a_sign_in_that_is_none_is_refused(tmp_path: Path, text: str, mode: int, message: str) -> None:
    auth_file = private(tmp_path / "auth", text, mode)
    with pytest.raises(SettingsError, match=message) as raised:
        open_home("0.0.0.0", 4200, tmp_path / "home", auth_file)  # noqa: S104
    assert "a-password" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        open_home(HERE, 4200, tmp_path / "home", tmp_path / "auth")


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="--home"):
        open_home(HERE, 4200, tmp_path / "file" / "home", None)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        (HERE, "http://127.0.0.1:4200"),
        ("0.0.0.0", "http://127.0.0.1:4200"),  # noqa: S104
        ("::", "http://[::1]:4200"),
        ("::1", "http://[::1]:4200"),
        ("host.example", "http://host.example:4200"),
    ],
)
def test_where_this_machine_reaches_it(tmp_path: Path, host: str, url: str) -> None:
    assert ServerHome(tmp_path, host, 4200, SIGN_IN).url == url


@pytest.mark.parametrize(
    ("host", "loopback"), [("localhost", True), ("::1", True), ("127.0.0.9", True), ("10.0.0.1", False)]
)
def test_what_only_this_machine_reaches(host: str, loopback: bool) -> None:  # noqa: FBT001
    assert is_loopback(host) is loopback


def test_what_the_server_and_all_beside_it_are_given(tmp_path: Path) -> None:
    home = open_home(HERE, 4200, tmp_path / "home", private(tmp_path / "auth", SIGN_IN))
    environment = home.environment(project_folder())
    assert environment["PREFECT_HOME"] == str(home.folder)
    assert environment["PREFECT_API_URL"] == "http://127.0.0.1:4200/api"
    assert environment["PREFECT_SERVER_API_AUTH_STRING"] == SIGN_IN
    assert environment["PREFECT_API_AUTH_STRING"] == SIGN_IN
    assert environment["PREFECT_SERVER_ENCRYPTION_KEY"] == private_key(home.folder / "encryption.key")
    assert (environment["DO_NOT_TRACK"], environment["PREFECT_SERVER_ANALYTICS_ENABLED"]) == ("1", "false")
    assert (Path(environment["PWD"]) / "prefect.yaml").is_file()


def test_settings_of_the_folder_it_is_started_from_are_handed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("COURSERA_ORG_ID=from-file\nSYNC_DEFAULT_LANGUAGE=\nOTHER=1\n")
    monkeypatch.chdir(tmp_path)
    assert settings_here(project_folder()) == {"COURSERA_ORG_ID": "from-file"}
    assert settings_here(tmp_path.resolve()) == {}
    monkeypatch.setenv("COURSERA_ORG_ID", "from-environment")
    home = open_home(HERE, 4200, tmp_path / "home", None)
    assert home.environment(project_folder())["COURSERA_ORG_ID"] == "from-environment"
