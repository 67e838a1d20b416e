"""What the tasks of one run share: settings, ledger, both platforms' clients, and what records the run.

A run serves one target, an integration in a 360Learning group; see `tasks.runtime.targets` for several.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from connectors.clock import Clock
from connectors.coursera.client import CourseraClient
from connectors.learning360.client import Learning360Client
from connectors.ledger.database import Ledger
from connectors.ledger.records.targets import Target
from connectors.settings import Settings
from tasks.reporting.progress import ProgressReporter
from tasks.reporting.recorder import RunRecorder
from tasks.runtime.shared import SharedResources

logger = logging.getLogger("coursera_sync")


@dataclass(frozen=True, eq=False)
class RunContext:
    """One run. Nothing in it changes but what the ``recorder`` keeps.

    ``aliases``: addresses in 360Learning by those at Coursera, where they differ; ``part_of``: the run whose
    work this one shares.
    """

    id: str
    flow: str
    settings: Settings
    target: Target
    ledger: Ledger
    coursera: CourseraClient
    learning360: Learning360Client
    clock: Clock
    recorder: RunRecorder
    progress: ProgressReporter
    shared: SharedResources
    aliases: Mapping[str, str]
    dry_run: bool = False
    part_of: str | None = None

    @property
    def name(self) -> str | None:
        """What people call the target; None where there is but one."""
        return self.settings.target

    @property
    def integration_id(self) -> str:
        """The integration that this run writes to."""
        if self.target.integration_id is None:
            raise AssertionError("the integration is ensured before anything is sent")
        return self.target.integration_id

    def with_target(self, target: Target) -> Self:
        """The same run, once the ledger knows something new of its target."""
        return replace(self, target=target)

    def with_recorder(self, recorder: RunRecorder) -> Self:
        """The same run, recorded elsewhere."""
        return replace(self, recorder=recorder)

    def note(self, message: str) -> None:
        """Tell people something in the summary and in the log."""
        self.recorder.note(message)
        logger.info(message)
