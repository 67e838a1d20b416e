"""A backfill on several workers: its parts go to other runs, which act under its lock."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager

import orjson

from connectors.errors import SyncError
from connectors.ledger.records import runs, work_shares
from tasks.reporting.summary import Counts
from tasks.runtime.deployments import run_elsewhere
from tasks.runtime.locks import locked
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.statistics.parts import Part

DEPLOYMENT = "backfill-part/backfill-part"
ADDED = ("extracted", "merged", "held", "unchanged", "submitted", "accepted", "rejected")


async def share(run: RunContext, parts: Iterable[Part], workers: int) -> None:
    """Have other runs work on the parts. SyncError where one of them fails; the others are waited for."""
    await _distribute(run, parts, workers)
    await _wait(run, workers)
    with run.ledger.read() as db:
        summaries = [orjson.loads(text) for text in runs.summaries_of_parts(db, run.id)]
    for summary in summaries:
        run.recorder.add(Counts(**{name: summary[name] for name in ADDED}))


@step("distribute parts to workers")
async def _distribute(run: RunContext, parts: Iterable[Part], workers: int) -> None:
    """One part to each worker in turn: no two have rows of the same learner's course."""
    for part in parts:
        run.recorder.add(part.left_alone)
        with run.ledger.begin() as db:
            place = (run.id, part.number % workers, part.number)
            work_shares.put_down(db, place, run.target.id, part.rows, part.rejects)


@step("wait for the runs that share the work")
async def _wait(run: RunContext, workers: int) -> None:
    shares = [{"part_of": run.id, "worker": worker} for worker in range(workers)]
    outcomes = await asyncio.gather(
        *(run_elsewhere(DEPLOYMENT, one) for one in shares), return_exceptions=True
    )
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    if failed := outcomes.count(False):
        raise SyncError(
            f"{failed} of the {workers} runs that shared the work failed: see them in Prefect. What they had "
            "begun is finished by the next run."
        )


@asynccontextmanager
async def share_of(run: RunContext, part_of: str, worker: int) -> AsyncIterator[Iterator[Part]]:
    """The parts that are a worker's share, which it holds meanwhile; left in order, the share is forgotten.

    Raises SyncError where the run that shares them has ended.
    """
    name = work_shares.lock_name(part_of, worker)
    release = await locked(run.ledger, run.target, name, 0, run.clock)
    try:
        with run.ledger.read() as db:
            if not runs.is_running(db, part_of):
                raise SyncError("The run that shares this work has ended: there is nothing to do.")
            numbers = work_shares.numbers(db, part_of, worker)
        yield (_part(run, part_of, worker, number) for number in numbers)
        with run.ledger.begin() as db:
            work_shares.settled(db, part_of, worker)
    finally:
        release()


def _part(run: RunContext, part_of: str, worker: int, number: int) -> Part:
    with run.ledger.read() as db:
        rows, rejected = work_shares.take_up(db, part_of, worker, number)
    key = rows["key"]
    first, last = (int(key.min()), int(key.max())) if len(key) else (0, 0)
    return Part(number, first, last, rows, rejected)
