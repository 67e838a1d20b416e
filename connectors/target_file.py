"""Several groups of 360Learning: the file of SYNC_TARGETS, checked when it is loaded."""

import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from connectors.errors import SettingsError
from connectors.settings import Name, ObjectId, Settings

TABLE = "target"


class TargetEntry(BaseModel):
    """One group. What is left out is as in the settings; without ``programs`` it gets all of them."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)

    # Prefect's names of reports allow no other characters.
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
    group_id: ObjectId | None = None
    author_id: ObjectId | None = None
    platform_name: Name | None = None
    no_group_propagation: bool | None = None
    default_language: Name | None = None
    programs: tuple[Name, ...] = ()

    def settings(self, common: Settings) -> Settings:
        """The settings for this group: what it names in place of what is common."""
        of_platform = self.model_dump(
            include={"group_id", "author_id", "platform_name", "no_group_propagation"}, exclude_none=True
        )
        of_sync = self.model_dump(include={"default_language"}, exclude_none=True)
        return replace(
            common,
            target=self.name,
            programs=self.programs,
            learning360=common.learning360.model_copy(update=of_platform),
            sync=common.sync.model_copy(update=of_sync),
        )


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    target: Annotated[list[TargetEntry], Field(min_length=1)]


def by_target(settings: Settings) -> list[Settings]:
    """The settings for each group in the file of SYNC_TARGETS, in a fixed order; as they are without one.

    Raises SettingsError where the file cannot be read, or two of its targets are the same.
    """
    path = settings.sync.targets
    if path is None:
        return [settings]
    targets = _load(path)
    every = [target.settings(settings) for target in sorted(targets, key=lambda target: target.name)]
    _require_different(path, "name", [target.name for target in targets])
    groups = [f"{one.learning360.platform_name} in group {one.learning360.group_id}" for one in every]
    _require_different(path, "integration", groups)
    return every


def _load(path: Path) -> list[TargetEntry]:
    try:
        return _File(**tomllib.loads(path.read_text(encoding="utf-8"))).target
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"SYNC_TARGETS {path} cannot be read ({type(error).__name__}).") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"SYNC_TARGETS {path} is no TOML file: {error}.") from error
    except ValidationError as error:
        problems = "; ".join(_problem(dict(detail)) for detail in error.errors(include_input=False))
        raise SettingsError(f"SYNC_TARGETS {path}: {problems}.") from error


def _problem(detail: dict[str, Any]) -> str:
    """What is wrong where, such as "target 2, group_id: …": people count from one."""
    where = [f"{TABLE} {one + 1}" if isinstance(one, int) else one for one in detail["loc"]]
    place = ", ".join(where[1:] if len(where) > 1 else where)
    return f"{place}: {detail['msg']}"


def _require_different(path: Path, what: str, values: list[str]) -> None:
    twice = sorted(value for value, count in Counter(values).items() if count > 1)
    if twice:
        raise SettingsError(f"SYNC_TARGETS {path}: two targets have the same {what}, {', '.join(twice)}.")
