"""Mapped rows, kept by their keys until a reading has ended: in memory while few, else in private files."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from tasks.transform.row_keys import Numbers

# So many rows are worked on at a time: a few dozen megabytes.
ROWS_AT_ONCE = 25_000


class Spool:
    """Frames of the same columns, ``key`` among them, parted so that rows of the same key stay together.

    A part is a range of keys, so that what is written of it lies in one place of the ledger, too.

    Use as a context manager: its files are gone when it is left. They are in a folder of the user's own
    (mode 0700) below the system's temporary one.
    """

    def __init__(self) -> None:
        self._held: list[pd.DataFrame] = []
        self._remote_rows = 0
        #: How many rows there will be, as far as that is known.
        self.expected = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._writers: list[pa.ipc.RecordBatchStreamWriter] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        if self._folder is not None:
            self._folder.cleanup()

    def expect(self, rows: int) -> None:
        """Say how many rows there will be in all, so that they are cut into parts of a good size."""
        self.expected = max(self.expected, rows)

    def add(self, frame: pd.DataFrame) -> None:
        """Keep a frame's rows."""
        self._held.append(frame)
        self._remote_rows += len(frame)
        if self._remote_rows > ROWS_AT_ONCE:
            self._put_down()

    def partitions(self) -> Iterator[pd.DataFrame]:
        """All rows, partition by partition; nothing can be added any more."""
        if not self._writers:
            yield from [pd.concat(self._held, ignore_index=True)] if self._held else []
            return
        self._put_down()
        self._close()
        for part in range(len(self._writers)):
            with self._file(part).open("rb") as file, pa.ipc.open_stream(file) as stream:
                yield stream.read_pandas()

    def _put_down(self) -> None:
        if not self._held:
            return
        rows = pd.concat(self._held, ignore_index=True)
        self._held, self._remote_rows = [], 0
        if not self._writers:
            self._open(pa.Schema.from_pandas(rows, preserve_index=False), max(self.expected, len(rows)))
        part = _parts(rows["key"].to_numpy(dtype="int64"), len(self._writers))
        order = np.argsort(part, kind="stable")
        table = pa.Table.from_pandas(rows.iloc[order], preserve_index=False)
        ends = np.cumsum(np.bincount(part, minlength=len(self._writers))).tolist()
        for writer, begin, end in zip(self._writers, [0, *ends], ends, strict=False):
            if end > begin:
                writer.write_table(table.slice(begin, end - begin))

    def _open(self, schema: Any, rows: int) -> None:  # noqa: ANN401 - pyarrow ships no types
        self._folder = tempfile.TemporaryDirectory(prefix="coursera-sync-")
        count = -(-rows // ROWS_AT_ONCE)
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        self._writers = [
            pa.ipc.new_stream(str(self._file(part)), schema, options=options) for part in range(count)
        ]

    def _close(self) -> None:
        for writer in self._writers:
            writer.close()

    def _file(self, part: int) -> Path:
        if self._folder is None:
            raise AssertionError("there is a folder once there are files")
        return Path(self._folder.name) / f"{part}.arrow"


def _parts(keys: Numbers, count: int) -> Numbers:
    """Cut the range of 64-bit keys into so many parts of like size: the part of each key."""
    return ((keys >> 32) + 2**31) * count >> 32
