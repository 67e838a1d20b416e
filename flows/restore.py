"""The restoration: courses that an archive took, brought back as they were."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from connectors.ledger.streams import CATALOG
from flows.final_state import to_final_state
from flows.run_names import run_name
from tasks.catalog.restore import find_archived, known_here, require_known_anywhere
from tasks.load.dispatcher import send
from tasks.load.operations import CourseArchive, CourseUpsert
from tasks.load.recovery import recover
from tasks.reporting.summary import Summary
from tasks.runtime.run_context import RunContext
from tasks.runtime.run_lifecycle import RunRequest
from tasks.runtime.shared import SharedResources
from tasks.runtime.targets import run_from_one_reading
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
    chosen = courses or []
    request = RunRequest("restore", stream=CATALOG, dry_run=dry_run)
    check, work = partial(_check, courses=chosen), partial(_bring_back, courses=chosen)
    return to_final_state(await run_from_one_reading(request, _prepare, check, work))


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A target's run, and the courses (externalIds) that it ever had."""

    run: RunContext
    known: set[str]


async def _prepare(run: RunContext) -> _Prepared:
    return _Prepared(run, known_here(run))


async def _check(_: SharedResources, prepared: Sequence[_Prepared], *, courses: Sequence[str]) -> None:
    require_known_anywhere(courses, [one.known for one in prepared])


async def _bring_back(prepared: _Prepared, _: None, *, courses: Sequence[str]) -> None:
    run = prepared.run
    here = [one for one in courses if one in prepared.known]
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
