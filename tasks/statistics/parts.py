"""A reading's rows for one target, cut into parts: ranges of keys, so that none is ever too large."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd
import pyarrow as pa

from connectors.ledger.keys import keys
from tasks.extract.spool import Spool
from tasks.reporting.summary import NO_COUNTS, Counts
from tasks.statistics.left_alone import count_left_alone
from tasks.transform.row_keys import Numbers
from tasks.transform.statistics.enrollment_reports import ROW_ID
from tasks.transform.statistics.learner_moves import AddressMap

# Keys spread evenly, but not to the row: so much room is left.
FILL = 0.95


@dataclass(frozen=True, eq=False)
class Part:
    """All rows of some learners' courses, and all that was rejected of them.

    ``rows``: REPORT_COLUMNS, ``key`` and ``learner``, the address in 360Learning, NaN where there is none;
    ``rejects``: the statistics that were rejected, see `tasks.statistics.rejects`. ``first`` and ``last`` are
    the bounds of its keys, both included; ``left_alone`` counts the other rows between them.
    """

    number: int
    first: int
    last: int
    rows: pd.DataFrame
    rejects: pd.DataFrame
    left_alone: Counts = NO_COUNTS


class Parts:
    """The parts of a reading, to be gone through once, and what was seen on the way."""

    def __init__(
        self,
        spools: Sequence[Spool],
        left_alone: Sequence[Counts],
        rejects: pd.DataFrame,
        addresses: AddressMap,
    ) -> None:
        """``spools`` and ``left_alone`` hold the rows of each part, and the counts of the others."""
        self._spools = spools
        self._left_alone = left_alone
        self._rejects = rejects.assign(part=_part_of(rejects["key"].to_numpy(), len(spools)))
        self._addresses = addresses

    def __len__(self) -> int:
        return len(self._spools)

    def __iter__(self) -> Iterator[Part]:
        return self.since(0)

    def since(self, first_number: int) -> Iterator[Part]:
        """The parts from a number on; there may be nothing in one."""
        bounds = _bounds(len(self._spools))
        for number, spool in enumerate(self._spools[first_number:], first_number):
            rejects = self._rejects.loc[self._rejects["part"].eq(number)].drop(columns="part")
            rows = spool.frame()
            yield Part(
                number,
                *bounds[number],
                rows.assign(learner=self._addresses.current(rows["address"])),
                rejects.reset_index(drop=True),
                self._left_alone[number],
            )


def parts_for(rows: int, part_rows: int) -> int:
    """How many parts there must be, so that none has more rows than that."""
    return max(1, -(-rows // round(part_rows * FILL)))


@contextmanager
def cut(
    frames: Iterator[pd.DataFrame],
    rows: pd.DataFrame,
    rejects: pd.DataFrame,
    addresses: AddressMap,
    *,
    number: int,
    folder: Path,
    held_rows: int,
) -> Iterator[Parts]:
    """Cut frames of REPORT_COLUMNS into so many parts, but what is left alone; ``rejects`` have a key.

    ``rows``: see `leave_alone`, for each row of the frames in their order. Those that are not left alone are
    kept in memory while they are fewer than ``held_rows``, else in files of the folder.
    """
    alone = rows["is_left_alone"]
    own = Path(mkdtemp(dir=folder))
    held = held_rows if (~alone).sum() <= held_rows else 0
    spools = [Spool(own / f"{at}.arrow", held_rows=held) for at in range(number)]
    begin = 0
    for frame in frames:
        these = rows.iloc[begin : begin + len(frame)].reset_index(drop=True)
        _share_out(frame.assign(key=these["key"]).loc[~these["is_left_alone"]], spools)
        begin += len(frame)
    for spool in spools:
        spool.finish()
    try:
        yield Parts(spools, _count_by_part(rows.loc[alone], number), rejects, addresses)
    finally:
        for file in own.iterdir():
            file.unlink()
        own.rmdir()


def keys_and_digests(frames: Iterator[pd.DataFrame], addresses: AddressMap) -> pd.DataFrame:
    """What tells whether report rows are known: ``key`` and ``digest`` of each, int64."""
    narrow = [
        pd.DataFrame({"key": _keys(frame, addresses), "digest": frame["digest"].to_numpy(copy=True)})
        for frame in frames
    ]
    return pd.concat(narrow, ignore_index=True)


def _keys(reports: pd.DataFrame, addresses: AddressMap) -> Numbers:
    """The keys of report rows, by the addresses that count.

    A row that names nobody can only be rejected. Its key is one of its own, so that there are never too many
    of one key.
    """
    learner = addresses.current(reports["address"])
    key = keys(pd.DataFrame({"learner": learner, "course": reports["contentId"]}))
    nobody = learner.isna().to_numpy()
    if nobody.any():
        own = pd.util.hash_pandas_object(reports[ROW_ID], index=False).to_numpy().view(np.int64)
        key = np.where(nobody, own, key)
    return key


def _share_out(rows: pd.DataFrame, spools: Sequence[Spool]) -> None:
    part = _part_of(rows["key"].to_numpy(), len(spools))
    ordered = pa.Table.from_pandas(rows, preserve_index=False).take(np.argsort(part, kind="stable"))
    ends = np.cumsum(np.bincount(part, minlength=len(spools))).tolist()
    for spool, begin, end in zip(spools, [0, *ends], ends, strict=False):
        spool.add(ordered.slice(begin, end - begin))


def _count_by_part(alone: pd.DataFrame, parts: int) -> list[Counts]:
    part = _part_of(alone["key"].to_numpy(), parts)
    return [count_left_alone(alone.loc[part == number, ["key", "attempt"]]) for number in range(parts)]


def _part_of(key: Numbers, parts: int) -> Numbers:
    """Cut the range of 64-bit keys into so many parts of like size: the part of each key."""
    return ((key >> 32) + 2**31) * parts >> 32


def _bounds(parts: int) -> list[tuple[int, int]]:
    """The first and the last key of each part."""
    starts = [(-(-(part << 32) // parts) - 2**31) << 32 for part in range(parts)]
    return [(first, following - 1) for first, following in zip(starts, [*starts[1:], 2**63], strict=True)]
