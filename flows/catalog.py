"""The catalog: Coursera's courses as external courses in 360Learning."""

from collections.abc import Sequence
from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from flows.ending import ended
from flows.naming import run_name
from tasks.archiving import find_gone
from tasks.catalog import STREAM, map_catalog, plan_catalog
from tasks.extract import extract_catalog
from tasks.integration import ensure_integration
from tasks.kinds import CourseArchivals, CourseUpserts
from tasks.outbox import send
from tasks.recovery import recover
from tasks.run import Run
from tasks.summary import Summary
from tasks.targets import on_each_target
from tasks.window import mark_read


@flow(name="catalog", flow_run_name=run_name, persist_result=False)
async def catalog(programs: list[str] | None = None, *, dry_run: bool = False) -> Summary | State[Summary]:
    """Bring Coursera's catalog to 360Learning: what is new or changed, and what is gone where that is on.

    Args:
        programs: Only the catalog of these programs (their ids); nothing is archived then.
        dry_run: Only say what would be done.
    """
    work = partial(_bring_catalog, programs=programs or [])
    return ended(await on_each_target("catalog", work, stream=STREAM, dry_run=dry_run))


async def _bring_catalog(run: Run, programs: Sequence[str]) -> None:
    await ensure_integration(run)
    await recover(run, [CourseUpserts(), CourseArchivals()])
    reading = await extract_catalog(run, programs)
    mapped = await map_catalog(run, reading)
    gone = await find_gone(run, reading)
    plan = await plan_catalog(run, mapped, gone)
    if run.dry_run:
        run.summary.submitted = len(plan.send)
        run.summary.archived = len(plan.archive)
    else:
        await send(run, CourseUpserts(), plan.send)
        await send(run, CourseArchivals(), plan.archive)
    reading.require_complete()
    if not run.dry_run and reading.in_full:
        mark_read(run, STREAM, reading)
