"""Paths: lists of courses that open one after another, or all at once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["linear", "free"]
StepState = Literal["locked", "open", "completed"]


@dataclass
class Path:
    """A path. Its steps are external ids, so it may be made before the courses are there."""

    id: str
    name: str
    kind: Kind
    external_ids: tuple[str, ...]
    #: Learner's id → path session, begun with the first launch.
    sessions: dict[str, str] = field(default_factory=dict)

    def states(self, is_completed: Callable[[str], bool]) -> list[StepState]:
        """The state of each step, given which courses the learner has completed."""
        done = [is_completed(external_id) for external_id in self.external_ids]
        opens = [self.kind == "free" or number == 0 or done[number - 1] for number in range(len(done))]
        return [_state(*step) for step in zip(done, opens, strict=True)]

    def is_successful(self, is_completed: Callable[[str], bool]) -> bool:
        """Whether the last step of a linear path, or every step of a free one, is completed."""
        states = self.states(is_completed)
        decisive = states[-1:] if self.kind == "linear" else states
        return all(state == "completed" for state in decisive)


def _state(done: bool, opens: bool) -> StepState:  # noqa: FBT001 -- private
    if done:
        return "completed"
    return "open" if opens else "locked"
