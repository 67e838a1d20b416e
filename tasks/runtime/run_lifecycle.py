"""A run from its beginning to its end: opened, locked, closed, and how it ended."""

import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import orjson

from connectors.alias_file import load_aliases
from connectors.clock import CLOCK_TOLERANCE_MS
from connectors.errors import SettingsError, SyncError
from connectors.learning360.client import Learning360Client
from connectors.ledger.lookups.run_history import past_runs, progress_deciles
from connectors.ledger.records import work_shares
from connectors.ledger.records.runs import NewRun, finish_run, note_crashed, note_stream, start_run
from connectors.ledger.records.targets import Target, find_target, known_target
from connectors.settings import Settings
from tasks.reporting.events import run_ended
from tasks.reporting.progress import ProgressReporter
from tasks.reporting.publish import ProgressArtifacts, report_failure, report_run
from tasks.reporting.recorder import RunRecorder
from tasks.reporting.report import RunFacts
from tasks.reporting.summary import INTERRUPTED, State, Summary
from tasks.runtime.locks import here, locked
from tasks.runtime.run_context import RunContext
from tasks.runtime.shared import SharedResources
from tasks.runtime.target_logging import serving
from tasks.transform.courses.languages import LANGUAGES

# A report shows the last month of daily runs.
MOST_RUNS = 30
FLOWS_WITH_PROGRESS = ("statistics", "backfill", "reconcile")

Work = Callable[[RunContext], Awaitable[None]]

logger = logging.getLogger("coursera_sync")


@dataclass(frozen=True)
class RunRequest:
    """What is to be run.

    A run of a ``stream`` has it for itself: it waits for another one to end, up to SYNC_LOCK_WAIT. A dry run
    changes nothing and waits for nobody. One that is ``part_of`` another acts under that one's lock.
    """

    flow: str
    stream: str | None = None
    dry_run: bool = False
    part_of: str | None = None


class TargetRun:
    """One target's run, worked on in phases: opened by the first, closed after the last.

    A failure in any of them ends it, and it alone: it is closed at once, and what is done with it from then
    on does nothing.
    """

    def __init__(self, request: RunRequest, settings: Settings, shared: SharedResources) -> None:
        self.recorder = RunRecorder(shared.clock.monotonic)
        self._request = request
        self._settings = settings
        self._shared = shared
        self._began = shared.clock.monotonic()
        self._stack = AsyncExitStack()
        self._run: RunContext | None = None
        self._failure: SyncError | None = None
        self._is_done = False
        self._summary: Summary | None = None

    @property
    def summary(self) -> Summary:
        """How it ended."""
        if self._summary is None:
            raise AssertionError("a run is closed before anybody asks how it ended")
        return self._summary

    def result(self) -> Summary:
        """Its summary; raises its failure, which carries it, where it failed."""
        if self._failure is not None:
            raise self._failure
        return self.summary

    async def phase(self, work: Work) -> None:
        """Do a piece of its work."""
        if self._summary is not None:
            return
        try:
            with serving(self._settings.target):
                await work(self._run or await self._opened())
        except Exception as error:  # noqa: BLE001 - told as its failure
            await self.fail(error)

    async def fail(self, error: Exception) -> None:
        """Close it as failed."""
        if self._summary is None:
            self._failure = as_sync_error(error)
            self._failure.__cause__ = None if error is self._failure else error
            await self.close()

    async def close(self) -> None:
        """Tell everybody how it ended, and let go of what it holds. Where it is closed nothing is done."""
        if self._summary is not None:
            return
        try:
            if self._run is not None:
                _note_clock(self._run)
            self._summary = self._ended()
            if self._failure is not None:
                self._failure.summary = self._summary
            with serving(self._settings.target):
                await _report(self._run, self._summary, self._shared)
        finally:
            await self._stack.aclose()

    def done(self) -> None:
        """All of its work is done: closed without this, it was interrupted."""
        self._is_done = True

    async def _opened(self) -> RunContext:
        self._run = run = _open(self._request, _checked(self._settings), self._shared, self.recorder)
        if self._request.stream is not None:
            async with self._shared.opening:
                await self._stack.enter_async_context(hold_stream_lock(run, self._request.stream))
        await self._stack.enter_async_context(run.learning360)
        return run

    def _ended(self) -> Summary:
        """The summary of what was done; a run whose counts do not add up has failed."""
        if self._failure is None and not self._is_done:
            return self._told("failed", INTERRUPTED)
        if self._failure is None:
            summary = self._told(_outcome(self.recorder, dry_run=self._request.dry_run), None)
            if not summary.unaccounted:
                return summary
            self._failure = _unaccounted(summary)
        return self._told("failed", str(self._failure))

    def _told(self, state: State, message: str | None) -> Summary:
        recorder = self.recorder
        return Summary.of(
            recorder.counts,
            flow=self._request.flow,
            target=self._settings.target,
            state=state,
            seconds=round(self._shared.clock.monotonic() - self._began, 3),
            notes=recorder.notes,
            differences=recorder.difference_counts,
            error=message,
        )


def _open(
    request: RunRequest, settings: Settings, shared: SharedResources, recorder: RunRecorder
) -> RunContext:
    """Find the target, and write into the ledger that the run has begun."""
    ledger, clock = shared.ledger, shared.clock
    run = RunContext(
        id=uuid.uuid4().hex,
        flow=request.flow,
        settings=settings,
        target=_target(shared, settings),
        ledger=ledger,
        coursera=shared.coursera,
        learning360=Learning360Client(settings.learning360, clock=clock),
        clock=clock,
        recorder=recorder,
        progress=ProgressReporter(ProgressArtifacts(clock.monotonic).show, of=settings.target),
        shared=shared,
        aliases=load_aliases(settings.sync.aliases),
        dry_run=request.dry_run,
        part_of=request.part_of,
    )
    now_ms = clock.now_ms()
    with ledger.begin() as db:
        began = NewRun(
            id=run.id,
            target_id=run.target.id,
            flow=run.flow,
            holder_label=here(now_ms),
            dry_run=run.dry_run,
            started_at=now_ms,
            part_of=run.part_of,
        )
        start_run(db, began)
    return run


def _target(shared: SharedResources, settings: Settings) -> Target:
    """The ledger's record of the target, made on its first run."""
    identity = settings.learning360.identity
    with shared.ledger.read() as db:
        known = known_target(db, *identity)
    if known is not None:
        return known
    with shared.ledger.begin() as db:
        return find_target(db, *identity)


async def _report(run: RunContext | None, summary: Summary, shared: SharedResources) -> None:
    """Tell everybody how a run ended: the ledger, Prefect, observers; None could not be opened."""
    if run is None:
        await report_failure(summary, shared.clock.now_ms())
        return
    with run.ledger.begin() as db:
        text = orjson.dumps(summary.as_json()).decode()
        finish_run(db, run.id, summary.state, text, run.clock.now_ms())
    run_ended(summary, run.settings.sync.alert_rejects)
    await report_run(summary, run.recorder, _facts(run), run.clock.now_ms())


def _facts(run: RunContext) -> RunFacts:
    """What a report shows beside; without the ledger's part, where that is what is in trouble."""
    platform = run.settings.learning360
    facts = RunFacts(f"{platform.platform_name} in group {platform.group_id}", dry_run=run.dry_run)
    try:
        with run.ledger.read() as db:
            # The run may have found another integration in the place of the one that was known.
            target = known_target(db, *platform.identity) or run.target
            runs = past_runs(db, target.id, run.flow, MOST_RUNS)
            shows_progress = run.flow in FLOWS_WITH_PROGRESS
            accepted = progress_deciles(db, target.id, run.id) if shows_progress else {}
    except SyncError as error:
        logger.warning("The report goes without what the ledger knows: %s", error)
        return facts
    return replace(facts, past_runs=runs, accepted=accepted)


def _note_clock(run: RunContext) -> None:
    """Tell where this machine's clock is off by more than five minutes, by the platforms' own."""
    now_ms = run.clock.now_ms()
    off = {"Coursera's": now_ms - run.coursera.now_ms(), "360Learning's": now_ms - run.learning360.now_ms()}
    off = {whose: ms for whose, ms in off.items() if abs(ms) > CLOCK_TOLERANCE_MS}
    if off:
        most = max(off.values(), key=abs)
        told = f"{abs(most) / 60_000:.0f} minutes {'ahead' if most > 0 else 'behind'}"
        run.note(
            f"This machine's clock is {told} of {' and '.join(off)}: set it right. Rows whose dates seem to "
            "lie ahead are rejected for it."
        )


@asynccontextmanager
async def hold_stream_lock(run: RunContext, stream: str) -> AsyncIterator[None]:
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


async def _no_shares_left(run: RunContext) -> None:
    """Wait for runs that still share the work of one that died, and drop what they have not begun."""
    with run.ledger.read() as db:
        left = work_shares.left(db, run.target.id)
    for run_id, worker in left:
        name = work_shares.lock_name(run_id, worker)
        (await locked(run.ledger, run.target, name, run.settings.sync.lock_wait, run.clock))()
    if left:
        with run.ledger.begin() as db:
            work_shares.drop(db, run.target.id)


def _outcome(recorder: RunRecorder, *, dry_run: bool) -> State:
    if dry_run:
        return "dry_run"
    return "completed_with_rejects" if recorder.counts.rejected else "completed"


def _unaccounted(summary: Summary) -> SyncError:
    """Rows are in no count: whatever else is said of such a run cannot be trusted."""
    return SyncError(
        f"Internal error: of {summary.extracted} rows extracted {summary.unaccounted} are in no other count. "
        "Report it with the run's summary and log."
    )


def as_sync_error(error: Exception) -> SyncError:
    """A failure in words for people, whatever it was."""
    if isinstance(error, SyncError):
        return error
    return SyncError(f"Internal error ({type(error).__name__}): run with --verbose and report what it says.")


def _checked(settings: Settings) -> Settings:
    if settings.sync.default_language not in LANGUAGES:
        raise SettingsError(
            "Settings: SYNC_DEFAULT_LANGUAGE is not a language that 360Learning knows, such as en or pt_BR."
        )
    return settings
