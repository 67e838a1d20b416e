"""Files that hold a secret or learners' addresses, and that others must not read."""

import stat
from pathlib import Path

from connectors.errors import SettingsError


def private_text(path: Path) -> str:
    """What stands in a file that its owner alone may read, without blanks around it.

    Raises SettingsError where it cannot be read, or where others can.
    """
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read: {getattr(error, 'strerror', 'it is no text')}."
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"{path} holds a secret that others may read: chmod 600 {path}")
    return text
