"""What the platform's three kinds of bulk operation have in common."""

from collections.abc import Hashable, Sequence
from typing import Protocol

import pandas as pd
from sqlalchemy import Connection

from connectors.learning360.models import OperationType, Result, ResultInput
from connectors.ledger.records.submissions import Submission
from tasks.runtime.run_context import RunContext


class BulkOperation(Protocol):
    """A kind of bulk operation: how its rows are sent, recognised in the results, written down, counted."""

    type: OperationType
    #: The most rows that the platform takes in one.
    max_rows: int
    #: What sending it is, for people who look on.
    label: str

    async def submit(self, run: RunContext, rows: pd.DataFrame) -> str:
        """Submit the rows; returns the operation's id."""

    def row_keys(self, rows: pd.DataFrame) -> Sequence[Hashable]:
        """What tells each of the rows apart."""

    def result_key(self, sent: ResultInput) -> Hashable:
        """The same, from a result's input."""

    async def is_made_here(self, run: RunContext, results: Sequence[Result]) -> bool | None:
        """Whether an operation with these results was the run's integration's; None: it cannot be told."""

    async def resolve(self, run: RunContext, rows: pd.DataFrame) -> pd.DataFrame:
        """Find out what became of the rows that have no result (OUTCOME_COLUMNS), where that matters."""

    def settle(self, db: Connection, run: RunContext, rows: pd.DataFrame, submission: Submission) -> None:
        """Write down what became of a sent submission's rows (OUTCOME_COLUMNS beside them)."""

    def requeue(self, db: Connection, run: RunContext, submission: Submission) -> None:
        """Write down that the rows were not sent after all, so that this run takes them up again."""

    def count(self, run: RunContext, rows: pd.DataFrame) -> None:
        """Count what became of the rows."""
