"""Who is who: which changes of address are believed, and what becomes of their rows."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transform.statistics.learner_moves import AddressMap, address_map

Row = tuple[str, str, int]
Move = tuple[str, str]


def frame(rows: list[Row]) -> pd.DataFrame:
    """Rows of an externalId, an address and the moment at which that was so."""
    return pd.DataFrame(
        {
            "learner": pd.Series([address for _, address, _ in rows], dtype="str"),
            "external_id": pd.Series([external_id for external_id, _, _ in rows], dtype="str"),
            "updated_at": pd.Series([at for _, _, at in rows], dtype="int64"),
        }
    )


def resolved(read: list[Row], known: list[Row], **aliases: str) -> tuple[list[str], list[Move]]:
    """The rows' addresses in their order, and who has another address."""
    rows = frame(read)
    addresses = address_map(rows, frame(known), aliases)
    current = addresses.current(rows["learner"])
    assert str(current.dtype) == "str"
    assert addresses.current(current).tolist() == current.tolist()  # to apply it twice changes nothing more
    return current.tolist(), sorted(addresses.new_by_old.items())


@pytest.mark.parametrize(
    ("read", "known", "addresses", "moves"),
    [
        pytest.param([], [], [], [], id="nothing at all"),
        pytest.param([], [("x1", "ann", 1)], [], [], id="nothing read"),
        pytest.param([("x1", "ann", 1)], [], ["ann"], [], id="nothing known"),
        pytest.param([("x1", "ann", 2)], [("x1", "ann", 1)], ["ann"], [], id="the same address"),
        pytest.param([("x1", "eve", 2)], [("x1", "ann", 1)], ["eve"], [("ann", "eve")], id="a new address"),
        pytest.param(
            [("x1", "eve", 1)], [("x1", "ann", 1)], ["eve"], [("ann", "eve")], id="of the same moment"
        ),
        pytest.param(
            [("x1", "eve", 0)],
            [("x1", "ann", 0)],
            ["eve"],
            [("ann", "eve")],
            id="moments unknown on both sides",
        ),
        pytest.param(
            [("x1", "old", 1)],
            [("x1", "ann", 2)],
            ["ann"],
            [("old", "ann")],
            id="an older row carries the known address",
        ),
        pytest.param(
            [("x1", "eve", 1), ("x1", "eve", 3)],
            [("x1", "ann", 2)],
            ["eve", "eve"],
            [("ann", "eve")],
            id="the latest of the rows decides",
        ),
        pytest.param(
            [("x1", "old", 1), ("x2", "bob", 9), ("x1", "old", 2)],
            [("x1", "ann", 3)],
            ["ann", "bob", "ann"],
            [("old", "ann")],
            id="others' rows stay as they are",
        ),
        pytest.param(
            [("x1", "eve", 2), ("x2", "bob", 2)],
            [("x1", "ann", 1), ("x2", "bea", 1)],
            ["eve", "bob"],
            [("ann", "eve"), ("bea", "bob")],
            id="two learners at once",
        ),
        pytest.param(
            [("x1", "eve", 2), ("x2", "eve", 2)],
            [("x1", "ann", 1), ("x2", "ann", 1)],
            ["eve", "eve"],
            [("ann", "eve")],
            id="two externalIds of one learner are one move",
        ),
        pytest.param(
            [("x1", "eve", 2), ("x2", "eve", 2)],
            [("x1", "ann", 1), ("x2", "bob", 1)],
            ["eve", "eve"],
            [("ann", "eve"), ("bob", "eve")],
            id="two addresses become one",
        ),
    ],
)
def test_a_change_of_address_is_believed(
    read: list[Row], known: list[Row], addresses: list[str], moves: list[Move]
) -> None:
    assert resolved(read, known) == (addresses, moves)


@pytest.mark.parametrize(
    ("read", "known"),
    [
        pytest.param([("x1", "eve", 2), ("x1", "bob", 3)], [("x1", "ann", 1)], id="several addresses here"),
        pytest.param([("x1", "eve", 2), ("x1", "ann", 3)], [("x1", "ann", 1)], id="the known one among them"),
        pytest.param([("x1", "old", 1), ("x1", "eve", 1)], [("x1", "ann", 2)], id="several older ones"),
        pytest.param(
            [("x1", "eve", 9)], [("x1", "ann", 1), ("x1", "bob", 2)], id="several addresses in the ledger"
        ),
        pytest.param(
            [("x1", "old", 0)], [("x1", "ann", 1), ("x1", "bob", 2)], id="several, all of them newer"
        ),
        pytest.param([("x1", "eve", 2), ("x2", "ann", 2)], [("x1", "ann", 1)], id="the old one is in use"),
        pytest.param([("", "eve", 2)], [("", "ann", 1)], id="no externalId"),
        pytest.param(
            [("x1", "eve", 2), ("x2", "bob", 2)],
            [("x1", "ann", 1), ("x2", "ann", 1)],
            id="one address is said to have become two",
        ),
    ],
)
def test_what_is_no_proof_changes_nothing(read: list[Row], known: list[Row]) -> None:
    assert resolved(read, known) == ([address for _, address, _ in read], [])


def test_of_a_chain_only_the_address_that_nobody_uses_any_more_moves() -> None:
    read, known = [("x1", "bob", 2), ("x2", "eve", 2)], [("x1", "ann", 1), ("x2", "bob", 1)]
    assert resolved(read, known) == (["bob", "eve"], [("ann", "bob")])


def test_two_who_swap_addresses_stay_as_they_are() -> None:
    read, known = [("x1", "bob", 2), ("x2", "ann", 2)], [("x1", "ann", 1), ("x2", "bob", 1)]
    assert resolved(read, known) == (["bob", "ann"], [])


rows_of_few = st.lists(
    st.tuples(st.sampled_from(["", "x1", "x2", "x3"]), st.sampled_from("abcd"), st.integers(0, 3)), max_size=6
)


@settings(deadline=None, max_examples=50)
@given(rows_of_few, rows_of_few, st.randoms())
def test_the_order_of_the_rows_does_not_matter(read: list[Row], known: list[Row], random: object) -> None:
    shuffled = sorted(read, key=lambda _: random.random())  # type: ignore[attr-defined]
    addresses, moves = resolved(read, known)
    other_addresses, other_moves = resolved(shuffled, known[::-1])
    assert sorted(moves) == sorted(other_moves)
    assert sorted(zip(read, addresses, strict=True)) == sorted(zip(shuffled, other_addresses, strict=True))


@settings(deadline=None, max_examples=50)
@given(rows_of_few, rows_of_few)
def test_nobody_moves_away_from_an_address_that_somebody_else_uses(read: list[Row], known: list[Row]) -> None:
    addresses, moves = resolved(read, known)
    assert len({old for old, _ in moves}) == len(moves)
    for old, _ in moves:
        beside = {external_id for external_id, address, _ in read if address == old}
        assert len(beside) <= 1
        assert "" not in beside
    assert not {old for old, _ in moves} & {*addresses}


def test_an_older_address_that_the_ledger_knows_beside_somebody_else_stays() -> None:
    assert resolved([("x1", "bob", 1)], [("x1", "ann", 2), ("x2", "bob", 1)]) == (["bob"], [])


@pytest.mark.parametrize(
    ("read", "known", "addresses", "moves"),
    [
        pytest.param([("x1", "ann", 1)], [], ["a.b"], [("ann", "a.b")], id="an alias"),
        pytest.param([("x1", "ann", 1)], [("x1", "ann", 1)], ["a.b"], [("ann", "a.b")], id="it is new"),
        pytest.param([("x1", "ann", 2)], [("x1", "a.b", 1)], ["a.b"], [("ann", "a.b")], id="it is known"),
        pytest.param(
            [("x1", "ann", 2)],
            [("x1", "old", 1)],
            ["a.b"],
            [("ann", "a.b"), ("old", "a.b")],
            id="a changed address that has an alias",
        ),
        pytest.param(
            [("x1", "ann", 1)],
            [("x1", "new", 2)],
            ["new"],
            [("a.b", "new"), ("ann", "new")],
            id="an alias of an older address",
        ),
    ],
)
def test_an_alias_is_an_address_that_has_changed(
    read: list[Row], known: list[Row], addresses: list[str], moves: list[Move]
) -> None:
    assert resolved(read, known, ann="a.b") == (addresses, moves)


def test_the_old_addresses_of_learners_are_known() -> None:
    addresses = AddressMap({"ann": "eve", "amy": "eve", "bob": "ben"})
    before = addresses.before(pd.Series(["eve", "joe"], dtype="str"))
    assert list(before.itertuples(index=False, name=None)) == [("ann", "eve"), ("amy", "eve")]
    assert not AddressMap({})
