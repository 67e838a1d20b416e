"""The restoration: courses that an archive took, brought back as they were."""

from collections.abc import Sequence
from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from connectors.ledger.streams import CATALOG
from flows.final_state import to_final_state
from flows.run_names import run_name
from tasks.catalog.restore import find_archived, known_here
from tasks.load.dispatcher import send
from tasks.load.operations import CourseArchive, CourseUpsert
from tasks.load.recovery import recover
from tasks.reporting.summary import Summary
from tasks.runtime.run_context import RunContext
from tasks.runtime.targets import run_for_each_target
from tasks.setup.integration import ensure_integration


@flow(name="restore", flow_run_name=run_name, persist_result=False)
async def restore(
    courses: list[str] | None = None,
    *,
    dry_run: bool = False,
) -> Summary | State[Summary]:
    """Bring back courses that an archive took, as 360Learning last accepted them.

    Args:
        courses: Only these courses, by Coursera's contentId. None: all that were archived.
        dry_run: Only say what would be sent, and send nothing. Do this first, and read its report.
    """
    work = partial(_bring_back, courses=courses or [])
    return to_final_state(await run_for_each_target("restore", work, stream=CATALOG, dry_run=dry_run))


async def _bring_back(run: RunContext, courses: Sequence[str]) -> None:
    here = await known_here(run, courses)
    if courses and not here:
        run.note("None of these courses was ever brought to this target")
        return
    run = await ensure_integration(run)
    await recover(run, [CourseUpsert(), CourseArchive()])
    archived = await find_archived(run, here)
    if run.dry_run:
        run.recorder.add(submitted=len(archived))
    else:
        await send(run, CourseUpsert(), archived)
