"""Several groups of 360Learning: one reading of Coursera serves all, and none stops the others."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest

from flows.cli.output.observer import watched
from flows.cli.run_flow import STDERR
from sandbox.clock import DAY_MS
from sandbox.values import Json
from tasks.reporting.progress import observing
from tasks.reporting.report import Report
from tests.commands import Command
from tests.installation import Sync
from tests.observer import Observer

ANN, BOB = "ann@example.com", "bob@example.com"


class Groups:
    """An installation with two targets: `all` gets every program, `sales` one of its own, in French."""

    def __init__(self, sync: Sync, file: Path) -> None:
        self.sync = sync
        world, platform = sync.sandbox.world, sync.sandbox.learning360
        self.company = world.add_program("Company")
        self.sales = world.add_program("Sales")
        self.group_id: str = platform.add_group("Sales")["_id"]
        self.file = file
        file.write_text(
            f"""
            [[target]]
            name = "all"

            [[target]]
            name = "sales"
            group_id = "{self.group_id}"
            default_language = "fr"
            programs = ["{self.sales["id"]}"]
            """
        )

    def course(self, name: str, *programs: Json) -> Json:
        """A course in these programs, in a language that Coursera does not tell."""
        urls = [{"programId": one["id"], "contentUrl": f"{one['url']}/{quote(name)}"} for one in programs]
        return self.sync.sandbox.world.add_content(name, languageCode=None, programs=urls)

    def held(self, group_id: str) -> dict[str, Json]:
        """What a group's integration holds: the courses by their names."""
        platform = self.sync.sandbox.learning360
        platform.operations.settle()
        (integration,) = [one for one in platform.integrations.values() if one["groupId"] == group_id]
        every = platform.courses.by_id.values()
        return {one.data["name"]: one.data for one in every if one.integration_id == integration["_id"]}

    def refuse_sales(self) -> None:
        """Bulk operations of the group of sales are refused from now on."""
        platform = self.sync.sandbox.learning360
        (broken,) = [one for one in platform.integrations.values() if one["groupId"] == self.group_id]
        self.sync.sandbox.faults.add("answer", path=f"bulk/integrations/{broken['_id']}", status=400)

    @property
    def in_all(self) -> dict[str, Json]:
        """What the group of all programs holds."""
        return self.held(self.sync.sandbox.learning360.group_id)

    @property
    def in_sales(self) -> dict[str, Json]:
        """What the group of sales holds."""
        return self.held(self.group_id)


@pytest.fixture
def groups(sync: Sync, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Groups:
    file = tmp_path / "targets.toml"
    monkeypatch.setenv("SYNC_TARGETS", str(file))
    return Groups(sync, file)


def test_each_group_gets_its_programs_in_its_language_from_one_reading(groups: Groups) -> None:
    groups.course("For all", groups.company)
    groups.course("For both", groups.company, groups.sales)
    summary = groups.sync.catalog()
    assert (summary.state, summary.accepted, summary.extracted) == ("completed", 3, 3)
    assert groups.in_all.keys() == {"For all", "For both"}
    assert groups.in_sales.keys() == {"For both"}
    assert groups.in_all["For both"]["defaultLang"] == "en"
    assert groups.in_sales["For both"]["defaultLang"] == "fr"
    assert groups.in_sales["For both"]["launchUrl"] == f"{groups.sales['url']}/For%20both"
    assert groups.sync.requests("GET", "/contents") == 1
    told = {one.target: one.accepted for one in summary.targets or []}
    assert told == {"all": 2, "sales": 1}
    again = groups.sync.catalog()
    assert (again.accepted, again.unchanged) == (0, 3)


def test_progress_goes_where_its_program_is(groups: Groups) -> None:
    course = groups.course("For both", groups.company, groups.sales)
    groups.sync.catalog()
    for mail, program in ((ANN, groups.company), (BOB, groups.sales)):
        groups.sync.sandbox.enroll(mail, course, programId=program["id"], overallProgress=40)
    summary = groups.sync.statistics()
    assert (summary.accepted, summary.extracted) == (3, 3)
    starts = [query["start"] for query in groups.sync.queries("enrollmentReports")]
    assert starts.count("0") == 1
    assert len(starts) == len(set(starts))
    rows = {(row["target_id"], row["learner"]) for row in groups.sync.ledger("attempts")}
    assert len(rows) == 3
    assert len({target for target, learner in rows if learner == ANN}) == 1
    assert len({target for target, learner in rows if learner == BOB}) == 2
    assert groups.sync.statistics().accepted == 0


def test_a_group_that_fails_does_not_stop_the_others(groups: Groups) -> None:
    course = groups.course("For both", groups.company, groups.sales)
    groups.sync.sandbox.enroll(ANN, course, programId=groups.sales["id"], overallProgress=40)
    groups.sync.setup()
    groups.refuse_sales()
    summary = groups.sync.catalog()
    assert (summary.state, summary.exit_code) == ("failed", 1)
    assert "1 of 2 targets failed. sales: " in str(summary.error)
    assert groups.in_all.keys() == {"For both"}
    assert groups.in_sales == {}
    groups.sync.sandbox.faults.clear()
    assert groups.sync.catalog().accepted == 1
    assert groups.in_sales.keys() == {"For both"}


def test_who_looks_on_and_fails_does_not_stop_them(groups: Groups, caplog: pytest.LogCaptureFixture) -> None:
    class Unreadable(Observer):
        def on_report(self, _: Report) -> None:
            raise OSError

    groups.course("For both", groups.company, groups.sales)
    with observing(Unreadable()):
        summary = groups.sync.catalog()
    assert (summary.state, summary.accepted) == ("completed", 2)
    assert "The run could not be reported on (OSError)" in caplog.text


def test_one_whose_progress_is_refused_leaves_the_rest_to_the_others(groups: Groups) -> None:
    course = groups.course("For both", groups.company, groups.sales)
    groups.sync.catalog()
    for number in range(3):
        groups.sync.sandbox.enroll(
            f"learner{number}@example.com", course, programId=groups.sales["id"], overallProgress=40
        )
    groups.refuse_sales()
    summary = groups.sync.statistics()
    assert [(one.target, one.state, one.accepted) for one in summary.targets or []] == [
        ("all", "completed", 3),
        ("sales", "failed", 0),
    ]


def test_what_coursera_refuses_fails_all_and_is_said_once(groups: Groups) -> None:
    groups.sync.setup()
    groups.sync.sandbox.faults.add("answer", platform="coursera", path="/contents", status=403)
    summary = groups.sync.catalog()
    assert summary.state == "failed"
    assert [one.state for one in summary.targets or []] == ["failed", "failed"]
    assert str(summary.error).count("does not open this organisation") == 1


def test_each_has_its_own_watermark_and_the_reading_goes_back_to_the_earliest(groups: Groups) -> None:
    groups.course("For both", groups.company, groups.sales)
    groups.sync.catalog()
    groups.sync.statistics()
    groups.sync.days_pass(3)
    platform = groups.sync.sandbox.learning360
    (sales,) = [one for one in platform.integrations.values() if one["groupId"] == groups.group_id]
    groups.sync.sandbox.faults.add("answer", path="api/v2/integrations", method="PATCH", status=400)
    sales["defaultProgress"] = 7
    assert groups.sync.statistics().state == "failed"
    groups.sync.sandbox.faults.clear()
    groups.sync.days_pass(1)
    groups.sync.statistics()
    since = [int(query["lastActivityAfter"]) for query in groups.sync.queries("enrollmentReports")[-2:]]
    assert since[1] - since[0] < DAY_MS


@pytest.mark.usefixtures("workers_here")
def test_workers_that_share_a_backfill_find_its_target(groups: Groups) -> None:
    course = groups.course("For both", groups.company, groups.sales)
    groups.sync.catalog()
    for number in range(4):
        groups.sync.sandbox.enroll(
            f"learner{number}@example.com", course, programId=groups.sales["id"], overallProgress=40
        )
    summary = groups.sync.backfill(workers=2)
    assert [one.accepted for one in summary.targets or []] == [4, 4]


def test_a_plan_and_a_report_tell_the_targets_apart(groups: Groups, tmp_path: Path) -> None:
    groups.course("For all", groups.company)
    groups.course("For both", groups.company, groups.sales)
    groups.sync.setup()
    foreseen: list[Any] = []
    report = tmp_path / "report.html"
    with watched(
        "catalog", STDERR, report_file=report, show_plans=foreseen.extend, export_file=None, bars=False
    ):
        assert groups.sync.catalog(dry_run=True).submitted == 3
    table = pd.concat([one.table for one in foreseen])
    assert sorted(table.loc[table["action"].eq("create"), "target"]) == ["all", "all", "sales"]
    page = report.read_text()
    assert page.count("<main>") == 3
    for told in ("2 targets", "catalog, all", "catalog, sales"):
        assert told in page
    assert page.index("2 targets") < page.index("catalog, all")


def test_restore_brings_back_in_each_group_what_it_had(
    groups: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC_ARCHIVE_REMOVED", "true")
    monkeypatch.setenv("SYNC_ARCHIVE_GRACE", "1")
    monkeypatch.setenv("SYNC_ARCHIVE_LIMIT", "1")
    only = groups.course("For all", groups.company)
    groups.course("For both", groups.company, groups.sales)
    groups.sync.catalog()
    groups.sync.sandbox.world.contents.remove(only)
    assert groups.sync.catalog().archived == 1
    summary = groups.sync.restore(only["contentId"])
    assert [(one.target, one.accepted) for one in summary.targets or []] == [("all", 1), ("sales", 0)]
    unknown = groups.sync.restore("nothing")
    assert "never had a course" in str(unknown.error)


def test_reconcile_compares_each_group_with_its_programs(groups: Groups) -> None:
    groups.course("For all", groups.company)
    groups.course("For both", groups.company, groups.sales)
    groups.sync.catalog()
    summary = groups.sync.reconcile()
    assert summary.state == "completed"
    assert sum((summary.differences or {}).values()) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "target: Field required"),
        ("[[target]]\nname = 'A b'", "target 1, name: "),
        ("[[target]]\nname = 'a'\ngroup = 'x'", "target 1, group: "),
        ("[[target]]\nname = 'a'\n[[target]]\nname = 'a'", "the same name, a"),
        ("[[target]]\nname = 'a'\n[[target]]\nname = 'b'", "the same integration"),
        ("[[target]", "is no TOML file"),
        (None, "cannot be read"),
    ],
    ids=["empty", "a name", "a field", "two names", "two groups", "no TOML", "no file"],
)
def test_a_file_that_is_wrong_is_exit_2(
    sync: Sync, command: Command, tmp_path: Path, text: str | None, said: str
) -> None:
    file = tmp_path / "targets.toml"
    if text is not None:
        file.write_text(text)
    ended = command("catalog", "--json", SYNC_TARGETS=str(file))
    assert ended.code == 2
    assert said in ended.json["error"]
    assert sync.sandbox.log.entries == []
