"""A report as one HTML file that needs nothing else: no network, no script, fit for print."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from tasks.rendering.pictures import pictures
from tasks.report import Report, in_words


def html(report: Report) -> str:
    """The whole report. Whatever comes from outside is escaped."""
    return _template().render(
        report=report,
        pictures=pictures(report),
        slowest=max((step.seconds for step in report.steps), default=0.0),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("tasks.rendering", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["in_words"] = in_words
    return environment.get_template("report.html")
