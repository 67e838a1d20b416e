"""What a run shows people: one model of it, which is rendered as markdown for Prefect and as an HTML file."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors.clock import utc
from connectors.ledger.lookups.run_history import PastRun
from tasks.reporting.recorder import Example, RunRecorder, Section, Span
from tasks.reporting.redaction import mask_addresses
from tasks.reporting.summary import COUNTS, Summary

MOST_ROWS = 10
MOST_STEPS = 8
DECILES = 11
SUMMANDS = ("merged", "held", "unchanged", "accepted", "rejected")
BESIDE = ("submitted", "archived", "recovered")
MEANINGS = {
    "extracted": "rows read, and rows taken up again",
    "merged": "folded into another row of the same key",
    "held": "held back by the launch rule: no activity yet",
    "unchanged": "360Learning has it already",
    "submitted": "rows for bulk operations",
    "accepted": "taken by 360Learning",
    "rejected": "rejected, with a reason",
    "archived": "courses archived",
    "recovered": "settled for an earlier run that was interrupted",
}


@dataclass(frozen=True)
class RunFacts:
    """What a report shows of a run beside what its recorder keeps.

    ``target`` is the integration in words; ``past_runs`` are those of the same flow, oldest first;
    ``accepted`` counts the attempts that 360Learning has accepted, by decile of progress (10 is 100 %) and by
    whether this run sent them.
    """

    target: str
    dry_run: bool = False
    past_runs: Sequence[PastRun] = ()
    accepted: Mapping[tuple[int, bool], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Count:
    """A count of rows, and in words what it counts."""

    name: str
    rows: int

    @property
    def meaning(self) -> str:
        """What it counts."""
        return MEANINGS[self.name]


@dataclass(frozen=True)
class Step:
    """A step: how long the run was at it (seconds, overlaps once), how often, and whether it failed."""

    name: str
    seconds: float
    times: int
    failed: bool


@dataclass(frozen=True)
class Reason:
    """Why rows were rejected, and how many."""

    reason: str
    rows: int


@dataclass(frozen=True)
class ProgressDecile:
    """Attempts at a decile of progress: those that stayed as they were, and those that this run sends."""

    label: str
    stayed: int
    sent: int


@dataclass(frozen=True)
class Report:
    """A run for people. No learner can be recognised in it, and it is small whatever the run's size.

    ``as_of`` is when it was written (UTC); ``name`` is the target's, where it is one of several, and
    ``is_joint`` says that it is of all of them; ``sent`` says what sorts of change are among the rows sent.
    """

    flow: str
    state: str
    as_of: datetime
    seconds: float = 0.0
    error: str | None = None
    target: str | None = None
    name: str | None = None
    is_joint: bool = False
    notes: Sequence[str] = ()
    extracted: int = 0
    summands: Sequence[Count] = ()
    beside: Sequence[Count] = ()
    unaccounted: int = 0
    steps: Sequence[Step] = ()
    sent: Sequence[Count] = ()
    examples: Sequence[Example] = ()
    sections: Sequence[Section] = ()
    reasons: Sequence[Reason] = ()
    history: Sequence[PastRun] = ()
    deciles: Sequence[ProgressDecile] = ()

    @property
    def title(self) -> str:
        """The flow, for which of several targets, and how it ended."""
        return f"{self.what}: {self.state.replace('_', ' ')}"

    @property
    def what(self) -> str:
        """The flow, and for which of several targets."""
        return f"{self.flow}, {self.name}" if self.name else self.flow

    def key(self, of: str) -> str:
        """What Prefect calls an artifact of it."""
        return "-".join(one for one in (self.flow, self.name, of) if one)

    @property
    def sum(self) -> str:
        """How the counts add up."""
        parts = " + ".join(f"{count.rows:,} {count.name}" for count in self.summands)
        missing = f" + {self.unaccounted:,} {self.leftover}" if self.unaccounted else ""
        return f"{self.extracted:,} extracted = {parts}{missing}"

    @property
    def leftover(self) -> str:
        """What rows are that are in no count: none, once a run is done."""
        return "left for the next run" if self.state == "failed" else "in no count"

    @property
    def duration(self) -> str:
        """How long it took, for people."""
        return in_words(self.seconds)

    @property
    def rejected(self) -> int:
        """How many rows were rejected."""
        return sum(reason.rows for reason in self.reasons)

    @property
    def sends(self) -> str:
        """What the examples are examples of."""
        return {"dry_run": "Would be sent", "failed": "Was to be sent"}.get(self.state, "Sent")

    @property
    def changes(self) -> str:
        """How many rows of each sort of change."""
        return ", ".join(f"{count.rows:,} {count.name}" for count in self.sent)


def in_words(seconds: float) -> str:
    """A duration for people: 1.2 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004


def failure(flow: str, error: str, now_ms: int) -> Report:
    """The report of a run that failed before it began."""
    return Report(flow, "failed", utc(now_ms), error=mask_addresses(error))


def build_report(summary: Summary, recorder: RunRecorder, facts: RunFacts, now_ms: int) -> Report:
    """The report of a run that has ended."""
    return replace(
        _counted(summary, now_ms),
        target=facts.target,
        name=summary.target,
        notes=[mask_addresses(note) for note in summary.notes[:MOST_ROWS]],
        steps=slowest(recorder.spans),
        sent=[Count(name, rows) for name, rows in recorder.changes.most_common()],
        examples=[Example(mask_addresses(one.what), mask_addresses(one.change)) for one in recorder.examples],
        sections=[_safe(section) for section in (*recorder.sections.values(), _ignored(recorder))],
        reasons=_reasons(recorder.reasons),
        history=facts.past_runs,
        deciles=_deciles(facts.accepted, recorder.deciles, dry_run=facts.dry_run),
    )


def _ignored(recorder: RunRecorder) -> Section:
    """What was wrong and is left out, though its rows went: in none of the counts that add up."""
    rows = [
        (what, f"{count:,}", ", ".join(recorder.ignored_in[what]))
        for what, count in recorder.ignored.most_common()
    ]
    return Section("Ignored values", ("what", "rows", "for example"), rows)


def joint_report(summary: Summary, now_ms: int) -> Report:
    """The report of all targets together: each has one of its own beside it."""
    targets = summary.targets or []
    columns = ("target", "state", *COUNTS, "error")
    rows = [
        [
            str(one.target),
            one.state,
            *(f"{getattr(one, name):,}" for name in COUNTS),
            mask_addresses(one.error or ""),
        ]
        for one in targets
    ]
    section = Section("Targets, each with a report of its own", columns, rows, artifact_key="targets")
    return replace(
        _counted(summary, now_ms), target=f"{len(targets)} targets", is_joint=True, sections=[section]
    )


def _counted(summary: Summary, now_ms: int) -> Report:
    """How it ended, and its counts."""
    return Report(
        flow=summary.flow,
        state=summary.state,
        as_of=utc(now_ms),
        seconds=summary.seconds,
        error=mask_addresses(summary.error) if summary.error else None,
        extracted=summary.extracted,
        summands=_summands(summary),
        beside=_beside(summary),
        unaccounted=summary.unaccounted,
    )


def _safe(section: Section) -> Section:
    """A section without addresses: people write courses' names, and may write anything there."""
    return replace(section, rows=[[mask_addresses(text) for text in row] for row in section.rows])


def _summands(summary: Summary) -> list[Count]:
    """What extracted is the sum of; a dry run counts submitted in place of accepted."""
    dry = summary.state == "dry_run"
    names = ["submitted" if dry and name == "accepted" else name for name in SUMMANDS]
    return [Count(name, getattr(summary, name)) for name in names]


def _beside(summary: Summary) -> list[Count]:
    """What is counted beside the sum."""
    dry = summary.state == "dry_run"
    return [Count(name, getattr(summary, name)) for name in BESIDE if not (dry and name == "submitted")]


def _reasons(reasons: Counter[str]) -> list[Reason]:
    """The most frequent reasons, and all others as one."""
    shown = Counter[str]()
    for reason, rows in reasons.items():
        shown[mask_addresses(reason)] += rows
    first = [Reason(reason, rows) for reason, rows in shown.most_common(MOST_ROWS - 1)]
    others = shown.total() - sum(reason.rows for reason in first)
    return [*first, Reason("other reasons", others)] if others else first


def slowest(spans: Sequence[Span]) -> list[Step]:
    """The steps that took longest, those of one name as one."""
    by_name: dict[str, list[Span]] = {}
    for span in spans:
        by_name.setdefault(span.name, []).append(span)
    steps = [
        Step(name, _covered(ours), len(ours), any(one.failed for one in ours))
        for name, ours in by_name.items()
    ]
    return sorted(steps, key=lambda step: step.seconds, reverse=True)[:MOST_STEPS]


def _covered(spans: Sequence[Span]) -> float:
    """How many seconds spans cover; what several cover at once counts once."""
    covered, reached = 0.0, float("-inf")
    for one in sorted(spans, key=lambda span: span.began):
        covered += max(0.0, one.ended - max(one.began, reached))
        reached = max(reached, one.ended)
    return covered


def _deciles(
    accepted: Mapping[tuple[int, bool], int], planned: Counter[int], *, dry_run: bool
) -> list[ProgressDecile]:
    """How far learners are: what 360Learning has accepted, or in a dry run what would be sent."""
    if not accepted and not planned:
        return []
    return [
        ProgressDecile(
            label=_label(decile),
            stayed=0 if dry_run else accepted.get((decile, False), 0),
            sent=planned[decile] if dry_run else accepted.get((decile, True), 0),
        )
        for decile in range(DECILES)
    ]


def _label(decile: int) -> str:
    if decile == DECILES - 1:
        return "100 %"
    return f"{decile * 10 or 1}-{decile * 10 + 9}"  # at 0 % nothing is sent
