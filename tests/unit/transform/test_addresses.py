"""A column of addresses is folded as each of them is by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.addresses import fold, is_address
from tasks.transform.statistics.alias_suggestions import suggestions
from tasks.transform.statistics.enrollment_reports import FIELDS, IS_ROW, ROW_ID, read_reports
from tasks.transform.statistics.filters import digest_of

FOLDED = {
    "Ann@Example.COM": "ann@example.com",
    "İbrahim@acme.example": "i\u0307brahim@acme.example",
    "Straße@acme.example": "straße@acme.example",
    "STRAẞE@acme.example": "straße@acme.example",
    "ΝΊΚΟΣ@acme.example": "νίκος@acme.example",
    "ΣΊΣΥΦΟΣ@acme.example": "σίσυφος@acme.example",
    "\u212aelvin@acme.example": "kelvin@acme.example",  # the Kelvin sign
    "ZOÉ@acme.example": "zoé@acme.example",
    "ZOE\u0301@acme.example": "zoe\u0301@acme.example",  # a combining accent: another address
    "\u3000Åsa@acme.example\u00a0": "åsa@acme.example",
    "\ua7cbx@acme.example": "\ua7cbx@acme.example".lower(),  # newer in Arrow than in some Pythons
}
LETTERS = st.one_of(
    st.sampled_from("aAİIi\u0131Σ\u03c3ςßẞK\u212aÉE\u0301'\u2019. \t\u00a0\u3000@"),
    st.characters(codec="utf-8", exclude_categories=["Cc"]),  # an address with one is none
)


def folded_as_column(addresses: list[str]) -> list[object]:
    nothing: list[object] = [None] * len(addresses)
    columns: dict[str, list[object]] = dict.fromkeys(FIELDS, nothing)
    columns |= {ROW_ID: list(map(str, range(len(addresses)))), IS_ROW: [True] * len(addresses)}
    column = read_reports(columns | {"email": list(addresses)})["address"]
    return [None if isinstance(one, float) else one for one in column]


@pytest.mark.parametrize("address", FOLDED)
def test_the_form_of_an_address(address: str) -> None:
    assert fold(address) == FOLDED[address]
    assert fold(FOLDED[address]) == FOLDED[address]
    assert digest_of(address) == digest_of(FOLDED[address])
    # Alone, and among others that are ASCII.
    assert folded_as_column([address]) == [FOLDED[address]]
    assert folded_as_column(["B@x.example", address])[1] == FOLDED[address]


@given(st.lists(st.text(LETTERS, max_size=12), min_size=1))
def test_a_column_is_judged_and_folded_like_its_addresses(addresses: list[str]) -> None:
    apart = [one if is_address(one := fold(address)) else None for address in addresses]
    assert folded_as_column(addresses) == apart


@pytest.mark.parametrize("mail", ["ann@b.example\neve@a.example,cy@b.example", "ann", "", None])
def test_a_user_without_an_address_is_suggested_to_nobody(mail: str | None) -> None:
    """A line break in one would write a line of its own into the file of aliases."""
    users = [{"mail": mail, "firstName": "Ann", "lastName": "Lee"}]
    assert suggestions(["ann@a.example", "ann.lee@a.example"], users) == {}
