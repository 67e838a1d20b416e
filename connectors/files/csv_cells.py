"""Cells of CSV files that people open with a spreadsheet, which takes some texts for formulas."""

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_QUOTE = "'"


def guarded(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe before it says that it is text."""
    return _QUOTE + text if text.startswith(_FORMULAS) else text


def unguarded(cell: str) -> str:
    """The text of a cell, without what `guarded` put before it."""
    return cell[1:] if cell.startswith(_QUOTE) and cell[1:].startswith(_FORMULAS) else cell
