"""What became of each row of a bulk operation, read from its results."""

from collections.abc import Hashable, Mapping, Sequence

import pandas as pd

from connectors.addresses import fold
from connectors.learning360.models import Result, ResultInput
from tasks.reporting.redaction import said

OUTCOME_COLUMNS = ("answered", "accepted", "resource_id", "reason")
NO_RESULT = "360Learning reported no result for this row"
NOTHING = Result()


def course_key(sent: ResultInput) -> Hashable:
    """What tells a course apart from the others of its operation."""
    return str(sent.externalId)


def statistic_key(sent: ResultInput) -> Hashable:
    """What tells a statistic apart: course, learner, and the first activity of the attempt.

    What others have sent may lack one of them: then it is none of ours.
    """
    course, learner = sent.courseIdentifier, sent.userIdentifier
    if course is None or learner is None:
        return None
    return str(course.value), fold(str(learner.value)), str(sent.firstActivityAt)


def outcomes(keys: Sequence[Hashable], results: Mapping[Hashable, Result]) -> pd.DataFrame:
    """What became of each sent row, in its order: answered and accepted bool, resource_id and reason str.

    ``results`` holds the operation's results by the key of their input. A row without a result is neither
    answered nor accepted; one that is accepted needs no reason. What the platform says is kept so that it can
    be shown (`said`).
    """
    answers = [_answer(results.get(key, NOTHING)) for key in keys]
    accepted = [answer.status == "success" for answer in answers]
    resources = ["" if answer.resourceId is None else str(answer.resourceId) for answer in answers]
    reasons = [
        "" if is_accepted else _reason(answer) for answer, is_accepted in zip(answers, accepted, strict=True)
    ]
    return pd.DataFrame(
        {
            "answered": pd.Series([answer is not NOTHING for answer in answers], dtype=bool),
            "accepted": pd.Series(accepted, dtype=bool),
            "resource_id": pd.Series(resources, dtype="str"),
            "reason": pd.Series(reasons, dtype="str"),
        }
    )


def _answer(result: Result) -> Result:
    """The result itself; one in a status that the contract does not name says nothing of its row."""
    return result if result.status in {"success", "error"} else NOTHING


def _reason(answer: Result) -> str:
    if answer is NOTHING:
        return NO_RESULT
    message = str(answer.errorMessage or "no reason given")
    return f"360Learning: {said(message)}"
