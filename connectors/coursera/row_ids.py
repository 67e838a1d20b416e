"""What tells the elements of a listing apart."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

Hashes = np.ndarray[Any, np.dtype[np.int64]]


def identity(element: object) -> str:
    """Coursera's id of an element, or where it has none the element itself."""
    own = element.get("id") if isinstance(element, dict) else getattr(element, "id", None)
    return own if isinstance(own, str) else msgspec.json.encode(element, order="sorted").decode()


def hashes(elements: Sequence[object]) -> Hashes:
    """The identities of elements as numbers that mean something in this process alone."""
    return np.fromiter(map(hash, map(identity, elements)), dtype=np.int64, count=len(elements))
