"""Looking for a submission that got no answer: an answer was lost on the way, or we were."""

from dataclasses import dataclass

import pandas as pd

from connectors.learning360.errors import NotFoundError
from connectors.learning360.models import Operation
from connectors.ledger.records.submissions import Submission, known_operations
from tasks.load.bulk_operation import BulkOperation
from tasks.load.follow import resolved, results_by_key, wait_for_its_end
from tasks.runtime.run_context import RunContext

# An operation may show in the platform's list only a while after it was taken.
LISTING_PATIENCE_SECONDS = 60.0
# The same after a run that died: another process has started since, and half a minute later it is to go on.
RECOVERY_PATIENCE_SECONDS = 25.0
# How far the platform's moments may lie before ours, its clock having been read to the second.
CLOCK_ALLOWANCE_MS = 15 * 60_000


@dataclass(frozen=True, eq=False)
class Trace:
    """What became of a submission: the operation that carries it, or its rows themselves, or nothing.

    ``rows``, with OUTCOME_COLUMNS beside them, where no operation is certain and some may have been taken.
    """

    operation_id: str | None = None
    rows: pd.DataFrame | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was taken, so that the rows may be sent again."""
        return self.operation_id is None and self.rows is None


async def find_trace(
    run: RunContext,
    operation: BulkOperation,
    submission: Submission,
    patience_seconds: float = LISTING_PATIENCE_SECONDS,
) -> Trace:
    """Find out what became of a submission without an answer, before anything of it is sent again.

    An operation may have carried out rows and show no results of them, or never show in the list: rows that
    must not be sent twice are asked for among what 360Learning holds. Where that is not granted they are
    uncertain if there is an operation that may have been ours.
    """
    search = _Search(run, operation, submission)
    if (operation_id := await search.find(patience_seconds)) is not None:
        return Trace(operation_id)
    rows = await resolved(run, operation, submission.rows, {})
    was_taken = rows["accepted"].any() or ("uncertain" in rows and search.is_doubtful)
    return Trace(rows=rows if was_taken else None)


class _Search:
    """Among the platform's operations the one that is ours.

    It carries exactly our rows, is not known in the ledger as another one, of whatever target, and what it
    made is on our integration.
    """

    def __init__(self, run: RunContext, operation: BulkOperation, submission: Submission) -> None:
        self._run = run
        self._operation = operation
        self._submission = submission
        self._rows = set(operation.row_keys(submission.rows))
        #: Whether an operation that has ended is ours; None where that cannot be told.
        self._verdicts: dict[str, bool | None] = {}

    @property
    def is_doubtful(self) -> bool:
        """Whether an operation may have been ours, of which nobody else is known as the sender."""
        known = self._known()
        return any(verdict is None and one not in known for one, verdict in self._verdicts.items())

    async def find(self, patience_seconds: float) -> str | None:
        """Look until it shows or patience ends, which counts from the intent's own moment.

        Rows show only in results, so that operations that are under way are waited for.
        """
        clock, began = self._run.clock, self._run.clock.monotonic()
        since_intent = (self._run.learning360.now_ms() - self._submission.intended_at) / 1000
        until = began + patience_seconds - max(0.0, since_intent)
        while True:
            under_way = await self._look()
            if ours := next((one for one, verdict in self._verdicts.items() if verdict), None):
                return ours
            if not under_way and clock.monotonic() >= until:
                return None
            await wait_for_its_end(self._run, next(iter(under_way), None), began)

    async def _look(self) -> list[str]:
        """Judge the operations that have ended since the last look; returns those under way."""
        known = self._known()
        since = self._submission.intended_at - CLOCK_ALLOWANCE_MS
        listed = await self._run.learning360.operations(self._operation.type, since)
        others = [one for one in listed if one.id not in known and one.id not in self._verdicts]
        under_way = [one for one in others if one.is_under_way]
        for one in others:
            if one not in under_way:
                self._verdicts[one.id] = await self._is_ours(one)
        return [one.id for one in under_way]

    async def _is_ours(self, found: Operation) -> bool | None:
        if not found.has_ended:  # in a status that nobody knows: its results may never come
            return None
        try:
            results = await results_by_key(self._run.learning360, self._operation, found.id)
        except NotFoundError:
            return False
        if results.keys() == self._rows:
            return await self._operation.is_made_here(self._run, [*results.values()])
        return None if results.keys() < self._rows else False

    def _known(self) -> set[str]:
        with self._run.ledger.read() as db:
            return known_operations(db)
