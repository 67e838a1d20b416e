"""A case's story: the days that its customer lives through, and what each run says and leaves behind."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sandbox.clock import DAY_MS, HOUR_MS, MANUAL_START_MS, ManualClock
from sandbox.sandbox import Sandbox
from sandbox.world import World
from tests.changes import Changes
from tests.golden import record
from tests.golden.cases import SIZES, Case, Turn
from tests.installation import Sync

START = datetime.fromtimestamp(MANUAL_START_MS / 1000, UTC)


def world_of(case: Case) -> Sandbox:
    """The sandbox of both platforms on the case's first morning."""
    clock = ManualClock()
    return Sandbox(World.seeded(clock(), case.seed, SIZES), clock)


class Story:
    """Tells a case from its first day to its last; `steps` is what came of it."""

    def __init__(self, sync: Sync, case: Case, folder: Path, settings: pytest.MonkeyPatch) -> None:
        self.steps: list[dict[str, Any]] = []
        #: All that 360Learning held after each step, in full.
        self.held: list[list[str]] = []
        self._sync = sync
        self._case = case
        self._folder = folder
        self._settings = settings
        self._changes = Changes(sync.sandbox, case.seed)
        self._day, self._hour = 0, 0

    def tell(self) -> None:
        """From the first day to the last."""
        self._prepare()
        self._run("catalog", self._sync.catalog)
        self._next_hour()
        self._changes.enrol_twice(6)
        self._changes.launch(6)
        self._run("statistics", self._sync.statistics)
        for turn in self._case.turns:
            self._turns[turn](self)

    def _prepare(self) -> None:
        for name, value in self._case.settings.items():
            self._settings.setenv(name, value)
        if self._case.targets:
            self._two_targets()
        if self._case.aliases:
            self._other_addresses()
            self._write_aliases(2)

    def _two_targets(self) -> None:
        group_id = self._sync.sandbox.learning360.add_group("Second Group")["_id"]
        program = self._sync.sandbox.world.programs[1]["id"]
        file = self._folder / "targets.toml"
        file.write_text(
            f'[[target]]\nname = "all"\n[[target]]\nname = "one"\ngroup_id = "{group_id}"\n'
            f'default_language = "fr"\nprograms = ["{program}"]\n'
        )
        self._settings.setenv("SYNC_TARGETS", str(file))

    def _other_addresses(self) -> None:
        """Three learners are at Coursera under another address, all they have done until now."""
        for old in self._aliased:
            for row in self._sync.sandbox.world.reports:
                if row.get("email") == old:
                    row |= {"email": _at_home(old), "externalId": _at_home(old)}

    @property
    def _aliased(self) -> list[str]:
        known = [one for one in self._sync.sandbox.world.learners if one.known and one.shows_mail]
        return [one.mail for one in known if "@" in one.external_id][:3]

    def _write_aliases(self, count: int) -> None:
        file = self._folder / "aliases.csv"
        lines = [f"{_at_home(mail)},{mail}" for mail in self._aliased[:count]]
        file.write_text("\n".join(["coursera,learning360", *lines]))
        file.chmod(0o600)
        self._settings.setenv("SYNC_ALIASES", str(file))

    def _catalog(self) -> None:
        self._next_day()
        self._changes.revise_catalog()
        self._run("catalog", self._sync.catalog)

    def _dry(self) -> None:
        self._next_day()
        self._changes.join(1)
        self._run("statistics, dry", self._sync.statistics, dry_run=True)

    def _a_day(self) -> None:
        """Learners go on, launch, begin once more; some of what the reports tell is wrong for a while."""
        self._next_day()
        for name, value in self._case.quirks.items():
            setattr(self._sync.sandbox.coursera.options, name, value)
        self._changes.join(1)
        self._changes.launch(6)
        self._changes.enrol_twice(2)
        self._changes.enrol_anew(4)
        self._changes.forget_progress(5)
        self._changes.take_away(6)
        self._run("statistics", self._sync.statistics)

    def _in_full(self) -> None:
        """What was wrong or missing is there again."""
        self._next_day()
        self._changes.mend()
        self._changes.join(1)
        self._changes.bring_back()
        if self._case.aliases:
            self._write_aliases(3)
        self._run("statistics, full", self._sync.statistics, full=True)

    def _backfill(self) -> None:
        self._next_day()
        self._changes.enrol_anew(2)
        self._run("backfill of a year", self._sync.backfill, **_window(365, -1))

    def _program(self) -> None:
        self._next_day()
        program = self._sync.sandbox.world.programs[0]["id"]
        self._run("backfill of a program", self._sync.backfill, programs=[program], **_window(30, -9))

    def _reconcile(self) -> None:
        self._run("reconcile", self._sync.reconcile)

    def _repair(self) -> None:
        self._next_day()
        self._changes.lose_attempts(3)
        self._run("reconcile, repair", self._sync.reconcile, repair=True)

    def _adopt(self) -> None:
        self._sync.state_url = f"sqlite:///{self._folder}/anew/ledger.db"
        self._settings.setenv("SYNC_STATE_URL", self._sync.state_url)
        self._next_day()
        self._run("statistics on an empty ledger", self._sync.statistics)

    def _again(self) -> None:
        self._run("statistics, full, once more", self._sync.statistics, full=True)

    _turns: ClassVar[dict[Turn, Callable[["Story"], None]]] = {
        "catalog": _catalog,
        "dry": _dry,
        "day": _a_day,
        "full": _in_full,
        "again": _again,
        "backfill": _backfill,
        "program": _program,
        "reconcile": _reconcile,
        "repair": _repair,
        "adopt": _adopt,
    }

    def _next_day(self) -> None:
        self._day, self._hour = self._day + 1, -1
        self._next_hour()
        self._sync.sandbox.next_day()

    def _run(self, step: str, flow: Callable[..., Any], **parameters: Any) -> None:
        self._next_hour()
        summary = flow(**parameters).as_json()
        platform = self._sync.sandbox.learning360
        platform.operations.settle()
        self.held.append(record.in_full(platform))
        self.steps.append(
            {
                "day": self._day,
                "step": step,
                "summary": _in_short(summary),
                "holds": record.in_brief(platform),
            }
        )

    def _next_hour(self) -> None:
        """Runs move the clock on, by how much may differ: what follows begins at a time of its own."""
        self._hour += 1
        now_ms = MANUAL_START_MS + self._day * DAY_MS + self._hour * HOUR_MS
        assert now_ms >= self._sync.clock(), "a run took more than an hour"
        self._sync.clock.set(now_ms)


def _window(days_before: int, days_after: int) -> dict[str, datetime]:
    """From so many days before the first morning, to so many before it (after it, where negative)."""
    return {
        "active_from": START - timedelta(days=days_before),
        "active_to": START - timedelta(days=days_after),
    }


def _at_home(mail: str) -> str:
    return f"{mail.partition('@')[0]}@home.example"


def _in_short(summary: dict[str, Any]) -> dict[str, Any]:
    """What a run said, without its duration and without the counts that are 0."""
    kept = {name: value for name, value in summary.items() if name != "seconds" and value not in (0, [])}
    if "targets" in kept:
        kept["targets"] = [_in_short(one) for one in kept["targets"]]
    return kept
