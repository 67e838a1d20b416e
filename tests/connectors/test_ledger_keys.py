"""The keys of learners' courses: the same for ever, whatever pandas stores the texts as."""

from typing import Literal

import numpy as np
import pandas as pd
import pytest

from connectors.ledger.keys import key_of, keyed, keys

ROWS = pd.DataFrame(
    {"learner": ["ann@example.com", "bob@example.com", "ann@example.com"], "course": ["C1", "C1", "é"]}
)


def test_keys_never_change() -> None:
    """They are kept: a pandas that reckons them otherwise would find nothing of what a ledger knows."""
    assert keys(ROWS).tolist() == [
        -7722121157253963103,
        6599722409524248492,
        -8834050303514583184,
    ]


@pytest.mark.parametrize("dtype", ["str", "object", "category"])
def test_texts_of_any_kind_have_the_same_keys(dtype: Literal["str", "object", "category"]) -> None:
    assert keys(ROWS.astype(dtype)).tolist() == keys(ROWS).tolist()


def test_rows_are_told_apart_by_learner_and_course() -> None:
    assert len(np.unique(keys(ROWS))) == len(ROWS)
    assert keyed(ROWS)["key"].tolist() == [key_of(*row) for row in ROWS.to_numpy().tolist()]


def test_no_rows_have_no_keys() -> None:
    assert keys(ROWS.iloc[:0]).tolist() == []
    assert keys(pd.DataFrame({"learner": [], "course": []})).tolist() == []
