"""A reading's rows for one target, cut into parts: ranges of keys, so that none is ever too large."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd

from connectors.ledger.keys import keys
from tasks.extract.spool import Spool
from tasks.transform.row_keys import Numbers
from tasks.transform.statistics.enrollment_reports import REPORT_COLUMNS, ROW_ID
from tasks.transform.statistics.learner_moves import AddressMap

# So many rows are worked on at a time: a few dozen megabytes.
PART_ROWS = 25_000
# Keys spread evenly, but not to the row: so much room is left.
FILL = 0.95

#: Which of the rows of a reading are for a target: a mask beside REPORT_COLUMNS.
Select = Callable[[pd.DataFrame], "pd.Series[bool]"]


@dataclass(frozen=True, eq=False)
class Part:
    """All rows of some learners' courses, and all that was rejected of them.

    ``rows``: REPORT_COLUMNS, ``learner`` (the address in 360Learning, NaN where there is none) and ``key``;
    ``rejects``: the statistics that were rejected, see `tasks.statistics.rejects`. ``first`` and ``last`` are
    the bounds of its keys, both included.
    """

    number: int
    first: int
    last: int
    rows: pd.DataFrame
    rejects: pd.DataFrame


class Parts:
    """The parts of a reading, to be gone through once, and what was seen on the way."""

    def __init__(self, spools: Sequence[Spool], rejects: pd.DataFrame, nothing: pd.DataFrame) -> None:
        """``nothing``: no row, in the columns that rows have."""
        self._spools = spools
        self._nothing = nothing
        self._rejects = rejects.assign(part=_part_of(rejects["key"].to_numpy(), len(spools)))

    def __len__(self) -> int:
        return len(self._spools)

    def __iter__(self) -> Iterator[Part]:
        return self.since(0)

    def since(self, first_number: int) -> Iterator[Part]:
        """The parts from a number on; there may be nothing in one."""
        bounds = _bounds(len(self._spools))
        for number, spool in enumerate(self._spools[first_number:], first_number):
            rejects = self._rejects.loc[self._rejects["part"].eq(number)].drop(columns="part")
            rows = pd.concat([*spool.frames()] or [self._nothing], ignore_index=True)
            yield Part(number, *bounds[number], rows, rejects.reset_index(drop=True))


@contextmanager
def cut(
    frames: Iterator[pd.DataFrame],
    rejects: pd.DataFrame,
    addresses: AddressMap,
    *,
    rows: int,
    folder: Path,
    held_rows: int,
    part_rows: int = PART_ROWS,
) -> Iterator[Parts]:
    """Cut frames of REPORT_COLUMNS, at most so many rows in all, into parts; ``rejects`` have a key.

    They are kept in memory while they are fewer than ``held_rows``, else in files of the folder.
    """
    number = max(1, -(-rows // round(part_rows * FILL)))
    own = Path(mkdtemp(dir=folder))
    held = held_rows if rows <= held_rows else 0
    spools = [Spool(own / f"{at}.arrow", held_rows=held) for at in range(number)]
    waiting: list[pd.DataFrame] = []
    nothing = pd.DataFrame(columns=[*REPORT_COLUMNS, "learner", "key"])
    for frame in frames:
        waiting.append(with_keys(frame, addresses))
        nothing = waiting[-1].iloc[:0]
        if sum(map(len, waiting)) >= held_rows:
            _share_out(waiting, spools)
            waiting = []
    _share_out(waiting, spools)
    for spool in spools:
        spool.finish()
    try:
        yield Parts(spools, rejects, nothing)
    finally:
        for file in own.iterdir():
            file.unlink()
        own.rmdir()


def with_keys(reports: pd.DataFrame, addresses: AddressMap) -> pd.DataFrame:
    """Give report rows their ``learner``, the address that counts, and their ``key``.

    A row that names nobody can only be rejected. Its key is one of its own, so that there are never too many
    of one key.
    """
    learner = addresses.current(reports["address"])
    key = keys(pd.DataFrame({"learner": learner, "course": reports["contentId"]}))
    nobody = learner.isna().to_numpy()
    if nobody.any():
        own = pd.util.hash_pandas_object(reports[ROW_ID], index=False).to_numpy().view(np.int64)
        key = np.where(nobody, own, key)
    return reports.assign(learner=learner, key=key)


def _share_out(frames: list[pd.DataFrame], spools: Sequence[Spool]) -> None:
    if not frames:
        return
    rows = pd.concat(frames, ignore_index=True)
    if len(spools) == 1:
        spools[0].add(rows)
        return
    part = _part_of(rows["key"].to_numpy(), len(spools))
    order = np.argsort(part, kind="stable")
    rows = rows.iloc[order]
    ends = np.cumsum(np.bincount(part, minlength=len(spools))).tolist()
    for spool, begin, end in zip(spools, [0, *ends], ends, strict=False):
        if end > begin:
            spool.add(rows.iloc[begin:end])


def _part_of(key: Numbers, parts: int) -> Numbers:
    """Cut the range of 64-bit keys into so many parts of like size: the part of each key."""
    return ((key >> 32) + 2**31) * parts >> 32


def _bounds(parts: int) -> list[tuple[int, int]]:
    """The first and the last key of each part."""
    starts = [(-(-(part << 32) // parts) - 2**31) << 32 for part in range(parts)]
    return [(first, following - 1) for first, following in zip(starts, [*starts[1:], 2**63], strict=True)]
