"""Sharing: the parts of a run's reading go to runs on other workers, which act under its lock."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from itertools import chain
from typing import cast

import orjson
import pandas as pd
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound

from connectors.errors import SyncError
from connectors.ledger import work_shares
from connectors.ledger.learners import record_addresses
from connectors.ledger.runs import is_running, summaries_of_parts
from tasks.reporting.summary import Summary
from tasks.runtime.locks import locked
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.statistics.parts import ADDRESS, Part
from tasks.statistics.pool import NO_KEYS
from tasks.statistics.settled import statistics_aside
from tasks.transform.statistics.learner_moves import NO_MOVES

DEPLOYMENT = "backfill-part/backfill-part"
POLL_SECONDS = 1.0
ADDED = ("extracted", "merged", "held", "unchanged", "submitted", "accepted", "rejected")


async def shared(run: RunContext, parts: Iterator[Part], workers: int) -> Iterator[Part]:
    """Have other runs work on the parts; returns the late ones, which are for the run itself.

    Raises SyncError where one of those runs fails; the others are waited for before.
    """
    rest = await _put_down(run, parts, workers)
    await _worked_on(run, workers)
    _add_up(run)
    return rest


@step("put down the shares of other workers")
async def _put_down(run: RunContext, parts: Iterator[Part], workers: int) -> Iterator[Part]:
    """Cut each part into one share a worker, learner by learner."""
    for number, part in enumerate(parts):
        if part.is_late:
            return chain([part], parts)
        worker_of = pd.util.hash_array(part.rows["learner"].to_numpy(dtype=object)) % workers
        with run.ledger.begin() as db:
            record_addresses(db, run.target.id, part.addresses)
            for worker in range(workers):
                rows = part.rows.loc[worker_of == worker]
                work_shares.put_down(db, run.id, run.target.id, worker, number, rows)
    return iter(())


@step("wait for the runs that share the work")
async def _worked_on(run: RunContext, workers: int) -> None:
    work = (_one(run, worker) for worker in range(workers))
    outcomes = await asyncio.gather(*work, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, ObjectNotFound):
            raise SyncError(
                f"This Prefect server has no deployment {DEPLOYMENT}: `prefect deploy --all` brings it."
            ) from outcome
        if isinstance(outcome, BaseException):
            raise outcome
    failed = sum(not (one.state and one.state.is_completed()) for one in outcomes if isinstance(one, FlowRun))
    if failed:
        raise SyncError(
            f"{failed} of the {workers} runs that shared the work failed: see them in Prefect. What they had "
            "begun is finished by the next run."
        )


async def _one(run: RunContext, worker: int) -> FlowRun:
    parameters = {"part_of": run.id, "worker": worker}
    begun = run_deployment(DEPLOYMENT, parameters=parameters, poll_interval=POLL_SECONDS)
    return await cast("Awaitable[FlowRun]", begun)


def _add_up(run: RunContext) -> None:
    with run.ledger.read() as db:
        summaries = [Summary(**orjson.loads(text)) for text in summaries_of_parts(db, run.id)]
    run.recorder.add(**{name: sum(getattr(one, name) for one in summaries) for name in ADDED})


@asynccontextmanager
async def share_of(run: RunContext, part_of: str, worker: int) -> AsyncIterator[Iterator[Part]]:
    """The parts that are a worker's share, which it holds meanwhile; left in order, the share is forgotten.

    Raises SyncError where the run that shares them has ended.
    """
    name = work_shares.lock_name(part_of, worker)
    release = await locked(run.ledger, run.target, name, 0, run.clock)
    try:
        with run.ledger.read() as db:
            if not is_running(db, part_of):
                raise SyncError("The run that shares this work has ended: there is nothing to do.")
            numbers = work_shares.numbers(db, part_of, worker)
        yield (_part(run, part_of, worker, number) for number in numbers)
        with run.ledger.begin() as db:
            work_shares.settled(db, part_of, worker)
    finally:
        release()


def _part(run: RunContext, part_of: str, worker: int, number: int) -> Part:
    with run.ledger.read() as db:
        rows = work_shares.take_up(db, part_of, worker, number)
    aside = statistics_aside(run)
    # Who is who was noted when the shares were put down.
    return Part(rows, aside.loc[aside["key"].isin(rows["key"])], NO_KEYS, NO_MOVES, rows[ADDRESS].iloc[:0])
