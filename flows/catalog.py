"""The catalog: Coursera's courses as external courses in 360Learning."""

from collections.abc import Sequence
from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from connectors.ledger.streams import CATALOG
from flows.final_state import to_final_state
from flows.run_names import run_name
from tasks.catalog.archive import check_archive_limit, find_missing_courses
from tasks.catalog.plan import map_catalog, plan_catalog, record_catalog
from tasks.extract.coursera import extract_catalog
from tasks.extract.watermark import mark_read
from tasks.load.dispatcher import send
from tasks.load.operations import CourseArchive, CourseUpsert
from tasks.load.recovery import recover
from tasks.reporting.summary import Summary
from tasks.runtime.run_context import RunContext
from tasks.runtime.targets import run_for_each_target
from tasks.setup.integration import ensure_integration


@flow(name="catalog", flow_run_name=run_name, persist_result=False)
async def catalog(programs: list[str] | None = None, *, dry_run: bool = False) -> Summary | State[Summary]:
    """Bring Coursera's catalog to 360Learning: what is new or changed, and what is gone where that is on.

    Args:
        programs: Only the catalog of these programs (their ids); nothing is archived then.
        dry_run: Only say what would be done.
    """
    work = partial(_bring_catalog, programs=programs or [])
    return to_final_state(await run_for_each_target("catalog", work, stream=CATALOG, dry_run=dry_run))


async def _bring_catalog(run: RunContext, programs: Sequence[str]) -> None:
    run = await ensure_integration(run)
    await recover(run, [CourseUpsert(), CourseArchive()])
    reading = await extract_catalog(run, programs)
    mapped = await map_catalog(run, reading)
    missing = await find_missing_courses(run, reading)
    plan = await plan_catalog(run, mapped, missing)
    check_archive_limit(run, missing)
    if run.dry_run:
        run.recorder.add(submitted=len(plan.send), archived=len(plan.archive))
    else:
        await record_catalog(run, mapped, plan, missing)
        await send(run, CourseUpsert(), plan.send)
        await send(run, CourseArchive(), plan.archive)
    reading.require_complete()
    if not run.dry_run and reading.in_full:
        mark_read(run.ledger, run.target.id, CATALOG, reading)
