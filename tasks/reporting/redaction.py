"""Addresses in texts for people, masked."""

import re

# Begun only where a word begins, and never given back: else a long word without @ is read anew from each of
# its characters on.
_WORD = r"[^\s@<>\"'(),;:]"
_ADDRESS = re.compile(rf"(?<!{_WORD}){_WORD}++@{_WORD}++")


def mask_addresses(text: str) -> str:
    """A text with every address in it masked, so that it can be shown."""
    return _ADDRESS.sub("<address>", text)
