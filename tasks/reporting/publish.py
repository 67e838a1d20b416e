"""Reports and progress on Prefect's server, as artifacts of the flow run: never worth failing a run for."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)
from prefect.context import FlowRunContext

from tasks.reporting.markdown import markdown
from tasks.reporting.plan import build_plan, of_target
from tasks.reporting.progress import observers
from tasks.reporting.recorder import RunRecorder, Section
from tasks.reporting.report import Report, RunFacts, build_report, failure, joint_report
from tasks.reporting.summary import Summary

PATIENCE_SECONDS = 30.0
UNTOLD = "The run could not be reported on"
NOTHING = [{"reason": "nothing was rejected", "rows": 0}]
# A page or an operation may come many times a second; each telling is a request to Prefect's server.
AT_MOST_EVERY_SECONDS = 3.0
ALL_PERCENT = 100.0

logger = logging.getLogger("coursera_sync.report")


@contextmanager
def _only_noted(what: str) -> Iterator[None]:
    """An error becomes a warning: the run is what matters."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever an observer or Prefect's server does
        logger.warning("%s (%s)", what, type(error).__name__)


async def report_run(summary: Summary, recorder: RunRecorder, facts: RunFacts, now_ms: int) -> None:
    """Report on a run that has ended to its observers, and to Prefect."""
    with _only_noted(UNTOLD):
        report = build_report(summary, recorder, facts, now_ms)
        plan = build_plan(recorder, summary, summary.target)
        for observer in observers():
            if plan is not None:
                observer.on_plan(plan)
            if (differences := recorder.differences) is not None:
                observer.on_differences(of_target(differences, summary.target))
            observer.on_report(report)
        await publish(report)


async def report_failure(summary: Summary, now_ms: int) -> None:
    """Report on a run that could not even be opened."""
    with _only_noted(UNTOLD):
        await _report(failure(summary.flow, summary.error or "", now_ms))


async def report_all(summary: Summary, now_ms: int) -> None:
    """Report on what was done on several targets, each of which has told its own."""
    with _only_noted(UNTOLD):
        await _report(joint_report(summary, now_ms))


async def _report(report: Report) -> None:
    for observer in observers():
        observer.on_report(report)
    await publish(report)


async def publish(report: Report) -> None:
    """Put a report on the server that records this flow run; outside a flow run do nothing."""
    if FlowRunContext.get() is None:
        return
    rejected = [{"reason": one.reason, "rows": one.rows} for one in report.reasons]
    with _only_noted("Prefect's server did not take the report"):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await acreate_markdown_artifact(
                key=report.key("report"), markdown=markdown(report), description=_headline(report)
            )
            if report.summands and not report.is_joint:
                await acreate_table_artifact(
                    key=report.key("put-aside"),
                    table=rejected or NOTHING,
                    description=f"Rejected rows by reason, {report.rejected} in all",
                )
            for section in report.sections:
                await _publish_table(report, section)


async def _publish_table(report: Report, section: Section) -> None:
    if section.artifact_key is None:
        return
    rows = [dict(zip(section.columns, row, strict=True)) for row in section.rows]
    await acreate_table_artifact(
        key=report.key(section.artifact_key),
        table=rows or [{section.columns[0]: "nothing"}],
        description=section.title,
    )


def _headline(report: Report) -> str:
    return report.error or (report.sum if report.summands else report.title)


@dataclass(frozen=True)
class _Shown:
    """The artifact of a work, and when (seconds) it was last brought to how many percent."""

    artifact_id: UUID
    at: float
    percent: float


class ProgressArtifacts:
    """A progress artifact for each work of a flow run; outside one there are none."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """``monotonic`` gives seconds that never go back."""
        self._monotonic = monotonic
        self._shown: dict[str, _Shown] = {}
        self._lock = asyncio.Lock()
        self._is_off = FlowRunContext.get() is None

    async def show(self, what: str, done: int, total: int | None) -> None:
        """Show how far a work is; nothing while its ``total`` is not known."""
        if self._is_off or total is None:
            return
        percent = min(ALL_PERCENT, ALL_PERCENT * done / total) if total else ALL_PERCENT
        try:
            async with self._lock, asyncio.timeout(PATIENCE_SECONDS):
                await self._put(what, percent)
        except Exception as error:  # noqa: BLE001 - progress is never worth failing a run for
            self._is_off = True
            logger.warning("Prefect's server takes no progress (%s)", type(error).__name__)

    async def _put(self, what: str, percent: float) -> None:
        now, shown = self._monotonic(), self._shown.get(what)
        if shown is None:
            artifact_id = await acreate_progress_artifact(percent, description=what)
            self._shown[what] = _Shown(artifact_id, now, percent)
        elif percent != shown.percent and (percent == ALL_PERCENT or now - shown.at >= AT_MOST_EVERY_SECONDS):
            await aupdate_progress_artifact(shown.artifact_id, percent)
            self._shown[what] = _Shown(shown.artifact_id, now, percent)
