"""Learners' addresses: one form for all places where two of them are compared."""

import re

# NUL is no white space, and no database could look it up.
_ADDRESS = re.compile(r"[^@\s\0]+@[^@\s\0]+")


def is_address(text: str) -> bool:
    """Whether a text is one address: a word with one @ in it, something on both sides."""
    return _ADDRESS.fullmatch(text) is not None


def fold(address: str) -> str:
    """The form in which an address is known everywhere: without blanks around it, in lower case."""
    return address.strip().lower()
