"""`coursera-sync status`: what the ledger knows, at once and without Prefect."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

from connectors.errors import SettingsError
from connectors.files.csv_cells import guarded
from connectors.ledger.database import open_ledger
from connectors.ledger.lookups.status import overview, rejected_rows
from connectors.settings import load_sync_settings
from flows.cli.output.private_files import require_writable, write_privately
from flows.cli.run_flow import print_json
from tasks.reporting.redaction import mask_addresses, plain

CSV_COLUMNS = ("stream", "row_id", "reason", "learner", "course", "first_at", "last_at")

Row = dict[str, Any]


def show_status(*, rejected: bool, csv_file: Path | None, as_json: bool, to_stderr: bool = False) -> None:
    """Print the overview; with ``csv_file`` write every rejected row to it, for the user alone."""
    if csv_file is not None:
        require_writable("--csv", csv_file)
    with open_ledger(load_sync_settings().state_url) as ledger, ledger.read() as db:
        targets = overview(db)
        if csv_file is not None:
            _write(csv_file, _csv(rejected_rows(db)))
    if as_json:
        print_json({"flow": "status", "state": "completed", "targets": targets})
        return
    if not targets:
        typer.echo("The ledger is empty: run coursera-sync setup.", err=to_stderr)
    for target in targets:
        typer.echo("\n".join(_rejected_lines(target) if rejected else _lines(target)), err=to_stderr)


def _lines(target: Row) -> list[str]:
    lines = [
        f"{plain(target['platform_name'])} in group {target['group_id']}",
        f"  integration  {target['integration_id'] or 'not set up yet: run coursera-sync setup'}",
        f"  live courses {target['live_courses']}",
    ]
    lines += [f"  watermark    {mark['stream']}: {_time(mark['read_at'])}" for mark in target["watermarks"]]
    lines += [f"  run          {_run(run)}" for run in target["runs"]]
    lines += [f"  open         {_operation(operation)}" for operation in target["open_operations"]]
    return lines + _rejected_lines(target)


def _rejected_lines(target: Row) -> list[str]:
    lines = [
        f"  rejected     {row['count']} {row['stream']}: {mask_addresses(row['reason'])}"
        for row in target["rejected"]
    ]
    return lines or ["  rejected     nothing"]


def _run(run: Row) -> str:
    summary = run["summary"] or {}
    outcome = mask_addresses(summary.get("error") or "") or f"{summary.get('extracted', 0)} extracted"
    return f"{_time(run['started_at'])}  {run['flow']}  {run['state'].replace('_', ' ')}  {outcome}"


def _operation(operation: Row) -> str:
    return (
        f"{operation['type']} of {operation['row_count']} rows, {operation['state']} since "
        f"{_time(operation['sent_at'] or operation['intended_at'])}"
    )


def _time(moment: str) -> str:
    return f"{moment[:16].replace('T', ' ')} UTC"


def _write(path: Path, content: bytes) -> None:
    try:
        write_privately(path, content)
    except OSError as error:
        raise SettingsError(f"--csv {path} cannot be written: {error.strerror}.") from error


def _csv(rows: Iterable[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS)
    writer.writeheader()
    writer.writerows({name: guarded(row[name] or "") for name in CSV_COLUMNS} for row in rows)
    return text.getvalue().encode()
