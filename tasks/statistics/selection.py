"""The rows of a reading that are for one target, and those that were rejected and are tried again."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import orjson
import pandas as pd

from connectors.coursera.models import report_rows
from connectors.ledger.database import Ledger
from connectors.ledger.keys import KEY, keyed
from connectors.ledger.records.rejects import known_rejects, reject_ids
from connectors.ledger.streams import STATISTICS
from tasks.extract.staging import StagedListing, typed
from tasks.extract.window import EVERYTHING, ActivityWindow
from tasks.transform.statistics.enrollment_reports import ROW_ID
from tasks.transform.statistics.filters import selected
from tasks.transform.statistics.learner_moves import AddressMap


@dataclass(frozen=True)
class Selection:
    """Which rows a run is about; ``learners`` are digests of addresses. None of a kind: all."""

    programs: Collection[str] = ()
    window: ActivityWindow = EVERYTHING
    learners: Collection[str] = ()


@dataclass(frozen=True, eq=False)
class Rejected:
    """What was rejected before.

    ``statistics``: attempts that were refused, or whose outcome is unknown: row_id, learner, course and
    uncertain str, key int64; ``unmappable``: rows that could not be mapped: row_id and raw (JSON) str.
    """

    statistics: pd.DataFrame
    unmappable: pd.DataFrame

    @classmethod
    def load(cls, ledger: Ledger, target_id: int, addresses: AddressMap) -> "Rejected":
        """Load it; the statistics under the addresses that their learners have now."""
        with ledger.read() as db:
            known = known_rejects(db, target_id, STATISTICS)
        statistics = known.loc[known["learner"].notna(), [ROW_ID, *KEY, "uncertain"]].reset_index(drop=True)
        statistics = statistics.assign(
            learner=addresses.current(statistics["learner"]),
            number=statistics[ROW_ID].str.extract(r"~(\d+)$", expand=False),
        )
        statistics[ROW_ID] = reject_ids(statistics)
        unmappable = known.loc[known["raw"].notna(), [ROW_ID, "raw"]].reset_index(drop=True)
        return cls(keyed(statistics.drop(columns="number")), unmappable)


def rows_of_target(
    staged: StagedListing,
    selection: Selection,
    rejected: pd.DataFrame,
    *,
    is_exhaustive: bool,
    send_scores: bool,
) -> Iterator[pd.DataFrame]:
    """The rows (REPORT_COLUMNS) of a reading that are for a target, frame by frame.

    Last come the rows that could not be mapped before (``rejected``: row_id, raw) and that no frame showed;
    no selection cuts them. What a reading that ``is_exhaustive`` does not show is gone.
    """
    shown: set[str] = set()
    window = selection.window
    for frame in staged.frames():
        mask = selected(
            frame,
            programs=selection.programs,
            active_from_ms=window.since,
            active_to_ms=window.until,
            learners=selection.learners,
        )
        rows = frame if mask.all() else frame.loc[mask].reset_index(drop=True)
        shown.update(rows.loc[rows[ROW_ID].isin(rejected[ROW_ID]), ROW_ID])
        yield rows
    again = rejected.loc[~rejected[ROW_ID].isin(shown)]
    if len(again) and not is_exhaustive:
        # By the ids that they are known by: what is kept of a row need not tell its own.
        elements = report_rows(map(orjson.loads, again["raw"]))
        yield typed(elements, again[ROW_ID].tolist(), send_scores=send_scores)
