"""Someone who looks on runs in tests: what a person at the command line is told, kept to be looked at."""

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd

from tasks.reporting.plan import Plan
from tasks.reporting.progress import observing
from tasks.reporting.recorder import Section
from tasks.reporting.report import Report


class Observer:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.plans: list[Plan] = []
        self.differences = pd.DataFrame()

    def on_progress(self, what: str, done: int, total: int | None) -> None:
        """How far a work is: of no interest here."""

    def on_report(self, report: Report) -> None:
        """Keep a run's report."""
        self.reports.append(report)

    def on_plan(self, plan: Plan) -> None:
        """Keep what a dry run would do."""
        self.plans.append(plan)

    def on_differences(self, differences: pd.DataFrame) -> None:
        """Keep what the last run found."""
        self.differences = differences

    def section(self, words: str) -> Section:
        """The section of the last report whose title has these words."""
        (found,) = [one for one in self.reports[-1].sections if words in one.title]
        return found


@contextmanager
def observed() -> Iterator[Observer]:
    """Look on all runs that begin in here."""
    observer = Observer()
    with observing(observer):
        yield observer
