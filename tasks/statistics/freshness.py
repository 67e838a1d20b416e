"""How fresh a run's data is: as of when Coursera's reports are, and how old the oldest unsent change."""

from connectors.clock import utc
from connectors.ledger.records import rejects
from connectors.ledger.streams import STATISTICS
from tasks.extract.coursera import Reports
from tasks.reporting.recorder import Section
from tasks.runtime.run_context import RunContext

NONE = "none"


def add_freshness_section(run: RunContext, reports: Reports) -> None:
    """Tell it in the run's report; moments are UTC.

    The reports lag live data by up to 24 hours, and new enrollments by up to 48; a change is unsent while its
    row is rejected.
    """
    with run.ledger.read() as db:
        unsent = rejects.oldest(db, run.target.id, STATISTICS)
    newest = reports.staged.newest_ms
    rows = [
        ("Read from Coursera from", _moment(reports.read.began_at)),
        ("The newest change among what was read", _moment(newest) if newest else NONE),
        ("The oldest change not sent (rejected since)", NONE if unsent is None else _moment(unsent)),
    ]
    run.recorder.section("freshness", Section("Freshness", ("what", "as of (UTC)"), rows))


def _moment(epoch_ms: int) -> str:
    return f"{utc(epoch_ms):%Y-%m-%d %H:%M}"
