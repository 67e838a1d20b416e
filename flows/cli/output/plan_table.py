"""The plan of a dry run at the command line: a table of its first rows, and a file of all."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.errors import SettingsError
from flows.cli.output.private_files import require_table_file, try_to_write_table
from tasks.reporting.plan import Plan
from tasks.reporting.redaction import mask_addresses

MOST_ROWS = 40
MOST_CHARACTERS = 40
LEAD_CHARACTERS = 15
# Where there is no terminal, rich would squeeze tables into 80 columns.
PLAIN_WIDTH = 160
STYLES = {"archive": "red", "restore": "cyan", "update": "yellow", "create": "green"}


def require_plan_file(path: Path | None, *, dry_run: bool) -> None:
    """Say before a run begins why a plan could not be written; SettingsError."""
    if path is None:
        return
    if not dry_run:
        raise SettingsError("--plan goes with --dry-run: what a run has done is in its report (--report).")
    require_table_file("--plan", path)


def show(plans: Sequence[Plan], path: Path | None, *, to_stderr: bool) -> None:
    """Print the first rows of each plan, learners without their addresses; write all of it, with them."""
    if path is not None:
        every = pd.concat([plan.table for plan in plans], ignore_index=True)
        try_to_write_table("--plan", path, every)
    console = Console(stderr=to_stderr)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    for plan in plans:
        _show(console, plan, path)


def _show(console: Console, plan: Plan, path: Path | None) -> None:
    if len(plan.rows):
        console.print(_table(plan))
    left = len(plan.rows) - MOST_ROWS
    if left > 0:
        more = f"all are in {path}" if path else "--plan FILE for all"
        console.print(Text(f"… and {left:,} more; {more}"), soft_wrap=True)
    counts = {**plan.actions, **plan.untouched}
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    of = f"plan of {plan.target}" if plan.target else "plan"
    console.print(Text(f"{of}: {told or 'nothing to do'}"), soft_wrap=True)


def _table(plan: Plan) -> Table:
    table = Table("action", "what", "change", box=SIMPLE_HEAD, pad_edge=False)
    for row in plan.rows.head(MOST_ROWS).to_dict("records"):
        learner = f"{plan.called(row['learner'])}: " if row["learner"] else ""
        what = f"{learner}{_cut(row['name'])} ({row['course']})"
        action = Text(row["action"], STYLES.get(row["action"], ""))
        table.add_row(action, Text(mask_addresses(what)), Text(mask_addresses(change(row))))
    return table


def change(row: Mapping[Any, str]) -> str:
    """What changes in words: the field, before and after, and why."""
    before, after = shortened(row["before"], row["after"])
    values = f"{before or 'nothing'} → {after or 'nothing'}" if row["action"] == "update" else after
    told = f"{row['field']}: {values}" if row["field"] else ""
    return f"{told} ({row['why']})" if told and row["why"] else told or row["why"] or "new"


def shortened(before: str, after: str) -> tuple[str, str]:
    """Two texts, where they are long cut to where they begin to differ, so that the difference shows."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    is_long = max(len(before), len(after)) > MOST_CHARACTERS
    start = max(0, same - LEAD_CHARACTERS) if is_long else 0
    return _cut(before, start), _cut(after, start)


def _cut(text: str, start: int = 0) -> str:
    line = " ".join(text[start:].split())
    cut = line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"
    return f"…{cut}" if start else cut
