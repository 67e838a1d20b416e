"""Numbers that stand for rows, among many others."""

from typing import Any

import numpy as np

KEY = ["learner", "course"]

Numbers = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


def search_sorted(numbers: Numbers, some: Numbers) -> Numbers:
    """Where each number stands among some, which are sorted and not none; anywhere, where it is not there."""
    # Looked for in their own order, for to jump to and fro takes three times as long.
    order = np.argsort(numbers)
    found = np.empty(len(numbers), dtype="int64")
    found[order] = np.searchsorted(some, numbers[order])
    return np.minimum(found, len(some) - 1)
