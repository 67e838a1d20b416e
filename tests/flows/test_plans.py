"""What a dry run would do: told to people as a table, kept as a private file, and never done."""

import json
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer

from connectors.errors import SettingsError
from tasks.reporting.summary import Summary
from tasks.transform.plan_rows import PLAN_COLUMNS
from tests.installation import Sync
from tests.observer import Observer, observed

Command = Callable[..., str]


@pytest.fixture
def observer(prefect_api: str) -> Iterator[Observer]:
    """Someone who is told the plans."""
    assert prefect_api
    with observed() as observer:
        yield observer


@pytest.fixture
def command(sync: Sync, capsys: pytest.CaptureFixture[str]) -> Command:
    """A flow run as its command runs it; returns what went to stdout, and to stderr after it."""
    from flows.cli import run_flow  # noqa: PLC0415 - Prefect is imported once its test server runs

    assert sync.sandbox.world.contents is not None

    def run(flow: Any, *, as_json: bool = False, plan: Path | None = None, **parameters: Any) -> str:
        capsys.readouterr()
        with pytest.raises(typer.Exit):
            run_flow.run(flow, parameters, as_json=as_json, plan=plan)
        out, err = capsys.readouterr()
        return f"{out}\n--- stderr\n{err}"

    return run


def planned(observer: Observer, *columns: str) -> list[tuple[str, ...]]:
    """Columns of the last plan."""
    table = observer.plans[-1].table
    assert list(table.columns) == PLAN_COLUMNS
    return list(table[list(columns)].itertuples(index=False, name=None))


def test_a_catalog_plan_names_what_is_created_changed_archived_and_kept(
    sync: Sync, observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC_ARCHIVE_REMOVED", "true")
    monkeypatch.setenv("SYNC_ARCHIVE_LIMIT", "1")
    courses = sync.add_courses(4)
    sync.catalog()
    gone = sync.sandbox.world.contents.pop()
    sync.catalog()
    sync.days_pass(1)
    later = sync.sandbox.world.contents.pop()
    courses[0].update(name="Another name", description=None)
    new = sync.sandbox.world.add_content("New", contentId="new")
    before = sync.platform(), sync.remembered()
    summary = sync.catalog(dry_run=True)
    assert (sync.platform(), sync.remembered()) == before
    used = ", used by group Acme Learning, 0 learners"
    assert planned(observer, "action", "course", "name", "field", "before", "after", "why") == [
        ("archive", gone["contentId"], "Course 3", "", "", "",
         f"missed on 2 days since 2026-01-15, archived: missed on 2 days or more{used}"),
        ("update", courses[0]["contentId"], "Another name", "description", "All about Course 0.", "", ""),
        ("update", courses[0]["contentId"], "Another name", "name", "Course 0", "Another name", ""),
        ("create", new["contentId"], "New", "", "", "", ""),
        ("keep", later["contentId"], "Course 2", "", "", "",
         f"missed on 1 day since 2026-01-16, stays until it is missed on 2 days{used}"),
        ("unchanged", "", "", "", "", "1", "360Learning has it already"),
    ]  # fmt: skip
    assert observer.plans[-1].actions == {"archive": 1, "update": 1, "create": 1, "keep": 1}
    assert (summary.submitted, summary.unchanged, summary.archived) == (2, 1, 1)


def test_a_course_that_comes_back_is_planned_as_such(
    sync: Sync, observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"REMOVED": "true", "GRACE": "1", "LIMIT": "1"}.items():
        monkeypatch.setenv(f"SYNC_ARCHIVE_{name}", value)
    (course,) = sync.add_courses(1)
    sync.catalog()
    sync.sandbox.world.contents.clear()
    sync.catalog()
    sync.restore(dry_run=True)
    assert planned(observer, "action", "course", "why") == [
        ("restore", course["contentId"], "it was archived")
    ]
    sync.sandbox.world.contents.append(course)
    sync.catalog(dry_run=True)
    assert planned(observer, "action", "field", "why") == [("update", "", "it was archived")]


def test_a_run_that_is_no_dry_run_plans_nothing(sync: Sync, observer: Observer) -> None:
    sync.add_courses(1)
    sync.catalog()
    sync.statistics()
    assert observer.plans == []


def test_a_catalog_that_has_collapsed_still_shows_its_plan(
    sync: Sync, observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC_ARCHIVE_REMOVED", "true")
    sync.add_courses(3)
    sync.catalog()
    sync.sandbox.world.contents.clear()
    assert sync.catalog(dry_run=True).state == "failed"
    assert [action for (action,) in planned(observer, "action")] == ["keep"] * 3


@pytest.mark.parametrize(
    "run", [partial(Sync.statistics, full=True), Sync.backfill], ids=["full", "backfill"]
)
def test_a_statistics_plan_names_new_attempts_and_what_changes(
    sync: Sync, observer: Observer, run: Callable[..., Summary]
) -> None:
    (course,) = sync.add_courses(1)
    sync.catalog()
    going_on = sync.sandbox.enroll("ann@example.com", course, overallProgress=20)
    sync.statistics()
    going_on.update(overallProgress=45.9)
    sync.sandbox.enroll("bob@example.com", course, overallProgress=10)
    sync.sandbox.enroll("cid@example.com", course)
    before = sync.platform(), sync.remembered()
    run(sync, dry_run=True)
    assert (sync.platform(), sync.remembered()) == before
    rows = planned(
        observer, "action", "kind", "name", "learner", "attempt", "field", "before", "after", "why"
    )
    assert rows == [
        ("update", "attempt", "Course 0", "ann@example.com", "1", "progress", "20", "45",
         "update of an open attempt"),
        ("create", "attempt", "Course 0", "bob@example.com", "1", "progress", "", "10",
         "first statistic of an attempt, with forceNew"),
        ("held", "", "", "", "", "", "", "1", "held back by the launch rule: no activity yet"),
    ]  # fmt: skip


def test_the_command_prints_the_plan_before_the_summary(sync: Sync, command: Command) -> None:
    from flows.catalog import catalog  # noqa: PLC0415
    from flows.statistics import statistics  # noqa: PLC0415

    (course,) = sync.add_courses(1)
    sync.catalog()
    sync.sandbox.enroll("ann@example.com", course, overallProgress=20)
    course["description"] = "Ask [bold] ann@example.com"
    sync.add_courses(50)
    out, err = command(catalog, dry_run=True).split("--- stderr")
    lines = out.splitlines()
    assert any("description: All about Course 0. → Ask [bold] <address>" in line for line in lines)
    assert sum(line.split()[:1] == ["create"] for line in lines) == 39
    assert "… and 11 more; --plan FILE for all" in lines
    assert lines.index("plan: 1 update, 50 create") < next(
        number for number, line in enumerate(lines) if line.startswith("catalog: dry run")
    )
    assert "create" not in err

    told = command(statistics, dry_run=True)
    assert "learner 1: Course 0" in told
    assert "@" not in told


def test_with_json_the_plan_goes_to_stderr(sync: Sync, command: Command) -> None:
    from flows.catalog import catalog  # noqa: PLC0415

    sync.add_courses(1)
    out, err = command(catalog, dry_run=True, as_json=True).split("--- stderr")
    assert json.loads(out)["submitted"] == 1
    assert "plan: 1 create" in err


@pytest.mark.parametrize("name", ["plan.csv", "plan.PARQUET"])
def test_the_file_holds_all_of_the_plan_privately(
    sync: Sync, command: Command, tmp_path: Path, name: str
) -> None:
    from flows.statistics import statistics  # noqa: PLC0415

    (course,) = sync.add_courses(1)
    sync.catalog()
    for number in range(45):
        sync.sandbox.enroll(f"learner{number}@example.com", course, overallProgress=20)
    file = tmp_path / name
    file.write_text("somebody else's")
    file.chmod(0o644)
    told = command(statistics, dry_run=True, plan=file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    read = pd.read_csv(file, dtype="str") if name.endswith("csv") else pd.read_parquet(file)
    assert (list(read.columns), len(read)) == (PLAN_COLUMNS, 45)
    assert set(read["learner"]) == {f"learner{number}@example.com" for number in range(45)}
    assert f"… and 5 more; all are in {file}" in told
    assert "@" not in told


@pytest.mark.parametrize(
    ("name", "dry_run", "named"),
    [
        ("plan.txt", True, "must end in .csv or .parquet"),
        ("plan", True, "must end in .csv or .parquet"),
        ("nowhere/plan.csv", True, "cannot be written"),
        ("plan.csv", False, "--plan goes with --dry-run"),
    ],
)
def test_a_plan_that_could_not_be_written_stops_the_command_before_it_begins(
    sync: Sync,
    tmp_path: Path,
    name: str,
    dry_run: bool,  # noqa: FBT001 - a parameter of the table
    named: str,
) -> None:
    from flows.catalog import catalog  # noqa: PLC0415
    from flows.cli import run_flow  # noqa: PLC0415

    with pytest.raises(SettingsError, match=named):
        run_flow.run(catalog, {"dry_run": dry_run}, as_json=False, plan=tmp_path / name)
    assert sync.sandbox.log.entries == []
