"""Coursera's listings, read until they are complete: once, for all targets."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import mkdtemp

from connectors.coursera.models import Page
from connectors.coursera.pagination import ListingCheck
from connectors.errors import IncompleteReadingError
from connectors.settings import Settings
from tasks.extract.catalog_staging import StagedCatalog
from tasks.extract.staging import StagedListing
from tasks.extract.window import ActivityWindow
from tasks.runtime.shared import SharedResources
from tasks.runtime.step import step

# A listing that changed while it was read is read again, this many times.
REREADS = 3

logger = logging.getLogger("coursera_sync.extract")


@dataclass(frozen=True)
class ListingRead:
    """How a listing was read.

    ``began_at`` and ``ended_at`` are epoch milliseconds; ``in_full`` is false where a filter left something
    out; ``incomplete_reason`` says why it is not complete; ``is_short`` whether Coursera, however often it is
    asked, speaks of more than it shows.
    """

    began_at: int
    ended_at: int
    in_full: bool
    incomplete_reason: str | None = None
    is_short: bool = False

    @property
    def is_exhaustive(self) -> bool:
        """Whether what it does not show is not at Coursera either."""
        return self.in_full and self.incomplete_reason is None and not self.is_short

    def require_complete(self) -> None:
        """Raise IncompleteReadingError where the listing could not be read whole."""
        if self.incomplete_reason is not None:
            raise IncompleteReadingError(
                f"Coursera's listing changed while it was read ({self.incomplete_reason}), {REREADS + 1} "
                "times. What was read counts all the same; the next run reads it again."
            )


@dataclass(frozen=True, eq=False)
class Reports:
    """The enrollment reports that were read, staged for all targets."""

    read: ListingRead
    staged: StagedListing


@dataclass(frozen=True, eq=False)
class Catalog:
    """The catalog that was read, staged for all targets."""

    read: ListingRead
    staged: StagedCatalog


def programs_of_all(every: Sequence[Settings]) -> list[str]:
    """The programs that the targets need between them; none where one of them needs all."""
    wanted = [settings.programs for settings in every]
    return sorted({*chain(*wanted)}) if all(wanted) else []


@step("read the catalog from Coursera")
async def read_catalog(shared: SharedResources, programs: Sequence[str] = (), *, in_full: bool) -> Catalog:
    """Read the organisation's catalog, or that of some programs. A second try of this step stages anew."""
    staged = StagedCatalog(Path(mkdtemp(dir=shared.folder)))

    async def take(page: Page) -> None:
        staged.add(page)

    pages = partial(shared.coursera.contents, program_ids=programs)
    read = await _read(shared, "contents", pages, staged.begin, take, in_full=in_full)
    staged.finish()
    return Catalog(read, staged)


@step("read the enrollment reports from Coursera")
async def read_reports(
    shared: SharedResources, window: ActivityWindow, programs: Sequence[str] = (), *, shows_all: bool = True
) -> Reports:
    """Read the enrollment reports with activity from a window's beginning on, of all programs or of some.

    Coursera knows no upper bound: what lies beyond is cut off by each target (see `Selection`). Where people
    chose what to read, it does not show all (``shows_all``). A second try of this step stages anew.
    """
    began_at = shared.clock.now_ms()
    pacing = shared.pacing
    staged = StagedListing(
        Path(mkdtemp(dir=shared.folder)),
        send_scores=shared.send_scores,
        batch_rows=pacing.batch_rows,
        held_rows=pacing.held_rows,
        now_ms=shared.coursera.now_ms,
    )
    in_full = shows_all and window.since is None
    every: Sequence[str | None] = programs or (None,)
    reads = [await _read_listing(shared, window, staged, program_id, in_full=in_full) for program_id in every]
    await shared.frames.do(staged.finish)
    reasons = [one.incomplete_reason for one in reads if one.incomplete_reason]
    read = replace(
        reads[-1],
        began_at=began_at,
        incomplete_reason="; ".join(reasons) or None,
        is_short=any(one.is_short for one in reads),
    )
    return Reports(read, staged)


async def _read_listing(
    shared: SharedResources,
    window: ActivityWindow,
    staged: StagedListing,
    program_id: str | None,
    *,
    in_full: bool,
) -> ListingRead:
    """Stage one listing, of all programs or of one."""

    async def take(page: Page) -> None:
        if staged.add(page):
            await shared.frames.do(staged.stage)

    pages = partial(
        shared.coursera.enrollment_reports, last_activity_after_ms=window.after_ms, program_id=program_id
    )
    begin = partial(staged.begin, program_id or "")
    return await _read(shared, "enrollment reports", pages, begin, take, in_full=in_full)


async def _read(
    shared: SharedResources,
    what: str,
    pages: Callable[[ListingCheck], AsyncIterator[Page]],
    begin: Callable[[], None],
    take: Callable[[Page], Awaitable[None]],
    *,
    in_full: bool,
) -> ListingRead:
    """Read a listing until it is complete, at most so often; ``begin`` is called before each reading."""
    began_at = shared.clock.now_ms()
    before: ListingCheck | None = None
    for _ in range(1 + REREADS):
        check = ListingCheck()
        begin()
        rows = 0
        async for page in pages(check):
            await take(page)
            rows += len(page.elements)
            await shared.progress.of(f"read {what}", rows, check.total)
        reason = check.incomplete_reason
        if reason is not None and before is not None and check.repeats(before):
            _note_oddity(shared, what, check)
            reason = None
        if reason is None:
            break
        before = check
        logger.warning("The listing of %s is not complete: %s", what, reason)
    logger.info("Read %d %s from Coursera", check.distinct_count, what)
    return ListingRead(began_at, shared.clock.now_ms(), in_full, reason, check.is_short)


def _note_oddity(shared: SharedResources, what: str, check: ListingCheck) -> None:
    """Tell of a listing that is what it is, though its numbers do not fit."""
    note = f"Two readings of Coursera's {what} were alike, and count as complete: {check.incomplete_reason}"
    if check.double_count:
        note += f"; {check.double_count} more share their id with one of them, or are the same"
    if check.is_short:
        note += ". What it does not show is not taken for gone"
    shared.recorder.note(note)
    logger.warning(note)
