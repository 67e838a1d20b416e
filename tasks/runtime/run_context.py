"""What the tasks of one run share: settings, ledger, both platforms' clients, and the counts.

A run serves one target, an integration in a 360Learning group; see `tasks.runtime.targets` for several.
"""

import logging
import uuid
from collections.abc import Iterable

import orjson

from connectors.alias_file import load_aliases
from connectors.coursera.client import CourseraClient
from connectors.learning360.client import Learning360Client
from connectors.ledger.runs import NewRun, finish_run, start_run
from connectors.ledger.targets import find_target
from connectors.settings import Settings
from tasks.reporting.progress import ProgressReporter
from tasks.reporting.publish import ProgressArtifacts
from tasks.reporting.recorder import RunRecorder
from tasks.reporting.summary import Summary
from tasks.runtime.locks import here
from tasks.runtime.shared import Common

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
        self.clock = common.clock
        self.dry_run = dry_run
        self.recorder = RunRecorder(self.clock.monotonic)
        artifacts = ProgressArtifacts(self.clock.monotonic)
        self.progress = ProgressReporter(artifacts.show, of=settings.target)
        #: The limit on the Prefect server that holds them across machines, once it is sure to be there.
        self.slot_limit: str | None = None
        self.learning360 = Learning360Client(settings.learning360, clock=self.clock)
        with self.ledger.begin() as db:
            self.target = find_target(db, *settings.learning360.identity)

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
        now_ms = self.clock.now_ms()
        with self.ledger.begin() as db:
            began = NewRun(
                id=self.id,
                target_id=self.target.id,
                flow=self.summary.flow,
                holder=here(now_ms),
                dry_run=self.dry_run,
                started_at=now_ms,
                part_of=self.part_of,
            )
            start_run(db, began)

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
        before = self.recorder.reasons.total()
        self.recorder.reasons.update(reasons)
        self.summary.rejected += self.recorder.reasons.total() - before

    def finish(self) -> None:
        """Write into the ledger how the run ended."""
        with self.ledger.begin() as db:
            now_ms = self.clock.now_ms()
            finish_run(db, self.id, self.summary.state, orjson.dumps(self.summary.as_json()).decode(), now_ms)
