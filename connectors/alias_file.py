"""Learners whose address at Coursera is another one than in 360Learning: a file that people keep."""

import csv
from collections.abc import Mapping
from pathlib import Path

from connectors.addresses import fold, is_address
from connectors.errors import SettingsError
from connectors.files.csv_cells import unguarded
from connectors.files.private_files import warn_of_readers

HEADER = ["coursera", "learning360"]
COMMENT = "#"

Aliases = Mapping[str, str]


def load_aliases(path: Path | None) -> Aliases:
    """The addresses in 360Learning by those at Coursera, in lower case; none without a file.

    Lines that are empty or begin with # are passed over. Raises SettingsError, which names the first line
    that is wrong, and never an address.
    """
    if path is None:
        return {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SettingsError(f"SYNC_ALIASES: {path} cannot be read: {why}.") from error
    warn_of_readers(path, "SYNC_ALIASES")
    return _checked(path, _cells(lines))


def _cells(lines: list[str]) -> dict[int, list[str]]:
    """The cells of each line that counts, by its number (from 1)."""
    told = {number: line for number, line in enumerate(lines, 1) if line.strip()}
    told = {number: line for number, line in told.items() if not line.startswith(COMMENT)}
    rows = {number: next(csv.reader([line])) for number, line in told.items()}
    return {number: [unguarded(fold(cell)) for cell in cells] for number, cells in rows.items()}


def _checked(path: Path, cells: dict[int, list[str]]) -> Aliases:
    def wrong(number: int, what: str) -> SettingsError:
        return SettingsError(f"SYNC_ALIASES: {path}, line {number}: {what}.")

    rows = list(cells.items())
    if not rows or rows[0][1] != HEADER:
        raise wrong(rows[0][0] if rows else 1, f"the header must be {','.join(HEADER)}")
    lines: dict[str, int] = {}
    aliases: dict[str, str] = {}
    for number, row in rows[1:]:
        if len(row) != len(HEADER):
            raise wrong(number, f"{len(row)} cells, where two addresses are wanted")
        if not all(map(is_address, row)):
            raise wrong(number, "not an address")
        if row[0] in lines:
            raise wrong(number, f"the address at Coursera stands in line {lines[row[0]]} already")
        lines[row[0]] = number
        aliases[row[0]] = row[1]
    for coursera, learning360 in aliases.items():
        if learning360 in lines:
            other = lines[learning360]
            raise wrong(lines[coursera], f"a chain: the second address is the first one of line {other}")
    return aliases
