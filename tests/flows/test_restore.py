"""`restore` brings back what an archive took, and the catalog does not take it away again at once."""

import asyncio

import pytest

from connectors.errors import SettingsError
from sandbox import snapshot
from sandbox.values import Json
from tests.installation import Sync
from tests.observer import observed
from tests.postgres import BOTH_DATABASES


@pytest.fixture(autouse=True)
def archiving(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Switched on, at once, any share of the catalog."""
    monkeypatch.setenv("SYNC_ARCHIVE_REMOVED", "true")
    monkeypatch.setenv("SYNC_ARCHIVE_GRACE", "1")
    monkeypatch.setenv("SYNC_ARCHIVE_LIMIT", "1")
    return monkeypatch


def archived(sync: Sync, count: int, of: int = 4) -> list[Json]:
    """So many of some courses are archived; returns their elements."""
    sync.add_courses(of)
    sync.catalog()
    contents = sync.sandbox.world.contents
    gone, contents[:] = contents[:count], contents[count:]
    assert sync.catalog().archived == count
    return gone


@BOTH_DATABASES
def test_all_that_was_archived_comes_back_as_it_was(sync: Sync) -> None:
    sync.add_courses(1)
    sync.catalog()
    before = snapshot.comparable(sync.platform())["courses"]
    sync.sandbox.world.contents.clear()
    sync.catalog()
    assert sync.courses() == {}
    summary = sync.restore()
    assert (summary.flow, summary.state, summary.exit_code) == ("restore", "completed", 0)
    assert (summary.extracted, summary.submitted, summary.accepted) == (1, 1, 1)
    assert snapshot.comparable(sync.platform())["courses"] == before
    again = sync.restore()
    assert (again.extracted, again.notes) == (0, ["There is nothing to bring back: no course is archived"])


def test_only_the_named_courses_come_back(sync: Sync) -> None:
    wanted, other = archived(sync, 2)
    live = sync.sandbox.world.contents[0]["contentId"]
    summary = sync.restore(wanted["contentId"], live, wanted["contentId"])
    assert (summary.extracted, summary.unchanged, summary.accepted) == (2, 1, 1)
    assert summary.notes == [f"Not archived, and left as they are: {live}"]
    assert wanted["contentId"] in sync.courses()
    assert other["contentId"] not in sync.courses()


def test_a_dry_run_shows_what_would_come_back_and_does_nothing(sync: Sync) -> None:
    archived(sync, 2)
    platform, ledger = sync.platform(), sync.remembered()
    with observed() as observer:
        summary = sync.restore(dry_run=True)
    assert (summary.state, summary.extracted, summary.submitted, summary.accepted) == ("dry_run", 2, 2, 0)
    assert (sync.platform(), sync.remembered()) == (platform, ledger)
    (report,) = observer.reports
    assert {(one.what, one.change) for one in report.examples} == {
        ("Course 0", "brought back"),
        ("Course 1", "brought back"),
    }


def test_an_unknown_course_is_named_before_anything_is_asked(sync: Sync) -> None:
    (gone,) = archived(sync, 1)
    from flows.restore import restore  # noqa: PLC0415 - Prefect is imported once its test server runs

    asked = len(sync.sandbox.log.entries)
    with pytest.raises(SettingsError, match=r"called nonsense, Course 1:") as refused:
        asyncio.run(restore([gone["contentId"], "nonsense", "Course 1"]))
    assert refused.value.exit_code == 2
    assert len(sync.sandbox.log.entries) == asked
    assert gone["contentId"] not in sync.courses()


@pytest.mark.parametrize("grace", [1, 2])
def test_a_course_that_is_still_missing_gets_its_grace_anew(
    sync: Sync, archiving: pytest.MonkeyPatch, grace: int
) -> None:
    archived(sync, 1)
    archiving.setenv("SYNC_ARCHIVE_GRACE", str(grace))
    sync.restore()
    taken = [sync.catalog().archived]
    for _ in range(grace):
        sync.days_pass(1)
        taken.append(sync.catalog().archived)
    assert taken == [0] * grace + [1]
    assert sync.restore().accepted == 1


def test_a_course_that_is_back_at_coursera_stays(sync: Sync) -> None:
    (gone,) = archived(sync, 1)
    sync.restore()
    sync.sandbox.world.contents.append(gone)
    sync.days_pass(1)
    summary = sync.catalog()
    assert (summary.unchanged, summary.archived) == (4, 0)


def test_a_course_that_360learning_refuses_is_rejected_and_can_be_restored_later(sync: Sync) -> None:
    (gone,) = archived(sync, 1)
    refusal = {"input": {"externalId": gone["contentId"]}, "status": "error", "errorMessage": "Not now"}
    sync.sandbox.faults.add("answer", path="/results$", status=200, body=[refusal], times=1)
    summary = sync.restore()
    assert (summary.state, summary.exit_code, summary.rejected) == ("completed_with_rejects", 3, 1)
    assert sync.rejected("catalog") == {gone["contentId"]: "360Learning: Not now"}
    assert sync.restore().accepted == 1
    assert sync.rejected("catalog") == {}


def test_a_restoration_that_was_interrupted_is_finished_by_the_catalog(sync: Sync) -> None:
    (gone,) = archived(sync, 1)
    sync.sandbox.learning360.options.hold_operations = True

    def interrupt() -> None:
        raise asyncio.CancelledError

    sync.meanwhile = interrupt
    with pytest.raises(BaseException):  # noqa: B017, PT011 - whatever Prefect makes of it
        sync.restore()
    sync.meanwhile = lambda: None
    sync.sandbox.learning360.release()
    sync.sandbox.learning360.options.hold_operations = False
    summary = sync.catalog()
    assert (summary.recovered, summary.archived) == (1, 0)
    assert gone["contentId"] in sync.courses()
