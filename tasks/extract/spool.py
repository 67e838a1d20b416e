"""Frames kept aside in the order in which they came: in memory while few, else in a private file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa


class Spool:
    """Frames of the same columns. ``file`` is made once more than ``held_rows`` have come.

    The folder of the file is to be the user's own, and whoever made it removes it.
    """

    def __init__(self, file: Path, *, held_rows: int) -> None:
        self._file = file
        self._held_rows = held_rows
        self._held: list[pd.DataFrame] = []
        self._writer: Any = None
        #: How many rows were added.
        self.rows = 0

    def add(self, frame: pd.DataFrame) -> None:
        """Keep a frame's rows."""
        self.rows += len(frame)
        self._held.append(frame)
        if sum(map(len, self._held)) > self._held_rows:
            self._write()

    def finish(self) -> None:
        """Nothing more will be added."""
        if self._writer is not None:
            self._write()
            self._writer.close()

    def frames(self) -> Iterator[pd.DataFrame]:
        """All frames, in the order of adding; `finish` comes first. Several may come as one."""
        if self._writer is None:
            yield from self._held
            return
        with self._file.open("rb") as file, pa.ipc.open_stream(file) as stream:
            for batch in stream:
                yield batch.to_pandas()

    def _write(self) -> None:
        if not self._held:
            return
        # As one: many small batches take several times as long to read back.
        rows = pa.Table.from_pandas(pd.concat(self._held, ignore_index=True), preserve_index=False)
        self._held = []
        if self._writer is None:
            self._writer = pa.ipc.new_stream(str(self._file), rows.schema)
        self._writer.write_table(rows.combine_chunks())
