"""Extract: Coursera's listings, read until they are complete."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from itertools import chain

from connectors.coursera.models import Page
from connectors.coursera.pagination import ListingCheck
from connectors.errors import IncompleteReadingError
from tasks.extract.takers import Asked, Audience, Chosen, Elements, Taker
from tasks.extract.window import ActivityWindow
from tasks.runtime.run_context import RunContext
from tasks.runtime.shared import SharedResources
from tasks.runtime.step import step
from tasks.transform.courses.program_filter import of_programs

# A listing that changed while it was read is read again, this many times.
REREADS = 3

logger = logging.getLogger("coursera_sync.extract")


class ListingRead:
    """When a reading began, and whether it is all.

    ``began_at`` is epoch milliseconds; ``in_full`` is false where a filter left something out;
    ``incomplete_reason`` says why the listing is not complete.
    """

    def __init__(self, *, began_at: int, in_full: bool, incomplete_reason: str | None) -> None:
        self.began_at = began_at
        self.in_full = in_full
        self.incomplete_reason = incomplete_reason

    @property
    def is_exhaustive(self) -> bool:
        """Whether what is not in it is not at Coursera either."""
        return self.in_full and self.incomplete_reason is None

    def require_complete(self) -> None:
        """Raise IncompleteReadingError where the listing could not be read whole."""
        if self.incomplete_reason is not None:
            raise IncompleteReadingError(
                f"Coursera's listing changed while it was read ({self.incomplete_reason}), "
                f"{REREADS + 1} times. What was read counts all the same; the next run reads it again."
            )


class CatalogSnapshot(ListingRead):
    """The catalog: its elements as they came. A plain class, so that Prefect does not walk through them."""

    def __init__(self, elements: list[object], reading: ListingRead) -> None:
        super().__init__(
            began_at=reading.began_at, in_full=reading.in_full, incomplete_reason=reading.incomplete_reason
        )
        self.elements = elements


@step("read the catalog from Coursera")
async def extract_catalog(run: RunContext, programs: Sequence[str] = ()) -> CatalogSnapshot:
    """Read the organisation's catalog, or that of some programs; a target's own programs are all it gets."""
    wanted = tuple(programs) or run.settings.programs
    read = partial(_read_catalog, run.shared, in_full=not programs)
    whole = await run.shared.once("the catalog", wanted, read)
    if not run.settings.programs:
        return whole
    return CatalogSnapshot(of_programs(whole.elements, run.settings.programs), whole)


@step("read the enrollment reports from Coursera")
async def extract_reports(run: RunContext, window: ActivityWindow, taker: Taker) -> ListingRead:
    """Read the enrollment reports of a window, page by page."""
    asked = Asked(run, window, taker)
    reading = await run.shared.once("the reports", asked, partial(_read_reports, run.shared))
    asked.require_taken()
    return ListingRead(
        began_at=reading.began_at, in_full=window.since is None, incomplete_reason=reading.incomplete_reason
    )


@step("read the enrollment reports of a window from Coursera")
async def extract_window(
    run: RunContext, window: ActivityWindow, taker: Taker, *, programs: Sequence[str], learners: Sequence[str]
) -> ListingRead:
    """Read the reports of a window, of some programs and of some learners (digests of their addresses).

    Coursera knows no upper bound, and learners only by program: what lies beyond is cut off here.
    """
    asked = Asked(run, window, taker)
    read = partial(_read_window, run.shared, window, programs=programs, learners=learners)
    reading = await run.shared.once("a window", asked, read)
    asked.require_taken()
    return reading


async def _read_catalog(
    shared: SharedResources, wanted: Sequence[tuple[str, ...]], *, in_full: bool
) -> CatalogSnapshot:
    """Read what is wanted for any target: all, or the catalog of these programs."""
    programs = sorted({*chain(*wanted)}) if all(wanted) else []
    elements = Elements()
    pages = partial(shared.coursera.contents, program_ids=programs)
    reading = await _read(shared, "contents", pages, elements, in_full=in_full)
    return CatalogSnapshot(elements.all, reading)


async def _read_reports(shared: SharedResources, asked: Sequence[Asked]) -> ListingRead:
    """Read the reports from the earliest moment on that any target needs them from."""
    moments = [one.window.since for one in asked]
    since = None if None in moments else min(one for one in moments if one is not None)
    pages = partial(shared.coursera.enrollment_reports, last_activity_after_ms=since)
    return await _read(shared, "enrollment reports", pages, Audience(asked), in_full=since is None)


async def _read_window(
    shared: SharedResources,
    window: ActivityWindow,
    asked: Sequence[Asked],
    *,
    programs: Sequence[str],
    learners: Sequence[str],
) -> ListingRead:
    began_at = shared.clock.now_ms()
    since = None if window.since is None else window.since - 1  # Coursera's bound is strictly after
    among = Chosen(Audience(asked), window, learners)
    problems: list[str] = []
    every: list[str | None] = [*programs] or [None]
    for program_id in every:
        reports = partial(
            shared.coursera.enrollment_reports, last_activity_after_ms=since, program_id=program_id
        )
        reading = await _read(
            shared, "enrollment reports", reports, among, in_full=False, listing=program_id or ""
        )
        problems += [reading.incomplete_reason] if reading.incomplete_reason else []
    return ListingRead(began_at=began_at, in_full=False, incomplete_reason="; ".join(problems) or None)


async def _read(
    shared: SharedResources,
    what: str,
    pages: Callable[[ListingCheck], AsyncIterator[Page]],
    taker: Taker,
    *,
    in_full: bool,
    listing: str = "",
) -> ListingRead:
    began_at = shared.clock.now_ms()
    problem: str | None = None
    for _ in range(1 + REREADS):
        check = ListingCheck()
        await taker.begin(listing)
        await _take(shared, what, pages(check), check, taker)
        problem = check.problem
        if problem is None:
            break
        logger.warning("The listing of %s is not complete: %s", what, problem)
    logger.info("Read %d %s from Coursera", check.distinct_count, what)
    return ListingRead(began_at=began_at, in_full=in_full, incomplete_reason=problem)


async def _take(
    shared: SharedResources, what: str, pages: AsyncIterator[Page], check: ListingCheck, taker: Taker
) -> None:
    read = 0
    async for page in pages:
        await taker.take(page)
        read += len(page.elements)
        await shared.progress.of(f"read {what}", read, check.total)
