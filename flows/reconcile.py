"""The reconciliation: what 360Learning holds beside what Coursera says, shown, repaired or adopted."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from connectors.ledger.streams import STATISTICS
from flows.final_state import to_final_state
from flows.run_names import run_name
from tasks.extract.coursera import Catalog, Reports, programs_of_all, read_catalog, read_reports
from tasks.extract.window import EVERYTHING
from tasks.load.dispatcher import BulkDispatcher
from tasks.load.operations import StatisticImport
from tasks.load.recovery import recover, resolve_uncertain
from tasks.reconcile.adopt import adopt_attempts, require_known
from tasks.reconcile.attempts import (
    RemoteAttempts,
    compare_remote,
    is_comparable,
    read_remote_attempts,
    require_comparable,
)
from tasks.reconcile.courses import adopt_courses, compare_courses, read_remote_courses
from tasks.reconcile.report import add_difference_sections
from tasks.reporting.summary import Summary
from tasks.runtime.run_context import RunContext
from tasks.runtime.run_lifecycle import RunRequest
from tasks.runtime.shared import SharedResources
from tasks.runtime.targets import run_from_one_reading
from tasks.setup.integration import require_integration
from tasks.setup.scopes import scopes_to_read_back
from tasks.statistics.addresses import settle_addresses
from tasks.statistics.selection import Selection
from tasks.statistics.target_parts import parts_of_target


@flow(name="reconcile", flow_run_name=run_name, persist_result=False)
async def reconcile(*, repair: bool = False, adopt: bool = False) -> Summary | State[Summary]:
    """Read back what 360Learning holds, and show where it differs from Coursera.

    Args:
        repair: Send attempts that are missing, and update open ones that differ.
        adopt: Rebuild a lost ledger from what 360Learning holds.
    """
    writes = repair or adopt
    request = RunRequest("reconcile", stream=STATISTICS if writes else None)
    prepare = partial(_prepare, writes=writes)
    work = partial(_compare, repair=repair, adopt=adopt)
    return to_final_state(await run_from_one_reading(request, prepare, _read, work))


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A target's run, and the scopes to read back that are not granted."""

    run: RunContext
    missing_scopes: Sequence[str]


@dataclass(frozen=True, eq=False)
class _Coursera:
    """What Coursera says, read whole."""

    catalog: Catalog
    reports: Reports


async def _prepare(run: RunContext, *, writes: bool) -> _Prepared:
    run = await require_integration(run)
    missing_scopes = await scopes_to_read_back(run.learning360)
    if missing_scopes:
        run.note(f"Compared without what needs scopes that are not granted: {', '.join(missing_scopes)}")
    require_comparable(missing_scopes, required=writes)
    if writes:
        await recover(run, [StatisticImport()])
        await resolve_uncertain(run)
    return _Prepared(run, missing_scopes)


async def _read(shared: SharedResources, prepared: Sequence[_Prepared]) -> _Coursera:
    programs = programs_of_all([one.run.settings for one in prepared])
    return _Coursera(
        await read_catalog(shared, programs, in_full=True), await read_reports(shared, EVERYTHING)
    )


async def _compare(prepared: _Prepared, coursera: _Coursera, *, repair: bool, adopt: bool) -> None:
    run, missing_scopes, reports = prepared.run, prepared.missing_scopes, coursera.reports
    catalog = coursera.catalog
    courses = await read_remote_courses(run, catalog, reports.staged.courses, missing_scopes)
    await compare_courses(run, courses, is_exhaustive=catalog.read.is_exhaustive)
    if is_comparable(missing_scopes):
        remote = await read_remote_attempts(run, courses)
        if adopt:
            await adopt_courses(run, courses)
            run = await adopt_attempts(run, remote.all)
        if repair:
            require_known(run)
        await _compare_attempts(run, reports, remote, repair=repair, writes=repair or adopt)
    add_difference_sections(run)
    catalog.read.require_complete()
    reports.read.require_complete()


async def _compare_attempts(
    run: RunContext, reports: Reports, remote: RemoteAttempts, *, repair: bool, writes: bool
) -> None:
    addresses = await settle_addresses(run, reports.staged.seen, writes=writes)
    selection, beside = Selection(run.settings.programs), len(remote.attempts)
    async with (
        parts_of_target(run, reports, selection, addresses, beside=beside) as parts,
        BulkDispatcher(run, StatisticImport()) as dispatcher,
    ):
        for part in parts:
            shows_all = reports.read.is_exhaustive
            send = await compare_remote(run, part, parts, remote, repair=repair, shows_all=shows_all)
            await dispatcher.add(send)
