"""Which enrollment reports are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.errors import SettingsError


@dataclass(frozen=True)
class ActivityWindow:
    """Which reports to read: with last activity from ``since`` on, and before ``until`` (epoch ms).

    None is no bound; without either all are read, those without any activity too.
    """

    since: int | None = None
    until: int | None = None

    @property
    def after_ms(self) -> int | None:
        """Its beginning as Coursera takes it, whose bound is strictly after."""
        return None if self.since is None else self.since - 1


#: No bound at all.
EVERYTHING = ActivityWindow()


def earliest(windows: Sequence[ActivityWindow]) -> ActivityWindow:
    """The window that begins where the earliest of them does, without an end."""
    since = [one.since for one in windows]
    return EVERYTHING if None in since else ActivityWindow(min(one for one in since if one is not None))


def chosen_window(active_from: datetime | None, active_to: datetime | None) -> ActivityWindow:
    """A window as people give it (UTC where they do not say); SettingsError where it is empty."""
    since, until = _epoch_ms(active_from), _epoch_ms(active_to)
    if since is not None and until is not None and since >= until:
        raise SettingsError("The window is empty: --from must lie before --to.")
    return ActivityWindow(since, until)


def _epoch_ms(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)
