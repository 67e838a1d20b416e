"""The settings: validated before anything is asked of a platform, secrets masked.

Each comes from the environment, then from ``.env`` in the working folder, then from what the caller has to
fall back on: the blocks on a Prefect server, which this module knows nothing of.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import platformdirs
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.sources.utils import parse_env_vars
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from connectors.errors import MissingSettingsError, SettingsError
from connectors.files.env_file import ENV_FILE, env_file_values
from connectors.files.private_files import warn_of_readers

COURSERA_WITH_REFRESH_TOKEN = (
    "https://api.coursera.org/api",
    "https://accounts.coursera.org/oauth2/v1/token",
)
COURSERA_CLIENT_CREDENTIALS = (
    "https://api.coursera.com/ent/api",
    "https://api.coursera.com/oauth2/client_credentials/token",
)
LEARNING360_EU = "https://app.360learning.com"

COURSERA, LEARNING360 = "COURSERA_", "LEARNING360_"

_MISSING = " is missing"
_NO_STATE_URL = (
    "is not an SQLAlchemy URL such as sqlite:////folder/ledger.db or postgresql://user:password@host/ledger "
    "(in a password write %40 for @, %3A for :, %2F for /)"
)

# Values of settings that stand nowhere else: by the prefix of the settings' names, then by field.
Fallback = Mapping[str, Mapping[str, object]]

S = TypeVar("S", bound=BaseSettings)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _web_address(value: str) -> str:
    """Check that a URL is https (http is for loopback only) and carries no credentials."""
    try:
        url = urlsplit(value)
        host = url.hostname or ""
        _ = url.port
    except ValueError as error:
        raise ValueError("is not a URL") from error
    if url.scheme not in {"http", "https"} or not host:
        raise ValueError("is not a URL that begins with https://")
    if url.scheme == "http" and not is_loopback(host):
        raise ValueError("must begin with https:// (http is for loopback only)")
    if url.username or url.password or url.query or url.fragment:
        raise ValueError("must carry no user name, query or fragment")
    return value.rstrip("/")


def _state_address(value: str) -> str:
    """Check that a ledger's URL is SQLAlchemy's, for a file in SQLite or a database in PostgreSQL."""
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):  # which say what they stumble over: a part of a password
        raise ValueError(_NO_STATE_URL) from None
    backend = url.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        raise ValueError("must be an sqlite:// or a postgresql:// URL")
    if backend == "sqlite" and url.database in {None, "", ":memory:"}:
        raise ValueError("must name a file: a ledger in memory would forget everything")
    # One @ too many: what was taken for the host has a part of the password, and drivers name the host.
    if backend == "postgresql" and value.count("@") > 1 + (url.username or "").count("@"):
        raise ValueError(_NO_STATE_URL)
    driver = "psycopg" if backend == "postgresql" else "pysqlite"
    return url.set(drivername=f"{backend}+{driver}").render_as_string(hide_password=False)


def _default_state_url() -> str:
    folder = Path(platformdirs.user_state_dir("coursera-sync", appauthor=False))
    return f"sqlite+pysqlite:///{folder / 'ledger.db'}"


def _comma_separated(value: Any) -> Any:  # noqa: ANN401 - what pydantic hands a validator
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Mebibytes = Annotated[int, Field(ge=1)]
ObjectId = Annotated[str, StringConstraints(pattern=r"^[a-fA-F0-9]{24}$")]


def _config(prefix: str) -> SettingsConfigDict:
    return SettingsConfigDict(
        env_prefix=prefix, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )


class _EnvFile(DotEnvSettingsSource):
    """The file as `env_file_values` reads it."""

    def _read_env_file(self, file_path: Path) -> Mapping[str, str | None]:
        values = env_file_values(file_path)
        return parse_env_vars(values, self.case_sensitive, self.env_ignore_empty, self.env_parse_none_str)


class _Settings(BaseSettings):
    """One group of settings. A line break at the end of a value, as files have it, is no part of it."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - without a file, for ours is read in its place
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - there are none
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the caller falls back on comes first, for it is given only what stands nowhere else."""
        return init_settings, env_settings, _EnvFile(settings_cls, ENV_FILE)

    @field_validator("*", mode="before")
    @classmethod
    def _without_line_break(cls, value: object) -> object:
        given = value.get_secret_value() if isinstance(value, SecretStr) else value
        return given.rstrip("\r\n") if isinstance(given, str) else given


class CourseraSettings(_Settings):
    """Coursera's side. Without a refresh token the sign-in is by client credentials."""

    model_config = _config(COURSERA)

    org_id: Name
    client_id: Name
    client_secret: SecretStr
    refresh_token: SecretStr | None = None
    api_url: WebAddress | None = None
    token_url: WebAddress | None = None
    answer_mib: Mebibytes = 64

    @property
    def addresses(self) -> tuple[str, str]:
        """The API's base and the token URL: as set, else those that go with the way of signing in."""
        api_url, token_url = (
            COURSERA_WITH_REFRESH_TOKEN if self.refresh_token else COURSERA_CLIENT_CREDENTIALS
        )
        return self.api_url or api_url, self.token_url or token_url


class Learning360Settings(_Settings):
    """360Learning's side: the platform, and the group that the courses appear in."""

    model_config = _config(LEARNING360)

    client_id: Name
    client_secret: SecretStr
    api_url: WebAddress = LEARNING360_EU
    group_id: ObjectId
    author_id: ObjectId
    platform_name: Name = "Coursera for Business"
    no_group_propagation: bool = False
    answer_mib: Mebibytes = 64
    results_mib: Mebibytes = 512

    @property
    def identity(self) -> tuple[str, str, str]:
        """What tells one target from another: the platform, the group, and what Coursera is called there."""
        return self.api_url, self.group_id, self.platform_name


class SyncSettings(_Settings):
    """How the synchronisation behaves, and where its ledger is."""

    model_config = _config("SYNC_")

    state_url: Annotated[str, AfterValidator(_state_address)] = Field(default_factory=_default_state_url)
    default_language: Name = "en"
    archive_removed: bool = False
    archive_limit: Annotated[float, Field(ge=0, le=1)] = 0.1
    archive_grace: Annotated[int, Field(ge=1)] = 2
    send_scores: bool = False
    full_every_days: Annotated[int, Field(ge=1)] = 7
    program_order: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated)] = ()
    launch_rule: Literal["completed", "open"] = "completed"
    lock_wait: Annotated[float, Field(ge=0)] = 21_600
    operation_wait: Annotated[float, Field(ge=0)] = 7_200
    alert_rejects: Annotated[int, Field(ge=1)] = 100
    aliases: Path | None = None
    targets: Path | None = None
    keep_rejects_days: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True)
class Settings:
    """All that a working command needs; ``token_from_fallback`` says where the refresh token stood.

    ``target`` and ``programs`` are set where these are the settings of one of several targets (see
    `connectors.target_file`): its name, and the Coursera programs it gets, none being all.
    """

    coursera: CourseraSettings
    learning360: Learning360Settings
    sync: SyncSettings
    token_from_fallback: bool = False
    target: str | None = None
    programs: tuple[str, ...] = ()


def load_settings(fallback: Fallback | None = None) -> Settings:
    """Read every setting; one SettingsError names all that are missing or wrong.

    It is a MissingSettingsError where some are missing and none is wrong, so that a ``fallback`` may help. A
    platform that lacks nothing required takes nothing from there, lest its credentials be mixed.
    """
    problems: list[str] = []
    coursera = _load(CourseraSettings, problems, fallback)
    learning360 = _load(Learning360Settings, problems, fallback)
    sync = _load(SyncSettings, problems)
    if coursera is None or learning360 is None or sync is None:
        raise _report(problems)
    own = _standing_in_the_environment(CourseraSettings)
    foreign = coursera.refresh_token is not None and "refresh_token" not in own
    return Settings(coursera, learning360, sync, token_from_fallback=foreign)


def load_sync_settings() -> SyncSettings:
    """Read only the settings that need no platform, for commands that read only the ledger."""
    warn_of_readers(ENV_FILE, ".env")
    problems: list[str] = []
    sync = _load(SyncSettings, problems)
    if sync is None:
        raise _report(problems)
    return sync


def settings_from_environment(model: type[S]) -> S | None:
    """One platform's settings without any fallback; None where required ones are missing.

    Raises SettingsError where one is wrong.
    """
    problems: list[str] = []
    settings = _load(model, problems)
    if settings is None and not _only_missing(problems):
        raise _report(problems)
    return settings


def _load(model: type[S], problems: list[str], fallback: Fallback | None = None) -> S | None:
    """Read one group of settings; None where that fails, with the ``problems`` added to those given."""
    found: list[str] = []
    settings = _read(model, {}, found)
    values = (fallback or {}).get(_prefix(model), {})
    if values and found and _only_missing(found):
        found.clear()
        own = _standing_in_the_environment(model)
        rest = {name: value for name, value in values.items() if name not in own and value is not None}
        settings = _read(model, rest, found)
    problems += found
    return settings


def _report(problems: list[str]) -> SettingsError:
    """The error that names all problems of the settings."""
    kind = MissingSettingsError if _only_missing(problems) else SettingsError
    return kind(
        f"Settings: {'; '.join(problems)}. Set them in the environment or in .env, or in the blocks on the "
        "Prefect server (see README.md)."
    )


def _read(model: type[S], values: Mapping[str, Any], problems: list[str]) -> S | None:
    try:
        return model(**values)
    except ValidationError as error:
        problems += [_problem(model, dict(detail)) for detail in error.errors(include_input=False)]
        return None


def _standing_in_the_environment(model: type[BaseSettings]) -> set[str]:
    """The fields that the environment or ``.env`` sets."""
    return {*EnvSettingsSource(model)(), *_EnvFile(model, ENV_FILE)()}


def _only_missing(problems: list[str]) -> bool:
    return all(problem.endswith(_MISSING) for problem in problems)


def _prefix(model: type[BaseSettings]) -> str:
    return model.model_config.get("env_prefix", "")


def _problem(model: type[BaseSettings], detail: dict[str, Any]) -> str:
    name = f"{_prefix(model)}{'_'.join(map(str, detail['loc'])).upper()}"
    if detail["type"] == "missing":
        return name + _MISSING
    return f"{name} {str(detail['msg']).removeprefix('Value error, ')}"
