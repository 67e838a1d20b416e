"""Archiving tells what it does, and why: since when a course is missing, what becomes of it, who uses it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.values import Json
from tests.installation import Sync
from tests.observer import Observer, observed

NOT_GRANTED = "Course usage is incomplete: scope {} is not granted"


@pytest.fixture(autouse=True)
def archiving(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Switched on, with the grace and the limit that people have."""
    monkeypatch.setenv("SYNC_ARCHIVE_REMOVED", "true")
    return monkeypatch


@pytest.fixture
def observer(prefect_api: str) -> Iterator[Observer]:
    """Someone who reads the reports."""
    assert prefect_api
    with observed() as observer:
        yield observer


def removed(sync: Sync, count: int = 1, of: int = 20) -> list[Json]:
    """So many courses are synchronised, then some are taken out of the catalog."""
    sync.add_courses(of)
    sync.catalog()
    contents = sync.sandbox.world.contents
    gone, contents[:] = contents[:count], contents[count:]
    return gone


def told(observer: Observer) -> list[tuple[str, ...]]:
    """What the last report says of missing courses."""
    return [tuple(row) for row in observer.section("Missing in Coursera").rows]


def test_the_report_names_what_is_missing_since_when_and_what_becomes_of_it(
    sync: Sync, observer: Observer
) -> None:
    (gone,) = removed(sync)
    assert told(observer) == []
    name, group = f"Course 0 ({gone['contentId']})", "group Acme Learning, 0 learners"
    sync.catalog()
    assert told(observer) == [
        (name, "on 1 day since 2026-01-15", "stays until it is missed on 2 days", group)
    ]
    sync.days_pass(3)
    assert sync.catalog(dry_run=True).archived == 1
    archived = (name, "on 2 days since 2026-01-15", "archived: missed on 2 days or more", group)
    assert told(observer) == [archived]
    assert observer.section("Missing in Coursera").title == (
        "Missing in Coursera: 1 of 20 live courses, of which a run archives at most 10%"
    )
    assert sync.catalog().archived == 1
    assert told(observer) == [archived]
    sync.catalog()
    assert told(observer) == []


def test_paths_and_learners_who_use_a_course_are_told(sync: Sync, observer: Observer) -> None:
    used, unused = removed(sync, 2)
    platform = sync.sandbox.learning360
    paths = [platform.add_path(name, [used["contentId"]], "free") for name in ("One", "Two")]
    for number, path in enumerate([*paths, None]):
        mail = f"learner{number}@example.com"
        platform.add_user(mail)
        platform.launch(mail, used["contentId"], path.id if path else None)
    sync.catalog()
    assert {row[0].split(" (")[0]: row[3] for row in told(observer)} == {
        used["name"]: f"group Acme Learning, paths {' '.join(sorted(one.id for one in paths))}, 3 learners",
        unused["name"]: "group Acme Learning, 0 learners",
    }


@pytest.mark.parametrize(
    ("withheld", "left"),
    [
        (["courseStats:read"], "group Acme Learning"),
        (["groups:read"], "0 learners"),
        (["courseStats:read", "groups:read"], ""),
    ],
    ids=["learners", "groups", "both"],
)
def test_scopes_that_are_not_granted_are_a_note_and_the_rest_goes_on(
    sync: Sync, observer: Observer, withheld: list[str], left: str
) -> None:
    removed(sync)
    sync.sandbox.learning360.client.scopes.difference_update(withheld)
    sync.catalog()
    sync.days_pass(1)
    summary = sync.catalog()
    assert (summary.state, summary.archived) == ("completed", 1)
    assert sorted(summary.notes) == sorted(NOT_GRANTED.format(scope) for scope in withheld)
    assert [row[3] for row in told(observer)] == [left]


def test_what_cannot_be_read_for_another_reason_fails_nothing_either(sync: Sync, observer: Observer) -> None:
    removed(sync)
    sync.sandbox.faults.add("answer", path="/courses/stats", status=400, body={"error": {"code": "odd"}})
    summary = sync.catalog()
    assert summary.state == "completed"
    (note,) = summary.notes
    assert "Course usage is incomplete: 360Learning refuses" in note
    assert [row[3] for row in told(observer)] == ["group Acme Learning"]


def test_where_archiving_is_off_nobody_is_asked_who_uses_a_course(
    sync: Sync, observer: Observer, archiving: pytest.MonkeyPatch
) -> None:
    archiving.delenv("SYNC_ARCHIVE_REMOVED")
    removed(sync)
    sync.catalog()
    assert [row[2:] for row in told(observer)] == [("stays: SYNC_ARCHIVE_REMOVED is off", "")]
    assert sync.requests("GET", "/courses/stats") == 0


def test_a_catalog_that_has_collapsed_tells_what_it_misses_though_the_run_stops(
    sync: Sync, observer: Observer
) -> None:
    removed(sync, 15)
    assert sync.catalog().state == "failed"
    section = observer.section("Missing in Coursera: 15 of 20")
    assert len(section.rows) == 10
    assert {row[2] for row in section.rows} == {"stays: more than 10% are missing"}


def test_the_html_report_shows_it_too(sync: Sync, tmp_path: Path) -> None:
    from flows.catalog import catalog  # noqa: PLC0415 - Prefect is imported once its test server runs
    from flows.cli.run_flow import run_flow  # noqa: PLC0415

    sync.add_courses(19)
    sync.sandbox.world.add_content("Ask ann@example.com")
    sync.catalog()
    sync.sandbox.world.contents.pop()
    run_flow(catalog, {}, report=tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Missing in Coursera: 1 of 20 live courses" in text
    assert "stays until it is missed on 2 days" in text
    assert "Ask &lt;address&gt;" in text
    assert "ann@example.com" not in text
