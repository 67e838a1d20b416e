"""Faults that can be switched on in front of a platform: rules, looked through in order."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from sandbox.values import Json

#: `answer` in the platform's place; `delay`, then go on; answer `half` of the body and break off;
#: `lose` the answer of a request that was processed; `reset` the connection before anything is processed;
#: `rewrite` the platform's own answer: `body` holds texts, and what is to stand in their places (a character
#: is a byte), for what no JSON library would write; an `endless` answer of the `body`, over and over, each
#: time after the delay.
Action = Literal["answer", "delay", "endless", "half", "lose", "reset", "rewrite"]


@dataclass
class Fault:
    """One rule. It lets `skip` matching requests pass, then hits `times` of them (None: all)."""

    action: Action
    method: str = ""
    #: A regular expression, searched for in the path.
    path: str = ""
    platform: str = ""
    skip: int = 0
    times: int | None = None
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Text and bytes are sent as HTML, None as nothing at all, anything else as JSON.
    body: Any = None
    delay_ms: int = 0
    #: Requests that matched so far, and those of them that were hit.
    seen: int = 0
    hits: int = 0

    def take(self, method: str, path: str, platform: str) -> bool:
        """Whether this request is hit; counts it."""
        if not self._matches(method, path, platform):
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True

    def _matches(self, method: str, path: str, platform: str) -> bool:
        return (
            self.method.upper() in ("", method)
            and self.platform in ("", platform)
            and re.search(self.path, path) is not None
        )


class Faults:
    """The rules in force, all of them on one list that may be looked at and changed."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []

    def add(self, action: Action, **fields: Any) -> Fault:  # noqa: ANN401 -- the fields of Fault
        """One more rule, at the end of the list; ValueError for an action there is not."""
        if action not in get_args(Action):
            raise ValueError(f"no such action: {action}")
        self.rules.append(Fault(action, **fields))
        return self.rules[-1]

    def clear(self) -> None:
        """No faults any more."""
        self.rules.clear()

    def pick(self, method: str, path: str, platform: str) -> Fault | None:
        """The first rule that hits this request."""
        return next((rule for rule in self.rules if rule.take(method, path, platform)), None)

    def to_json(self) -> list[Json]:
        """The rules with their counts."""
        return [asdict(rule) for rule in self.rules]
