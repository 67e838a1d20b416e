"""How the last rows are shared out, and how far an operation is thought to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.load.pace import Pace, fair_share

ROWS = st.integers(1, 100_000)
LEFT = st.lists(st.floats(0, 10_000), max_size=2)


@pytest.mark.parametrize(
    ("rows", "left", "share"),
    [
        (9_000, [0, 0], 3_000),
        (9_000, [12_000, 3_000], 6_000),
        (9_000, [12_000, 12_000], 9_000),  # the others are busy for longer
        (9_000, [7_500, 12_000], 9_000),  # the other one would get too little
        (30_000, [10_000, 2_000], 14_000),
        (1_900, [0, 0], 1_900),  # too few for two
        (5_000, [], 5_000),  # there is no other
    ],
)
def test_all_lanes_end_at_once(rows: int, left: list[float], share: int) -> None:
    assert fair_share(rows, left, cost=5_000, least=1_000) == share


@given(rows=ROWS, left=LEFT, least=st.integers(1, 10_000))
def test_a_share_is_never_none_nor_more_than_there_is(rows: int, left: list[float], least: int) -> None:
    assert 1 <= fair_share(rows, left, cost=5_000, least=least) <= rows


@given(rows=ROWS, left=LEFT, least=st.integers(1, 10_000))
def test_what_is_left_for_others_is_worth_an_operation(rows: int, left: list[float], least: int) -> None:
    rest = rows - fair_share(rows, left, cost=5_000, least=least)
    assert rest == 0 or rest >= least - 1


def test_nothing_is_known_of_an_operation_before_one_has_ended() -> None:
    pace = Pace(cost=500)
    assert pace.left(1_000, 60) == 1_500
    pace.note(9_500, 5)
    assert (pace.left(1_000, 0.25), pace.left(1_000, 60)) == (1_000, 0)


def test_a_clock_that_stands_still_does_no_harm() -> None:
    pace = Pace(cost=500)
    pace.note(1_000, 0)
    assert pace.left(1_000, 5) == 1_500
