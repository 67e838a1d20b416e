"""A report as markdown, for Prefect's pages."""

import re
from collections.abc import Iterable, Sequence
from html import escape

from tasks.rendering.charts import data_uri
from tasks.rendering.pictures import pictures
from tasks.report import Report, Step, in_words

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
        _section("Put aside, by reason", "reason", ((one.reason, one.rows) for one in report.reasons)),
        _section(
            f"{report.sends}: {report.changes}",
            "for example",
            ((one.what, one.change) for one in report.examples),
        ),
        *(
            f"![{_plain(one.title)}. {_plain(one.description, most=400)}]({data_uri(one.svg)})"
            for one in pictures(report)
        ),
        _section("Slowest steps", "step", ((_step(one), in_words(one.seconds)) for one in report.steps)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _when(report: Report) -> str:
    parts = [f"as of {report.as_of:%Y-%m-%d %H:%M:%S} UTC", f"took {report.duration}", report.target]
    return " · ".join(_plain(part) for part in parts if part)


def _counts(report: Report) -> str:
    if not report.summands:
        return ""
    rows = [("extracted", report.extracted, ""), *_with_meaning(report)]
    lines = [f"| {name} | {rows:,} | {meaning} |" for name, rows, meaning in rows]
    return "\n".join([f"**{report.sum}**", "", "| | rows | |", "|---|---:|---|", *lines])


def _with_meaning(report: Report) -> Iterable[tuple[str, int, str]]:
    return ((one.name, one.rows, one.meaning) for one in (*report.summands, *report.beside))


def _section(title: str, head: str, rows: Iterable[tuple[str, object]]) -> str:
    lines = [f"| {_plain(what)} | {_plain(str(value))} |" for what, value in rows]
    return "\n".join([f"## {_plain(title)}", "", f"| {head} | |", "|---|---|", *lines]) if lines else ""


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
