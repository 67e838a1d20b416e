"""What other runs have recorded since a reading: it is newer than what was read."""

from dataclasses import replace

from connectors.ledger.records.enrollments import keys_recorded_since
from tasks.extract.coursera import ListingRead
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.statistics.parts import Part


@step("leave out what another run has recorded since")
async def without_newer(run: RunContext, part: Part, read: ListingRead) -> Part:
    """A part without the learners' courses that a run recorded which ended after the reading began.

    Their rows count as unchanged, and what was rejected of them stays so.
    """
    with run.ledger.read() as db:
        keys = keys_recorded_since(db, run.target.id, part.rows["key"].unique(), read.began_at, run.id)
    is_newer = part.rows["key"].isin(keys)
    run.recorder.add(extracted=int(is_newer.sum()), unchanged=int(is_newer.sum()))
    rejects = part.rejects.loc[~part.rejects["key"].isin(keys)]
    return replace(
        part, rows=part.rows.loc[~is_newer].reset_index(drop=True), rejects=rejects.reset_index(drop=True)
    )
