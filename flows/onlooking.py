"""People at the command line look on: bars on their terminal, and a run's report in a file."""

import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from connectors.errors import SettingsError, SyncError
from tasks.report import Report, failure
from tasks.watching import looking_on

logger = logging.getLogger("coursera_sync.report")


@contextmanager
def watched(flow: str, console: Console, *, report_file: Path | None, bars: bool) -> Iterator[None]:
    """Show how a run goes, and write its report, however it ends. Bars show on terminals alone."""
    if report_file is not None:
        _require_writable(report_file)
    person = _Person(console, bars=bars)
    try:
        with person.bars, looking_on(person):
            yield
    except BaseException as error:
        message = str(error) if isinstance(error, SyncError) else "Interrupted, or a fault of this program."
        person.report = person.report or failure(flow, message, time.time_ns() // 1_000_000)
        raise
    finally:
        if report_file is not None and person.report is not None:
            _try_to_write(report_file, person.report)


def _try_to_write(path: Path, report: Report) -> None:
    try:
        write_report(path, report)
    except OSError as error:  # what the run did stands, and so does how it ended
        logger.error("--report %s could not be written: %s", path, error.strerror)  # noqa: TRY400


def write_report(path: Path, report: Report) -> None:
    """Write a report as one HTML file for the user alone; a file that is there is replaced whole."""
    from tasks.rendering.html import html  # noqa: PLC0415 - few commands write one

    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(html(report))
    Path(name).replace(path)


def _require_writable(path: Path) -> None:
    """Say before a run begins where its report could not be written."""
    if path.is_dir():
        raise SettingsError(f"--report {path} is a folder: name a file in it.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise SettingsError(f"--report {path} cannot be written: {path.parent} is no folder of yours.")


class _Person:
    """Someone at a terminal, or a file that waits for the report."""

    def __init__(self, console: Console, *, bars: bool) -> None:
        self.report: Report | None = None
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

    def see(self, what: str, done: int, total: int | None) -> None:
        """Move the bar of a work."""
        if what not in self._works:
            self._works[what] = self.bars.add_task(what, total=total)
        self.bars.update(self._works[what], completed=done, total=total)

    def read(self, report: Report) -> None:
        """Keep the report."""
        self.report = report
