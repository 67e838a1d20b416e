"""Reports as one HTML file that needs nothing else: no network, no script, fit for print."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from tasks.reporting.figures import pictures
from tasks.reporting.report import Report, in_words


def html(*reports: Report) -> str:
    """The reports, one after the other. Whatever comes from outside is escaped."""
    return _template().render(pages=[(one, pictures(one), _slowest(one)) for one in reports])


def _slowest(report: Report) -> float:
    return max((step.seconds for step in report.steps), default=0.0)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("tasks.reporting", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["in_words"] = in_words
    return environment.get_template("report.html")
