"""Reports on Prefect's server, as artifacts of the flow run: never worth failing a run for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pandas as pd
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.context import FlowRunContext

from tasks.reporting.markdown import markdown
from tasks.reporting.plan import of_target, preview_of
from tasks.reporting.progress import onlookers
from tasks.reporting.recorder import Section
from tasks.reporting.report import Report, joint_report, report_of
from tasks.reporting.summary import Summary

if TYPE_CHECKING:
    from tasks.runtime.run_context import Run  # which tells its report

PATIENCE_SECONDS = 30.0
UNTOLD = "The run could not be reported on"
NOTHING = [{"reason": "nothing was put aside", "rows": 0}]

logger = logging.getLogger("coursera_sync.report")


@contextmanager
def _only_noted(what: str) -> Iterator[None]:
    """An error becomes a warning: the run is what matters."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever an onlooker or Prefect's server does
        logger.warning("%s (%s)", what, type(error).__name__)


async def tell(run: Run | None, summary: Summary, now_ms: int) -> None:
    """Report on a run that has ended to whoever looks on, and to Prefect; None: it could not be opened."""
    with _only_noted(UNTOLD):
        report = report_of(run, summary, now_ms)
        preview = None if run is None else preview_of(run, summary)
        for onlooker in onlookers():
            if preview is not None:
                onlooker.foresee(preview)
            if run is not None and run.found:
                found = pd.concat(run.found, ignore_index=True)
                onlooker.find(of_target(found, run.name))
            onlooker.read(report)
        await publish(report)


async def tell_joint(summary: Summary, now_ms: int) -> None:
    """Report on what was done on several targets, each of which has told its own."""
    with _only_noted(UNTOLD):
        report = joint_report(summary, now_ms)
        for onlooker in onlookers():
            onlooker.read(report)
        await publish(report)


async def publish(report: Report) -> None:
    """Put a report on the server that records this flow run; outside a flow run do nothing."""
    if FlowRunContext.get() is None:
        return
    aside = [{"reason": one.reason, "rows": one.rows} for one in report.reasons]
    with _only_noted("Prefect's server did not take the report"):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await acreate_markdown_artifact(
                key=report.key("report"), markdown=markdown(report), description=_headline(report)
            )
            if report.summands and not report.is_joint:
                await acreate_table_artifact(
                    key=report.key("put-aside"),
                    table=aside or NOTHING,
                    description=f"Rows put aside by reason, {report.rejected} in all",
                )
            for section in report.sections:
                await _publish_table(report, section)


async def _publish_table(report: Report, section: Section) -> None:
    if section.artifact is None:
        return
    rows = [dict(zip(section.columns, row, strict=True)) for row in section.rows]
    await acreate_table_artifact(
        key=report.key(section.artifact),
        table=rows or [{section.columns[0]: "nothing"}],
        description=section.title,
    )


def _headline(report: Report) -> str:
    return report.error or (report.sum if report.summands else report.title)
