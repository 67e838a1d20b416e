"""The reconciliation: what 360Learning holds beside what Coursera says, shown, repaired or adopted."""

from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from connectors.ledger.streams import STATISTICS
from flows.final_state import to_final_state
from flows.run_names import run_name
from tasks.extract.coursera import extract_catalog, extract_reports
from tasks.extract.window import ActivityWindow
from tasks.load.dispatcher import Outbox
from tasks.load.operations import StatisticImport
from tasks.load.recovery import recover, resolve_uncertain
from tasks.reconcile.adopt import adopt_attempts, require_known
from tasks.reconcile.attempts import comparable, read_remote_attempts, reconcile_attempts
from tasks.reconcile.courses import adopt_courses, compare_courses, read_remote_courses
from tasks.reconcile.report import add_difference_sections
from tasks.reporting.summary import Summary
from tasks.runtime.run_context import RunContext
from tasks.runtime.targets import run_for_each_target
from tasks.setup.integration import require_integration
from tasks.setup.scopes import scopes_to_read_back
from tasks.statistics.intake import Intake


@flow(name="reconcile", flow_run_name=run_name, persist_result=False)
async def reconcile(*, repair: bool = False, adopt: bool = False) -> Summary | State[Summary]:
    """Read back what 360Learning holds, and show where it differs from Coursera.

    Args:
        repair: Send attempts that are missing, and update open ones that differ.
        adopt: Rebuild a lost ledger from what 360Learning holds.
    """
    work = partial(_compare, repair=repair, adopt=adopt)
    stream = STATISTICS if repair or adopt else None
    return to_final_state(await run_for_each_target("reconcile", work, stream=stream))


async def _compare(run: RunContext, *, repair: bool, adopt: bool) -> None:
    writes = repair or adopt
    run = await require_integration(run)
    missing_scopes = await scopes_to_read_back(run.learning360)
    if missing_scopes:
        run.note(f"Compared without what needs scopes that are not granted: {', '.join(missing_scopes)}")
    attempts = comparable(missing_scopes, required=writes)
    if writes:
        await recover(run, [StatisticImport()])
        await resolve_uncertain(run)
    catalog = await extract_catalog(run)
    with Intake(run) as intake:
        reading = await extract_reports(run, ActivityWindow(), intake)
        await intake.finish(reading)
        courses = await read_remote_courses(run, catalog, intake.courses, missing_scopes)
        await compare_courses(run, courses, is_exhaustive=catalog.is_exhaustive)
        if attempts:
            held = await read_remote_attempts(run, courses)
            if adopt:
                await adopt_courses(run, courses)
                run = await adopt_attempts(run, held.of(held.attempts["key"].to_numpy()))
            if repair:
                require_known(run)
            async with Outbox(run, StatisticImport()) as outbox:
                await reconcile_attempts(
                    run, intake, held, repair=repair, is_exhaustive=reading.is_exhaustive, outbox=outbox
                )
    add_difference_sections(run)
    catalog.require_complete()
    reading.require_complete()
