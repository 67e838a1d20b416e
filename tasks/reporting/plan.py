"""What a dry run would do, told to its observers: gathered as the run plans, and complete at its end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from tasks.reporting.recorder import RunRecorder
from tasks.reporting.report import MEANINGS
from tasks.reporting.summary import Summary
from tasks.transform.plan_rows import filled

# What cannot be undone by the next run comes first, what is not touched last.
ORDER = ("archive", "restore", "update", "create", "keep")
UNTOUCHED = ("unchanged", "held", "rejected")


@dataclass(frozen=True, eq=False)
class Plan:
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


def build_plan(recorder: RunRecorder, summary: Summary, name: str | None) -> Plan | None:
    """What a dry run would do, for the target of that ``name``; None where nothing was planned."""
    planned = recorder.planned
    if planned is None:
        return None
    rows = planned.iloc[planned["action"].map(ORDER.index).argsort(kind="stable")].reset_index(drop=True)
    untouched = {count: getattr(summary, count) for count in UNTOUCHED if getattr(summary, count)}
    return Plan(rows, untouched, recorder.learner, name)


def of_target(table: pd.DataFrame, target: str | None) -> pd.DataFrame:
    """A table that says in a first column which of several targets it is of."""
    if target is not None:
        table.insert(0, "target", pd.Series(target, index=table.index, dtype="str"))
    return table
