"""Files that a command writes for its user alone, whole or not at all."""

from __future__ import annotations

import logging
import os
import tempfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.errors import SettingsError
from connectors.files.csv_cells import guarded

if TYPE_CHECKING:
    import pandas as pd  # which `status` need not wait for

logger = logging.getLogger("coursera_sync.report")


def require_table_file(option: str, path: Path) -> None:
    """Say before a run begins why the file of an option could not hold a table."""
    if path.suffix.lower() not in {".csv", ".parquet"}:
        raise SettingsError(f"{option} {path} must end in .csv or .parquet.")
    require_writable(option, path)


def try_to_write_table(option: str, path: Path, table: pd.DataFrame) -> None:
    """Write a table for the user alone; the run was good all the same where that fails."""
    try:
        write_privately(path, _file(table, path.suffix.lower()))
    except OSError as error:
        logger.error("%s %s could not be written: %s", option, path, error.strerror)  # noqa: TRY400


def require_writable(option: str, path: Path) -> None:
    """Say before a run begins where the file of an option could not be written."""
    if path.is_dir():
        raise SettingsError(f"{option} {path} is a folder: name a file in it.")
    if path.exists() and not path.is_file():
        raise SettingsError(f"{option} {path} is no plain file: name one.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise SettingsError(f"{option} {path} cannot be written: {path.parent} is not writable.")


def write_privately(path: Path, content: bytes) -> None:
    """Write a file with mode 0600; one that is there, or a link, is replaced whole."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


def _file(table: pd.DataFrame, suffix: str) -> bytes:
    if suffix == ".csv":
        safe = table.map(lambda cell: guarded(cell) if isinstance(cell, str) else cell)
        return safe.to_csv(index=False).encode()
    buffer = BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()
