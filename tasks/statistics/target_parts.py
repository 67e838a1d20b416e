"""The parts of a reading for one target, with the rules by which they are compared."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from tasks.extract.coursera import Reports
from tasks.runtime.run_context import RunContext
from tasks.statistics.compare import Rules
from tasks.statistics.ledger_state import known_digests
from tasks.statistics.left_alone import NO_DIGESTS, leave_alone
from tasks.statistics.parts import Part, Parts, cut, keys_and_digests, parts_for
from tasks.statistics.selection import Rejected, Selection, rows_of_target
from tasks.transform.statistics.enrollment_reports import ROW_ID
from tasks.transform.statistics.learner_moves import AddressMap


@dataclass(frozen=True, eq=False)
class TargetParts:
    """The parts, in the order of their numbers.

    ``tried``: ids of rows that could not be mapped before, each of which is in a part, or gone.
    """

    parts: Parts
    rules: Rules
    addresses: AddressMap
    tried: Sequence[str]

    def __iter__(self) -> Iterator[Part]:
        return self.since(0)

    def since(self, number: int) -> Iterator[Part]:
        """The parts from a number on."""
        return self.parts.since(number)

    def __len__(self) -> int:
        return len(self.parts)


@asynccontextmanager
async def parts_of_target(
    run: RunContext,
    reports: Reports,
    selection: Selection,
    addresses: AddressMap,
    *,
    beside: int | None = None,
    number: int = 0,
) -> AsyncIterator[TargetParts]:
    """Cut what was read and is for this target, and what was rejected before, into parts.

    Learners' courses that are as the ledger knows them are left alone, unless all are to be compared with so
    many rows of something else (``beside``). ``number``: how many parts there were before, 0 where none were.
    """
    read, sync, pacing = reports.read, run.settings.sync, run.shared.pacing
    rejected = Rejected.load(run.ledger, run.target.id, addresses)
    frames = partial(
        rows_of_target,
        reports.staged,
        selection,
        rejected.unmappable,
        is_exhaustive=read.is_exhaustive,
        send_scores=sync.send_scores,
    )

    def cutting() -> AbstractContextManager[Parts]:
        rows = keys_and_digests(frames(), addresses)
        digests = NO_DIGESTS
        if beside is None:
            digests = known_digests(run.ledger, run.target.id, rows["key"], is_dense=read.in_full)
        rows = leave_alone(rows, digests, rejected.statistics["key"])
        largest = max(int((~rows["is_left_alone"]).sum()), beside or 0)
        return cut(
            frames(),
            rows,
            rejected.statistics,
            addresses,
            number=number or parts_for(largest, pacing.part_rows),
            folder=reports.staged.folder,
            held_rows=pacing.held_rows,
        )

    rules = Rules.of(sync, now_ms=read.ended_at, retries=not read.is_exhaustive)
    with ExitStack() as stack:
        parts = await run.shared.frames.do(lambda: stack.enter_context(cutting()))
        yield TargetParts(parts, rules, addresses, rejected.unmappable[ROW_ID].tolist())
