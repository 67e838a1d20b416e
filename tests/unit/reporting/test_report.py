"""The report: its model, and its two renderings, small and safe with whatever comes from outside."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pandas as pd
import pytest
from markdown_it import MarkdownIt
from prefect import flow
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate

from connectors.ledger.lookups.run_history import PastRun
from tasks.reporting import report as reports
from tasks.reporting.html import html
from tasks.reporting.markdown import markdown
from tasks.reporting.plan import Plan
from tasks.reporting.progress import ProgressCounter, ProgressReporter, observing
from tasks.reporting.publish import AT_MOST_EVERY_SECONDS, ProgressArtifacts
from tasks.reporting.recorder import MOST_EXAMPLES, Example, RunRecorder, Section, Span
from tasks.reporting.report import Count, Reason, Report, Step, failure, in_words, slowest

AS_OF = datetime(2026, 1, 15, 8, 0, tzinfo=UTC)
SUMMANDS = [
    Count(name, rows)
    for name, rows in {"merged": 1, "held": 2, "unchanged": 3, "accepted": 1000, "rejected": 5}.items()
]
DONE = Report(
    "statistics",
    "completed_with_rejects",
    AS_OF,
    seconds=75.0,
    target="Coursera for Business in group 1",
    notes=["A note"],
    extracted=1011,
    summands=SUMMANDS,
    beside=[Count("submitted", 1005), Count("recovered", 0)],
    steps=[Step("send to 360Learning", 60.0, 2, failed=False)],
    sent=[Count("begun", 5)],
    examples=[Example("learner 1: A course", "new: 30 %")],
    sections=[Section("Missing", ("course", "since"), [("A gone course", "yesterday")])],
    reasons=[Reason("User not found", 5)],
    history=[
        PastRun(1_768_464_000_000, "failed", {}),
        PastRun(1_768_550_400_000, "completed", {"accepted": 4}),
    ],
)


def shape(text: str) -> list[str]:
    """The elements of a markdown text as a page has them; its texts and its pictures' addresses left out."""
    page = MarkdownIt("commonmark").enable("table").render(text)
    return re.findall(r"<[a-z0-9]+", page)


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (60.0, "1 min 0 s"), (200.4, "3 min 20 s"), (7500.0, "2 h 5 min")],
)
def test_durations_read_well(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_the_counts_show_their_sum() -> None:
    assert DONE.sum == "1,011 extracted = 1 merged + 2 held + 3 unchanged + 1,000 accepted + 5 rejected"
    assert replace(DONE, unaccounted=7).sum.endswith("+ 7 in no count")
    assert replace(DONE, state="failed", unaccounted=7).sum.endswith("+ 7 left for the next run")


def test_every_column_has_a_head() -> None:
    """One without is given a random name on Prefect's pages, which screen readers read out."""
    page = MarkdownIt("commonmark").enable("table").render(markdown(DONE))
    assert re.findall(r"<th[ >]", page)
    assert re.findall(r"<th[^>]*></th>", page) == []


def test_the_slowest_steps_come_first_and_overlaps_count_once() -> None:
    spans = [
        Span("read", 0.0, 2.0, failed=False),
        Span("send", 2.0, 10.0, failed=True),
        Span("send", 3.0, 5.0, failed=False),
        Span("send", 9.0, 12.0, failed=False),
        Span("send", 20.0, 21.0, failed=False),
    ]
    assert slowest(spans) == [Step("send", 11.0, 4, failed=True), Step("read", 2.0, 1, failed=False)]
    assert len(slowest([Span(str(n), 0.0, 1.0, failed=False) for n in range(20)])) == reports.MOST_STEPS


def test_many_reasons_end_in_one_of_all_others_and_addresses_are_masked() -> None:
    counted = Counter({f"reason {number}": 100 - number for number in range(30)})
    counted["no such user: ann@example.com"] = 500
    found = reports._reasons(counted)  # noqa: SLF001
    assert (len(found), sum(one.rows for one in found)) == (reports.MOST_ROWS, counted.total())
    assert found[0] == Reason("no such user: <address>", 500)
    assert found[-1].reason == "other reasons"


def test_a_recorder_measures_steps_however_they_end() -> None:
    clock = Clock()
    recorder = RunRecorder(clock)

    def step(name: str, seconds: float, *, fails: bool) -> None:
        with recorder.step(name):
            clock.now += seconds
            if fails:
                raise LookupError

    step("read", 2.0, fails=False)
    with pytest.raises(LookupError):
        step("send", 3.0, fails=True)
    assert recorder.spans == [
        Span("read", 0.0, 2.0, failed=False),
        Span("send", 2.0, 5.0, failed=True),
    ]


def test_a_recorder_keeps_ten_examples_and_numbers_learners() -> None:
    recorder = RunRecorder(Clock())
    for number in range(30):
        recorder.sample([Example(recorder.learner(f"{number % 3}@example.com"), "new")])
    assert (len(recorder.examples), recorder.room) == (MOST_EXAMPLES, 0)
    assert {one.what for one in recorder.examples} == {"learner 1", "learner 2", "learner 3"}


def test_the_two_renderings_tell_the_same() -> None:
    text, page = markdown(DONE), html(DONE)
    for told in (
        "User not found",
        "learner 1: A course",
        "new: 30 %",
        "A note",
        "send to 360Learning",
        "1 min",
        "Missing",
        "A gone course",
    ):
        assert told in text
        assert told in page
    assert DONE.sum in text
    assert DONE.sum in page
    assert "| accepted | 1,000 | taken by 360Learning |" in text


@pytest.mark.parametrize("nasty", ["<script>alert(1)</script>", "![x](http://x)", "a | b\n# c", "`*_~\\"])
def test_whatever_comes_from_outside_is_text(nasty: str) -> None:
    report = replace(
        DONE,
        notes=[nasty],
        target=nasty,
        examples=[Example(nasty, nasty)],
        sections=[Section(nasty, ("course", "since"), [(nasty, nasty)])],
        reasons=[Reason(nasty, 1)],
    )
    usual, page = shape(markdown(DONE)), shape(markdown(report))
    assert page == usual
    assert "<script" not in html(report)
    assert 'src="http' not in html(report)


def test_a_section_without_rows_is_left_out() -> None:
    report = replace(DONE, sections=[Section("Missing", ("course", "since"), [])])
    assert "Missing" not in markdown(report)
    assert "Missing" not in html(report)


def test_a_long_text_is_cut() -> None:
    report = replace(DONE, examples=[Example("x" * 5000, "y" * 5000)])
    assert max(len(line) for line in markdown(report).splitlines() if "xxx" in line) < 400


def test_a_run_that_never_began_has_a_report_too() -> None:
    report = failure("catalog", "No setting, says ann@example.com", 1_768_464_000_000)
    assert report.error == "No setting, says <address>"
    for text in (markdown(report), html(report)):
        assert "catalog" in text
        assert "address" in text
        assert "extracted" not in text


class Prefect:
    """What was told to Prefect, as its client would have it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[float] = []
        for method in ("create_artifact", "update_artifact"):
            monkeypatch.setattr(f"prefect.client.orchestration.PrefectClient.{method}", self._take)

    async def _take(self, *_: UUID, artifact: ArtifactCreate | ArtifactUpdate, **__: UUID) -> Any:
        assert isinstance(artifact.data, float)
        self.told.append(artifact.data)
        return SimpleNamespace(id=uuid4())


async def report(*progress: tuple[int, int | None]) -> None:
    """Tell people and Prefect, too."""
    for done, total in progress:
        await ProgressReporter(ProgressArtifacts(Clock()).show).of("read contents", done, total)


def in_a_flow(work: Awaitable[None]) -> None:
    @flow(name="report")
    async def reporting() -> None:
        await work

    asyncio.run(reporting())


@pytest.mark.usefixtures("prefect_api")
def test_prefect_is_told_every_few_seconds_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    prefect, clock = Prefect(monkeypatch), Clock()

    async def work() -> None:
        counter = ProgressCounter(ProgressReporter(ProgressArtifacts(clock).show), "send courses")
        await counter.expect(200)
        for _ in range(20):
            await counter.add(10)
            clock.now += AT_MOST_EVERY_SECONDS / 4

    in_a_flow(work())
    assert prefect.told == [0.0, 25.0, 45.0, 65.0, 85.0, 100.0]


@pytest.mark.usefixtures("prefect_api")
def test_a_total_that_is_not_known_is_told_to_people_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    prefect, seen = Prefect(monkeypatch), Observer()
    with observing(seen):
        in_a_flow(report((7, None)))
    in_a_flow(report((9, None)))
    assert (seen.works, prefect.told) == ([("read contents", 7, None)], [])


@pytest.mark.usefixtures("prefect_api")
def test_more_rows_than_there_should_be_are_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    prefect = Prefect(monkeypatch)
    in_a_flow(report((9, 8), (0, 0)))
    assert prefect.told == [100.0, 100.0]


class Observer:
    """Keeps what it sees."""

    def __init__(self) -> None:
        self.works: list[tuple[str, int, int | None]] = []

    def on_progress(self, what: str, done: int, total: int | None) -> None:
        """So many rows are done."""
        self.works.append((what, done, total))

    def on_report(self, report: Report) -> None:
        """The run has ended."""

    def on_plan(self, plan: Plan) -> None:
        """What a dry run would do."""

    def on_differences(self, differences: pd.DataFrame) -> None:
        """Where both sides differ."""
