"""Transform, for learners' progress: enrollments become attempts, and those the statistics to send."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pandas as pd

from connectors.ledger import rejects
from connectors.ledger.attempts import renumber_attempts
from connectors.ledger.enrollments import ENROLLMENT_COLUMNS, HELD_ATTEMPT, record_enrollments
from connectors.ledger.learners import move_learners, record_addresses
from connectors.ledger.streams import STATISTICS
from tasks.extract.accepted_courses import accepted_names
from tasks.load import rejects as aside
from tasks.load.dispatcher import Outbox
from tasks.load.operations import SENT_COLUMNS, UNCERTAIN, reject_ids
from tasks.reporting.samples import sample_attempts
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.statistics.ahead import Ahead, nothing_sent
from tasks.statistics.intake import Intake
from tasks.statistics.parts import Part
from tasks.statistics.pool import ROW, Pool
from tasks.statistics.settled import Settled
from tasks.transform.plan_rows import attempt_rows
from tasks.transform.statistics.attempts import HELD, SEND, UNCHANGED, merge


async def send_progress(run: RunContext, outbox: Outbox, parts: Iterator[Part], settled: Settled) -> None:
    """Work through a reading: what a part has to send goes out while the next one is looked at.

    A late part waits for what was sent ahead, while the reading went on.
    """
    ahead = outbox.added
    while (part := await run.shared.frames.do(next, parts, None)) is not None:
        if part.is_late:
            await outbox.settle(ahead)
        await outbox.add(await plan_statistics(run, part, settled))


@step("put aside enrollment reports that cannot be mapped")
async def put_aside(run: RunContext, intake: Intake) -> None:
    """Put aside what cannot be mapped.

    What earlier runs put aside for that is forgotten: it has been mapped by now, or is gone from Coursera.
    """
    rows = intake.put_aside
    run.recorder.add(extracted=len(rows))
    run.recorder.reject(rows["reason"])
    if not run.dry_run:
        aside.replace_unmapped(run, STATISTICS, rows)


@step("compare learners' progress with what 360Learning has accepted")
async def plan_statistics(run: RunContext, part: Part, settled: Settled) -> pd.DataFrame:
    """Fold the rows of a part into attempts and find those that are new or went on.

    Returns the attempts to send (SENT_COLUMNS). The merge includes what the ledger
    knows of rows that the reading does not show; the ledger then knows the rows as they were read.
    """
    frames = run.shared.frames
    plan = await frames.do(_planned, run, part, settled)
    if not run.dry_run:
        await frames.do(_write_down, run, part, plan)
        if len(part.moves):
            moved = part.moves["old"].nunique()
            run.note(f"Learners with a new address, whose attempts moved with it: {moved}")
    run.recorder.add(extracted=len(part.rows))
    _count(run, plan.live, plan.attempts)
    run.recorder.reject([UNCERTAIN] * plan.uncertain)
    names_of = partial(accepted_names, run.ledger, run.target.id)
    sample_attempts(run.recorder, plan.send, plan.accepted, names_of)
    if run.dry_run:
        names = names_of(plan.send["course"].unique().tolist())
        run.recorder.plan(attempt_rows(plan.send, plan.accepted, names))
    return plan.send


@dataclass(frozen=True, eq=False)
class _Plan:
    """What comes of a part.

    ``live``: how many of its rows were not done with by what was sent ahead; ``attempts``: see `_count`;
    ``send``: SENT_COLUMNS; ``uncertain``: how many are not sent since it is not known whether they were;
    ``accepted``: what was known of them; ``news``: the rows to be known from now on (ENROLLMENT_COLUMNS);
    ``settled``: the statistics that were put aside, and need not be (their row_id).
    """

    live: int
    attempts: pd.DataFrame
    send: pd.DataFrame
    uncertain: int
    accepted: pd.DataFrame
    news: pd.DataFrame
    settled: pd.Series


def _planned(run: RunContext, part: Part, settled: Settled) -> _Plan:
    sent = part.ahead.of(part.rows) if part.ahead else nothing_sent(part.rows.index)
    is_done = sent["number"].gt(0) & (not part.is_late)
    live = part.rows.loc[~is_done]
    is_first = settled.knows_nothing and not part.is_late
    pool = Pool(run, live, part.retried, part.moves, settled=settled, is_first=is_first)
    late = sent.assign(key=part.rows["key"])[sent["number"].gt(0) & part.is_late].drop_duplicates("key")
    accepted = _with_provisional(pool.accepted, late)
    attempts, rows = merge(pool.enrollments, accepted, launch_rule=run.settings.sync.launch_rule)
    attempts = _beside_sent(attempts, late)
    done = part.rows.loc[is_done].assign(attempt=sent.loc[is_done, "number"].astype("Int64"))
    send = attempts.loc[attempts["action"].eq(SEND) & ~attempts["refused"]].reset_index(drop=True)
    aside, ids = part.aside["row_id"], reject_ids(send.loc[send["key"].isin(part.aside["key"])])
    # Statistics of unknown outcome stay put aside: sent again, they could open a second attempt.
    is_unknown = part.aside["uncertain"].notna()
    uncertain = ids.index[ids.isin(aside[is_unknown])]
    return _Plan(
        live=len(live),
        attempts=attempts,
        send=send[SENT_COLUMNS].drop(index=uncertain).reset_index(drop=True),
        uncertain=len(uncertain),
        accepted=pool.accepted,
        news=pd.concat([done[ENROLLMENT_COLUMNS], _changed(rows, pool.known)], ignore_index=True),
        settled=aside[~is_unknown & ~aside.isin(ids)],
    )


def count_settled(run: RunContext, settled: Settled, ahead: Ahead) -> None:
    """Count the rows of which all was known: one speaks for its attempt, or is held, others are in it."""
    left = pd.DataFrame(settled.left, columns=["key", "attempt"])
    each = left.drop_duplicates(ignore_index=True)
    # What speaks for an attempt that was sent ahead is the row that was sent.
    sent = ahead.of(each)["number"]
    is_spoken_for = sent.eq(each["attempt"]) & sent.gt(0)
    is_held = each["attempt"].eq(HELD_ATTEMPT)
    run.recorder.add(
        extracted=settled.doubled + len(left),
        merged=settled.doubled + len(left) - len(each) + int(is_spoken_for.sum()),
        held=int(is_held.sum()),
        unchanged=int((~is_held & ~is_spoken_for).sum()),
    )


def _changed(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The rows that were read and that the ledger does not know like this, or not as part of this attempt."""
    read = rows.loc[rows["read"], ENROLLMENT_COLUMNS]
    if known.empty:
        return read
    before = read[ROW].merge(known[[*ROW, "digest", "attempt"]], on=ROW, how="left").set_axis(read.index)
    same = read["digest"].eq(before["digest"]).fillna(value=False)
    same &= read["attempt"].fillna(HELD_ATTEMPT).eq(before["attempt"].fillna(HELD_ATTEMPT))
    return read.loc[~same.astype(bool)]


def _with_provisional(accepted: pd.DataFrame, sent: pd.DataFrame) -> pd.DataFrame:
    """Mark the attempts that this reading itself opened ahead: their numbers may still change."""
    if sent.empty:
        return accepted
    opened = sent.loc[sent["is_new"], ["key", "number"]]
    found = accepted[["key", "number"]].merge(opened, how="left", indicator=True)["_merge"]
    return accepted.assign(provisional=found.eq("both").to_numpy())


def _beside_sent(attempts: pd.DataFrame, sent: pd.DataFrame) -> pd.DataFrame:
    """Say which attempts were sent ahead (``ahead``), and which of them were refused (``refused``)."""
    if sent.empty:
        return attempts.assign(ahead=False, refused=False)
    both = attempts[["key", "known"]].merge(sent[["key", "number", "refused"]], on="key", how="left")
    both = both.set_index(attempts.index)
    # One that was refused is not known, unless it was before: then it is the first that is not settled.
    is_refused = both["refused"].eq(True) & attempts["action"].eq(SEND)  # noqa: FBT003 - NA where not sent
    is_refused &= ~attempts["key"].loc[is_refused].duplicated().reindex(attempts.index, fill_value=True)
    accepted = both["refused"].eq(False) & both["known"].eq(both["number"])  # noqa: FBT003
    return attempts.assign(ahead=accepted | is_refused, refused=is_refused)


def _count(run: RunContext, read: int, attempts: pd.DataFrame) -> None:
    """Every row that was read is in one attempt; an attempt's first row is counted by what becomes of it.

    Where that attempt was sent ahead, one of its rows has been counted by what became of it then.
    """
    others = attempts["rows"] - attempts["ahead"].astype("int64")
    sends = attempts["action"].eq(SEND) & ~attempts["refused"]
    speaks = others.gt(0) & (sends | ~attempts["ahead"])
    # Rows taken up again from the ledger, and attempts that no row of the reading speaks for, are extracted.
    run.recorder.add(
        extracted=int(attempts["rows"].sum()) - read + int((sends & others.eq(0)).sum()),
        merged=int((others - speaks.astype("int64")).sum()),
        held=int((speaks & attempts["action"].eq(HELD)).sum()),
        unchanged=int((speaks & attempts["action"].eq(UNCHANGED)).sum()),
    )


def _write_down(run: RunContext, part: Part, plan: _Plan) -> None:
    """Let the ledger know the rows as they were read, and learners under a new address.

    Statistics that were put aside are forgotten, but for those that are to be sent again.
    """
    target_id = run.target.id
    known = plan.attempts["known"]
    renumbered = plan.attempts.loc[known.gt(0) & known.ne(plan.attempts["number"])]
    renumbered = renumbered[["key", "known", "number"]].set_axis(["key", "number", "becomes"], axis="columns")
    moves = dict(zip(part.moves["old"], part.moves["new"], strict=True))
    with run.ledger.begin() as db:
        if moves:
            move_learners(db, target_id, moves)
        record_addresses(db, target_id, part.addresses)
        renumber_attempts(db, target_id, renumbered)
        record_enrollments(db, target_id, plan.news, run_id=run.id)
        rejects.delete(db, target_id, STATISTICS, plan.settled.tolist())
