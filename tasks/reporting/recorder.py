"""What a run remembers of itself while it goes on, for its report: steps, changes, reasons, its plan."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd

MOST_EXAMPLES = 10


@dataclass(frozen=True)
class Span:
    """A step from its beginning to its end (seconds since the run began)."""

    name: str
    began: float
    ended: float
    failed: bool


@dataclass(frozen=True)
class Example:
    """One thing that the run sends: what it is about, and in words what changes."""

    what: str
    change: str


@dataclass(frozen=True)
class Section:
    """A table that only some flows have: texts by column, as many rows as people read.

    ``artifact_key`` names it among Prefect's tables, where it is to be one of its own.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    artifact_key: str | None = None


class RunRecorder:
    """Gathered as the run goes on; it holds nothing by which a learner could be recognised from outside."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """``monotonic`` gives seconds that never go back."""
        self._monotonic = monotonic
        self._began = monotonic()
        self._learners: dict[str, int] = {}
        self.spans: list[Span] = []
        self._planned: list[pd.DataFrame] = []
        self._differences: list[pd.DataFrame] = []
        #: Rows put aside by reason, rows to send by sort of change, attempts to send by decile of progress.
        self.reasons: Counter[str] = Counter()
        self.changes: Counter[str] = Counter()
        self.deciles: Counter[int] = Counter()
        self.examples: list[Example] = []
        #: By name, so that a step that is tried again tells nothing twice.
        self.sections: dict[str, Section] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step, however it ends."""
        began, failed = self._elapsed(), True
        try:
            yield
            failed = False
        finally:
            self.spans.append(Span(name, began, self._elapsed(), failed))

    def sample(self, examples: Iterable[Example]) -> None:
        """Keep examples of what the run sends, ten in all."""
        self.examples = [*self.examples, *examples][:MOST_EXAMPLES]

    def section(self, name: str, section: Section) -> None:
        """Keep a table for the report; one of the same name is replaced."""
        self.sections[name] = section

    def plan(self, rows: pd.DataFrame) -> None:
        """Keep what a dry run would do (`tasks.transform.plan_rows.PLAN_COLUMNS`, with addresses)."""
        self._planned.append(rows)

    def differ(self, rows: pd.DataFrame) -> None:
        """Keep where both sides differ (`tasks.transform.comparison.FOUND_COLUMNS`, with addresses)."""
        self._differences.append(rows)

    @property
    def planned(self) -> pd.DataFrame | None:
        """All that was planned, in the order of planning; None where nothing ever was."""
        return pd.concat(self._planned, ignore_index=True) if self._planned else None

    @property
    def differences(self) -> pd.DataFrame | None:
        """All differences; None where nothing was compared."""
        return pd.concat(self._differences, ignore_index=True) if self._differences else None

    @property
    def room(self) -> int:
        """How many more examples are wanted."""
        return MOST_EXAMPLES - len(self.examples)

    def learner(self, address: str) -> str:
        """What a learner is called in this report and in no other: nobody can tell who it is."""
        return f"learner {self._learners.setdefault(address, len(self._learners) + 1)}"

    def _elapsed(self) -> float:
        return self._monotonic() - self._began
