"""Texts that others wrote, made fit to be shown: plain, on one line, without addresses."""

import re
import unicodedata

#: So much of what a platform says is kept.
MOST_CHARACTERS = 300
# What steers a terminal or turns the order of letters round; zero-width joiners are a part of some scripts.
_STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"
# Other ways of writing an @: of full width, small, encoded once or more for URLs, HTML or JSON.
_AT = re.compile(
    r"[\uff20\ufe6b]|%(?:25)*40|&(?:amp;)*(?:#0*64|#x0*40|commat);?|\\(?:u00|x)40", re.IGNORECASE
)
# A word with an @ in it, a quoted local part and blanks beside the @ included: what it consists of may be
# anything. An @ between two words, no domain after it, is none. Possessive throughout, and tried at the
# beginning of a word alone: it takes a time in proportion to the text.
_ADDRESS = re.compile(
    r"""
    (?<!\S) (?: "[^"]*+" (?=\ ?@) | [^\s@] )*+
    (?: (?: \ ?@(?=\S) | \ ?@\ (?=\S*\.) | (?<=\S)@ ) [^\s@]*+ )++
    """,
    re.VERBOSE,
)
_BEFORE, _AFTER = "<\"'([{", ">\"')]},;:."


def plain(text: str) -> str:
    """A text on one line, whatever would steer a terminal or forge a line of ours replaced."""
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(
        "\ufffd" if unicodedata.category(one) in _STEERING and one not in _JOINERS else one for one in line
    )


def mask_addresses(text: str) -> str:
    """A text as `plain` has it with every address in it masked, so that it can be shown."""
    return _ADDRESS.sub(_masked, _AT.sub("@", plain(text)))


def said(text: str) -> str:
    """What a platform said, so that it can be shown and kept: no addresses, MOST_CHARACTERS at most."""
    masked = mask_addresses(text)
    return masked if len(masked) <= MOST_CHARACTERS else f"{masked[: MOST_CHARACTERS - 1]}…"


def _masked(found: re.Match[str]) -> str:
    """The signs around an address stay."""
    word = found[0]
    before, after = len(word) - len(word.lstrip(_BEFORE)), len(word.rstrip(_AFTER))
    return f"{word[:before]}<address>{word[after:]}"
