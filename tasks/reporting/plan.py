"""What a dry run would do, told to whoever looks on: gathered as the run plans, and complete at its end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
import pandas as pd

from connectors.ledger.run_history import course_bodies
from tasks.reporting.report import MEANINGS
from tasks.reporting.summary import Summary
from tasks.transform.plan_rows import attempt_rows, course_rows, filled, gone_rows

if TYPE_CHECKING:
    from tasks.catalog.archive import Gone
    from tasks.runtime.run_context import Run  # which tells its preview

# What cannot be undone by the next run comes first, what is not touched last.
ORDER = ("archive", "restore", "update", "create", "keep")
UNTOUCHED = ("unchanged", "held", "rejected")


@dataclass(frozen=True, eq=False)
class Preview:
    """What a dry run would do.

    ``rows``: PLAN_COLUMNS, by ORDER, with learners' addresses; ``untouched``: how many rows nothing would be
    done with, by count of the summary; ``called``: what a learner is called wherever people look; ``target``:
    which of several targets it is for.
    """

    rows: pd.DataFrame
    untouched: Mapping[str, int]
    called: Callable[[str], str]
    target: str | None = None

    @property
    def table(self) -> pd.DataFrame:
        """All of it, to keep: the rows, then a row for each of the counts, in ``after``."""
        counts = {
            "action": list(self.untouched),
            "after": [str(count) for count in self.untouched.values()],
            "why": [MEANINGS[name] for name in self.untouched],
        }
        table = pd.concat([self.rows, filled(pd.DataFrame(counts))], ignore_index=True)
        return of_target(table, self.target)

    @property
    def actions(self) -> Mapping[str, int]:
        """How many courses and attempts are created, updated, archived and so on, however many fields."""
        things = self.rows.drop_duplicates(["action", "kind", "course", "learner", "attempt"])["action"]
        return {action: int(things.eq(action).sum()) for action in ORDER if things.eq(action).any()}


def preview_of(run: Run, summary: Summary) -> Preview | None:
    """What a dry run would do; None where it has planned nothing, or is no dry run."""
    if not run.planned:
        return None
    rows = pd.concat(run.planned, ignore_index=True)
    rows = rows.iloc[rows["action"].map(ORDER.index).argsort(kind="stable")].reset_index(drop=True)
    untouched = {name: getattr(summary, name) for name in UNTOUCHED if getattr(summary, name)}
    return Preview(rows, untouched, run.story.learner, run.name)


def of_target(table: pd.DataFrame, target: str | None) -> pd.DataFrame:
    """A table that says in a first column which of several targets it is of."""
    if target is not None:
        table.insert(0, "target", pd.Series(target, index=table.index, dtype="str"))
    return table


def show_catalog_plan(run: Run, send: pd.DataFrame, archived: Collection[str], gone: Gone) -> None:
    """Plan courses to send (external_id, body, action), and those that Coursera misses.

    ``archived`` are the ids of courses that were archived before. Where archiving is off, courses that are
    missing stay, which is no plan.
    """
    if run.dry_run:
        rows = course_rows(send, _bodies(run, send["external_id"].tolist()), archived)
        missed = gone.courses if run.settings.sync.archive_removed else gone.courses.iloc[:0]
        run.planned += [rows, gone_rows(missed)]


def show_restoration_plan(run: Run, send: pd.DataFrame) -> None:
    """Plan courses to bring back: external_id, body, action."""
    if run.dry_run:
        run.planned.append(course_rows(send, {}, send["external_id"].tolist()))


def show_statistics_plan(run: Run, send: pd.DataFrame, accepted: pd.DataFrame) -> None:
    """Plan attempts to send, as `merge` gives them; ``accepted``: ATTEMPT_COLUMNS, their state before."""
    if run.dry_run:
        known = _bodies(run, send["course"].unique().tolist())
        names = {course: str(orjson.loads(body).get("name", "")) for course, body in known.items()}
        run.planned.append(attempt_rows(send, accepted, names))


def _bodies(run: Run, external_ids: Sequence[str]) -> dict[str, str]:
    with run.ledger.read() as db:
        return course_bodies(db, run.target.id, external_ids)
