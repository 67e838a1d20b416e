"""What `coursera-sync serve` keeps: its private folder, its key, its sign-in, and its settings."""

import base64
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import platformdirs

import flows
from connectors.errors import SettingsError
from connectors.files.env_file import ENV_FILE, env_file_values
from connectors.files.private_files import private_text
from flows.server.prefect_settings import GOOD_SETTINGS
from flows.server.sign_in import new_sign_in

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
    # What `prefect server start` says to its app: it is the only one in its process.
    "PREFECT__SERVER_FINAL": "1",
}


@dataclass(frozen=True)
class ServerHome:
    """The folder of the server and how it is reached.

    ``sign_in`` is user:password; ``sign_in_file`` has it, where it does not come from the environment.
    """

    folder: Path
    host: str
    port: int
    sign_in: str
    sign_in_file: Path | None = None
    sign_in_is_new: bool = False

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
            "PREFECT_SERVER_API_HOST": self.host,
            "PREFECT_SERVER_ENCRYPTION_KEY": private_key(self.folder / "encryption.key"),
            "PWD": str(project),  # prefect.yaml's pull step goes there
            AUTH_VARIABLE: self.sign_in,
            "PREFECT_API_AUTH_STRING": self.sign_in,
        }
        return settings_here(project) | dict(os.environ) | fixed


def open_home(host: str, port: int, home: Path | None, auth_file: Path | None) -> ServerHome:
    """Make the private folder ready and find the sign-in: one that is given, else one made once."""
    folder = home or Path(platformdirs.user_state_dir("coursera-sync", appauthor=False)) / "serve"
    given = _given(auth_file)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise SettingsError(f"--home {folder} cannot be used: {error.strerror}.") from error
    folder = folder.resolve()
    if given is not None:
        return ServerHome(folder, host, port, given, auth_file)
    path = folder / "sign-in"
    is_new = not path.exists()
    sign_in = _required(_made_once(path, new_sign_in()), str(path))
    return ServerHome(folder, host, port, sign_in, path, is_new)


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
    values = env_file_values(here / ENV_FILE)
    return {name: value for name, value in values.items() if value and name.upper().startswith(OURS)}


def private_key(path: Path) -> str:
    """The key that secrets are encrypted with in the server's database; made once, readable by its owner."""
    return _made_once(path, base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode())


def _made_once(path: Path, secret: str) -> str:
    """What a private file holds; where there is none, it is made with that secret."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return private_text(path)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret)
    return secret


def _given(auth_file: Path | None) -> str | None:
    """The sign-in of ``auth_file``, else of the environment; None where there is neither."""
    if auth_file is not None:
        return _required(private_text(auth_file), f"--auth-file {auth_file}")
    text = os.environ.get(AUTH_VARIABLE, "").strip()
    return _required(text, AUTH_VARIABLE) if text else None


def _required(text: str, where: str) -> str:
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise SettingsError(f"{where} does not hold a sign-in of the form user:password.")
    return text
