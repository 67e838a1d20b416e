"""What a run remembers of itself while it goes on: its counts, its notes, and what its report shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd

from tasks.reporting.summary import NO_COUNTS, Counts

MOST_EXAMPLES = 10
OF_EACH_IGNORED = 3


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
    """The only thing that changes while a run goes on.

    Only plans and differences name learners by their addresses; in all else nobody can be recognised.
    """

    def __init__(self, monotonic: Callable[[], float], *, draft_of: RunRecorder | None = None) -> None:
        """``monotonic`` gives seconds that never go back; for ``draft_of`` see `draft`."""
        self.monotonic = monotonic
        self.began: float = draft_of.began if draft_of else monotonic()
        #: A number for each learner, by address.
        self.learners: dict[str, int] = draft_of.learners if draft_of else {}
        self.spans: list[Span] = draft_of.spans if draft_of else []
        self.most_examples = draft_of.room if draft_of else MOST_EXAMPLES
        self.counts = NO_COUNTS
        self.notes: list[str] = []
        #: Rows rejected by reason, rows to send by sort of change, attempts to send by decile of progress.
        self.reasons: Counter[str] = Counter()
        self.changes: Counter[str] = Counter()
        #: See `ignore`.
        self.ignored: Counter[str] = Counter()
        self.ignored_in: dict[str, list[str]] = {}
        self.deciles: Counter[int] = Counter()
        self.examples: list[Example] = []
        self.sections: dict[str, Section] = {}
        #: See `plan` and `differ`.
        self.plans: list[pd.DataFrame] = []
        self.found: list[pd.DataFrame] = []
        #: By sort of difference; None where nothing was compared.
        self.difference_counts: dict[str, int] | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step, however it ends."""
        began, failed = self.elapsed, True
        try:
            yield
            failed = False
        finally:
            self.spans.append(Span(name, began, self.elapsed, failed))

    def add(self, counts: Counts = NO_COUNTS, **more: int) -> None:
        """Count rows: ``add(counts)``, or by the names of counts, such as ``add(extracted=3, merged=1)``."""
        self.counts += counts + Counts(**more)

    def note(self, message: str) -> None:
        """Keep what else people should know."""
        self.notes.append(message)

    def reject(self, reasons: Iterable[str]) -> None:
        """Count rejected rows, each by its reason."""
        counted = Counter(reasons)
        self.reasons += counted
        self.add(rejected=counted.total())

    def ignore(self, found: Mapping[str, Sequence[str]]) -> None:
        """Count rows that went without a value that was wrong: their courses, by what was wrong."""
        self.ignored.update({what: len(courses) for what, courses in found.items()})
        self._keep_ignored(found)

    def change(self, sorts: Mapping[str, int]) -> None:
        """Count what is sent, by sort of change."""
        self.changes.update(sorts)

    def progress(self, deciles: Mapping[int, int]) -> None:
        """Count the attempts that are sent, by decile of progress."""
        self.deciles.update(deciles)

    def sample(self, examples: Iterable[Example]) -> None:
        """Keep examples of what the run sends, ten in all."""
        self.examples = [*self.examples, *examples][: self.most_examples]

    def section(self, name: str, section: Section) -> None:
        """Keep a table for the report; one of the same name is replaced."""
        self.sections[name] = section

    def plan(self, rows: pd.DataFrame) -> None:
        """Keep what a dry run would do (`tasks.transform.plan_rows.PLAN_COLUMNS`, with addresses)."""
        self.plans.append(rows)

    def differ(self, rows: pd.DataFrame, counts: Mapping[str, int]) -> None:
        """Keep where both sides differ (`tasks.transform.comparison.FOUND_COLUMNS`, with addresses).

        ``counts`` says how many differences there are by sort, for one may have several rows.
        """
        self.found.append(rows)
        self._count_differences(counts)

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self.monotonic() - self.began

    @property
    def planned(self) -> pd.DataFrame | None:
        """All that was planned, in the order of planning; None where nothing ever was."""
        return pd.concat(self.plans, ignore_index=True) if self.plans else None

    @property
    def differences(self) -> pd.DataFrame | None:
        """All differences; None where nothing was compared."""
        return pd.concat(self.found, ignore_index=True) if self.found else None

    @property
    def room(self) -> int:
        """How many more examples are wanted."""
        return self.most_examples - len(self.examples)

    def learner(self, address: str) -> str:
        """What a learner is called in this run's report and in no other: nobody can tell who it is."""
        return f"learner {self.learners.setdefault(address, len(self.learners) + 1)}"

    def draft(self) -> RunRecorder:
        """A recorder for a piece of work that may fail: nothing in it is this one's until it is taken over.

        Both call learners the same, and a draft's spans are this one's at once.
        """
        return RunRecorder(self.monotonic, draft_of=self)

    def take_over(self, draft: RunRecorder) -> None:
        """Make what a draft, or a recorder of what was done for several runs, holds one's own."""
        if draft.spans is not self.spans:
            self.spans += draft.spans
        self.add(draft.counts)
        self.notes += draft.notes
        self.reasons += draft.reasons
        self.ignored += draft.ignored
        self._keep_ignored(draft.ignored_in)
        self.changes += draft.changes
        self.deciles += draft.deciles
        self.sample(draft.examples)
        self.sections |= draft.sections
        self.plans += draft.plans
        self.found += draft.found
        if draft.difference_counts is not None:
            self._count_differences(draft.difference_counts)

    def _keep_ignored(self, examples: Mapping[str, Sequence[str]]) -> None:
        for what, courses in examples.items():
            both = dict.fromkeys([*self.ignored_in.get(what, []), *courses[:OF_EACH_IGNORED]])
            self.ignored_in[what] = list(both)[:OF_EACH_IGNORED]

    def _count_differences(self, counts: Mapping[str, int]) -> None:
        before = self.difference_counts or {}
        added = {sort: before.get(sort, 0) + count for sort, count in counts.items()}
        self.difference_counts = before | added
