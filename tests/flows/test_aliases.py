"""Learners whose address differs between the platforms: aliases, and suggestions for them."""

from pathlib import Path

import pytest

from sandbox.clock import HOUR_MS
from sandbox.values import Json
from tests.commands import Command
from tests.installation import Sync

HOME, WORK = "ann@home.example", "ann.lee@work.example"


@pytest.fixture
def course(sync: Sync) -> Json:
    """A course that 360Learning has, with Ann as one of its users."""
    (made,) = sync.add_courses(1)
    sync.catalog()
    sync.sandbox.learning360.add_user(WORK, "Ann Lee")
    return made


@pytest.fixture
def aliases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of aliases, with none in it yet."""
    file = tmp_path / "aliases.csv"
    monkeypatch.setenv("SYNC_ALIASES", str(file))
    write(file)
    return file


def write(file: Path, *lines: str) -> None:
    file.write_text("\n".join(["coursera,learning360", *lines]))
    file.chmod(0o600)


@pytest.mark.parametrize("external_id", ["", "E1"], ids=["no externalId", "an externalId"])
@pytest.mark.parametrize("full", [True, False], ids=["seen again", "not seen again"])
def test_a_new_alias_sends_what_was_refused(
    sync: Sync,
    course: Json,
    aliases: Path,
    full: bool,  # noqa: FBT001 - a parameter of the table
    external_id: str,
) -> None:
    sync.sandbox.world.add_report(HOME, course, overallProgress=45, email=HOME, externalId=external_id)
    assert sync.statistics().rejected == 1
    sync.days_pass(3)
    assert sync.statistics(full=full).rejected == 1  # tried again, and refused again
    write(aliases, f"# {HOME} is Ann", f"{HOME.upper()}, {WORK}")
    summary = sync.statistics(full=full)
    assert (summary.accepted, summary.rejected) == (1, 0)
    assert sync.attempts(WORK, course["contentId"]) == [("open", 45)]
    assert sync.rejected("statistics") == {}
    assert not any("@" in note for note in summary.notes)
    again = sync.statistics(full=True)
    assert (again.unchanged, again.accepted) == (1, 0)


def test_attempts_under_the_old_address_are_not_opened_twice(sync: Sync, course: Json, aliases: Path) -> None:
    row = sync.sandbox.enroll(HOME, course, overallProgress=45)
    sync.statistics()
    sync.sandbox.learning360.change_mail(HOME, "ann@work.example")
    write(aliases, f"{HOME},ann@work.example")
    assert sync.statistics(full=True).unchanged == 1
    row |= {"overallProgress": 60, "lastActivityAt": sync.clock() - HOUR_MS}
    assert sync.statistics(full=True).accepted == 1
    assert "forceNew" not in sync.sent()[0]
    assert sync.attempts("ann@work.example", course["contentId"]) == [("open", 60)]


def test_another_alias_moves_the_attempts_with_it(sync: Sync, course: Json, aliases: Path) -> None:
    sync.sandbox.world.add_report(HOME, course, overallProgress=45)
    write(aliases, f"{HOME},nobody@work.example")
    assert sync.statistics().rejected == 1
    write(aliases, f"{HOME},{WORK}")
    assert sync.statistics(full=True).accepted == 1
    assert sync.attempts(WORK, course["contentId"]) == [("open", 45)]
    assert sync.rejected("statistics") == {}


def test_a_dry_run_and_a_backfill_know_the_aliases(sync: Sync, course: Json, aliases: Path) -> None:
    sync.sandbox.world.add_report(HOME, course, overallProgress=45)
    sync.statistics()
    write(aliases, f"{HOME},{WORK}")
    before = sync.remembered()
    assert sync.statistics(full=True, dry_run=True).submitted == 1
    assert sync.remembered() == before
    assert sync.backfill().accepted == 1
    assert sync.attempts(WORK, course["contentId"]) == [("open", 45)]


def test_explain_knows_a_learner_by_either_address(
    sync: Sync, course: Json, aliases: Path, command: Command
) -> None:
    write(aliases, f"{HOME},{WORK}")
    sync.sandbox.world.add_report(HOME, course, overallProgress=45)
    sync.statistics()
    for mail in (HOME, WORK):
        told = command("explain", "--learner", mail, "--course", course["contentId"])
        assert told.stdout.startswith(f"{WORK} on ")
        assert "360Learning now  open at 45 %" in told.stdout


def test_suggestions_are_for_a_person_to_choose(
    sync: Sync, course: Json, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    strangers = ("lee.ann@home.example", "bo@home.example", "nobody@home.example", "kim@home.example")
    for mail in strangers:
        sync.sandbox.world.add_report(mail, course, overallProgress=45)
    for mail, name in (("bo@work.example", "Bo X"), ("kim@a.example", "K A"), ("kim@b.example", "K B")):
        sync.sandbox.learning360.add_user(mail, name)
    assert sync.statistics().rejected == 4
    file = tmp_path / "suggested.csv"
    ended = command("suggest", str(file))
    assert ended.code == 0, ended.stderr
    assert ended.stdout.startswith("3 of 4 learners ")
    assert "@" not in ended.stdout + ended.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().splitlines() == [
        "coursera,learning360",
        "bo@home.example,bo@work.example",
        "#kim@home.example,kim@a.example",
        "#kim@home.example,kim@b.example",
        f"lee.ann@home.example,{WORK}",
    ]
    assert sync.statistics().rejected == 4  # nothing is applied by itself
    assert command("suggest", str(file)).code == 2
    monkeypatch.setenv("SYNC_ALIASES", str(file))
    summary = sync.statistics()
    assert (summary.accepted, summary.rejected) == (2, 2)
    sync.sandbox.learning360.client.scopes.discard("users:read")
    refused = command("suggest", str(tmp_path / "more.csv"))
    assert refused.code == 1
    assert "users:read" in refused.stderr
