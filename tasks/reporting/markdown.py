"""A report as markdown, for Prefect's pages."""

import re
from collections.abc import Iterable, Sequence
from html import escape

from tasks.reporting.charts import data_uri
from tasks.reporting.figures import pictures
from tasks.reporting.report import Count, Report, Step, in_words

MOST_CHARACTERS = 160
_SPECIAL = re.compile(r"([\\`*_{}\[\]|#~!])")


def markdown(report: Report) -> str:
    """The whole report; a section that has nothing to tell is left out."""
    parts = [
        f"# {_plain(report.title)}",
        _when(report),
        f"> **{_plain(report.error, most=2000)}**" if report.error else "",
        _counts(report),
        _bullets("Notes", report.notes),
        _section(
            "Rejected, by reason", ("reason", "rows"), ((one.reason, one.rows) for one in report.reasons)
        ),
        _section(
            f"{report.sends}: {report.changes}",
            ("for example", "change"),
            ((one.what, one.change) for one in report.examples),
        ),
        *(_table(one.title, one.columns, one.rows, most=400) for one in report.sections),
        *(
            f"![{_plain(one.title)}. {_plain(one.description, most=400)}]({data_uri(one.svg)})"
            for one in pictures(report)
        ),
        _section(
            "Slowest steps", ("step", "time"), ((_step(one), in_words(one.seconds)) for one in report.steps)
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _when(report: Report) -> str:
    parts = [f"as of {report.as_of:%Y-%m-%d %H:%M:%S} UTC", f"took {report.duration}", report.target]
    return " · ".join(_plain(part) for part in parts if part)


def _counts(report: Report) -> str:
    if not report.summands:
        return ""
    counts = [Count("extracted", report.extracted), *report.summands, *report.beside]
    lines = [f"| {one.name} | {one.rows:,} | {one.meaning} |" for one in counts]
    return "\n".join([f"**{report.sum}**", "", "| count | rows | meaning |", "|---|---:|---|", *lines])


def _section(title: str, heads: tuple[str, str], rows: Iterable[tuple[str, object]]) -> str:
    return _table(title, heads, [[what, str(value)] for what, value in rows])


def _table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], most: int = MOST_CHARACTERS
) -> str:
    """A table. Each column has a head: one without is given a random name on Prefect's pages."""
    lines = [_line(_plain(cell, most=most) for cell in row) for row in rows]
    head = [f"## {_plain(title)}", "", _line(columns), "|" + "---|" * len(columns)]
    return "\n".join([*head, *lines]) if lines else ""


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _bullets(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"## {title}", "", *(f"- {_plain(line, most=500)}" for line in lines)]) if lines else ""


def _step(step: Step) -> str:
    times = f", {step.times} times" if step.times > 1 else ""
    return f"{step.name}{times}{' (failed)' if step.failed else ''}"


def _plain(text: str, *, most: int = MOST_CHARACTERS) -> str:
    """A text on one line, cut where it is long, in which nothing is markdown."""
    line = " ".join(text.split())
    cut = line if len(line) <= most else f"{line[: most - 1]}…"
    return _SPECIAL.sub(r"\\\1", escape(cut, quote=False))
