"""Sending ahead: progress goes out while the reading goes on, as far as a later statistic can mend it.

Only open attempts go ahead, each learner's course once in a reading. A completion closes its attempt for
good, so that it waits until all rows are known; whatever else other rows bring is sent as an update.
"""

import numpy as np
import pandas as pd

from connectors.ledger.learners import addresses_of
from tasks.load.dispatcher import Outbox
from tasks.load.operations import SENT_COLUMNS, StatisticImport
from tasks.runtime.run_context import RunContext
from tasks.statistics.pool import Pool
from tasks.statistics.settled import Settled
from tasks.transform.row_keys import isin_sorted, search_sorted
from tasks.transform.statistics.attempts import SEND, merge

SEVERAL = 0
# So many statistics that were sent are looked through one by one, before they are sorted in among the others.
UNSORTED = 30_000
SENT = {"key": "int64", "number": "int64", "is_new": "bool", "digest": "int64"}


def nothing_sent(index: pd.Index) -> pd.DataFrame:
    """What `Ahead.of` gives where nothing was sent ahead."""
    values = {"number": 0, "is_new": False, "digest": SEVERAL, "refused": False}
    return pd.DataFrame(values, index=index).astype({"number": "int64", "digest": "int64"})


class Ahead:
    """What was sent ahead in this reading, by key (see `connectors.ledger.keys`)."""

    def __init__(self, run: RunContext, outbox: Outbox, kind: StatisticImport, settled: Settled) -> None:
        self._run = run
        self._outbox = outbox
        self._kind = kind
        self._settled = settled
        #: Rows of which there is something to send ahead, as soon as they are as many as an operation takes.
        self._waiting = pd.DataFrame({"key": pd.Series(dtype="int64")})
        #: What was sent, by key: the attempt's number, whether it is new, and what the one row said.
        self._sent = pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in SENT.items()})
        self._sent_last = self._sent

    async def send(self, rows: pd.DataFrame) -> None:
        """Send what a batch of rows (see `tasks.statistics.intake.Mapped`) shows, if there is room for it.

        Only rows for a whole operation go ahead; what is left when the reading ends goes with all the rest.
        """
        # Without knowing what the integration holds nothing can be sent, and a dry run sends nothing.
        if self._run.dry_run or not self._run.target.knows_remote or not self._outbox.has_room:
            return
        candidates = await self._run.shared.frames.do(self._candidates, rows)
        # Beside no rows at all whole numbers would become fractions, for there are no columns of theirs.
        waiting = [rows for rows in (self._waiting, candidates) if len(rows)]
        self._waiting = pd.concat(waiting or [candidates], ignore_index=True)
        await self.go_on()

    async def go_on(self) -> None:
        """Send what waits, if there is room and it is enough (see `Outbox.enough`)."""
        while self._outbox.has_room and len(self._waiting) >= self._outbox.enough:
            most = self._kind.max_rows
            now, later = self._waiting.iloc[:most], self._waiting.iloc[most:]
            frames = self._run.shared.frames
            attempts = await frames.do(self._open_attempts, now.reset_index(drop=True))
            self._waiting = later.loc[~later["key"].isin(now["key"])]
            self._note(attempts)
            await self._outbox.add(attempts[SENT_COLUMNS])

    @property
    def sent(self) -> pd.DataFrame:
        """What was sent ahead, in the order of keys: the columns of SENT."""
        if len(self._sent_last):
            self._sort_in()
        return self._sent

    def of(self, rows: pd.DataFrame) -> pd.DataFrame:
        """What was sent ahead of the learner and course of each row.

        Columns number int64 (0: nothing), is_new bool, digest int64 (SEVERAL, where it was not one row
        alone), refused bool; the index is that of the rows.
        """
        if self.sent.empty:
            return nothing_sent(rows.index)
        key, keys = rows["key"].to_numpy(), self.sent["key"].to_numpy()
        at = search_sorted(key, keys)
        is_sent = keys[at] == key
        sent = self.sent.take(at)
        return pd.DataFrame(
            {
                "number": np.where(is_sent, sent["number"], 0),
                "is_new": is_sent & sent["is_new"].to_numpy(),
                "digest": np.where(is_sent, sent["digest"], SEVERAL),
                "refused": is_sent & sent["key"].isin(self._kind.refused).to_numpy(),
            },
            index=rows.index,
        )

    def _candidates(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows of learners' courses that are begun and not completed, as far as these rows show."""
        key, completed = rows["key"], rows["completed"]
        begun = key[rows["progress"].gt(0) & ~completed]
        busy = pd.concat(
            [key[completed], self._settled.aside["key"], self._waiting["key"], self._sent_last["key"]]
        )
        wanted = (
            key.isin(begun) & ~key.isin(busy) & ~isin_sorted(key.to_numpy(), self._sent["key"].to_numpy())
        )
        rows = rows.loc[wanted]
        return rows.loc[~rows["external_id"].isin(self._moved(rows))].reset_index(drop=True)

    def _moved(self, rows: pd.DataFrame) -> list[str]:
        """ExternalIds that the ledger knows beside another address: who that is shows once all is read."""
        if self._settled.knows_nothing or rows.empty:
            return []
        seen = rows.loc[rows["external_id"].ne(""), ["external_id", "learner"]].drop_duplicates()
        with self._run.ledger.read() as db:
            known = addresses_of(db, self._run.target.id, seen["external_id"].tolist())
        both = seen.merge(known, on="external_id", suffixes=("", "_known"))
        return both.loc[both["learner"].ne(both["learner_known"]), "external_id"].unique().tolist()

    def _open_attempts(self, rows: pd.DataFrame) -> pd.DataFrame:
        pool = Pool(self._run, rows, is_first=self._settled.knows_nothing)
        attempts, _ = merge(pool.enrollments, pool.accepted, launch_rule=self._run.settings.sync.launch_rule)
        send = attempts.loc[attempts["action"].eq(SEND)]
        alone = ~send["key"].duplicated(keep=False)
        send = send.loc[alone & ~send["completed"]]
        digest = rows["digest"].mask(rows["key"].duplicated(keep=False), SEVERAL)
        said = pd.DataFrame({"key": rows["key"], "digest": digest}).drop_duplicates("key")
        return send.merge(said, on="key")

    def _note(self, attempts: pd.DataFrame) -> None:
        sent = attempts[["key", "number", "digest"]].assign(is_new=attempts["known"].eq(0))
        self._sent_last = pd.concat([self._sent_last, sent[list(SENT)]], ignore_index=True)
        if len(self._sent_last) > UNSORTED:
            self._sort_in()

    def _sort_in(self) -> None:
        every = pd.concat([self._sent, self._sent_last], ignore_index=True)
        self._sent = every.sort_values("key", kind="stable", ignore_index=True)
        self._sent_last = self._sent_last.iloc[:0]
