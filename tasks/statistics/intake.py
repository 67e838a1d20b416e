"""Enrollment reports as they come: mapped in batches, kept by their keys, sent ahead where that is safe."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import compress
from typing import Self

import numpy as np
import orjson
import pandas as pd

from connectors.coursera.models import Page, report_fields, report_rows
from connectors.coursera.row_ids import Hashes, hashes
from connectors.ledger.keys import keyed
from connectors.ledger.streams import STATISTICS
from tasks.extract.coursera import ListingRead
from tasks.load import rejects as aside
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.statistics.ahead import Ahead
from tasks.statistics.settled import Settled
from tasks.statistics.spool import Spool
from tasks.transform.statistics.enrollment_reports import read_reports
from tasks.transform.statistics.enrollments import map_enrollments
from tasks.transform.statistics.learner_moves import latest_addresses

# Elements mapped at a time: many enough for pandas, few enough that there is soon something to send ahead,
# and more of it before that is done. A short reading has smaller batches, for it is over soon.
BATCH, LEAST_BATCH = 20_000, 5_000
BATCHES = 10
# So many addresses are kept, and at least as many as there are, before those that are there twice are folded.
ADDRESSES = 50_000


class Batch:
    """Report rows as they came. A plain class, so that Prefect does not walk through them."""

    def __init__(self, elements: list[object], manner: np.int64, settled: Settled | None) -> None:
        """``manner`` stands for the settings that decide what a row is mapped to."""
        self.elements = elements
        self.manner = manner
        self.settled = settled


@dataclass(frozen=True)
class Mapped:
    """A batch, mapped.

    ``rows``: `tasks.transform.statistics.enrollments.ENROLLMENT_COLUMNS` but completion, and int64 key (see
    `connectors.ledger.keys`) and digest (see `tasks.transform.statistics.enrollment_reports`); ``put_aside``:
    the rows that cannot be mapped, as the ledger keeps them, and position int64; ``settled``: position and
    digest int64 of those that were not even looked at; ``newest``: Coursera's date of the newest change
    (epoch ms), 0 without any.
    """

    rows: pd.DataFrame
    put_aside: pd.DataFrame
    settled: pd.DataFrame
    newest: int


@step("map enrollment reports, with the launch rule")
async def map_reports(run: RunContext, batch: Batch) -> Mapped:
    """Map report rows but those that are settled; what cannot be mapped is put aside with its reason."""
    return await run.shared.frames.do(_mapped, run, batch)


def _mapped(run: RunContext, batch: Batch) -> Mapped:
    reports = read_reports(report_fields(batch.elements))
    digests = reports.digests() ^ batch.manner
    is_settled = np.zeros(len(reports), dtype=bool)
    if batch.settled is not None:
        is_settled = batch.settled.among(digests) & ~reports.is_wrong
    mapped = map_enrollments(
        reports.only(~is_settled),
        now_ms=run.clock.now_ms(),
        send_scores=run.settings.sync.send_scores,
        launch_rule=run.settings.sync.launch_rule,
        aliases=run.aliases,
    )
    put_aside = aside.named(batch.elements, mapped.rejects).assign(position=mapped.rejects["position"])
    rows = keyed(mapped.enrollments.drop(columns="completion"))
    settled = pd.DataFrame({"position": np.flatnonzero(is_settled), "digest": digests[is_settled]})
    newest = reports.fields["updatedAt"].max()
    return Mapped(
        rows.assign(digest=digests[rows["position"]]),
        put_aside,
        settled,
        0 if np.isnan(newest) else int(newest),
    )


def _manner(run: RunContext) -> np.int64:
    """What decides how rows are mapped, as a number: where that changes, no digest is known any more."""
    manner = orjson.dumps([run.settings.sync.send_scores, sorted(run.aliases.items())])
    return np.int64(int.from_bytes(hashlib.blake2b(manner, digest_size=8).digest(), signed=True))


@dataclass
class _Try:
    """One reading of a listing: its number among all, and what it showed (see `hashes`)."""

    number: int
    shown: list[Hashes] = field(default_factory=list)


class Intake:
    """What a reading of the reports shows, by key. Use as a context manager: it may keep files.

    Rows that are settled are not even mapped: only that they were shown is kept.
    """

    def __init__(self, run: RunContext, ahead: Ahead | None = None, settled: Settled | None = None) -> None:
        self._run = run
        self._ahead = ahead
        self._settled = settled
        self._manner = _manner(run)
        self._spool = Spool()
        self._waiting: list[object] = []
        self._waiting_names = hashes([])
        self._tries: dict[str, list[_Try]] = {}
        self._now = _Try(0)
        self._aside: list[pd.DataFrame] = []
        self._quiet: list[pd.DataFrame] = []
        #: Coursera's date of the newest change that was read (epoch ms), 0 where there is none.
        self.newest = 0
        self._nothing = pd.DataFrame()
        self._addresses: list[pd.DataFrame] = []
        self._courses: set[str] = set()

    def __enter__(self) -> Self:
        self._spool.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.__exit__()

    async def begin(self, listing: str) -> None:
        """A listing is read from its beginning; what an earlier try showed counts where this one does not."""
        await self._map_all()
        tries = self._tries.setdefault(listing, [])
        self._now = _Try(1 + sum(map(len, self._tries.values())))
        tries.append(self._now)

    async def take(self, page: Page) -> None:
        """Take a page; its rows are mapped once there are enough for a batch."""
        self._spool.expect(page.paging.total or 0)
        self._wait(page.elements, page.identities)
        while len(self._waiting) >= self._batch:
            await self._map()
        if self._ahead is not None:
            await self._ahead.go_on()

    async def finish(self, reading: ListingRead) -> None:
        """The reading has ended: rows put aside earlier that it does not show are taken up again."""
        if not reading.is_exhaustive:
            again = report_rows(aside.rows_aside(self._run.ledger, self._run.target.id, STATISTICS))
            await self._map_all()
            names = hashes(again)
            is_shown = np.isin(names, np.concatenate([hashes([]), *self._shown()]))
            await self.begin("taken up again")
            self._wait(list(compress(again, ~is_shown)), names[~is_shown])
        await self._map_all()
        if not self._addresses:  # nothing at all: the frames still have their columns
            await self._map()
        if self._settled is not None and self._quiet:
            self._settled.show(self._newest(pd.concat(self._quiet))["digest"].to_numpy())
        for first, *_ in self._tries.values():  # only what was read again stands in for what was read before
            first.shown.clear()

    @property
    def nothing(self) -> pd.DataFrame:
        """No row, in the columns that rows have."""
        return self._nothing

    @property
    def expected(self) -> int:
        """How many rows the reading has, as far as that is known."""
        return self._spool.expected

    @property
    def courses(self) -> list[str]:
        """The courses that rows are about."""
        return sorted(self._courses)

    @property
    def addresses(self) -> pd.DataFrame:
        """Who was seen: external_id and learner str, updated_at int64, the latest."""
        self._fold_addresses()
        return self._addresses[0]

    @property
    def put_aside(self) -> pd.DataFrame:
        """The rows that cannot be mapped, as the ledger keeps them."""
        rows = pd.concat(self._aside, ignore_index=True)
        return self._newest(rows)

    def partitions(self) -> Iterator[pd.DataFrame]:
        """The mapped rows, those of a key together: see `Mapped`."""
        for rows in self._spool.partitions():
            yield self._newest(rows)

    @property
    def _batch(self) -> int:
        """How many rows make a batch."""
        return min(max(self.expected // BATCHES, LEAST_BATCH), BATCH)

    def _wait(self, elements: list[object], names: Hashes) -> None:
        self._now.shown.append(names)
        self._waiting += elements
        self._waiting_names = np.concatenate([self._waiting_names, names])

    async def _map_all(self) -> None:
        while self._waiting:
            await self._map()

    async def _map(self) -> None:
        batch, self._waiting = self._waiting[: self._batch], self._waiting[self._batch :]
        names, self._waiting_names = self._waiting_names[: len(batch)], self._waiting_names[len(batch) :]
        mapped = await map_reports(self._run, Batch(batch, self._manner, self._settled))
        rows = await self._run.shared.frames.do(self._keep, names, mapped)
        if self._ahead is not None:
            await self._ahead.send(rows)

    def _keep(self, names: Hashes, mapped: Mapped) -> pd.DataFrame:
        """Keep what a batch, of elements of these names, was mapped to; returns its rows."""
        rows, put_aside, quiet = (
            part.assign(identity=names[part["position"]], reading=np.int64(self._now.number)).drop(
                columns="position"
            )
            for part in (mapped.rows, mapped.put_aside, mapped.settled)
        )
        self._aside.append(put_aside)
        self._quiet += [quiet] if len(quiet) else []
        self.newest = max(self.newest, mapped.newest)
        self._nothing = self._newest(rows.iloc[:0])
        self._spool.add(rows)
        self._courses.update(rows["course"].unique().tolist())
        self._addresses.append(rows[["external_id", "learner", "updated_at"]])
        folded, *since = map(len, self._addresses)
        if sum(since) > max(folded, ADDRESSES):
            self._fold_addresses()
        return rows

    def _fold_addresses(self) -> None:
        """Keep each address beside its externalId once, with the latest date."""
        self._addresses = [latest_addresses(pd.concat(self._addresses, ignore_index=True))]

    def _shown(self) -> Iterator[Hashes]:
        return (page for tries in self._tries.values() for one in tries for page in one.shown)

    def _newest(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Leave out what a listing showed and, read again, showed anew."""
        stale = np.zeros(len(rows), dtype=bool)
        for tries in self._tries.values():
            for at, one in enumerate(tries[:-1]):
                later = np.concatenate([page for other in tries[at + 1 :] for page in other.shown])
                stale |= rows["reading"].eq(one.number).to_numpy() & np.isin(rows["identity"], later)
        rows = rows.drop(columns=["identity", "reading"])
        return rows.loc[~stale].reset_index(drop=True) if stale.any() else rows
