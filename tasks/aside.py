"""Rows put aside: taken up again by every run, and gone once accepted or gone from Coursera."""

from collections.abc import Sequence

import orjson
import pandas as pd

from connectors.coursera.listing import identity
from connectors.ledger import rejects
from tasks.extract import Reading
from tasks.run import Run


def taken_up_again(run: Run, stream: str, reading: Reading) -> list[object]:
    """Rows put aside by earlier runs that a reading does not show, though Coursera may have them still."""
    if reading.shows_all:
        return []
    with run.ledger.begin() as db:
        aside = rejects.known_rejects(db, run.target.id, stream)
    shown = {identity(element) for element in reading.elements}
    elements: list[object] = [orjson.loads(raw) for raw in aside["raw"].dropna()]
    return [element for element in elements if identity(element) not in shown]


def named(elements: Sequence[object], put_aside: pd.DataFrame) -> pd.DataFrame:
    """The rows that could not be mapped (position, reason), as the ledger keeps them."""
    rows = [elements[position] for position in put_aside["position"]]
    return pd.DataFrame(
        {
            "row_id": pd.Series([identity(row) for row in rows], dtype="str"),
            "reason": put_aside["reason"],
            "learner": None,
            "course": pd.Series([_course(row) for row in rows], dtype="str"),
            "raw": pd.Series([orjson.dumps(row).decode() for row in rows], dtype="str"),
        }
    )


def replace(run: Run, stream: str, aside: pd.DataFrame, to_send: Sequence[str]) -> None:
    """Put rows aside, and forget all others but those that are about to be sent again.

    Every row that was aside has been looked at by now: what is in neither was mapped and needs nothing, or
    is gone from Coursera.
    """
    with run.ledger.begin() as db:
        known = rejects.known_rejects(db, run.target.id, stream)["row_id"]
        stay = {*aside["row_id"], *to_send}
        rejects.take_back(db, run.target.id, stream, [row for row in known if row not in stay])
        now_ms = run.surroundings.now_ms()
        rejects.put_aside(db, run.target.id, stream, aside, run_id=run.id, now_ms=now_ms)


def _course(row: object) -> str | None:
    course = row.get("contentId") if isinstance(row, dict) else None
    return course if isinstance(course, str) else None
