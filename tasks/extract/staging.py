"""Enrollment reports as they were read: typed, in the order read, and of no target in particular.

What is done with them begins once the reading has ended (docs/decisions).
"""

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa

from connectors.clock import CLOCK_TOLERANCE_MS
from connectors.coursera.models import Page, report_fields
from connectors.coursera.row_ids import Hashes, hashes_of
from tasks.extract.spool import Spool
from tasks.transform.row_keys import Mask
from tasks.transform.statistics.enrollment_reports import ROW_ID, read_reports
from tasks.transform.statistics.learner_moves import latest_addresses

# So many addresses are kept before those that are there twice are folded.
ADDRESSES = 50_000
SEEN_COLUMNS = ["external_id", "learner", "program", "updated_at"]


@dataclass
class _ListingTry:
    """One reading of a listing: its number among all readings, and the rows it showed."""

    number: int
    shown: list[Hashes] = field(default_factory=list)


class StagedListing:
    """Rows of one or several listings, and what is to be known of all of them together.

    ``folder`` is a private one, for as long as this is used; ``send_scores`` decides the rows' digests;
    ``now_ms`` is Coursera's time: what is dated later tells neither who is who nor how fresh the rows are.
    """

    def __init__(
        self,
        folder: Path,
        *,
        send_scores: bool = False,
        batch_rows: int = 20_000,
        held_rows: int = 50_000,
        now_ms: Callable[[], int],
    ) -> None:
        self.folder = folder
        self.held_rows = held_rows
        self._send_scores = send_scores
        self._batch_rows = batch_rows
        self._now_ms = now_ms
        self._spool = Spool(folder / "listing.arrow", held_rows=held_rows)
        self._waiting: list[object] = []
        self._waiting_ids: list[str] = []
        self._tries: dict[str, list[_ListingTry]] = {}
        self._now = _ListingTry(0)
        self._seen: list[pd.DataFrame] = []
        self._courses: set[str] = set()
        #: Coursera's date of the newest change that was read (epoch ms), 0 where there is none.
        self.newest_ms = 0

    def begin(self, listing: str) -> None:
        """A listing is read from its beginning; what an earlier try showed counts where this one does not."""
        if self._waiting:
            self.stage()
        tries = self._tries.setdefault(listing, [])
        self._now = _ListingTry(1 + sum(map(len, self._tries.values())))
        tries.append(self._now)

    def add(self, page: Page) -> bool:
        """Take a page; whether its rows, and those before, are enough to be staged as a batch."""
        self._now.shown.append(page.identities)
        self._waiting += page.elements
        self._waiting_ids += page.ids
        return len(self._waiting) >= self._batch_rows

    def stage(self) -> None:
        """Make columns of the rows that wait."""
        elements, ids = self._waiting, self._waiting_ids
        self._waiting, self._waiting_ids = [], []
        rows = typed(elements, ids, send_scores=self._send_scores)
        numbered = rows.assign(reading=np.int64(self._now.number))
        self._spool.add(pa.Table.from_pandas(numbered, preserve_index=False))
        self._courses.update(rows["contentId"].dropna().unique().tolist())
        updated_at = rows["updatedAt"]
        dated = updated_at.where(updated_at.le(self._now_ms() + CLOCK_TOLERANCE_MS)).fillna(0).astype("int64")
        self.newest_ms = max([self.newest_ms, *dated.nlargest(1)])
        self._see(rows.assign(updatedAt=dated))
        gc.collect(1)

    def finish(self) -> None:
        """The reading has ended."""
        if self._waiting or not self._seen:  # a listing without rows still has its columns
            self.stage()
        self._spool.finish()

    @property
    def rows(self) -> int:
        """How many rows were staged, superseded ones among them."""
        return self._spool.rows

    @property
    def courses(self) -> list[str]:
        """The courses that rows are about."""
        return sorted(self._courses)

    @property
    def seen(self) -> pd.DataFrame:
        """Who was seen: external_id, learner (an address) and program str, updated_at int64, the latest."""
        self._fold_seen()
        return self._seen[0]

    def frames(self) -> Iterator[pd.DataFrame]:
        """The rows, REPORT_COLUMNS, without those that the same listing showed anew when read again."""
        for rows in self._spool.frames():
            is_stale = self._superseded(rows)
            kept = rows.loc[~is_stale] if is_stale.any() else rows
            yield kept.drop(columns="reading").reset_index(drop=True)

    def _see(self, rows: pd.DataFrame) -> None:
        named = rows.loc[rows["address"].notna(), ["externalId", "address", "programId", "updatedAt"]]
        named = named.set_axis(SEEN_COLUMNS, axis="columns").fillna({"external_id": "", "program": ""})
        named["external_id"] = named["external_id"].str.strip()
        self._seen.append(named)
        folded, *since = map(len, self._seen)
        if sum(since) > max(folded, ADDRESSES):
            self._fold_seen()

    def _fold_seen(self) -> None:
        every = pd.concat(self._seen, ignore_index=True)
        self._seen = [latest_addresses(every, also=["program"])]

    def _superseded(self, rows: pd.DataFrame) -> Mask:
        stale = np.zeros(len(rows), dtype=bool)
        for tries in self._tries.values():
            for at, one in enumerate(tries[:-1]):
                is_of_try = rows["reading"].eq(one.number).to_numpy()
                if is_of_try.any():
                    later = np.concatenate(
                        [hashes_of([]), *(page for other in tries[at + 1 :] for page in other.shown)]
                    )
                    ids = hashes_of(rows.loc[is_of_try, ROW_ID].tolist())
                    stale[is_of_try] = np.isin(ids, later)
        return stale


def typed(elements: list[object], ids: list[str], *, send_scores: bool = False) -> pd.DataFrame:
    """Report rows, told apart by ids, as REPORT_COLUMNS; ``raw`` is what the columns cannot give back."""
    rows = read_reports(report_fields(elements) | {ROW_ID: ids}, send_scores=send_scores)
    odd = np.flatnonzero(rows["wrong"].to_numpy())
    if len(odd):
        kept = [msgspec.json.encode(elements[position]).decode() for position in odd]
        rows.loc[odd, "raw"] = pd.Series(kept, index=odd, dtype="str")
    return rows
