"""One part of a reading: compared, and what is true of it at once written down, in one transaction."""

from collections.abc import Sequence
from functools import partial

import pandas as pd

from connectors.coursera.models import report_json
from connectors.ledger.records import rejects
from connectors.ledger.records.enrollments import record_enrollments
from connectors.ledger.records.runs import runs_of_parts
from connectors.ledger.streams import STATISTICS
from tasks.extract.accepted_courses import accepted_names
from tasks.reporting.samples import sample_attempts
from tasks.reporting.summary import Counts
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.statistics.compare import Rules, StatisticsPlan, map_part, plan
from tasks.statistics.ledger_state import LedgerState
from tasks.statistics.parts import Part
from tasks.transform.plan_rows import attempt_rows
from tasks.transform.statistics.enrollment_reports import FIELDS, ROW_ID
from tasks.transform.statistics.learner_moves import NOBODY_MOVED, AddressMap


@step("compare learners' progress with what 360Learning has accepted")
async def compare_part(
    run: RunContext, part: Part, rules: Rules, addresses: AddressMap = NOBODY_MOVED
) -> StatisticsPlan:
    """Find what a part has to send; what needs nothing, or can only be rejected, is known from now on.

    A dry run writes nothing, and counts what would be sent.
    """
    found = await run.shared.frames.do(_compared, run, part, rules, addresses)
    names_of = partial(accepted_names, run.ledger, run.target.id)
    run.recorder.add(found.counts)
    run.recorder.reject(found.reasons)
    run.recorder.ignore(found.ignored)
    sample_attempts(run.recorder, found.send, found.before, names_of)
    if run.dry_run:
        run.recorder.add(Counts(submitted=len(found.send)))
        names = names_of(found.send["course"].unique().tolist())
        run.recorder.plan(attempt_rows(found.send, found.before, names))
    else:
        await run.shared.frames.do(_record, run, found)
    return found


@step("forget rejected reports that are mended or gone")
async def drop_mended(run: RunContext, tried: Sequence[str]) -> None:
    """Forget rows that could not be mapped before and were not rejected by this run, nor by its workers.

    To be called once all parts have been compared: a mended course changes the part of its row.
    """
    if not run.dry_run and tried:
        with run.ledger.begin() as db:
            runs = [run.id, *runs_of_parts(db, run.id)]
            rejects.delete_untouched(db, run.target.id, STATISTICS, tried, runs)


def _compared(run: RunContext, part: Part, rules: Rules, addresses: AddressMap) -> StatisticsPlan:
    found = map_part(part, rules)
    state = LedgerState.load(run.ledger, run.target.id, found.keys, addresses)
    return plan(part, found, state, rules)


def _record(run: RunContext, found: StatisticsPlan) -> None:
    """Rows that are planned are not among these: they are known once their operation is settled."""
    target_id, now_ms = run.target.id, run.clock.now_ms()
    with run.ledger.begin() as db:
        record_enrollments(db, target_id, found.known, run_id=run.id)
        rejects.delete(db, target_id, STATISTICS, found.resolved)
        rows = _as_rejects(found.unmappable)
        rejects.upsert(db, target_id, STATISTICS, rows, run_id=run.id, now_ms=now_ms)


def _as_rejects(unmappable: pd.DataFrame) -> pd.DataFrame:
    """Report rows with a ``reason`` as the ledger keeps them: as they came, to be mapped again."""
    columns = [unmappable[name] for name in FIELDS]
    written = [report_json(FIELDS, values) for values in zip(*columns, strict=True)]
    raw = unmappable["raw"].fillna(pd.Series(written, index=unmappable.index, dtype="str"))
    return unmappable[[ROW_ID, "reason"]].assign(course=unmappable["contentId"], learner=None, raw=raw)
