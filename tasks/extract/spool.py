"""Rows kept aside in the order in which they came: in memory while few, else in a private file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa


class Spool:
    """Arrow tables of the same columns. ``file`` is made once more than ``held_rows`` have come.

    The folder of the file is to be the user's own, and whoever made it removes it.
    """

    def __init__(self, file: Path, *, held_rows: int) -> None:
        self._file = file
        self._held_rows = held_rows
        self._held: list[Any] = []
        self._writer: Any = None
        #: How many rows were added.
        self.rows = 0

    def add(self, rows: Any) -> None:  # noqa: ANN401 - a pyarrow.Table, which has no types
        """Keep a table's rows."""
        self.rows += len(rows)
        self._held.append(rows)
        if self.rows > self._held_rows:
            self._write()

    def finish(self) -> None:
        """Nothing more will be added."""
        if self._writer is not None:
            self._writer.close()

    def frames(self) -> Iterator[pd.DataFrame]:
        """The tables as frames, in the order of adding; `finish` comes first."""
        return (table.to_pandas() for table in self._tables())

    def frame(self) -> pd.DataFrame:
        """All of them as one frame, which of many small ones is several times as quick; there must be one."""
        frame: pd.DataFrame = pa.concat_tables([*self._tables()]).combine_chunks().to_pandas()
        return frame

    def _tables(self) -> Iterator[Any]:
        if self._writer is None:
            yield from self._held
            return
        with self._file.open("rb") as file, pa.ipc.open_stream(file) as stream:
            for batch in stream:
                yield pa.Table.from_batches([batch])

    def _write(self) -> None:
        for rows in self._held:
            if self._writer is None:
                self._writer = pa.ipc.new_stream(str(self._file), rows.schema)
            self._writer.write_table(rows)
        self._held = []
