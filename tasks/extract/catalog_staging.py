"""The catalog as it was read: whole elements in a compressed file, of no target in particular."""

from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa

from connectors.coursera.models import Page

COMPRESSION = "zstd"


class StagedCatalog:
    """Elements of a listing in the order read; ``folder`` is a private one, for as long as this is used."""

    def __init__(self, folder: Path) -> None:
        self._file = str(folder / "catalog.jsonl.zst")
        self._out: Any = pa.output_stream(self._file, compression=COMPRESSION)
        self._ids: list[str] = []
        self._readings: list[int] = []
        self._reading = 0
        self._is_latest: list[bool] = []

    def begin(self) -> None:
        """The listing is read anew; what an earlier try showed counts where this one does not."""
        self._reading += 1

    def add(self, page: Page) -> None:
        """Keep a page's elements."""
        self._ids += page.ids
        self._readings += [self._reading] * len(page.elements)
        for element in page.elements:
            self._out.write(msgspec.json.encode(element) + b"\n")

    def finish(self) -> None:
        """The reading has ended."""
        self._out.close()
        reading = pd.Series(self._readings, dtype="int64")
        latest = reading.groupby(pd.Series(self._ids, dtype="str")).transform("max")
        self._is_latest = reading.eq(latest).tolist()

    def elements(self) -> Iterator[object]:
        """The elements, without those that the listing showed anew when it was read again."""
        with pa.input_stream(self._file, compression=COMPRESSION) as file:
            lines = BufferedReader(file)
            for line, is_shown in zip(lines, self._is_latest, strict=True):
                if is_shown:
                    yield msgspec.json.decode(line)
