"""Texts of others as they are shown: no address however it is written, nothing that steers a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reporting.redaction import mask_addresses, plain, said

ODD = {
    "ann@example.com": "<address>",
    '"john.smith"@corp.example': '"<address>',
    'no "john smith"@corp.example here': 'no "<address> here',
    "o'brien@corp.example": "<address>",
    "john%40corp.example": "<address>",
    "john%2540corp.example": "<address>",
    "https://x.example/?mail=john%40corp.example": "<address>",
    "john\uff20corp.example": "<address>",
    "john\ufe6bcorp.example": "<address>",
    "john&#64;corp.example": "<address>",
    "john&#x40;corp.example": "<address>",
    "john&amp;commat;corp.example": "<address>",
    '{"mail":"john\\u0040corp.example"}': '{"<address>"}',
    "john @corp.example": "<address>",
    "john@ corp.example": "<address>",
    "john @ corp.example": "<address>",
    "john \r\n @\tcorp.example": "<address>",
    "jo\u202ehn@corp.example": "<address>",
    "Course not found @ all": "Course not found @ all",
    "40 % of 100": "40 % of 100",
    "C# & R; 50&50": "C# & R; 50&50",
}
AT = st.sampled_from(
    [
        "@",
        "\uff20",
        "\ufe6b",
        "%40",
        "%2540",
        "&#64;",
        "&#064",
        "&#x40;",
        "&commat;",
        "&amp;#64;",
        "\\u0040",
        "\\x40",
    ]
)
BLANKS = st.text(" \t\n\u00a0", max_size=3)
AROUND = st.text("ab \"'<>()[]{}.,;:=@%&#\\\n", max_size=12)


@pytest.mark.parametrize("text", ODD)
def test_an_address_is_masked_however_it_is_written(text: str) -> None:
    assert mask_addresses(text) == ODD[text]


@given(before=AROUND, left=BLANKS, at=AT, right=BLANKS, after=AROUND, quoted=st.booleans())
def test_nothing_of_an_address_is_left(
    before: str, left: str, at: str, right: str, after: str, *, quoted: bool
) -> None:
    local = '"JOHN.SMITH"' if quoted else "JOHN.SMITH"
    shown = mask_addresses(f"{before} {local}{left}{at}{right}CORP.EXAMPLE {after}")
    assert "SMITH" not in shown
    assert "CORP" not in shown
    assert mask_addresses(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("red \x1b[31mtitle\x1b[0m", "red \ufffd[31mtitle\ufffd[0m"),
        ("one\n  rejected     0 catalog: forged", "one rejected 0 catalog: forged"),
        ("one\r\u2028two\u2029three\x85four\x0bfive", "one two three four five"),
        ("gpj.\u202eexe\u2066 \u200f\ufeffx", "gpj.\ufffdexe\ufffd \ufffd\ufffdx"),
        ("bell\x07 back\x08 del\x7f csi\x9b31m", "bell\ufffd back\ufffd del\ufffd csi\ufffd31m"),
        ("lone \ud800", "lone \ufffd"),
        ("ما\u200cشین 👩\u200d💻 Zoë", "ما\u200cشین 👩\u200d💻 Zoë"),
    ],
)
def test_what_steers_a_terminal_is_replaced(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text(st.characters(), max_size=400))
def test_any_text_is_one_plain_line(text: str) -> None:
    for shown in (plain(text), mask_addresses(text), said(text)):
        kinds = {unicodedata.category(one) for one in shown if one not in "\u200c\u200d"}
        assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert len(said(text)) <= 300
