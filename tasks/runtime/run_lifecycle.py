"""A run from its beginning to its end: opened, locked, closed, and how it ended."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from connectors.errors import SettingsError, SyncError
from connectors.ledger import work_shares
from connectors.ledger.run_history import past_runs, progress_deciles
from connectors.ledger.runs import note_crashed, note_stream
from connectors.settings import Settings
from tasks.reporting.events import run_ended
from tasks.reporting.publish import report_failure, report_run
from tasks.reporting.report import RunFacts
from tasks.reporting.summary import INTERRUPTED, State, Summary
from tasks.runtime.locks import locked
from tasks.runtime.run_context import Run
from tasks.runtime.shared import Common
from tasks.transform.courses.languages import LANGUAGES

# A report shows the last month of daily runs.
MOST_RUNS = 30
FLOWS_WITH_PROGRESS = ("statistics", "backfill", "reconcile")

logger = logging.getLogger("coursera_sync")


@asynccontextmanager
async def open_run(
    summary: Summary,
    settings: Settings,
    common: Common,
    *,
    stream: str | None = None,
    dry_run: bool = False,
    part_of: str | None = None,
) -> AsyncIterator[Run]:
    """Open a run; when it is left, the ``summary`` says how it ended, and so does the ledger.

    A run of a ``stream`` has it for itself: it waits for another one to end, up to SYNC_LOCK_WAIT. A dry run
    changes nothing and waits for nobody. One that is ``part_of`` another acts under that one's lock. A
    failure leaves as a SyncError that carries the summary.
    """
    clock = common.clock
    began = clock.monotonic()
    async with AsyncExitStack() as stack:
        run: Run | None = None
        try:
            run = Run(summary, _checked(settings), common, dry_run=dry_run, part_of=part_of)
            run.start()
            if stream is not None:
                async with common.opening:
                    await stack.enter_async_context(holding(run, stream))
            await stack.enter_async_context(run.learning360)
            yield run
            summary.state = _outcome(summary, dry_run=dry_run)
        except Exception as error:
            failure = as_sync_error(error)
            summary.state, summary.error, failure.summary = "failed", str(failure), summary
            raise failure from error
        except BaseException:  # cancelled or interrupted: said to the ledger, and left to whoever did it
            summary.state, summary.error = "failed", INTERRUPTED
            raise
        finally:
            summary.seconds = round(clock.monotonic() - began, 3)
            if run is not None:
                run.finish()
                run_ended(summary, run.settings.sync.alert_rejects)
            await _report(run, summary, clock.now_ms())


@asynccontextmanager
async def holding(run: Run, stream: str) -> AsyncIterator[None]:
    """Have a stream for oneself; a dry run changes nothing, and needs not."""
    if run.dry_run:
        yield
        return
    release = await locked(run.ledger, run.target, stream, run.settings.sync.lock_wait, run.clock)
    try:
        with run.ledger.begin() as db:
            note_crashed(db, run.target.id, stream, run.clock.now_ms())
            note_stream(db, run.id, stream)
        await _no_shares_left(run)
        yield
        with run.ledger.begin() as db:
            note_stream(db, run.id, None)
    finally:
        release()


async def _no_shares_left(run: Run) -> None:
    """Wait for runs that still share the work of one that died, and drop what they have not begun."""
    with run.ledger.read() as db:
        left = work_shares.left(db, run.target.id)
    for run_id, worker in left:
        name = work_shares.lock_name(run_id, worker)
        (await locked(run.ledger, run.target, name, run.settings.sync.lock_wait, run.clock))()
    if left:
        with run.ledger.begin() as db:
            work_shares.drop(db, run.target.id)


async def _report(run: Run | None, summary: Summary, now_ms: int) -> None:
    """Report on a run that has ended; None stands for one that could not be opened."""
    if run is None:
        await report_failure(summary, now_ms)
    else:
        await report_run(summary, run.recorder, _facts(run, summary.flow), now_ms)


def _facts(run: Run, flow: str) -> RunFacts:
    """What a report shows beside; without the ledger's part, where that is what is in trouble."""
    platform = run.settings.learning360
    facts = RunFacts(f"{platform.platform_name} in group {platform.group_id}", dry_run=run.dry_run)
    try:
        with run.ledger.read() as db:
            runs = past_runs(db, run.target.id, flow, MOST_RUNS)
            shows_progress = flow in FLOWS_WITH_PROGRESS
            accepted = progress_deciles(db, run.target.id, run.id) if shows_progress else {}
    except SyncError as error:
        logger.warning("The report goes without what the ledger knows: %s", error)
        return facts
    return replace(facts, past_runs=runs, accepted=accepted)


def _outcome(summary: Summary, *, dry_run: bool) -> State:
    if dry_run:
        return "dry_run"
    return "completed_with_rejects" if summary.rejected else "completed"


def as_sync_error(error: Exception) -> SyncError:
    """A failure in words for people, whatever it was."""
    if isinstance(error, SyncError):
        return error
    return SyncError(
        f"A fault of this program ({type(error).__name__}): run with --verbose and report what it says."
    )


def _checked(settings: Settings) -> Settings:
    if settings.sync.default_language not in LANGUAGES:
        raise SettingsError(
            "Settings: SYNC_DEFAULT_LANGUAGE is not a language that 360Learning knows, such as en or pt_BR."
        )
    return settings
