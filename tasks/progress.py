"""Transform, for learners' progress: reports become enrollments, and those attempts to send."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd

from connectors.ledger import rejects, statistics
from tasks import aside
from tasks.examples import show_attempts
from tasks.extract import Reading
from tasks.kinds import UNCERTAIN, attempt_ids
from tasks.mapping.attempts import HELD, KEY, SEND, UNCHANGED, merge
from tasks.mapping.learners import renamed, resolve_addresses
from tasks.mapping.statistics import map_enrollments
from tasks.run import Run
from tasks.step import step

STREAM = "statistics"
ROW = [*KEY, "program"]

logger = logging.getLogger("coursera_sync.progress")


@dataclass(frozen=True)
class MappedReports:
    """``enrollments``: ENROLLMENT_COLUMNS; ``aside``: the rows put aside, as the ledger keeps them.

    Where it is a part of a reading, ``name`` says which; the first one brings the rows put aside, and
    ``shown`` (learner, course) are the rows of all parts.
    """

    enrollments: pd.DataFrame
    aside: pd.DataFrame
    shown: pd.DataFrame
    name: str = ""
    is_first: bool = True


@step("map the enrollment reports, with the launch rule")
async def map_reports(run: Run, reading: Reading) -> MappedReports:
    """Map every report row, and those that earlier runs put aside; count what is put aside."""
    elements = [*reading.elements, *aside.taken_up_again(run, STREAM, reading)]
    mapped = map_enrollments(
        elements,
        now_ms=run.surroundings.now_ms(),
        send_scores=run.settings.sync.send_scores,
        launch_rule=run.settings.sync.launch_rule,
    )
    run.summary.extracted += len(elements)
    run.reject(mapped.rejects["reason"])
    shown = mapped.enrollments[KEY].drop_duplicates()
    return MappedReports(mapped.enrollments, aside.named(elements, mapped.rejects), shown)


def by_month(reports: MappedReports) -> Iterator[MappedReports]:
    """A reading in parts, by the month (UTC) of the last activity, oldest first.

    The rows of one learner and one course stay together, so that their merge is right in whatever part.
    """
    last_at = reports.enrollments.groupby(KEY)["last_at"].transform("min")
    months = pd.to_datetime(last_at, unit="ms").dt.strftime("%Y-%m")
    for number, month in enumerate(sorted(months.unique()) or [""]):
        part = reports.enrollments.loc[months.eq(month)].reset_index(drop=True)
        yield replace(reports, enrollments=part, name=month, is_first=number == 0)


@step("compare learners' progress with what 360Learning has accepted")
async def plan_statistics(run: Run, reading: Reading, reports: MappedReports) -> pd.DataFrame:
    """Fold the rows into attempts and find those that are new or went on.

    Returns the attempts to send. The merge includes what the ledger knows of rows that the reading does not
    show; the ledger then knows the rows as they were read.
    """
    pool = _Pool(run, reports, retried=reports.is_first and not reading.shows_all)
    attempts, parts = merge(pool.enrollments, pool.accepted, launch_rule=run.settings.sync.launch_rule)
    _count(run, reports.enrollments, attempts)
    send = attempts.loc[attempts["action"].eq(SEND)].reset_index(drop=True)
    # Statistics of unknown outcome stay put aside: sent again, they could open a second attempt.
    uncertain = attempt_ids(send).isin(pool.uncertain)
    run.reject([UNCERTAIN] * int(uncertain.sum()))
    if not run.dry_run:
        _write_down(run, pool, parts)
        if reports.is_first:
            aside.replace(run, STREAM, reports.aside, [*attempt_ids(send), *pool.uncertain])
    send = send.loc[~uncertain].reset_index(drop=True)
    show_attempts(run, send, pool.accepted)
    return send


class _Pool:
    """All rows and accepted attempts of the learners' courses that a reading touches."""

    def __init__(self, run: Run, reports: MappedReports, *, retried: bool) -> None:
        read = reports.enrollments
        target_id = run.target.id
        with run.ledger.begin() as db:
            ids = read.loc[read["external_id"].ne(""), "external_id"].unique().tolist()
            known_addresses = statistics.addresses_of(db, target_id, ids)
            read, self.moves = resolve_addresses(read, known_addresses)
            known_rejects = rejects.known_rejects(db, target_id, STREAM)
            refused = _refused(known_rejects, reports.shown) if retried else reports.shown.iloc[:0]
            self.uncertain = known_rejects.loc[known_rejects["uncertain"].notna(), "row_id"].tolist()
            learners = [*read["learner"], *self.moves["old"], *refused["learner"]]
            learners = pd.Series(learners, dtype="str").unique().tolist()
            known = renamed(statistics.enrollments_of(db, target_id, learners), self.moves)
            accepted = renamed(statistics.attempts_of(db, target_id, learners), self.moves)
        touched = pd.concat([read[KEY], renamed(refused, self.moves)[KEY]]).drop_duplicates()
        self.known = known.drop_duplicates(ROW)
        self.accepted = accepted.merge(touched, on=KEY).drop_duplicates([*KEY, "number"])
        self.enrollments = _with_known(read, self.known.merge(touched, on=KEY), renamed(refused, self.moves))


def _refused(known_rejects: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Learners and courses of statistics that 360Learning refused, and that the reading does not show."""
    refused = known_rejects.loc[known_rejects["learner"].notna(), KEY].drop_duplicates()
    other = refused.merge(shown, on=KEY, how="left", indicator=True)
    return other.loc[other["_merge"].eq("left_only"), KEY]


def _with_known(read: pd.DataFrame, known: pd.DataFrame, refused: pd.DataFrame) -> pd.DataFrame:
    """The rows of a reading, and those that only the ledger knows; refused ones count as read again."""
    unseen = known.merge(read[ROW].drop_duplicates(), on=ROW, how="left", indicator=True)
    unseen = unseen.loc[unseen["_merge"].eq("left_only")].drop(columns="_merge")
    retried = unseen[KEY].merge(refused, on=KEY, how="left", indicator=True)["_merge"].eq("both")
    unseen = unseen.assign(read=retried.to_numpy(dtype=bool))
    rows = read.assign(read=True)
    return pd.concat([rows, unseen], ignore_index=True) if len(unseen) else rows


def _count(run: Run, read: pd.DataFrame, attempts: pd.DataFrame) -> None:
    """Every row that was read is in one attempt; an attempt's first row is counted by what becomes of it."""
    rows = attempts["rows"]
    shown = rows.gt(0)
    # Rows taken up again from the ledger, and attempts that only the ledger's rows make, count as extracted.
    again = int(rows.sum()) - len(read) + int((~shown & attempts["action"].eq(SEND)).sum())
    run.summary.extracted += again
    run.summary.merged += int((rows[shown] - 1).sum())
    run.summary.held += int((shown & attempts["action"].eq(HELD)).sum())
    run.summary.unchanged += int((shown & attempts["action"].eq(UNCHANGED)).sum())


def _write_down(run: Run, pool: _Pool, parts: pd.DataFrame) -> None:
    """Let the ledger know the rows as they were read, where that is new, and learners under a new address."""
    columns = statistics.ENROLLMENT_COLUMNS
    read = parts.loc[parts["read"], columns].drop_duplicates(ROW, keep="last")
    same = read.merge(pool.known[columns], on=columns, how="left", indicator=True)["_merge"].eq("both")
    with run.ledger.begin() as db:
        for old, new in zip(pool.moves["old"], pool.moves["new"], strict=True):
            statistics.move_learner(db, run.target.id, old, new)
        statistics.record_enrollments(db, run.target.id, read.loc[~same.to_numpy()], run_id=run.id)
    if len(pool.moves):
        run.note(f"Learners with a new address, whose attempts moved with it: {len(pool.moves)}")
