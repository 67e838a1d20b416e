"""`coursera-sync forget`, and how long rejected rows are kept."""

import io
import sys
from pathlib import Path

import pytest

from connectors.ledger.database import open_ledger
from sandbox.values import Json
from tests.commands import Command
from tests.installation import Sync

ANN, BOB = "ann@example.com", "joann@example.com"
TABLES = ("enrollments", "attempts", "learners", "rejects")


@pytest.fixture
def course(sync: Sync) -> Json:
    """A course on which both have an attempt, and a row that cannot be mapped."""
    courses = sync.add_courses(2)
    sync.catalog()
    for mail in (ANN, BOB):
        sync.sandbox.enroll(mail, courses[0], overallProgress=45)
        sync.sandbox.enroll(mail, courses[1], overallProgress="many")
    assert sync.statistics().rejected == 2
    return courses[0]


def about(sync: Sync, learner: str) -> dict[str, int]:
    """How many rows of each table name a learner anywhere."""
    named = f"'{learner}", f'"{learner}'
    return {
        table: sum(any(name in str(row) for name in named) for row in sync.ledger(table)) for table in TABLES
    }


class Terminal(io.StringIO):
    """Somebody who answers."""

    def isatty(self) -> bool:
        """They are there."""
        return True


@pytest.mark.usefixtures("course")
@pytest.mark.parametrize("state_url", ["sqlite", "postgresql"], indirect=True)
def test_one_person_is_removed_and_nobody_else(sync: Sync, command: Command) -> None:
    others = about(sync, BOB)
    assert about(sync, ANN) == others == dict.fromkeys(TABLES, 1)
    ended = command("forget", "--learner", " Ann@Example.com ", "--yes")
    assert ended.code == 0, ended.stderr
    assert ended.stdout == "Removed: 1 enrollments, 1 attempts, 1 learners, 1 rejects.\n"
    assert "brings this person back as long as Coursera reports them" in ended.stderr
    assert about(sync, ANN) == dict.fromkeys(TABLES, 0)
    assert about(sync, BOB) == others
    again = command("forget", "--learner", ANN, "--json")
    assert (again.code, again.json["state"]) == (1, "failed")
    assert "has no records of" in again.json["error"]


@pytest.mark.usefixtures("course")
def test_nothing_of_them_is_left_in_the_ledgers_file(sync: Sync, command: Command, tmp_path: Path) -> None:
    command("forget", "--learner", ANN, "--yes")
    left = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())
    assert BOB.encode() in left
    assert ANN.encode() not in left.replace(BOB.encode(), b"")
    assert sync.statistics(full=True).rejected == 2  # both are reported still
    assert about(sync, ANN) == dict.fromkeys(TABLES, 1)


@pytest.mark.usefixtures("course")
@pytest.mark.parametrize(
    ("stdin", "code", "left"),
    [(Terminal("y\n"), 0, 0), (Terminal("n\n"), 1, 1), (io.StringIO("y\n"), 2, 1)],
    ids=["yes", "no", "nobody there"],
)
def test_it_asks_first(
    sync: Sync, command: Command, monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO, code: int, left: int
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    ended = command("forget", "--learner", ANN)
    assert ended.code == code, ended.stderr
    assert ("Nothing was removed" in ended.stderr) == bool(left)
    assert about(sync, ANN) == dict.fromkeys(TABLES, left)


def test_it_refuses_while_something_of_theirs_is_under_way(
    sync: Sync, course: Json, command: Command
) -> None:
    sync.sandbox.world.report_of(ANN, course["contentId"])["overallProgress"] = 60
    sync.sandbox.faults.add("answer", path="/results", status=500)
    assert sync.statistics().state == "failed"
    before = about(sync, ANN)
    ended = command("forget", "--learner", ANN, "--yes")
    assert ended.code == 1
    assert "still open. Run `coursera-sync statistics`" in ended.stderr
    assert about(sync, ANN) == before
    assert command("forget", "--learner", BOB, "--yes").code == 0
    sync.sandbox.faults.clear()
    assert sync.statistics().recovered == 1
    assert command("forget", "--learner", ANN, "--yes").code == 0


@pytest.mark.usefixtures("course")
def test_it_never_runs_beside_a_run(sync: Sync, command: Command) -> None:
    explained = command("status", "--json").json["targets"]
    assert len(explained) == 1
    with open_ledger(sync.ledger_url.replace("sqlite:", "sqlite+pysqlite:")) as ledger:
        (file,) = Path(sync.state_url.removeprefix("sqlite:///")).parent.glob("*-statistics.lock")
        name = file.name.removeprefix("ledger.db.").removesuffix(".lock")
        release = ledger.try_lock(name)
        assert release is not None
        ended = command("forget", "--learner", ANN, "--yes", SYNC_LOCK_WAIT="0")
        release()
    assert ended.code == 1
    assert "The statistics of this target is held by" in ended.stderr
    assert about(sync, ANN) == dict.fromkeys(TABLES, 1)


@pytest.mark.parametrize("days", [0, 10])
@pytest.mark.usefixtures("course")
def test_rejected_rows_of_an_integration_that_is_gone_are_forgotten_after_a_while(
    sync: Sync, command: Command, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    monkeypatch.setenv("SYNC_KEEP_REJECTS_DAYS", str(days))
    sync.sandbox.learning360.integrations.clear()
    sync.catalog()
    sync.days_pass(9)
    assert sync.statistics().rejected == 2
    assert about(sync, ANN)["rejects"] == 2
    sync.days_pass(9)
    summary = sync.statistics()
    assert summary.rejected == 2
    assert any("now forgotten: 2" in note for note in summary.notes) == bool(days)
    assert about(sync, ANN)["rejects"] == (1 if days else 2)
    command("forget", "--learner", ANN, "--yes")
    assert about(sync, ANN) == dict.fromkeys(TABLES, 0)


@pytest.mark.parametrize("days", [0, 10])
def test_rejected_courses_of_an_integration_that_is_gone_are_forgotten_too(
    sync: Sync, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    monkeypatch.setenv("SYNC_KEEP_REJECTS_DAYS", str(days))
    sync.sandbox.world.add_content("   ")
    assert sync.catalog().rejected == 1
    sync.sandbox.learning360.integrations.clear()
    for left in (2, 1 if days else 2):
        sync.days_pass(9)
        assert sync.catalog().rejected == 1
        assert len(sync.ledger("rejects")) == left
