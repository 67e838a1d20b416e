"""While a run goes on nobody but its steps looks for garbage: all of it is found within a few of them."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from tasks.runtime.memory import THOROUGH_EVERY, collect_garbage


class Knot:
    """Holds on to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _as_in_a_run() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_what_a_step_made_is_gone_after_the_next() -> None:
    known = weakref.ref(Knot())
    collect_garbage()
    assert known() is None


def test_what_lived_through_many_steps_is_gone_soon() -> None:
    knot = Knot()
    known = weakref.ref(knot)
    for _ in range(3 * THOROUGH_EVERY):
        collect_garbage()
    del knot
    for _ in range(THOROUGH_EVERY):
        collect_garbage()
    assert known() is None
