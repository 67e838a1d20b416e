"""What a reconcile found, for its report: counts, a table without addresses, launches."""

from datetime import datetime

import pandas as pd

from connectors.clock import utc
from tasks.reporting.recorder import Section
from tasks.runtime.run_context import RunContext
from tasks.transform.comparison import DIFFERENCES, FOUND_COLUMNS, LAUNCH

MOST_ROWS = 100


def add_difference_sections(run: RunContext) -> None:
    """Tell in the run's report what was found, learners without their addresses."""
    found = run.recorder.differences
    if found is None:
        found = pd.DataFrame(columns=FOUND_COLUMNS, dtype="str")
    counts = run.recorder.difference_counts or {}
    section = Section(
        "Where 360Learning differs from Coursera",
        ("sort", "courses and attempts"),
        [(DIFFERENCES[sort], f"{count:,}") for sort, count in counts.items()],
    )
    run.recorder.section("differences by sort", section)
    is_launch = found["difference"].eq(LAUNCH)
    _add_differences(run, found.loc[~is_launch])
    _add_launches(run, found.loc[is_launch])


def _add_differences(run: RunContext, found: pd.DataFrame) -> None:
    more = (
        f", the first {MOST_ROWS} of {len(found):,}: --export FILE for all" if len(found) > MOST_ROWS else ""
    )
    columns = ("difference", "learner", "course", "name", "field", "coursera", "learning360", "why")
    some = found.head(MOST_ROWS)
    learners = [run.recorder.learner(one) if one else "" for one in some["learner"]]
    rows = some.assign(learner=learners)[list(columns)].to_numpy().tolist()
    section = Section(f"Differences{more}", columns, rows, artifact_key="differences")
    run.recorder.section("differences", section)


def _add_launches(run: RunContext, launches: pd.DataFrame) -> None:
    """Launches completed at 0 % whose learner did not go on at Coursera, oldest first, course by course."""
    now = utc(run.clock.now_ms())
    oldest_first = launches.sort_values("learning360")
    rows = []
    for course, group in oldest_first.groupby("course", sort=False):
        first = group.iloc[0]
        days = (now - datetime.fromisoformat(first["learning360"])).days
        who = run.recorder.learner(first["learner"])
        rows.append((str(course), first["name"], f"{len(group):,}", f"{days} days", who))
    title = f"Launches completed at 0 % whose learner did not go on at Coursera: {len(launches):,}"
    columns = ("course", "name", "launches", "oldest", "whose")
    run.recorder.section("launches", Section(title, columns, rows[:MOST_ROWS], artifact_key="launches"))
    if rows:
        run.note(f"{title}, the oldest for {rows[0][3]}")
