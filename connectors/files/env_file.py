"""The file `.env` in the working folder: settings as people write them."""

from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from connectors.errors import SettingsError

ENV_FILE = Path(".env")


def env_file_values(path: Path = ENV_FILE) -> dict[str, str | None]:
    """The values of a file by their names, none without a file; ``${x}`` in a value stays as it is.

    Raises SettingsError, which names the file, where it cannot be read or is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SettingsError(f"{path} cannot be read: {why}. Save it as UTF-8 text.") from None
    if "\0" in text:
        raise SettingsError(f"{path} cannot be read: it is not UTF-8. Save it as UTF-8 text.")
    return dotenv_values(stream=StringIO(text), interpolate=False)
