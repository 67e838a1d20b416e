"""How the last rows are shared out among the lanes of an outbox, so that none of them is done long before."""

import math
from collections.abc import Sequence


class Pace:
    """How fast operations were so far, and so how far one that is under way may be.

    ``cost``: as many rows take as long as an operation does by itself, whatever it holds.
    """

    def __init__(self, cost: int) -> None:
        self._cost = cost
        self._rows_a_second = 0.0

    def note(self, rows: int, seconds: float) -> None:
        """An operation of so many rows has ended after so many seconds."""
        self._rows_a_second = (rows + self._cost) / seconds if seconds > 0 else 0.0

    def left(self, rows: int, seconds: float) -> float:
        """How much of an operation is left after so many seconds, in rows; all, while none has ended."""
        return max(rows + self._cost - seconds * self._rows_a_second, 0.0)


def fair_share(rows: int, left: Sequence[float], *, cost: int, least: int) -> int:
    """How many rows a lane that is free takes of the last ones, so that all lanes end at once.

    ``left`` is what each of the other lanes has left, in rows, 0 for one that is free as well; ``cost``: see
    `Pace`. A lane is left out where it would get less than ``least``: that is not worth an operation.
    """
    share, others = float(rows), sorted(left)
    for count in range(1, len(others) + 1):
        level = (rows + sum(others[:count]) + (count + 1) * cost) / (count + 1)
        if level - cost - others[count - 1] >= least:
            share = level - cost
    return min(math.ceil(share), rows)
