"""What a run did, in the counts that people and scripts rely on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from pydantic import BaseModel, Field

INTERRUPTED = "Interrupted. The next run goes on from what the ledger knows."


@dataclass(frozen=True)
class Counts:
    """Rows by what became of them; see `Summary` for how they add up."""

    extracted: int = 0
    merged: int = 0
    held: int = 0
    unchanged: int = 0
    submitted: int = 0
    accepted: int = 0
    rejected: int = 0
    archived: int = 0
    recovered: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in COUNTS})


COUNTS = tuple(field.name for field in fields(Counts))
NO_COUNTS = Counts()

OPTIONAL = ("target", "targets", "differences", "error")

State = Literal["running", "completed", "completed_with_rejects", "failed", "dry_run"]


class Summary(BaseModel):
    """A run's counts of rows; ``seconds`` is its duration, ``notes`` what else people should know.

    When a run is done, ``extracted = merged + held + unchanged + accepted + rejected`` (in a dry run
    ``submitted`` stands for accepted): a row in none of them is a bug.
    """

    flow: str
    #: Which of several targets; None where there is but one, or where it is the sum of all.
    target: str | None = None
    state: State = "running"
    extracted: int = 0
    merged: int = 0
    held: int = 0
    unchanged: int = 0
    submitted: int = 0
    accepted: int = 0
    rejected: int = 0
    archived: int = 0
    recovered: int = 0
    seconds: float = 0.0
    notes: list[str] = Field(default_factory=list)
    #: By sort (see `tasks.transform.comparison.DIFFERENCES`), where the run has compared both sides.
    differences: dict[str, int] | None = None
    #: What was done on each of several targets, where this is the sum of all.
    targets: list[Summary] | None = None
    error: str | None = None

    @classmethod
    def of(  # noqa: PLR0913 - all that a summary consists of
        cls,
        counts: Counts,
        *,
        flow: str,
        state: State,
        target: str | None = None,
        seconds: float = 0.0,
        notes: Sequence[str] = (),
        differences: Mapping[str, int] | None = None,
        targets: Sequence[Summary] | None = None,
        error: str | None = None,
    ) -> Summary:
        """The summary of a run that has ended."""
        return cls(
            **asdict(counts),
            flow=flow,
            state=state,
            target=target,
            seconds=seconds,
            notes=list(notes),
            differences=None if differences is None else dict(differences),
            targets=None if targets is None else list(targets),
            error=error,
        )

    @property
    def counts(self) -> Counts:
        """Its counts alone."""
        return Counts(**{name: getattr(self, name) for name in COUNTS})

    @property
    def unaccounted(self) -> int:
        """Rows that were extracted and are in no other count; anything but 0 is a bug."""
        sent = self.submitted if self.state == "dry_run" else self.accepted
        return self.extracted - self.merged - self.held - self.unchanged - sent - self.rejected

    @property
    def exit_code(self) -> int:
        """0 done, 3 done with rejected rows, 1 failed."""
        return {"completed_with_rejects": 3, "failed": 1}.get(self.state, 0)

    def as_json(self) -> dict[str, Any]:
        """The summary as one JSON object; what it may be without only where there is any to tell."""
        told = self.model_dump(exclude={"targets"})
        if self.targets is not None:
            told["targets"] = [one.as_json() for one in self.targets]
        return {name: value for name, value in told.items() if name not in OPTIONAL or value is not None}


def joint(summaries: Sequence[Summary], seconds: float) -> Summary:
    """The sum of what was done on several targets; it failed where one of them did."""
    failed = [one for one in summaries if one.state == "failed"]
    return Summary.of(
        sum((one.counts for one in summaries), NO_COUNTS),
        flow=summaries[0].flow,
        state=_worst([one.state for one in summaries]),
        seconds=seconds,
        notes=[f"{one.target}: {note}" for one in summaries for note in one.notes],
        differences=_added([one.differences for one in summaries]),
        targets=summaries,
        error=_error(failed, len(summaries)),
    )


def _worst(states: Sequence[State]) -> State:
    order: Sequence[State] = ("failed", "completed_with_rejects", "completed", "dry_run")
    return next(state for state in order if state in states)


def _added(differences: Sequence[dict[str, int] | None]) -> dict[str, int] | None:
    known = [one for one in differences if one is not None]
    return dict(sum(map(Counter, known), Counter[str]())) if known else None


def _error(failed: Sequence[Summary], of: int) -> str | None:
    """What went wrong, once where it is the same for all."""
    if not failed:
        return None
    errors = {one.error for one in failed}
    if len(errors) == 1 and len(failed) == of:
        return failed[0].error
    told = " ".join(f"{one.target}: {one.error}" for one in failed)
    return f"{len(failed)} of {of} targets failed. {told}"
