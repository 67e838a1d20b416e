"""People at the command line look on: bars on their terminal, and a run's report in a file."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from connectors.errors import SyncError
from flows.cli.output.private_files import (
    require_table_file,
    require_writable,
    try_to_write_table,
    write_privately,
)
from tasks.reporting.plan import Plan
from tasks.reporting.progress import observing
from tasks.reporting.report import Report, failure

logger = logging.getLogger("coursera_sync.report")


@contextmanager
def watched(
    flow: str,
    console: Console,
    *,
    report_file: Path | None,
    show_plans: Callable[[Sequence[Plan]], None],
    export_file: Path | None,
    bars: bool,
) -> Iterator[None]:
    """Show how a run goes, and write its report, however it ends. Bars show on terminals alone.

    ``show_plans`` is told what a dry run would do; ``export_file`` is given what a comparison found.
    """
    if report_file is not None:
        require_writable("--report", report_file)
    if export_file is not None:
        require_table_file("--export", export_file)
    observer = TerminalObserver(console, bars=bars)
    try:
        with observer.bars, observing(observer):
            yield
    except BaseException as error:
        message = str(error) if isinstance(error, SyncError) else "Interrupted, or an internal error."
        observer.reports = observer.reports or [failure(flow, message, time.time_ns() // 1_000_000)]
        raise
    finally:
        if report_file is not None and observer.reports:
            _try_to_write(report_file, observer.reports)
        if observer.plans:
            show_plans(observer.plans)
        if export_file is not None and observer.differences:
            try_to_write_table("--export", export_file, pd.concat(observer.differences, ignore_index=True))


def _try_to_write(path: Path, reports: Sequence[Report]) -> None:
    try:
        write_reports(path, reports)
    except OSError as error:  # what the run did stands, and so does how it ended
        logger.error("--report %s could not be written: %s", path, error.strerror)  # noqa: TRY400


def write_reports(path: Path, reports: Sequence[Report]) -> None:
    """Write a run's report as one HTML file for the user alone; that of several targets comes first."""
    from tasks.reporting.html import html  # noqa: PLC0415 - few commands write one

    first = sorted(reports, key=lambda report: not report.is_joint)
    write_privately(path, html(*first).encode())


class TerminalObserver:
    """Someone at a terminal, or a file that waits for the report."""

    def __init__(self, console: Console, *, bars: bool) -> None:
        self.reports: list[Report] = []
        self.plans: list[Plan] = []
        self.differences: list[pd.DataFrame] = []
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            redirect_stdout=False,  # what a command answers goes to stdout, and nothing else
            disable=not (bars and console.is_terminal and console.file.isatty()),
        )
        self._works: dict[str, TaskID] = {}

    def on_progress(self, what: str, done: int, total: int | None) -> None:
        """Move the bar of a work."""
        if what not in self._works:
            self._works[what] = self.bars.add_task(what, total=total)
        self.bars.update(self._works[what], completed=done, total=total)

    def on_report(self, report: Report) -> None:
        """Keep the report."""
        self.reports.append(report)

    def on_plan(self, plan: Plan) -> None:
        """Keep what a dry run would do."""
        self.plans.append(plan)

    def on_differences(self, differences: pd.DataFrame) -> None:
        """Keep where both sides differ."""
        self.differences.append(differences)
