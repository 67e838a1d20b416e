"""What the tasks of one run share: settings, ledger, both platforms' clients, and the counts.

A run serves one target, an integration in a 360Learning group; see `tasks.targets` for several.
"""

import logging
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

import orjson
import pandas as pd

from connectors.aliases import load_aliases
from connectors.coursera.client import CourseraClient
from connectors.errors import SettingsError, SyncError
from connectors.learning360.client import Learning360Client
from connectors.ledger import runs, shares
from connectors.settings import Settings
from tasks.common import Common
from tasks.events import run_ended
from tasks.exclusive import here, locked
from tasks.mapping.languages import LANGUAGES
from tasks.publishing import tell
from tasks.story import Story
from tasks.summary import INTERRUPTED, State, Summary
from tasks.watching import Progress

logger = logging.getLogger("coursera_sync")


class Run:
    """One run. A plain class: Prefect looks for futures inside dataclasses that are given to tasks."""

    def __init__(
        self,
        summary: Summary,
        settings: Settings,
        common: Common,
        *,
        dry_run: bool,
        part_of: str | None = None,
    ) -> None:
        self.part_of = part_of
        self.id = uuid.uuid4().hex
        self.summary = summary
        self.settings = settings
        #: Addresses in 360Learning by those at Coursera, where they differ.
        self.aliases = load_aliases(settings.sync.aliases)
        self.common = common
        self.ledger = common.ledger
        self.surroundings = common.surroundings
        self.dry_run = dry_run
        self.story = Story(self.surroundings.monotonic)
        self.progress = Progress(self.surroundings.monotonic, of=settings.target)
        #: What a dry run would do, a part after the other: PLAN_COLUMNS, with addresses.
        self.planned: list[pd.DataFrame] = []
        #: Where both sides differ, as far as they were compared: FOUND_COLUMNS, with addresses.
        self.found: list[pd.DataFrame] = []
        #: The limit on the Prefect server that holds them across machines, once it is sure to be there.
        self.slot_limit: str | None = None
        self.learning360 = Learning360Client(settings.learning360, surroundings=self.surroundings)
        with self.ledger.begin() as db:
            self.target = runs.find_target(db, *settings.learning360.identity)

    @property
    def name(self) -> str | None:
        """What people call the target; None where there is but one."""
        return self.settings.target

    @property
    def coursera(self) -> CourseraClient:
        """Coursera, which is the same for all targets."""
        return self.common.coursera

    def start(self) -> None:
        """Write into the ledger that the run has begun."""
        now_ms = self.surroundings.now_ms()
        with self.ledger.begin() as db:
            began = runs.NewRun(
                id=self.id,
                target_id=self.target.id,
                flow=self.summary.flow,
                holder=here(now_ms),
                dry_run=self.dry_run,
                started_at=now_ms,
                part_of=self.part_of,
            )
            runs.start_run(db, began)

    @property
    def integration_id(self) -> str:
        """The integration that this run writes to."""
        if self.target.integration_id is None:
            raise AssertionError("the integration is ensured before anything is sent")
        return self.target.integration_id

    def note(self, message: str) -> None:
        """Tell people something in the summary and in the log."""
        self.summary.notes.append(message)
        logger.info(message)

    def reject(self, reasons: Iterable[str]) -> None:
        """Count rows put aside, each by its reason."""
        before = self.story.reasons.total()
        self.story.reasons.update(reasons)
        self.summary.rejected += self.story.reasons.total() - before

    def finish(self) -> None:
        """Write into the ledger how the run ended."""
        with self.ledger.begin() as db:
            now_ms = self.surroundings.now_ms()
            runs.finish_run(
                db, self.id, self.summary.state, orjson.dumps(self.summary.as_json()).decode(), now_ms
            )


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
    surroundings = common.surroundings
    began = surroundings.monotonic()
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
            summary.seconds = round(surroundings.monotonic() - began, 3)
            if run is not None:
                run.finish()
                run_ended(summary, run.settings.sync.alert_rejects)
            await tell(run, summary, surroundings.now_ms())


@asynccontextmanager
async def holding(run: Run, stream: str) -> AsyncIterator[None]:
    """Have a stream for oneself; a dry run changes nothing, and needs not."""
    if run.dry_run:
        yield
        return
    release = await locked(run.ledger, run.target, stream, run.settings.sync.lock_wait, run.surroundings)
    try:
        with run.ledger.begin() as db:
            runs.note_crashed(db, run.target.id, stream, run.surroundings.now_ms())
            runs.note_stream(db, run.id, stream)
        await _no_shares_left(run)
        yield
        with run.ledger.begin() as db:
            runs.note_stream(db, run.id, None)
    finally:
        release()


async def _no_shares_left(run: Run) -> None:
    """Wait for runs that still share the work of one that died, and drop what they have not begun."""
    with run.ledger.read() as db:
        left = shares.left(db, run.target.id)
    for run_id, worker in left:
        name = shares.lock_name(run_id, worker)
        (await locked(run.ledger, run.target, name, run.settings.sync.lock_wait, run.surroundings))()
    if left:
        with run.ledger.begin() as db:
            shares.drop(db, run.target.id)


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
