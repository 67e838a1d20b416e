"""One learner is the same one everywhere, however their address is written."""

import hashlib
from pathlib import Path

import pytest

from sandbox.values import Json
from tests.commands import Command
from tests.installation import Sync

# As Coursera says it, and as somebody writes it: lower case is another thing for databases and for Arrow.
WRITTEN = {
    "İbrahim@acme.example": "İBRAHIM@acme.example",
    "ΝΊΚΟΣ@acme.example": "Νίκος@acme.example",
    "\u212aelvin@acme.example": "Kelvin@ACME.example",
    "Zoe\u0301@acme.example": "ZOE\u0301@acme.example",
    "Strauß@acme.example": "strauß@acme.example",
}


@pytest.fixture
def course(sync: Sync) -> Json:
    (made,) = sync.add_courses(1)
    sync.catalog()
    return made


@pytest.mark.parametrize("mail", WRITTEN)
def test_all_know_the_same_learner(sync: Sync, course: Json, command: Command, mail: str) -> None:
    sync.sandbox.enroll(mail, course, overallProgress=45, externalId=mail)
    assert sync.statistics().accepted == 1
    external_id, asked = course["contentId"], WRITTEN[mail]
    story = command("explain", "--learner", asked, "--course", external_id, "--json", "--offline").json
    assert [one["attempts"][0]["progress"] for one in story["targets"]] == [45]
    digest = hashlib.sha256(asked.strip().lower().encode()).hexdigest()
    assert sync.backfill(learners=[digest]).unchanged == 1
    assert not any((sync.reconcile().differences or {}).values())
    gone = command("forget", "--learner", asked, "--yes", "--json")
    assert gone.json["removed"] == {"enrollments": 1, "attempts": 1, "learners": 1, "rejects": 0}
    assert command("forget", "--learner", asked, "--yes").code == 1


@pytest.mark.parametrize("mail", WRITTEN)
def test_a_row_that_cannot_be_mapped_is_forgotten_too(
    sync: Sync, course: Json, command: Command, mail: str
) -> None:
    sync.sandbox.enroll(mail, course, overallProgress="many")
    assert sync.statistics().rejected == 1
    gone = command("forget", "--learner", WRITTEN[mail], "--yes", "--json")
    assert gone.json["removed"]["rejects"] == 1


@pytest.mark.parametrize("mail", WRITTEN)
def test_an_alias_is_found(
    sync: Sync, course: Json, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mail: str
) -> None:
    sync.sandbox.learning360.add_user("ann@acme.example", "Ann Lee")
    sync.sandbox.world.add_report(mail, course, overallProgress=45, email=mail)
    file = tmp_path / "aliases.csv"
    file.write_text(f"coursera,learning360\n{WRITTEN[mail]},Ann@acme.example\n", encoding="utf-8")
    file.chmod(0o600)
    monkeypatch.setenv("SYNC_ALIASES", str(file))
    assert sync.statistics().accepted == 1
    assert sync.attempts("ann@acme.example", course["contentId"]) == [("open", 45)]
