"""Addresses in texts for people, masked."""

import re

_ADDRESS = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")


def mask_addresses(text: str) -> str:
    """A text with every address in it masked, so that it can be shown."""
    return _ADDRESS.sub("<address>", text)
