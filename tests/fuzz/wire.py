"""Values that no JSON library would write: signs stand for them until a page goes over the wire."""

from random import Random
from typing import Any

Json = dict[str, Any]

#: Whole values, as they are to stand on the wire.
WORDS = {
    "<<nan>>": "NaN",
    "<<infinite>>": "-Infinity",
    "<<beyond>>": "1e400",
    "<<digits>>": "9" * 5000,
    "<<above 64 bits>>": "18446744073709551617",
    "<<lists>>": "[" * 1500 + "]" * 1500,
    "<<objects>>": '{"a":' * 1500 + "1" + "}" * 1500,
    "<<list>>": '[1, "text", null]',
}
#: Parts of texts, as bytes on the wire, and what people are to read in their places.
PARTS = {
    "<<half>>": ("\\ud83d", ""),
    "<<other half>>": ("\\udc00", ""),
    "<<both halves>>": ("\\ud83d\\ude00", "\U0001f600"),
    "<<nul>>": ("\\u0000", ""),
    "<<escape>>": ("\\u001b[31m", "[31m"),
    "<<bare escape>>": ("\x1b", ""),
    "<<delete>>": ("\x7f", ""),
    "<<byte>>": ("\xff", ""),
    "<<overlong>>": ("\xc0\x80", ""),
    "<<cut short>>": ("\xe2\x82", ""),
    "<<coded half>>": ("\xed\xa0\xbd", ""),
    "<<line>>": ("\n", "\n"),
}
#: The parts that text is read without.
LOST = [sign for sign, (_, read) in PARTS.items() if not read or sign == "<<escape>>"]


def rewritten(draw: Random) -> dict[str, str]:
    """What stands for what on the wire; perhaps each page has a byte-order mark."""
    rows = {f'{{"instead":"{sign}"}}': written for sign, written in WORDS.items()}
    values = {f'"{sign}"': written for sign, written in WORDS.items()}
    parts = {sign: written for sign, (written, _) in PARTS.items()}
    mark = {'{"elements"': '\xef\xbb\xbf{"elements"'} if draw.random() < 0.5 else {}
    return rows | values | parts | mark


def no_row(draw: Random) -> Json:
    """What will be no object on the wire."""
    return {"instead": draw.choice([sign for sign in WORDS if sign != "<<objects>>"])}


def read(text: str) -> str:
    """A text as people are to read it: trimmed. Two halves that meet are one character."""
    text = text.replace("<<half>><<other half>>", "\U0001f400")
    for sign, (_, shown) in PARTS.items():
        text = text.replace(sign, shown)
    return text.strip()
