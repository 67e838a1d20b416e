"""Leaving the vendor's connector as its page in docs leads through it: a pilot, its undo, the change."""

from pathlib import Path
from typing import Any

import pytest

from tasks.transform.statistics.filters import digest_of
from tests.installation import Sync

ANN, BOB = "ann@example.com", "bob@example.com"


class Company:
    """A group to which the vendor's connector brought a course, and two programs of Coursera's."""

    def __init__(self, sync: Sync) -> None:
        self.sync = sync
        platform, world = sync.sandbox.learning360, sync.sandbox.world
        self.vendor = platform.add_integration("Coursera")
        self.group_id = platform.group_id
        self.pilot_group = platform.add_group("Pilot")["_id"]
        self.program, self.other = world.add_program("Pilot"), world.add_program("Others")
        self.courses = [
            world.add_content(name, programs=[{"programId": one["id"], "contentUrl": one["url"]}])
            for name, one in (("In the pilot", self.program), ("Not yet", self.other))
        ]
        platform.add_course(self.courses[0]["contentId"])
        for mail in (ANN, BOB):
            for course, one in zip(self.courses, (self.program, self.other), strict=True):
                sync.sandbox.enroll(mail, course, programId=one["id"], overallProgress=40)

    def of_vendor(self) -> list[Any]:
        """All that the vendor's integration holds."""
        every = self.sync.sandbox.learning360.courses.by_id.values()
        return [one for one in every if one.integration_id == self.vendor["_id"]]

    def ours(self) -> dict[str, str]:
        """The names of our courses, and the group that each is in."""
        platform = self.sync.sandbox.learning360
        platform.operations.settle()
        return {
            str(one.data["name"]): platform.integrations[one.integration_id]["groupId"]
            for one in platform.courses.by_id.values()
            if one.integration_id != self.vendor["_id"] and not one.archived
        }

    def remove_ours(self) -> None:
        """Somebody removes all courses of ours in 360Learning."""
        for course in self.sync.sandbox.learning360.courses.by_id.values():
            course.archived |= course.integration_id != self.vendor["_id"]


@pytest.fixture
def company(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.setenv("LEARNING360_PLATFORM_NAME", "Coursera by us")
    return Company(sync)


def test_a_pilot_reaches_one_program_and_one_learner_and_can_be_undone(
    company: Company, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sync, program = company.sync, company.program["id"]
    with monkeypatch.context() as pilot:
        pilot.setenv("LEARNING360_GROUP_ID", company.pilot_group)
        pilot.setenv("LEARNING360_NO_GROUP_PROPAGATION", "true")
        assert sync.setup().state == "completed"
        assert sync.catalog(programs=[program], dry_run=True).submitted == 1
        assert sync.catalog(programs=[program]).accepted == 1
        assert sync.statistics(dry_run=True).state == "dry_run"
        chosen: dict[str, Any] = {"learners": [digest_of(ANN)], "programs": [program]}
        assert sync.backfill(**chosen, dry_run=True).submitted == 1
        assert sync.backfill(**chosen).accepted == 1
        assert sync.reconcile().differences
    assert company.ours() == {"In the pilot": company.pilot_group}
    course = company.courses[0]["contentId"]
    assert {row["learner"] for row in sync.ledger("attempts")} == {ANN}
    assert [one.external_id for one in company.of_vendor()] == [course]

    company.remove_ours()
    assert company.ours() == {}

    sync.state_url = f"sqlite:///{tmp_path}/anew.db"
    monkeypatch.setenv("SYNC_STATE_URL", sync.state_url)
    assert "Another connector" in str(sync.setup().notes)
    assert sync.catalog().accepted == 2
    assert sync.statistics().accepted == 4
    assert set(company.ours().values()) == {company.group_id}
    assert not any((sync.reconcile().differences or {}).values())
    assert [one.external_id for one in company.of_vendor()] == [course]
