"""What became of each row of a bulk operation, read from its results."""

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

OUTCOME_COLUMNS = ("answered", "accepted", "resource_id", "reason")
NO_RESULT = "360Learning reported no result for this row"
_ADDRESS = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")


def masked(text: str) -> str:
    """A text with every address in it masked, so that it can be shown."""
    return _ADDRESS.sub("<address>", text)


def course_key(body: Mapping[str, Any]) -> Hashable:
    """What tells a course apart from the others of its operation."""
    return str(body.get("externalId", ""))


def statistic_key(body: Mapping[str, Any]) -> Hashable:
    """What tells a statistic apart: course, learner, and the first activity of the attempt."""
    learner = _value(body.get("userIdentifier")).lower()
    return _value(body.get("courseIdentifier")), learner, str(body.get("firstActivityAt", ""))


def _value(identifier: object) -> str:
    """An identifier's value. What others have sent may be of any shape: then it is none of ours."""
    return str(identifier.get("value", "")) if isinstance(identifier, dict) else ""


def outcomes(keys: Sequence[Hashable], results: Mapping[Hashable, Mapping[str, Any]]) -> pd.DataFrame:
    """What became of each sent row, in its order: answered and accepted bool, resource_id and reason str.

    ``results`` holds the operation's results by the key of their input. A row without a result is neither
    answered nor accepted. Addresses in the platform's messages are masked, so that reasons can be shown.
    """
    answers = [results.get(key) for key in keys]
    accepted = [answer is not None and answer.get("status") == "success" for answer in answers]
    resources = [str(answer.get("resourceId") or "") if answer else "" for answer in answers]
    reasons = [_reason(answer) for answer in answers]
    return pd.DataFrame(
        {
            "answered": pd.Series([answer is not None for answer in answers], dtype=bool),
            "accepted": pd.Series(accepted, dtype=bool),
            "resource_id": pd.Series(resources, dtype="str"),
            "reason": pd.Series(reasons, dtype="str"),
        }
    )


def _reason(answer: Mapping[str, Any] | None) -> str:
    if answer is None:
        return NO_RESULT
    message = str(answer.get("errorMessage") or "no reason given")
    return f"360Learning: {masked(message)}"
