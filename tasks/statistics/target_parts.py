"""The parts of a reading for one target, with the rules by which they are compared."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

from tasks.extract.coursera import Reports
from tasks.runtime.run_context import RunContext
from tasks.statistics.compare import Rules
from tasks.statistics.parts import Part, Parts, cut
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
    run: RunContext, reports: Reports, selection: Selection, addresses: AddressMap, *, beside: int = 0
) -> AsyncIterator[TargetParts]:
    """Cut what was read and is for this target, and what was rejected before, into parts.

    There are as many as ``beside`` rows of something else need, where that is more.
    """
    read, staged, sync = reports.read, reports.staged, run.settings.sync
    rejected = Rejected.load(run.ledger, run.target.id, addresses)
    frames = rows_of_target(
        staged,
        selection,
        rejected.unmappable,
        is_exhaustive=read.is_exhaustive,
        send_scores=sync.send_scores,
    )
    cutting = cut(
        frames,
        rejected.statistics,
        addresses,
        rows=max(staged.rows + len(rejected.unmappable), beside),
        folder=staged.folder,
        held_rows=run.shared.pacing.held_rows,
        part_rows=run.shared.pacing.part_rows,
    )
    rules = Rules.of(sync, now_ms=read.ended_at, retries=not read.is_exhaustive)
    with ExitStack() as stack:
        parts = await run.shared.frames.do(stack.enter_context, cutting)
        yield TargetParts(parts, rules, addresses, rejected.unmappable[ROW_ID].tolist())
