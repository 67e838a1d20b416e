"""`coursera-sync status`: what the ledger knows, at once and without Prefect."""

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

from connectors.errors import SettingsError
from connectors.ledger.database import open_ledger
from connectors.ledger.lookups.status import overview, rejected_rows
from connectors.settings import load_sync_settings
from flows.cli.run_flow import print_json

CSV_COLUMNS = ("stream", "row_id", "reason", "learner", "course", "first_at", "last_at")

Row = dict[str, Any]


def show_status(*, rejected: bool, csv_file: Path | None, as_json: bool, to_stderr: bool = False) -> None:
    """Print the overview; with ``csv_file`` write every rejected row to it, for the user alone."""
    with open_ledger(load_sync_settings().state_url) as ledger, ledger.read() as db:
        targets = overview(db)
        if csv_file is not None:
            _write_privately(csv_file, rejected_rows(db))
    if as_json:
        print_json({"flow": "status", "state": "completed", "targets": targets})
        return
    if not targets:
        typer.echo("The ledger is empty: run coursera-sync setup.", err=to_stderr)
    for target in targets:
        typer.echo("\n".join(_rejected_lines(target) if rejected else _lines(target)), err=to_stderr)


def _lines(target: Row) -> list[str]:
    lines = [
        f"{target['platform_name']} in group {target['group_id']}",
        f"  integration  {target['integration_id'] or 'not set up yet: run coursera-sync setup'}",
        f"  live courses {target['live_courses']}",
    ]
    lines += [f"  watermark    {mark['stream']}: {_time(mark['read_at'])}" for mark in target["watermarks"]]
    lines += [f"  run          {_run(run)}" for run in target["runs"]]
    lines += [f"  open         {_operation(operation)}" for operation in target["open_operations"]]
    return lines + _rejected_lines(target)


def _rejected_lines(target: Row) -> list[str]:
    lines = [f"  rejected     {row['count']} {row['stream']}: {row['reason']}" for row in target["rejected"]]
    return lines or ["  rejected     nothing"]


def _run(run: Row) -> str:
    summary = run["summary"] or {}
    outcome = summary.get("error") or f"{summary.get('extracted', 0)} extracted"
    return f"{_time(run['started_at'])}  {run['flow']}  {run['state'].replace('_', ' ')}  {outcome}"


def _operation(operation: Row) -> str:
    return (
        f"{operation['type']} of {operation['row_count']} rows, {operation['state']} since "
        f"{_time(operation['sent_at'] or operation['intended_at'])}"
    )


def _time(moment: str) -> str:
    return f"{moment[:16].replace('T', ' ')} UTC"


def _write_privately(path: Path, rows: Iterable[Row]) -> None:
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    except OSError as error:
        raise SettingsError(f"--csv {path} cannot be written: {error.strerror}.") from error
    with os.fdopen(descriptor, "w", newline="", encoding="utf-8") as file:
        path.chmod(0o600)
        writer = csv.DictWriter(file, CSV_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
