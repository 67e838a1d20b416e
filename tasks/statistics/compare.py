"""Compare a part of a reading with the ledger: which attempts are new or went on. Frames in, frames out.

All rows of a learner's course are mapped, added to what else the ledger knows of it, and merged into
attempts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from connectors.ledger.keys import KEY
from connectors.ledger.records.enrollments import ENROLLMENT_COLUMNS, HELD_ATTEMPT
from connectors.ledger.records.rejects import reject_ids
from connectors.settings import SyncSettings
from tasks.load.operations import SENT_COLUMNS, UNCERTAIN
from tasks.reporting.summary import Counts
from tasks.statistics.ledger_state import ROW, LedgerState
from tasks.statistics.parts import Part
from tasks.transform.statistics.attempts import HELD, RANK, SEND, UNCHANGED, merge
from tasks.transform.statistics.enrollment_reports import NO_DIGEST
from tasks.transform.statistics.enrollments import LaunchRule, map_enrollments


@dataclass(frozen=True)
class Rules:
    """What decides how rows are mapped and merged; ``now_ms``: when the reading ended.

    ``retries``: statistics that were rejected are sent again though no row shows them, for the reading does
    not show all there is.
    """

    now_ms: int
    launch_rule: LaunchRule = "completed"
    send_scores: bool = False
    retries: bool = False

    @classmethod
    def of(cls, settings: SyncSettings, *, now_ms: int, retries: bool) -> "Rules":
        """The rules as people have set them."""
        return cls(now_ms, settings.launch_rule, settings.send_scores, retries)


@dataclass(frozen=True, eq=False)
class MappedPart:
    """A part's rows, by whether they could be mapped.

    ``enrollments``: what rows were mapped to (ENROLLMENT_COLUMNS but attempt); ``unmappable``: report rows
    that could not be, with ``reason``; ``keys``: learner, course and key of the learners' courses to compare,
    each once; ``counts``: of the rows left alone, and of those rejected here; ``ignored``: courses of rows by
    what is ignored in them.
    """

    enrollments: pd.DataFrame
    unmappable: pd.DataFrame
    ignored: Mapping[str, Sequence[str]]
    keys: pd.DataFrame
    counts: Counts


@dataclass(frozen=True, eq=False)
class StatisticsPlan:
    """What comes of a part.

    ``send``: the attempts to send (SENT_COLUMNS); ``planned``: the rows that the ledger is to know once those
    are settled, and ``known``: those that it is to know at once (both ENROLLMENT_COLUMNS); ``before``: the
    attempts as 360Learning has accepted them (ATTEMPT_COLUMNS); ``unmappable`` and ``ignored``: see
    `MappedPart`; ``resolved``: ids of rejected statistics that need not be any more; ``uncertain``: how many
    are not sent, since nobody knows whether they were.
    """

    send: pd.DataFrame
    planned: pd.DataFrame
    known: pd.DataFrame
    before: pd.DataFrame
    unmappable: pd.DataFrame
    ignored: Mapping[str, Sequence[str]]
    resolved: Sequence[str]
    uncertain: int
    counts: Counts

    @property
    def reasons(self) -> list[str]:
        """Why rows were rejected here."""
        return [*self.unmappable["reason"], *[UNCERTAIN] * self.uncertain]


def map_part(part: Part, rules: Rules) -> MappedPart:
    """Map the rows of a part."""
    mapped = map_enrollments(part.rows, now_ms=rules.now_ms, send_scores=rules.send_scores)
    enrollments = mapped.enrollments
    of_row = part.rows[["key", "digest"]].loc[enrollments["position"]].set_axis(enrollments.index)
    unmappable = part.rows.loc[mapped.rejects["position"]].assign(reason=mapped.rejects["reason"].to_numpy())
    return MappedPart(
        enrollments.drop(columns="position").assign(
            key=of_row["key"], digest=of_row["digest"].astype("Int64").mask(of_row["digest"].eq(NO_DIGEST))
        ),
        unmappable,
        {what: part.rows.loc[rows, "contentId"].tolist() for what, rows in mapped.ignored.items()},
        _keys_to_compare(enrollments.assign(key=of_row["key"]), part.rejects, rules),
        part.left_alone + Counts(extracted=len(unmappable)),
    )


def plan(part: Part, found: MappedPart, state: LedgerState, rules: Rules) -> StatisticsPlan:
    """Merge rows into attempts, together with what the ledger knows of them, and find those to send."""
    enrollments = with_unseen(found.enrollments, state.enrollments)
    attempts, rows = merge(enrollments, state.accepted, launch_rule=rules.launch_rule)
    wanted = attempts.loc[attempts["action"].eq(SEND)].reset_index(drop=True)
    ids = reject_ids(wanted.loc[wanted["key"].isin(part.rejects["key"])])
    is_unknown = part.rejects["uncertain"].notna()
    # Statistics of unknown outcome stay rejected: sent again, they could open a second attempt.
    uncertain = ids.index[ids.isin(part.rejects["row_id"][is_unknown])]
    send = wanted.drop(index=uncertain)[SENT_COLUMNS].reset_index(drop=True)
    news = _changed(rows, state.enrollments)
    travels = _is_among(news, send)
    waits = _is_among(news, wanted.loc[uncertain])
    stays = part.rejects["row_id"].isin(ids) | is_unknown
    return StatisticsPlan(
        send=send,
        planned=news.loc[travels].reset_index(drop=True),
        known=news.assign(digest=news["digest"].mask(waits)).loc[~travels].reset_index(drop=True),
        before=state.accepted,
        unmappable=found.unmappable,
        ignored=found.ignored,
        resolved=part.rejects["row_id"][~stays].tolist(),
        uncertain=len(uncertain),
        counts=found.counts + _count_compared(len(found.enrollments), attempts),
    )


def _keys_to_compare(enrollments: pd.DataFrame, rejects: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    columns = [*KEY, "key"]
    retried = rejects[columns] if rules.retries else rejects[columns].iloc[:0]
    return pd.concat([enrollments[columns], retried]).drop_duplicates("key", ignore_index=True)


def with_unseen(shown: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The rows shown, and those that only the ledger knows: ENROLLMENT_COLUMNS but attempt; read."""
    columns = [name for name in ENROLLMENT_COLUMNS if name != "attempt"]
    rows = shown[columns].assign(read=True)
    if known.empty:
        return rows
    is_seen = known[ROW].merge(shown[ROW].drop_duplicates(), on=ROW, how="left", indicator=True)["_merge"]
    unseen = known.loc[is_seen.eq("left_only").to_numpy(), columns].assign(read=False)
    return pd.concat([rows, unseen], ignore_index=True) if len(unseen) else rows


def _changed(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The rows that the ledger does not know like this, or not as part of this attempt.

    Of two rows of one learner's course and program the one that counts more in the merge is kept.
    """
    doubled = rows.duplicated(ROW, keep=False)
    if doubled.any():
        ranked = rows.assign(score_rank=rows["score"].fillna(-1)).sort_values(RANK, kind="stable")
        rows = ranked.drop_duplicates(ROW, keep="last").sort_index()
    if known.empty:
        return rows[ENROLLMENT_COLUMNS]
    before = rows[ROW].merge(known[[*ROW, "digest", "attempt"]], on=ROW, how="left").set_axis(rows.index)
    same = rows["digest"].eq(before["digest"]).fillna(value=False) | ~rows["read"]
    same &= rows["attempt"].fillna(HELD_ATTEMPT).eq(before["attempt"].fillna(HELD_ATTEMPT))
    return rows.loc[~same.astype(bool), ENROLLMENT_COLUMNS]


def _is_among(rows: pd.DataFrame, attempts: pd.DataFrame) -> pd.Series:
    """Which rows are part of these attempts."""
    if attempts.empty or rows.empty:
        return pd.Series(data=False, index=rows.index)
    places = attempts[["key", "number"]].rename(columns={"number": "attempt"}).astype({"attempt": "Int64"})
    found = rows[["key", "attempt"]].merge(places, on=["key", "attempt"], how="left", indicator=True)
    return found["_merge"].eq("both").set_axis(rows.index)


def _count_compared(shown: int, attempts: pd.DataFrame) -> Counts:
    """Every row shown is in one attempt, whose first row is counted by what becomes of it.

    An attempt that is sent though no row shows it is extracted as well.
    """
    is_shown = attempts["rows"].gt(0)
    sends = attempts["action"].eq(SEND)
    return Counts(
        extracted=shown + int((sends & ~is_shown).sum()),
        merged=shown - int(is_shown.sum()),
        held=int((is_shown & attempts["action"].eq(HELD)).sum()),
        unchanged=int((is_shown & attempts["action"].eq(UNCHANGED)).sum()),
    )
