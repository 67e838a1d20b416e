"""Someone who looks on runs in tests: what a person at the command line is told, kept to be looked at."""

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd

from tasks.reporting.plan import Preview
from tasks.reporting.progress import looking_on
from tasks.reporting.recorder import Section
from tasks.reporting.report import Report


class Onlooker:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.previews: list[Preview] = []
        self.differences = pd.DataFrame()

    def see(self, what: str, done: int, total: int | None) -> None:
        """How far a work is: of no interest here."""

    def read(self, report: Report) -> None:
        """Keep a run's report."""
        self.reports.append(report)

    def foresee(self, preview: Preview) -> None:
        """Keep what a dry run would do."""
        self.previews.append(preview)

    def find(self, differences: pd.DataFrame) -> None:
        """Keep what the last run found."""
        self.differences = differences

    def section(self, words: str) -> Section:
        """The section of the last report whose title has these words."""
        (found,) = [one for one in self.reports[-1].sections if words in one.title]
        return found


@contextmanager
def onlooking() -> Iterator[Onlooker]:
    """Look on all runs that begin in here."""
    onlooker = Onlooker()
    with looking_on(onlooker):
        yield onlooker
