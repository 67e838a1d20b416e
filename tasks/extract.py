"""Extract: Coursera's listings, read until they are complete."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from connectors.coursera.listing import Census, identity
from connectors.coursera.models import Page
from connectors.errors import IncompleteReadingError
from tasks.mapping.filters import chosen
from tasks.run import Run
from tasks.step import step

# A listing that changed while it was read is read again, this many times.
REREADS = 3

logger = logging.getLogger("coursera_sync.extract")


class Reading:
    """What a listing gave: its elements as they came, when the reading began, and whether it is all.

    A plain class, so that Prefect does not walk through the elements. ``began_at`` is epoch milliseconds;
    ``in_full`` is false where a filter left something out; ``problem`` says why the listing is not complete.
    """

    def __init__(self, elements: list[object], *, began_at: int, in_full: bool, problem: str | None) -> None:
        self.elements = elements
        self.began_at = began_at
        self.in_full = in_full
        self.problem = problem

    @property
    def shows_all(self) -> bool:
        """Whether what is not in it is not at Coursera either."""
        return self.in_full and self.problem is None

    def require_complete(self) -> None:
        """Raise IncompleteReadingError where the listing could not be read whole."""
        if self.problem is not None:
            raise IncompleteReadingError(
                f"Coursera's listing changed while it was read ({self.problem}), {REREADS + 1} times. "
                "What was read has been sent; the next run reads it again."
            )


@dataclass(frozen=True)
class Window:
    """Which reports to read: with last activity from ``since`` on, and before ``until`` (epoch ms).

    None is no bound; without either all are read, those without any activity too.
    """

    since: int | None = None
    until: int | None = None


@step("read the catalog from Coursera")
async def extract_catalog(run: Run, programs: Sequence[str] = ()) -> Reading:
    """Read the organisation's catalog, or that of some programs."""
    return await _read(
        run, "contents", partial(run.coursera.contents, program_ids=programs), in_full=not programs
    )


@step("read the enrollment reports from Coursera")
async def extract_reports(run: Run, window: Window) -> Reading:
    """Read the enrollment reports of a window."""
    pages = partial(run.coursera.enrollment_reports, last_activity_after_ms=window.since)
    return await _read(run, "enrollment reports", pages, in_full=window.since is None)


@step("read the enrollment reports of a window from Coursera")
async def extract_window(
    run: Run, window: Window, *, programs: Sequence[str], learners: Sequence[str]
) -> Reading:
    """Read the reports of a window, of some programs and of some learners (digests of their addresses).

    Coursera knows no upper bound, and learners only by program: what lies beyond is cut off here.
    """
    began_at = run.surroundings.now_ms()
    since = None if window.since is None else window.since - 1  # Coursera's bound is strictly after
    elements: list[object] = []
    problems: list[str] = []
    every: list[str | None] = [*programs] or [None]
    for program_id in every:
        reports = partial(
            run.coursera.enrollment_reports, last_activity_after_ms=since, program_id=program_id
        )
        reading = await _read(run, "enrollment reports", reports, in_full=False)
        elements += reading.elements
        problems += [reading.problem] if reading.problem else []
    kept = chosen(elements, active_from_ms=window.since, active_to_ms=window.until, learners=learners)
    return Reading(kept, began_at=began_at, in_full=False, problem="; ".join(problems) or None)


async def _read(
    run: Run, what: str, pages: Callable[[Census], AsyncIterator[Page]], *, in_full: bool
) -> Reading:
    began_at = run.surroundings.now_ms()
    elements: list[object] = []
    problem: str | None = None
    for _ in range(1 + REREADS):
        census = Census()
        earlier, elements = elements, await _elements(run, what, pages(census), census)
        elements += _only_in(earlier, elements)
        problem = census.problem
        if problem is None:
            break
        logger.warning("The listing of %s is not complete: %s", what, problem)
    logger.info("Read %d %s from Coursera", len(elements), what)
    return Reading(elements, began_at=began_at, in_full=in_full, problem=problem)


async def _elements(run: Run, what: str, pages: AsyncIterator[Page], census: Census) -> list[object]:
    elements: list[object] = []
    async for page in pages:
        elements += page.elements
        await run.progress.of(f"read {what}", len(elements), census.total)
    return elements


def _only_in(earlier: list[object], later: list[object]) -> list[object]:
    """What an earlier try showed and the later one does not; what both show is taken from the later."""
    shown = {identity(element) for element in later} if earlier else set()
    return [element for element in earlier if identity(element) not in shown]
