"""What flows are handed besides their parameters: the clock, how much is worked on at a time, who is told.

Prefect calls a flow with its parameters alone, so that tests hand them in around the call.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from connectors.clock import Clock
from tasks.reporting.summary import Summary


@dataclass(frozen=True)
class Pacing:
    """How much is done at a time; chosen for memory and speed, see docs/benchmarks.md.

    ``batch_rows``: that become columns at once (``course_rows`` of the catalog, whose elements are larger);
    ``held_rows``: kept in memory (some 20 MiB) before a file is used; ``part_rows``: of a part;
    ``operation_rows``: of a bulk operation, where the platform takes as many; ``least_rows``: that are worth
    an operation, which takes a second whatever it holds;
    ``keep_slot_seconds``: a slot is kept from one operation to the next, then others may have a turn;
    ``turn_seconds``: a backfill has its stream for itself, before a daily run that waits has its turn.
    """

    batch_rows: int = 20_000
    course_rows: int = 2_000
    held_rows: int = 50_000
    part_rows: int = 25_000
    operation_rows: int = 10_000
    least_rows: int = 1_000
    keep_slot_seconds: float = 30.0
    turn_seconds: float = 600.0


@dataclass(frozen=True)
class HandedIn:
    """What a run is handed; in tests a clock that stands still, and small pieces.

    ``on_end`` is told the summary once all is done but for what Prefect itself does at a flow's end.
    """

    clock: Clock = field(default_factory=Clock)
    pacing: Pacing = field(default_factory=Pacing)
    on_end: Callable[[Summary], None] = lambda _: None


_handed_in: ContextVar[HandedIn | None] = ContextVar("handed_in", default=None)


def handed_in() -> HandedIn:
    """What whoever started this has handed in, else what is right in earnest."""
    return _handed_in.get() or HandedIn()


@contextmanager
def handing_in(given: HandedIn) -> Iterator[None]:
    """Hand it to the flows that begin inside this context."""
    token = _handed_in.set(given)
    try:
        yield
    finally:
        _handed_in.reset(token)
