"""The cases: each a small customer from a seed, with the settings and the turns that are its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sandbox.world import Sizes

#: So small that a run takes a fraction of a second.
SIZES = Sizes(courses=40, learners=25, enrollments=100)

#: What a story goes on with, after the first catalog and the first statistics.
Turn = Literal[
    "catalog", "dry", "day", "full", "again", "backfill", "program", "reconcile", "repair", "adopt"
]


@dataclass(frozen=True)
class Case:
    """One customer and their story."""

    name: str
    seed: int
    turns: tuple[Turn, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    #: Options of the sandbox's Coursera from the second day on.
    quirks: Mapping[str, object] = field(default_factory=dict)
    #: A second target has one of the programs.
    targets: bool = False
    #: Some learners have another address at Coursera.
    aliases: bool = False


CASES = (
    Case("plain", 1, ("catalog", "day", "full", "backfill")),
    Case("preview", 2, ("dry", "day", "program", "reconcile")),
    Case("repair", 3, ("day", "repair", "reconcile")),
    Case(
        "pages",
        4,
        ("day", "full", "again"),
        quirks={"page_cap": 17, "duplicate_rows": True, "short_pages": True},
    ),
    Case("targets", 5, ("day", "full", "reconcile"), targets=True),
    Case("targets-repair", 6, ("day", "repair"), targets=True),
    Case("open", 7, ("day", "full"), {"SYNC_LAUNCH_RULE": "open"}),
    Case("scores", 8, ("day", "repair"), {"SYNC_SEND_SCORES": "true"}),
    Case("aliases", 9, ("day", "full"), aliases=True),
    Case(
        "archive",
        10,
        ("catalog", "full"),
        {"SYNC_ARCHIVE_REMOVED": "true", "SYNC_ARCHIVE_GRACE": "1", "SYNC_ARCHIVE_LIMIT": "0.5"},
    ),
    Case("lost-ledger", 11, ("day", "adopt")),
    Case("every-other-day", 12, ("day", "day"), {"SYNC_FULL_EVERY_DAYS": "2"}),
)
