"""Files that hold a secret or learners' addresses, and that others must not read."""

import logging
import stat
from pathlib import Path

from connectors.errors import SettingsError

OTHERS = stat.S_IRWXG | stat.S_IRWXO

logger = logging.getLogger("coursera_sync.private_files")


def warn_of_readers(path: Path, what: str) -> None:
    """Warn where others than its owner can read a file that is there; ``what`` it is, in words."""
    if path.exists() and path.stat().st_mode & OTHERS:
        logger.warning("%s: others can read %s, which has addresses or secrets: chmod 600 it", what, path)


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
    if mode & OTHERS:
        raise SettingsError(f"{path} holds a secret that others may read: chmod 600 {path}")
    return text
