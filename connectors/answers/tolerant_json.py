"""JSON that fast parsers refuse, read all the same, so that one odd value costs one row and not a listing.

Nothing that is read here can fail later, in a ledger or on the way to a platform: text that nothing could
store or send (NUL, half of a character, bytes that are no UTF-8) has SUBSTITUTE in its place, and numbers
beyond a float's range are objects, which is what no field of ours takes for a number or a text.
"""

import json
import math
import re
from typing import Any

import numpy as np

#: ASCII's own character for one that is garbled; as a control character it is no part of any id or address.
SUBSTITUTE = "\x1a"
#: No encoder of ours goes deeper than 254 levels; a listing's elements have five.
DEEPEST = 100

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
#: How NUL is written in JSON; a text that only looks like it costs time and no more.
NUL = rb"\u0000"
_NO_BRACKETS = bytes({*range(256)} - {*b"[]{}"})
_STEPS = np.zeros(256, dtype=np.int64)
_STEPS[[*b"[{"]], _STEPS[[*b"]}"]] = 1, -1
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+|[\[\]{}]', re.DOTALL)
_LONGEST_OF_64_BITS = 20


def is_too_deep(content: bytes) -> bool:
    """Whether JSON is nested deeper than DEEPEST levels; brackets in texts count, too."""
    brackets = np.frombuffer(content.translate(None, _NO_BRACKETS), dtype=np.uint8)
    return bool(_STEPS[brackets].cumsum().max(initial=0) > DEEPEST)


def loads(content: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read JSON, as far as it is JSON at all: ValueError where it is not.

    What lies deeper than DEEPEST levels is null.
    """
    text = content.decode("utf-8-sig", errors="surrogateescape")
    if is_too_deep(content):
        text = _pruned(text)
    try:
        value = json.loads(
            text, strict=False, parse_int=_whole_number, parse_float=_number, parse_constant=_unreadable
        )
    except RecursionError as error:
        raise ValueError("brackets that are not closed") from error
    return _storable(value)


def _pruned(text: str) -> str:
    kept: list[str] = []
    depth = since = 0
    for token in _TOKEN.finditer(text):
        if token[0] in ("[", "{"):
            if depth == DEEPEST:
                kept += [text[since : token.start()], "null"]
            depth += 1
        elif token[0] in ("]", "}"):
            depth -= 1
            if depth == DEEPEST:
                since = token.end()
    return "".join([*kept, text[since:]])


def _whole_number(written: str) -> Any:  # noqa: ANN401
    if len(written) > _LONGEST_OF_64_BITS:
        return _number(written)
    value = int(written)
    return value if -(2**63) <= value < 2**64 else _number(written)


def _number(written: str) -> Any:  # noqa: ANN401
    value = float(written)
    return value if math.isfinite(value) else _unreadable(written)


def _unreadable(written: str) -> dict[str, str]:
    return {"unreadable": written}


def _storable(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        return _UNSTORABLE.sub(SUBSTITUTE, value)
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return value
