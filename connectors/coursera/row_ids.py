"""What tells the elements of a listing apart."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np

Hashes = np.ndarray[Any, np.dtype[np.int64]]


#: Longer ones are none of Coursera's, and no index of PostgreSQL takes 2,704 bytes.
_LONGEST_ID = 500


def row_id(element: object) -> str:
    """Coursera's id of an element, or where it has no usable one a digest of the element itself."""
    own = element.get("id") if isinstance(element, dict) else getattr(element, "id", None)
    if isinstance(own, str) and own.isprintable() and 0 < len(own) <= _LONGEST_ID:
        return own
    return blake2b(msgspec.json.encode(element, order="sorted"), digest_size=16).hexdigest()


def row_ids(elements: Sequence[object]) -> list[str]:
    """The ids of elements, in their order."""
    return list(map(row_id, elements))


def hashes_of(ids: Sequence[str]) -> Hashes:
    """Ids as numbers that mean something in this process alone."""
    return np.fromiter(map(hash, ids), dtype=np.int64, count=len(ids))
