"""What `coursera-sync serve` keeps: its private folder, its key, its sign-in, and its settings."""

import base64
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from dotenv import dotenv_values

import flows
from connectors.errors import SettingsError
from connectors.settings import is_loopback
from flows.server.prefect_settings import GOOD_SETTINGS

AUTH_VARIABLE = "PREFECT_SERVER_API_AUTH_STRING"
KEY_BYTES = 32
OURS = ("COURSERA_", "LEARNING360_", "SYNC_")

# For a server that stays: leases on disk, so that the slots of a dead holder are freed after a restart, too.
GOOD = GOOD_SETTINGS | {
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    # The UI asks the server it was loaded from, by whatever name people reach that.
    "PREFECT_SERVER_UI_API_URL": "/api",
    # Prefect's newer UI asks a host outside for how to send analytics, even where they are off.
    "PREFECT_SERVER_UI_V2_ENABLED": "false",
}


@dataclass(frozen=True)
class ServerHome:
    """The folder of the server and how it is reached. ``sign_in`` is user:password, or None on loopback."""

    folder: Path
    host: str
    port: int
    sign_in: str | None

    @property
    def url(self) -> str:
        """The server's address as this machine reaches it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.port}"

    def environment(self, project: Path) -> dict[str, str]:
        """The environment of the server and all beside it: this process's own, and what is fixed here."""
        fixed = GOOD | {
            "PREFECT_HOME": str(self.folder),
            "PREFECT_API_URL": f"{self.url}/api",
            "PREFECT_SERVER_ENCRYPTION_KEY": private_key(self.folder / "encryption.key"),
            "PWD": str(project),  # prefect.yaml's pull step goes there
        }
        if self.sign_in is not None:
            fixed |= {AUTH_VARIABLE: self.sign_in, "PREFECT_API_AUTH_STRING": self.sign_in}
        return settings_here(project) | dict(os.environ) | fixed


def open_home(host: str, port: int, home: Path | None, auth_file: Path | None) -> ServerHome:
    """Make the private folder ready and find the sign-in.

    Raises SettingsError where the server would be open to all: beyond loopback it needs a sign-in.
    """
    sign_in = _sign_in(auth_file)
    if sign_in is None and not is_loopback(host):
        raise SettingsError(
            f"--host {host} can be reached from other machines, and who reaches Prefect's API reads its "
            "secrets: give a sign-in (user:password) in a private file with --auth-file, or in "
            f"{AUTH_VARIABLE}."
        )
    folder = home or Path(platformdirs.user_state_dir("coursera-sync", appauthor=False)) / "serve"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise SettingsError(f"--home {folder} cannot be used: {error.strerror}.") from error
    return ServerHome(folder.resolve(), host, port, sign_in)


def project_folder() -> Path:
    """The folder of prefect.yaml, wherever the command is started from."""
    folder = Path(flows.__file__).resolve().parents[1]
    if not (folder / "prefect.yaml").is_file():
        raise SettingsError(
            f"There is no prefect.yaml in {folder}: install coursera-sync from a checkout of the project "
            "(`make install`), where its deployments are."
        )
    return folder


def settings_here(project: Path) -> dict[str, str]:
    """Our settings from `.env` in the working folder; runs read only the one in the project's folder."""
    here = Path.cwd()
    if here.resolve() == project:
        return {}
    values = dotenv_values(here / ".env")
    return {name: value for name, value in values.items() if value and name.upper().startswith(OURS)}


def private_key(path: Path) -> str:
    """The key that secrets are encrypted with in the server's database; made once, readable by its owner."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return _private_text(path)
    key = base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key)
    return key


def _sign_in(auth_file: Path | None) -> str | None:
    text = _private_text(auth_file) if auth_file else os.environ.get(AUTH_VARIABLE, "")
    user, colon, password = text.partition(":")
    if text and not (user and colon and password):
        where = f"--auth-file {auth_file}" if auth_file else AUTH_VARIABLE
        raise SettingsError(f"{where} does not hold a sign-in of the form user:password.")
    return text or None


def _private_text(path: Path) -> str:
    """What stands in a file that its owner alone may read."""
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read: {getattr(error, 'strerror', 'it is no text')}."
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"{path} holds a secret that others may read: chmod 600 {path}")
    return text
