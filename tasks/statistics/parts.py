"""A reading in parts that can be worked on one after the other: learners by learners, months by months."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd

from connectors.ledger.enrollments import enrollments_beside
from connectors.ledger.keys import keyed, keys
from connectors.ledger.learners import addresses_of
from tasks.runtime.run_context import RunContext
from tasks.statistics.ahead import Ahead, nothing_sent
from tasks.statistics.intake import Intake
from tasks.statistics.pool import NO_KEYS
from tasks.statistics.settled import Settled, statistics_aside
from tasks.statistics.spool import Spool
from tasks.transform.row_keys import KEY, NO_NUMBERS, Numbers, isin_sorted
from tasks.transform.statistics.learner_moves import (
    NO_CHANGES,
    NO_MOVES,
    AddressChanges,
    address_changes,
    with_known_addresses,
    with_new_addresses,
)

ADDRESS = ["external_id", "learner", "updated_at"]


@dataclass(frozen=True)
class Part:
    """All rows of some learners' courses.

    ``rows``: see `tasks.statistics.intake.Mapped`; ``ahead`` knows which of them were sent ahead, and
    ``is_late`` says that the outcome of that must be known first; ``aside``: statistics of theirs that were
    put aside (see `tasks.statistics.settled.statistics_aside`), and ``retried`` (KEY) those of them to send
    again though no row shows them; ``moves``: old and new addresses of learners who moved; ``addresses``
    (ADDRESS): what is to be known of who is who, once this part is.
    """

    rows: pd.DataFrame
    aside: pd.DataFrame
    retried: pd.DataFrame
    moves: pd.DataFrame
    addresses: pd.DataFrame
    ahead: Ahead | None = None
    is_late: bool = False


@dataclass(frozen=True)
class Slice:
    """What of a reading is looked at: all of it, or a month.

    ``shown`` are the keys (see `connectors.ledger.keys`) of rows elsewhere in the reading. What was put
    aside and nothing shows is sent again where ``retries``, and forgotten where ``forgets``, for it is gone.
    """

    name: str
    partitions: Iterable[pd.DataFrame]
    shown: Numbers
    retries: bool
    forgets: bool


def whole(intake: Intake, *, is_exhaustive: bool) -> Slice:
    """A reading as a whole."""
    return Slice("", intake.partitions(), NO_NUMBERS, retries=not is_exhaustive, forgets=is_exhaustive)


@contextmanager
def by_month(intake: Intake) -> Iterator[list[Slice]]:
    """A reading by the month (UTC) of the last activity, oldest first.

    The rows of one learner and one course stay together, so that their merge is right in whatever part.
    """
    months: dict[str, Spool] = {}
    shown: list[Numbers] = []
    with ExitStack() as stack:
        for rows in intake.partitions():
            shown.append(rows["key"].unique())
            last_at = rows.groupby("key")["last_at"].transform("min")
            for month, part in rows.groupby(pd.to_datetime(last_at, unit="ms").dt.strftime("%Y-%m")):
                if month not in months:
                    months[str(month)] = stack.enter_context(Spool())
                    months[str(month)].expect(intake.expected)
                months[str(month)].add(part)
        everywhere = np.sort(np.concatenate([NO_NUMBERS, *shown]))
        slices = [
            Slice(name, months[name].partitions(), everywhere, retries=number == 0, forgets=False)
            for number, name in enumerate(sorted(months))
        ]
        yield slices or [Slice("", [], everywhere, retries=True, forgets=False)]


def parts(
    run: RunContext, intake: Intake, of: Slice, ahead: Ahead | None = None, settled: Settled | None = None
) -> Iterator[Part]:
    """Cut a reading into parts; last come those whose rows were sent ahead or whose learners moved.

    ``settled`` knows which rows were read beside those of the intake.
    """
    seen = intake.addresses
    changes = _address_changes(run, seen, settled)
    moves = changes.moves
    # Mostly nobody has moved, and no copy is made: there may be many.
    addresses = seen.loc[~seen["learner"].isin(changes.touched)] if changes.touched else seen
    aside = settled.aside if settled else statistics_aside(run)
    aside = aside.assign(key=keys(with_new_addresses(aside, moves)))
    unseen = ~isin_sorted(aside["key"].to_numpy(), of.shown)
    nobody = intake.nothing[ADDRESS]
    with Spool() as later:
        for rows in of.partitions:
            waits = rows["learner"].isin(changes.touched) | _needs_outcome(rows, ahead)
            late, here = keyed(with_known_addresses(rows.loc[waits], changes)), rows.loc[~waits]
            if len(late):
                later.add(late)
            unseen &= ~aside["key"].isin(pd.concat([late["key"], here["key"]])).to_numpy()
            looked_at = aside.loc[aside["key"].isin(here["key"])]
            yield Part(here, looked_at, NO_KEYS, NO_MOVES, addresses, ahead)
            addresses = nobody
        gone = aside.loc[unseen & (of.retries | of.forgets)]
        if len(gone):
            later.add(intake.nothing)
        for rows in later.partitions():
            retried = gone[KEY].drop_duplicates() if of.retries else NO_KEYS
            concerned = moves["new"].isin(rows["learner"]) | moves["old"].isin(retried["learner"])
            looked_at = pd.concat([aside.loc[aside["key"].isin(rows["key"])], gone])
            yield Part(rows, looked_at, retried, moves.loc[concerned], rows[ADDRESS], ahead, is_late=True)
            moves, gone = moves.loc[~concerned], gone.iloc[:0]


def _address_changes(run: RunContext, seen: pd.DataFrame, settled: Settled | None) -> AddressChanges:
    """What the reading shows of changed addresses, its settled rows included; ``seen``: its ADDRESS."""
    if settled is not None and settled.knows_nothing:
        return NO_CHANGES
    with run.ledger.read() as db:
        ids = seen["external_id"].drop_duplicates()
        known = addresses_of(db, run.target.id, ids[ids.ne("")].tolist())
        doubtful = seen.merge(known, on="external_id", suffixes=("", "_known"))
        doubtful = doubtful.loc[doubtful["learner"].ne(doubtful["learner_known"])]
        if doubtful.empty:
            return NO_CHANGES
        if settled is not None and len(settled.shown):
            told = doubtful[["external_id", "learner_known"]].set_axis(
                ["external_id", "learner"], axis="columns"
            )
            beside = enrollments_beside(db, run.target.id, told)
            shown = beside.loc[isin_sorted(beside["digest"].to_numpy(), settled.shown)]
            seen = pd.concat([seen, shown.drop(columns="digest").assign(updated_at=0)], ignore_index=True)
    return address_changes(seen, known)


def _needs_outcome(rows: pd.DataFrame, ahead: Ahead | None) -> pd.Series:
    """Which rows are of a learner's course that was sent ahead, and more than the one row that was sent."""
    sent = ahead.of(rows) if ahead else nothing_sent(rows.index)
    alone = ~rows["key"].duplicated(keep=False) & rows["digest"].eq(sent["digest"])
    return sent["number"].gt(0) & ~alone
