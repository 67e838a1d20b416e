"""The catalog: Coursera's courses as external courses in 360Learning."""

from collections.abc import Sequence
from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from connectors.ledger.streams import CATALOG
from flows.final_state import to_final_state
from flows.run_names import run_name
from tasks.catalog.archive import check_archive_limit, find_missing_courses, record_missing
from tasks.catalog.data_quality import add_quality_section
from tasks.catalog.plan import compare_courses
from tasks.catalog.selection import select_courses
from tasks.extract.coursera import Catalog, programs_of_all, read_catalog
from tasks.extract.watermark import mark_read
from tasks.load.dispatcher import BulkDispatcher, send
from tasks.load.operations import CourseArchive, CourseUpsert
from tasks.load.recovery import recover
from tasks.load.rejects import drop_untried
from tasks.reporting.summary import Summary
from tasks.runtime.run_context import RunContext
from tasks.runtime.run_lifecycle import RunRequest
from tasks.runtime.shared import SharedResources
from tasks.runtime.targets import run_from_one_reading
from tasks.setup.integration import ensure_integration


@flow(name="catalog", flow_run_name=run_name, persist_result=False)
async def catalog(programs: list[str] | None = None, *, dry_run: bool = False) -> Summary | State[Summary]:
    """Bring Coursera's catalog to 360Learning: what is new or changed, and what is gone where that is on.

    Args:
        programs: Only the catalog of these programs (their ids); nothing is archived then.
        dry_run: Only say what would be done.
    """
    request = RunRequest("catalog", stream=CATALOG, dry_run=dry_run)
    read = partial(_read, programs=programs or [])
    return to_final_state(await run_from_one_reading(request, _prepare, read, _bring_catalog))


async def _prepare(run: RunContext) -> RunContext:
    run = await ensure_integration(run)
    await recover(run, [CourseUpsert(), CourseArchive()])
    return run


async def _read(shared: SharedResources, runs: Sequence[RunContext], *, programs: Sequence[str]) -> Catalog:
    wanted = programs or programs_of_all([run.settings for run in runs])
    return await read_catalog(shared, wanted, in_full=not programs)


async def _bring_catalog(run: RunContext, catalog: Catalog) -> None:
    selection = await select_courses(run, catalog)
    missing = await find_missing_courses(run, selection)
    check_archive_limit(run, missing)
    if not run.dry_run:
        await record_missing(run, selection, missing)
    odd = []
    async with BulkDispatcher(run, CourseUpsert()) as dispatcher:
        for elements in selection.batches():
            plan = await compare_courses(run, elements, selection)
            odd.append(plan.odd)
            await dispatcher.add(plan.send)
    add_quality_section(run, selection.courses, odd)
    if run.dry_run:
        run.recorder.add(archived=len(missing.to_archive))
    await send(run, CourseArchive(), missing.to_archive)
    catalog.read.require_complete()
    if not run.dry_run and catalog.read.in_full:
        mark_read(run, CATALOG, catalog.read)
        drop_untried(run, CATALOG)
