"""What no fast parser takes is read all the same, and nothing of it can fail later."""

import json
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.answers.tolerant_json import DEEPEST, is_too_deep, loads

MANY = "9" * 5000
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param(b'"\\ud83d"', "\x1a", id="the first half of an emoji"),
        pytest.param(b'"a\\ude00b"', "a\x1ab", id="the second half"),
        pytest.param(b'"\\ud83d\\u0041"', "\x1aA", id="half of one before another character"),
        pytest.param(b'"\\ud83d\\ude00"', "\U0001f600", id="a whole one"),
        pytest.param(b'"a\xff"', "a\x1a", id="a byte that is no UTF-8"),
        pytest.param(b'"\xed\xa0\xbd"', "\x1a" * 3, id="half of an emoji as bytes"),
        pytest.param(b'"a\\u0000b"', "a\x1ab", id="NUL"),
        pytest.param(b'"a\0b\x01\n"', "a\x1ab\x01\n", id="control characters as they are"),
        pytest.param(b'\xef\xbb\xbf"a"', "a", id="a byte-order mark"),
        pytest.param(b"NaN", {"unreadable": "NaN"}, id="NaN"),
        pytest.param(b"-Infinity", {"unreadable": "-Infinity"}, id="Infinity"),
        pytest.param(b"1e400", {"unreadable": "1e400"}, id="beyond a float"),
        pytest.param(MANY.encode(), {"unreadable": MANY}, id="thousands of digits"),
        pytest.param(b"18446744073709551616", 2.0**64, id="beyond 64 bits"),
        pytest.param(b"9223372036854775807", 2**63 - 1, id="64 bits"),
        pytest.param(b'{"\\ud83d": [1.5, true, null]}', {"\x1a": [1.5, True, None]}, id="a name"),
    ],
)
def test_what_is_made_of_it(written: bytes, value: Any) -> None:
    assert loads(written) == value
    assert orjson.loads(orjson.dumps(value)) == json.loads(msgspec.json.encode(value)) == value


@pytest.mark.parametrize("written", [b"<h1>No</h1>", b'{"a": ', b"", b"nan", b"[" * 5000, b"]" * 300 + b"1"])
def test_what_is_no_json_is_none(written: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(written)


@pytest.mark.parametrize("inner", [b"1", b'"]}\\"[{"', b"{}", b"[1, {}]"])
@pytest.mark.parametrize("levels", [DEEPEST - 2, DEEPEST, 1500])
def test_what_lies_too_deep_is_null(levels: int, inner: bytes) -> None:
    written = b'{"a": ' + b"[" * levels + inner + b"]" * levels + b', "b": [2], "c": "]]]"}'
    value = loads(written)
    assert (value["b"], value["c"]) == ([2], "]]]")
    assert is_too_deep(written) or levels < DEEPEST
    assert not is_too_deep(orjson.dumps(value))


@given(TREES)
def test_all_else_is_read_as_ever(value: Any) -> None:
    cleaned = json.loads(json.dumps(value).replace("\\u0000", "\\u001a"))
    assert loads(json.dumps(value).encode()) == cleaned
    assert loads(json.dumps(value, ensure_ascii=False).encode()) == cleaned
