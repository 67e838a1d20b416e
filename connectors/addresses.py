"""Learners' addresses: one form for all places where two of them are compared."""

import re

# Spelled out: for Arrow, which looks at a whole column at once, ``\s`` is ASCII's alone. NUL is no white
# space, and no database could look it up.
_NEVER = r"@\x00\t-\r\x1c- " + "\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
#: One @ with something on both sides, and no white space; the platforms judge the rest.
ADDRESS = f"[^{_NEVER}]+@[^{_NEVER}]+"


def is_address(text: str) -> bool:
    """Whether the whole text is one ADDRESS."""
    return re.fullmatch(ADDRESS, text) is not None


def fold(address: str) -> str:
    """The form in which an address is known everywhere: without blanks around it, in lower case."""
    return address.strip().lower()


def mentions(address: str) -> re.Pattern[str]:
    """What finds a folded address in a text that is folded itself, and not as a part of a longer one."""
    return re.compile(rf"(?<![\w.+-]){re.escape(address)}(?![\w-]|\.\w)")
