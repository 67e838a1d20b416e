"""What a run shows people: artifacts at Prefect, progress, and the same report as one HTML file."""

import asyncio
import base64
import json
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
)
from prefect.client.schemas.objects import Artifact, State

from connectors.errors import SettingsError, SyncError
from flows.catalog import catalog
from flows.cli.run_flow import run_flow
from flows.setup import setup
from flows.statistics import statistics
from tests.installation import Sync, private_words

MOST_BYTES = 100_000
PICTURE = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)")


class Shown(NamedTuple):
    """A flow run as Prefect shows it."""

    name: str
    artifacts: list[Artifact]

    def one(self, key: str) -> Artifact:
        """The artifact of a key."""
        (found,) = [one for one in self.artifacts if one.key == key]
        return found

    def markdown(self, key: str) -> str:
        """The text of a markdown artifact."""
        return str(self.one(key).data)

    @property
    def progress(self) -> dict[str | None, Any]:
        """How far each work came, in percent."""
        return {one.description: one.data for one in self.artifacts if one.type == "progress"}

    @property
    def texts(self) -> Iterator[str]:
        """All there is to read, pictures too."""
        for one in self.artifacts:
            text = f"{one.key} {one.description} {json.dumps(one.data, ensure_ascii=False)}"
            yield text
            yield from (base64.b64decode(picture).decode() for picture in PICTURE.findall(text))


def shown(flow: Any, **parameters: Any) -> Shown:
    """Run a flow to its end, whatever that is, and read back what Prefect shows of it."""
    state: State[Any] = asyncio.run(flow(**parameters, return_state=True))
    assert state.state_details.flow_run_id is not None
    return asyncio.run(_read(state.state_details.flow_run_id))


async def _read(flow_run_id: UUID) -> Shown:
    async with get_client() as client:
        run = await client.read_flow_run(flow_run_id)
        only = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[flow_run_id]))
        return Shown(run.name, await client.read_artifacts(artifact_filter=only))


def leaked(sync: Sync, texts: Iterator[str]) -> list[str]:
    everything = "\n".join(texts).lower()
    return [word for word in private_words(sync.sandbox) if word.lower() in everything]


def test_a_catalog_run_shows_its_counts_examples_reasons_and_steps(busy_sync: Sync) -> None:
    run = shown(catalog)
    text = run.markdown("catalog-report")
    assert run.name == "catalog"
    assert "# catalog: completed with rejects" in text.replace("\\_", "_")
    assert "**300 extracted = 0 merged + 0 held + 0 unchanged + 297 accepted + 3 rejected**" in text
    assert "| name is missing |" in text
    assert "## Sent: 297 new" in text
    names = set(busy_sync.courses().values())
    told = [line for line in text.splitlines() if line.endswith("| new |")]
    assert 1 <= len(told) <= 10
    assert all(line.split(" | ")[0].removeprefix("| ").replace("\\", "") in names for line in told)
    assert "| send to 360Learning |" in text
    table = json.loads(str(run.one("catalog-put-aside").data))
    assert sum(row["rows"] for row in table) == 3


def test_what_is_odd_in_courseras_data_is_shown_and_a_table_of_its_own(busy_sync: Sync, file: Path) -> None:
    nameless = busy_sync.sandbox.world.add_content("Untold", description=None, languageCode="tlh")
    run = shown(catalog)
    table = {row["finding"]: row for row in json.loads(str(run.one("catalog-quality").data))}
    assert f"Untold ({nameless['contentId']}): tlh" in table["unknown language"]["for example"]
    assert int(table["no description"]["courses"]) > 1
    title = "Missing or odd in Coursera's data of 298 courses"
    assert run.one("catalog-quality").description == title
    assert f"## {title}" in run.markdown("catalog-report")
    run_flow(catalog, {"dry_run": True}, report=file)
    assert "Untold (" in file.read_text(encoding="utf-8")


def test_what_is_ignored_is_counted_with_examples_and_the_course_goes(sync: Sync) -> None:
    for number in range(5):
        sync.sandbox.world.add_content(f"No {number}", contentId=f"c{number}", description=number)
    run = shown(catalog)
    text = run.markdown("catalog-report")
    assert "## Ignored values" in text
    assert "| description is not text | 5 | c0, c1, c2 |" in text
    assert "5 extracted = 0 merged + 0 held + 0 unchanged + 5 accepted + 0 rejected" in text


def test_where_nothing_is_odd_the_table_says_so(sync: Sync) -> None:
    sync.add_courses(1)
    run = shown(catalog)
    assert json.loads(str(run.one("catalog-quality").data)) == [{"finding": "nothing"}]
    assert "Missing or odd" not in run.markdown("catalog-report")


def test_progress_is_told_while_pages_and_operations_go_by(busy_sync: Sync) -> None:
    busy_sync.sandbox.coursera.options.page_cap = 50
    run = shown(catalog)
    assert run.progress == {"read contents": 100.0, "send courses": 100.0}


def test_a_statistics_run_shows_progress_without_the_learners(busy_sync: Sync) -> None:
    busy_sync.catalog()
    first = shown(statistics)
    busy_sync.days_pass(1)
    busy_sync.sandbox.next_day()
    second = shown(statistics)
    text = second.markdown("statistics-report")
    assert re.search(r"\| learner 1: .+ \| .+ \|", text)
    assert re.search(r"\| \d+ % → (\d+ %|completed) \|", text)
    drawn = [base64.b64decode(picture).decode() for picture in PICTURE.findall(text)]
    titles = [ET.fromstring(svg).findtext("{http://www.w3.org/2000/svg}title") for svg in drawn]  # noqa: S314
    assert titles == [
        "Progress of all attempts that 360Learning has accepted",
        "Rows of the last 2 runs",
        "Duration of the last 2 runs",
    ]
    assert leaked(busy_sync, (text for run in (first, second) for text in run.texts)) == []


def test_artifacts_stay_small_after_many_runs(busy_sync: Sync) -> None:
    busy_sync.catalog()
    for _ in range(32):
        _remember_a_run(busy_sync)
    run = shown(catalog)
    assert "Rows of the last 30 runs" in run.markdown("catalog-report")
    assert all(len(str(one.data)) < MOST_BYTES for one in run.artifacts)


def _remember_a_run(sync: Sync) -> None:
    """One more run in the ledger, without running it."""
    from sqlalchemy import create_engine, insert  # noqa: PLC0415

    from connectors.ledger.schema import runs  # noqa: PLC0415

    last = sync.ledger("runs")
    sync.days_pass(1)
    engine = create_engine(sync.ledger_url)
    with engine.begin() as db:
        db.execute(insert(runs), [last[0] | {"id": f"run {len(last)}", "started_at": sync.clock()}])
    engine.dispose()


def test_a_failed_run_reports_too(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEARNING360_CLIENT_SECRET", "wrong")
    run = shown(catalog)
    text = run.markdown("catalog-report")
    assert "# catalog: failed" in text
    assert "LEARNING360" in text
    assert "check the integration in 360Learning (failed)" in text
    assert "wrong" not in text
    assert sync.courses() == {}


def test_a_run_that_could_not_begin_reports_why(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_STATE_URL", "sqlite:////proc/nothing/ledger.db")
    text = shown(catalog).markdown("catalog-report")
    assert "SYNC" in text
    assert sync.courses() == {}


def test_a_dry_run_shows_what_would_be_sent(busy_sync: Sync) -> None:
    busy_sync.catalog()
    run = shown(statistics, dry_run=True, full=True)
    text = run.markdown("statistics-report")
    assert run.name == "statistics, in full, dry run"
    assert "## Would be sent" in text
    assert "submitted" in text
    assert leaked(busy_sync, run.texts) == []


def test_setup_shows_a_report(sync: Sync) -> None:
    assert "# setup: completed" in shown(setup).markdown("setup-report")
    assert sync.integration()


def test_an_artifact_that_cannot_be_written_fails_no_run(
    busy_sync: Sync, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refused(*_: Any, **__: Any) -> None:
        raise OSError("no")

    monkeypatch.setattr("prefect.client.orchestration.PrefectClient.create_artifact", refused)
    assert busy_sync.catalog().accepted == 297
    told = [record.getMessage() for record in caplog.records]
    assert "Prefect's server did not take the report (OSError)" in told
    assert "Prefect's server takes no progress (OSError)" in told


def test_a_run_outside_prefect_shows_nothing_and_does_not_fail(sync: Sync) -> None:
    from tasks.reporting.progress import ProgressReporter  # noqa: PLC0415
    from tasks.reporting.publish import ProgressArtifacts  # noqa: PLC0415

    sync.add_courses(1)
    asyncio.run(ProgressReporter(ProgressArtifacts(lambda: 0.0).show).of("read contents", 1, 2))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a report goes."""
    return tmp_path / "report.html"


def test_the_same_report_is_one_private_html_file(busy_sync: Sync, file: Path) -> None:
    busy_sync.catalog()
    run_flow(statistics, {}, report=file)
    text = file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in file.parent.iterdir() if "report" in one.name] == ["report.html"]
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert "<script" not in text
    assert "learner 1: " in text
    assert leaked(busy_sync, iter([text])) == []


def test_a_failed_run_leaves_its_report(sync: Sync, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEARNING360_CLIENT_SECRET", "wrong")
    with pytest.raises(SyncError):
        run_flow(catalog, {}, report=file)
    assert "LEARNING360_CLIENT_SECRET" in file.read_text(encoding="utf-8")
    assert sync.courses() == {}


def test_an_interrupted_run_leaves_its_report(sync: Sync, file: Path) -> None:
    def interrupt() -> None:
        raise asyncio.CancelledError

    sync.add_courses(1)
    sync.meanwhile = interrupt
    with suppress(BaseException):  # whatever Prefect makes of it
        run_flow(catalog, {}, report=file)
    assert "Interrupted. The next run goes on" in file.read_text(encoding="utf-8")


def test_a_flow_that_prefect_does_not_start_leaves_a_report_too(sync: Sync, file: Path) -> None:
    async def broken() -> None:
        raise SyncError("Prefect's server cannot be reached.")

    with pytest.raises(SyncError):
        run_flow(broken, {}, report=file)
    assert "cannot be reached" in file.read_text(encoding="utf-8")
    assert sync.courses() == {}


def test_a_report_that_could_not_be_written_stops_the_command_before_it_begins(
    sync: Sync, tmp_path: Path
) -> None:
    for path in (tmp_path, tmp_path / "nowhere" / "report.html"):
        with pytest.raises(SettingsError, match="--report"):
            run_flow(catalog, {}, report=path)
    assert sync.log("GET", "/") == []


def test_bars_stay_away_where_stderr_is_no_terminal(
    busy_sync: Sync, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    run_flow(catalog, {})
    out, err = capfd.readouterr()
    assert "read contents" not in out + err
    assert busy_sync.courses()


@pytest.mark.parametrize("state_url", ["sqlite", "postgresql"], indirect=True)
def test_a_ledger_of_either_kind_tells_of_the_past(busy_sync: Sync) -> None:
    busy_sync.catalog()
    text = shown(statistics).markdown("statistics-report")
    assert len(PICTURE.findall(text)) == 3
    assert "% → " in text or "new: " in text


def test_statistics_say_as_of_when_they_are(sync: Sync) -> None:
    (course,) = sync.add_courses(1)
    sync.catalog()
    updated_at = sync.clock() - 3_600_000
    sync.sandbox.world.add_report("stranger@example.com", course, overallProgress=30, updatedAt=updated_at)
    first = shown(statistics).markdown("statistics-report")
    aside_since = moment(sync.clock())
    sync.days_pass(2)
    text = shown(statistics).markdown("statistics-report")
    assert "## Freshness" in text
    assert f"| The newest change among what was read | {moment(updated_at)} |" in text
    assert "| The oldest change not sent (rejected since) |" in first
    assert aside_since[:13] in text.partition("The oldest change")[2].partition("\n")[0]


def moment(epoch_ms: int) -> str:
    return f"{datetime.fromtimestamp(epoch_ms / 1000, UTC):%Y-%m-%d %H:%M}"
