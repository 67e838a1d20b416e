"""Running a flow from the command line: what goes to stdout, what to stderr, and how it ends."""

import gc
import json
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.logging import RichHandler

from connectors.errors import SyncError
from connectors.files.env_file import env_file_values
from flows.cli.interrupts import run_interruptibly
from flows.cli.preflight import require_settings
from flows.server.prefect_settings import GOOD_SETTINGS
from tasks.reporting.redaction import plain
from tasks.reporting.summary import COUNTS, INTERRUPTED, Summary

if TYPE_CHECKING:
    from tasks.reporting.plan import Plan

# Prefect's own settings where people have set none: room for a slow machine to start the temporary server,
# and no warning about log lines that belong to no run.
PREFECT_DEFAULTS = GOOD_SETTINGS | {
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    # For the server that Prefect starts: this process has read it by now (see `tasks.runtime.process`).
    "MALLOC_ARENA_MAX": "1",
}
# On the console Prefect would repeat our messages, and print a traceback for every failure.
QUIET = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}
# What is imported stays: to look through it for garbage, time and again, took an eighth of a start.
GARBAGE_AFTER = 100_000
# So long Prefect's server may take to note how a run has ended, and stays busy with SQLite for a minute; a
# temporary one, which serves nobody else, has ended if it takes longer.
SERVER_SECONDS, TEMPORARY_SERVER_SECONDS = 120.0, 15.0
Flow = Callable[..., Coroutine[Any, Any, Any]]
logger = logging.getLogger("coursera_sync")

# One console for log lines and bars, so that neither garbles the other.
STDERR = Console(stderr=True)


class _PlainFormatter(logging.Formatter):
    """Log lines name courses and what a platform said: neither steers a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        return plain(super().formatMessage(record))


def prepare(*, verbose: bool) -> None:
    """Set up logging to stderr, and Prefect before it is imported."""
    env_file_values()  # Prefect reads it, too, and would fail with a traceback
    for name, value in (PREFECT_DEFAULTS if verbose else PREFECT_DEFAULTS | QUIET).items():
        os.environ.setdefault(name, value)
    gc.set_threshold(GARBAGE_AFTER)
    handler = RichHandler(console=STDERR, show_path=False, markup=False)
    handler.setFormatter(_PlainFormatter("%(message)s", datefmt="%H:%M:%S"))
    # Prefect's own handler, once there, stays: it carries our lines to a run's log.
    logger.handlers = [handler, *(each for each in logger.handlers if not isinstance(each, RichHandler))]
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)


def run(
    flow: Flow,
    parameters: dict[str, Any],
    *,
    as_json: bool,
    report: Path | None = None,
    plan: Path | None = None,
    export: Path | None = None,
) -> None:
    """Run a flow, print its plan and its summary, write the files asked for, and end with its exit code.

    The plan of a dry run is part of the answer on stdout; with ``as_json`` that is one object, and it goes to
    stderr.
    """
    from flows.cli.output.plan_table import require_plan_file, show  # noqa: PLC0415 - few commands show a plan

    require_plan_file(plan, dry_run=bool(parameters.get("dry_run")))
    show_plans = partial(show, path=plan, to_stderr=as_json)
    summary = run_flow(flow, parameters, report=report, show_plans=show_plans, export=export)
    if as_json:
        print_json(summary.as_json())
    else:
        typer.echo(in_words(summary))
        if summary.rejected:
            typer.echo("  why rows were rejected: coursera-sync status --rejected")
    raise typer.Exit(summary.exit_code)


def run_flow(
    flow: Flow,
    parameters: dict[str, Any],
    *,
    report: Path | None = None,
    show_plans: "Callable[[Sequence[Plan]], None]" = lambda _: None,
    export: Path | None = None,
) -> Summary:
    """Run a flow to its end and return its summary; a failure is raised, once its report is written."""
    from flows.cli.output.observer import watched  # noqa: PLC0415 - it imports Prefect, which must be prepared first

    # With --verbose Prefect writes to stderr too, past our console.
    quiet = not logger.isEnabledFor(logging.DEBUG)
    with watched(
        getattr(flow, "name", ""),
        STDERR,
        report_file=report,
        show_plans=show_plans,
        export_file=export,
        bars=quiet,
    ):
        return _run_flow(flow, parameters)


def _run_flow(flow: Flow, parameters: dict[str, Any]) -> Summary:
    from prefect.exceptions import PrefectHTTPStatusError  # noqa: PLC0415 - Prefect is prepared by then

    from flows.server.sign_in import refused, signed_in  # noqa: PLC0415
    from tasks.runtime.handed_in import handed_in, handing_in  # noqa: PLC0415

    require_settings(getattr(flow, "name", ""))
    done: Future[Summary] = Future()
    patience = SERVER_SECONDS if os.environ.get("PREFECT_API_URL") else TEMPORARY_SERVER_SECONDS
    try:
        with signed_in(), handing_in(replace(handed_in(), on_end=done.set_result)):
            result = run_interruptibly(flow(**parameters), done, patience)
    except KeyboardInterrupt as error:
        raise SyncError(INTERRUPTED) from error
    except SyncError:
        raise
    except Exception as error:
        if done.done():
            return _though_prefect_failed(done.result(), error)
        if isinstance(error, PrefectHTTPStatusError):
            raise refused(error) from error
        if "Failed to reach API" not in str(error):  # what Prefect says, and how it says it
            raise
        raise SyncError(
            "Prefect's server in PREFECT_API_URL cannot be reached: start it, or unset PREFECT_API_URL to "
            "run on a temporary one."
        ) from error
    if not isinstance(result, Summary):
        raise TypeError("a flow of ours returns its summary")
    return result


def _though_prefect_failed(summary: Summary, error: Exception) -> Summary:
    """How the run itself has ended; SyncError where it has failed."""
    note = f"Prefect's server failed ({type(error).__name__}), and does not know how the run ended"
    logger.warning(note)
    told = summary.model_copy(update={"notes": [*summary.notes, note]})
    if told.error is not None:
        failure = SyncError(told.error)
        failure.summary = told
        raise failure from error
    return told


def print_json(value: object) -> None:
    """Put one JSON object on stdout, as its last line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def in_words(summary: Summary) -> str:
    """The summary for people; that of several targets is told one by one."""
    if summary.targets is not None:
        return "\n".join(map(in_words, summary.targets))
    counts = ", ".join(f"{name} {getattr(summary, name)}" for name in COUNTS if getattr(summary, name))
    named = f"{summary.flow}, {summary.target}" if summary.target else summary.flow
    lines = [f"{named}: {summary.state.replace('_', ' ')} in {summary.seconds:.1f} s"]
    lines += [f"  {counts or 'nothing to do'}"]
    if summary.differences is not None:
        found = ", ".join(f"{count} {sort}" for sort, count in summary.differences.items() if count)
        lines += [f"  differences: {found or 'none'}"]
    lines += [f"  note: {plain(note)}" for note in summary.notes]
    return "\n".join(lines)
