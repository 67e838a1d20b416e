"""Steps: what is tried again is told once, and a run whose counts do not add up fails."""

import asyncio
from typing import Any, cast

import pytest

from connectors.errors import SyncError, TryLaterError
from tasks.reporting.recorder import RunRecorder
from tasks.reporting.summary import Counts, Summary
from tasks.runtime.run_context import RunContext
from tests.installation import Sync


def run_with(recorder: RunRecorder) -> RunContext:
    """As much of a run as a step needs."""
    others = ("settings", "target", "ledger", "coursera", "learning360", "clock", "progress", "shared")
    return RunContext(
        id="1", flow="steps", recorder=recorder, aliases={}, **cast("Any", dict.fromkeys(others))
    )


@pytest.mark.usefixtures("prefect_api")
@pytest.mark.parametrize("failures", [1, 2], ids=["succeeds when tried again", "fails for good"])
def test_a_step_whose_write_fails_counts_only_the_try_that_succeeds(failures: int) -> None:
    from prefect import flow  # noqa: PLC0415 - once its test server runs

    from tasks.runtime.step import step  # noqa: PLC0415

    recorder, tries = RunRecorder(lambda: 0.0), []

    @step("count and write")
    async def count_and_write(run: RunContext) -> str:
        run.recorder.add(extracted=2, unchanged=1)
        run.recorder.reject(["No such user"])
        run.note("Written down")
        tries.append(run.recorder.learner("ann@example.com"))
        if len(tries) <= failures:
            raise TryLaterError("The ledger is busy.")
        return "written"

    @flow(name="steps")
    async def steps() -> str:
        return await count_and_write(run_with(recorder))

    count_and_write.task.retry_delay_seconds = 0  # type: ignore[attr-defined]
    succeeds = failures == 1
    if succeeds:
        assert asyncio.run(steps()) == "written"
    else:
        with pytest.raises(TryLaterError):
            asyncio.run(steps())
    assert tries == ["learner 1"] * 2
    assert [span.failed for span in recorder.spans] == [True, not succeeds]
    counts = recorder.counts
    assert (counts.extracted, counts.unchanged, counts.rejected) == ((2, 1, 1) if succeeds else (0, 0, 0))
    assert recorder.notes == ["Written down"] * succeeds
    assert recorder.reasons.total() == succeeds


@pytest.mark.parametrize(
    ("dry_run", "counts"),
    [
        (False, {"extracted": 5}),
        (False, {"extracted": 5, "rejected": 3}),
        (True, {"extracted": 5}),
        (False, {"unchanged": 5}),
    ],
    ids=["completed", "with rejects", "dry run", "more than was read"],
)
def test_a_run_whose_counts_do_not_add_up_fails(sync: Sync, counts: dict[str, int], *, dry_run: bool) -> None:
    from tasks.runtime.run_lifecycle import RunRequest  # noqa: PLC0415 - Prefect is prepared by then
    from tasks.runtime.targets import run_for_each_target  # noqa: PLC0415

    async def miscount(run: RunContext) -> None:
        run.recorder.add(Counts(**counts))

    with pytest.raises(SyncError, match="are in no other count") as raised:
        asyncio.run(run_for_each_target(RunRequest("catalog", dry_run=dry_run), miscount))
    summary = raised.value.summary
    assert isinstance(summary, Summary)
    assert (summary.state, summary.exit_code) == ("failed", 1)
    assert sync.ledger("runs")[-1]["state"] == "failed"
