"""The quality of the catalog: what is missing or odd in Coursera's data, shown in the run's report."""

from collections.abc import Sequence

import pandas as pd

from tasks.reporting.recorder import Section
from tasks.runtime.run_context import RunContext
from tasks.transform.courses.quality import duplicate_titles, together


def add_quality_section(run: RunContext, courses: pd.DataFrame, odd: Sequence[pd.DataFrame]) -> None:
    """Tell of what is odd in courses (externalId, name), as it was found lot by lot (see `findings`)."""
    found = together([*odd, duplicate_titles(courses)])
    found = found[found["courses"].gt(0)].sort_values("courses", ascending=False, kind="stable")
    section = Section(
        f"Missing or odd in Coursera's data of {len(courses):,} courses",
        ("finding", "courses", "for example"),
        list(
            zip(
                found["finding"],
                found["courses"].map("{:,}".format),
                found["examples"].str.join(", "),
                strict=True,
            )
        ),
        artifact_key="quality",
    )
    run.recorder.section("quality", section)
