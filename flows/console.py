"""Running a flow from the command line: what goes to stdout, what to stderr, and how it ends."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.logging import RichHandler

from connectors.errors import SyncError
from tasks.summary import Summary

# Prefect's own settings where people have set none: room for a slow machine to start the temporary server,
# no telemetry, our log lines beside Prefect's in its UI.
PREFECT_DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "coursera_sync",
}
# On the console Prefect would repeat our messages, and print a traceback for every failure.
QUIET = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}
Flow = Callable[..., Coroutine[Any, Any, Any]]
logger = logging.getLogger("coursera_sync")
COUNTS = (
    "extracted",
    "merged",
    "held",
    "unchanged",
    "submitted",
    "accepted",
    "rejected",
    "archived",
    "recovered",
)


# One console for log lines and bars, so that neither garbles the other.
STDERR = Console(stderr=True)


def prepare(*, verbose: bool) -> None:
    """Set up logging to stderr, and Prefect before it is imported."""
    for name, value in (PREFECT_DEFAULTS if verbose else PREFECT_DEFAULTS | QUIET).items():
        os.environ.setdefault(name, value)
    handler = RichHandler(console=STDERR, show_path=False, markup=False)
    handler.setFormatter(logging.Formatter("%(message)s", datefmt="%H:%M:%S"))
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)


def run(flow: Flow, parameters: dict[str, Any], *, as_json: bool, report: Path | None = None) -> None:
    """Run a flow, print its summary, write its report where one is asked for, and end with its exit code."""
    summary = run_flow(flow, parameters, report=report)
    if as_json:
        print_json(summary.as_json())
    else:
        typer.echo(in_words(summary))
        if summary.rejected:
            typer.echo("  why rows were put aside: coursera-sync status --rejected")
    raise typer.Exit(summary.exit_code)


def run_flow(flow: Flow, parameters: dict[str, Any], *, report: Path | None = None) -> Summary:
    """Run a flow to its end and return its summary; a failure is raised, once its report is written."""
    from flows.onlooking import watched  # noqa: PLC0415 - it imports Prefect, which must be prepared first

    # With --verbose Prefect writes to stderr too, past our console.
    quiet = not logger.isEnabledFor(logging.DEBUG)
    with watched(getattr(flow, "name", ""), STDERR, report_file=report, bars=quiet):
        return _run_flow(flow, parameters)


def _run_flow(flow: Flow, parameters: dict[str, Any]) -> Summary:
    from prefect.exceptions import TerminationSignal  # noqa: PLC0415 - Prefect must be prepared first

    try:
        result = asyncio.run(flow(**parameters))
    except (KeyboardInterrupt, TerminationSignal) as error:
        raise SyncError("Interrupted. The next run goes on from what the ledger knows.") from error
    except RuntimeError as error:
        if "Failed to reach API" not in str(error):  # what Prefect says, and how it says it
            raise
        raise SyncError(
            "Prefect's server in PREFECT_API_URL cannot be reached: start it, or unset PREFECT_API_URL to "
            "run on a temporary one."
        ) from error
    if not isinstance(result, Summary):
        raise TypeError("a flow of ours returns its summary")
    return result


def print_json(value: object) -> None:
    """Put one JSON object on stdout, as its last line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def in_words(summary: Summary) -> str:
    """The summary for people."""
    counts = ", ".join(f"{name} {getattr(summary, name)}" for name in COUNTS if getattr(summary, name))
    lines = [f"{summary.flow}: {summary.state.replace('_', ' ')} in {summary.seconds:.1f} s"]
    lines += [f"  {counts or 'nothing to do'}"]
    lines += [f"  note: {note}" for note in summary.notes]
    return "\n".join(lines)
