"""Odd values, by what they stand in for. All is drawn from a seed."""

from random import Random
from typing import Any

from tests.fuzz.wire import LOST, PARTS, WORDS

_OF_ANY_TYPE: list[Any] = [
    [],
    [None],
    ["text"],
    {},
    {"en": "text"},
    {"<<half>>": {"<<nul>>": "<<byte>>"}},
    *WORDS,
]
NO_TEXT: list[Any] = [True, False, 0, -17, 0.5, 1e300, 2**53 + 1, 2**63, *_OF_ANY_TYPE]
NO_NUMBER: list[Any] = [True, False, "", "37", "many", "<<nul>>", "1e3", *_OF_ANY_TYPE]
NO_FLAG: list[Any] = [0, 1, 0.0, "true", "", "<<half>>", *_OF_ANY_TYPE]
NO_LIST: list[Any] = ["text", "", 7, True, {}, {"0": "text"}, "<<nan>>", "<<digits>>", "<<objects>>"]
NO_OBJECT: list[Any] = ["text", "", 7, True, [], ["text"], [{}], "<<nan>>", "<<beyond>>", "<<lists>>"]
ANYTHING: list[Any] = [None, "", " ", "text", "x" * 20_000, *NO_TEXT, *PARTS]

_RIGHT_TO_LEFT = ("\u202e", "\u200f", "\u2066")
_BLANKS = ("", " ", "\t\n ", "\u3000", "\xa0 \u2028", "<<line>>")
_NICE = (
    "Words",
    "Élan vital",
    "学習",
    "עברית",
    "İstanbul ß",
    "e\u0301",
    "\ufeffmark",
    "<b>&amp;</b>",
    "=1+1",
    "{{7*7}}",
)
_USABLE_URLS = (
    "https://www.example.com/a?b=c&d=%20#e",
    "HTTP://EXAMPLE.COM",
    "https://münchen.example/straße",
    "https://[2001:db8::1]:8443/x",
    "https://example.com/" + "x" * 20_000,
    "https://example.com/\u202egnp.exe",
    "https://example.com/javascript:alert(1)",
    "https://127.0.0.1.example.com/",
    "https://10.0.0.1/x",
    "https://example.com/user@host",
)
_UNUSABLE_URLS = (
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "ftp://example.com/x",
    "//example.com/x",
    "/learn/x",
    "example.com",
    "https://",
    "https:///x",
    "https://example.com/a b",
    "https://exa mple.com/",
    "https://example.com/\u3000x",
    "https://ann:secret@example.com/",
    "https://ann@example.com/",
    "http://localhost/x",
    "http://LOCALHOST.:80",
    "http://a.localhost/",
    "http://127.0.0.1/",
    "http://127.8.9.1:4200/api",
    "http://[::1]/",
    "http://0.0.0.0:4200/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://0/",
    "http://[::ffff:127.0.0.1]/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://127\u30020.0.1/",
    "https://example.com\\@evil.example/",
    "https:\\\\example.com",
    "text",
)


def text(draw: Random) -> str:
    """A text of any kind, as it is to be written."""
    words = [draw.choice((*_NICE, *PARTS, *_RIGHT_TO_LEFT)) for _ in range(draw.randrange(1, 5))]
    if draw.random() < 0.05:
        words.append("long " * draw.choice((60, 5_000, 40_000)))
    return draw.choice(_BLANKS) + draw.choice(("", " ", "<<line>>")).join(words) + draw.choice(_BLANKS)


def blank(draw: Random) -> str | None:
    """Nothing, in one of its forms."""
    return draw.choice((None, *_BLANKS, "<<nul>>", " <<byte>> "))


def url(draw: Random) -> tuple[Any, str | None]:
    """An address on the web, and what a learner's browser may be sent to."""
    kind = draw.randrange(4)
    if kind == 0:
        return draw.choice(NO_TEXT), None
    if kind == 1:
        return blank(draw), None
    if kind == 2:
        return draw.choice(_UNUSABLE_URLS), None
    usable = draw.choice(_USABLE_URLS)
    return draw.choice(("", " ", "\t")) + usable + draw.choice(("", " \n")), usable


def identifier(draw: Random, own: str) -> tuple[Any, bool]:
    """An id that differs from others by `own`, and whether it can be one."""
    odd = draw.choice(_IDENTIFIERS)
    if draw.random() < 0.4:
        longest = 500 - len(own)
        wrong: list[Any] = [
            "",
            "  ",
            None,
            *NO_TEXT,
            *(f"{own}{sign}" for sign in LOST),
            "x" * (longest + 1) + own,
        ]
        return draw.choice(wrong), False
    return draw.choice((odd + own, own + odd, "x" * (500 - len(own)) + own)), True


_IDENTIFIERS = (
    " ", "/", "..", "?a=b&c", "#", "%2F", "%00", "+", "'", '"', "\\", "~", "\u202e", "\u200b", "é", "e\u0301",
    "İ", "ß", "\U0001f600", "$ne", "{}", "=1+1", "<script>", "Course~", "null", "NaN", "@", "\ufeff",
    "\u3000",
)  # fmt: skip
