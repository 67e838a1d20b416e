"""The pictures of a report."""

from typing import NamedTuple

from connectors.clock import utc
from tasks.reporting.charts import Series, stacked_bars
from tasks.reporting.report import Report

# Blue and orange are told apart by all eyes, and on light and dark alike.
BLUE, ORANGE, GREY, GREEN = "#3b7dd8", "#e07b18", "#9aa5b4", "#2f9e77"
FAILED = {"failed", "crashed"}


class Picture(NamedTuple):
    """An SVG, and what it shows in words."""

    title: str
    svg: str
    description: str


def pictures(report: Report) -> list[Picture]:
    """How far learners are, and how the last runs went; none that would be empty."""
    drawn = []
    if report.deciles:
        drawn.append(_progress(report))
    if report.history:
        drawn += [_rows(report), _durations(report)]
    return drawn


def _progress(report: Report) -> Picture:
    dry = report.state == "dry_run"
    title = "Progress that would be sent" if dry else "Progress of all attempts that 360Learning has accepted"
    stayed = Series("as before", [decile.stayed for decile in report.deciles], GREY)
    sent = Series("would be sent" if dry else "sent by this run", [one.sent for one in report.deciles], BLUE)
    told = ", ".join(f"{one.label}: {one.stayed + one.sent}" for one in report.deciles)
    return _picture(
        title,
        [one.label for one in report.deciles],
        [sent] if dry else [stayed, sent],
        f"Attempts by percent of progress: {told}.",
    )


def _rows(report: Report) -> Picture:
    accepted = Series("accepted", _of_history(report, "accepted"), BLUE)
    archived = Series("archived", _of_history(report, "archived"), GREEN)
    rejected = Series("rejected", _of_history(report, "rejected"), ORANGE)
    series = [one for one in (accepted, archived, rejected) if one is not archived or any(one.values)]
    last = ", ".join(f"{one.values[-1]:g} {one.name}" for one in series)
    return _picture(
        f"Rows of the last {_runs(report)}",
        _days(report),
        series,
        f"{_failures(report)} The last one: {last}.",
        report,
    )


def _durations(report: Report) -> Picture:
    seconds = Series("seconds", [round(one, 1) for one in _of_history(report, "seconds")], GREY)
    return _picture(
        f"Duration of the last {_runs(report)}",
        _days(report),
        [seconds],
        f"{_failures(report)} From {min(seconds.values):g} to {max(seconds.values):g} seconds.",
        report,
    )


def _picture(
    title: str, labels: list[str], series: list[Series], description: str, marks: Report | None = None
) -> Picture:
    marked = [past.state in FAILED for past in marks.history] if marks else []
    svg = stacked_bars(title, labels, series, description=description, marked=marked, mark="failed")
    return Picture(title, svg, description)


def _of_history(report: Report, name: str) -> list[float]:
    return [float(past.counts.get(name, 0)) for past in report.history]


def _days(report: Report) -> list[str]:
    moments = (utc(past.started_at) for past in report.history)
    return [f"{moment:%d %b}" for moment in moments]


def _failures(report: Report) -> str:
    failed = sum(past.state in FAILED for past in report.history)
    return f"{failed} of {len(report.history)} failed."


def _runs(report: Report) -> str:
    return f"{len(report.history)} runs" if len(report.history) > 1 else "run"
