"""What sending, following and settling a bulk operation asks of each of its kinds."""

from collections.abc import Hashable, Sequence
from typing import Protocol

import pandas as pd
from sqlalchemy import Connection

from connectors.learning360.models import OperationType, ResultInput
from tasks.runtime.run_context import RunContext


class BulkOperation(Protocol):
    """A kind of bulk operation: how its rows are sent, recognised in the results, written down, counted."""

    type: OperationType
    max_rows: int
    #: What sending it is, for people who look on.
    label: str

    async def submit(self, run: RunContext, rows: pd.DataFrame) -> str:
        """Submit the rows; returns the operation's id."""

    def row_keys(self, rows: pd.DataFrame) -> Sequence[Hashable]:
        """What tells each of the rows apart."""

    def result_key(self, sent: ResultInput) -> Hashable:
        """The same, from a result's input."""

    async def resolve(self, run: RunContext, rows: pd.DataFrame) -> pd.DataFrame:
        """Find out what became of the rows that have no result (OUTCOME_COLUMNS), where that matters."""

    def settle(self, db: Connection, run: RunContext, rows: pd.DataFrame, operation_id: str) -> None:
        """Write down what became of the rows."""

    def requeue(self, db: Connection, run: RunContext, rows: pd.DataFrame) -> None:
        """Write down that the rows were not sent after all, so that this run takes them up again."""

    def count(self, run: RunContext, rows: pd.DataFrame) -> None:
        """Count what became of the rows."""
