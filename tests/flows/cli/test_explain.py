"""`coursera-sync explain`: the story of one learner on one course, as a person at a terminal reads it."""

import subprocess
import sys

import pytest

from sandbox.values import Json
from tests.commands import Command
from tests.installation import Sync

ANN = "ann@example.com"


@pytest.fixture
def course(sync: Sync) -> Json:
    """A course that 360Learning has."""
    (made,) = sync.add_courses(1)
    sync.catalog()
    return made


def test_the_whole_story_is_told(sync: Sync, course: Json, command: Command) -> None:
    row = sync.sandbox.enroll(ANN, course, overallProgress=45)
    sync.statistics()
    operation = sync.ledger("attempts")[0]["operation_id"]
    row["overallProgress"] = 60
    sync.sandbox.learning360.launch(ANN, course["contentId"])

    told = command("explain", "--learner", " Ann@Example.com", "--course", course["contentId"])
    assert told.code == 0, told.stderr
    lines = told.stdout.splitlines()
    assert lines[0] == f"{ANN} on {course['name']} ({course['contentId']})"
    for words in (
        "Coursera said    reports last read 2026-01-15 08:00 UTC",
        ": 45 %, ",
        "so since the reading of 2026-01-15 08:00 UTC: attempt 1",
        f"Coursera now     program {row['programId']}: 60 %, ",
        "rule             attempt 1: the first real activity opens an attempt of its own",
        "sent             attempt 1: 45 %, ",
        f"by the statistics run of 2026-01-15 08:00 UTC, operation {operation}; accepted 2026-01-15 08:00",
        "360Learning now  open at 45 %, ",
        "360Learning now  completed at 0 %, ",
    ):
        assert words in told.stdout
    (query,) = [one for one in sync.queries("enrollmentReports") if one.get("q") == "byUserProgramId"]
    assert (query["externalId"], query["programId"]) == (ANN, row["programId"])
    assert ANN not in told.stderr

    as_json = command("explain", "--learner", ANN, "--course", course["contentId"], "--json").json
    assert (as_json["flow"], as_json["state"], as_json["learner"]) == ("explain", "completed", ANN)
    (target,) = as_json["targets"]
    assert [one["progress"] for one in target["attempts"]] == [45]
    assert [one["progress"] for one in target["coursera_now"]["rows"]] == [60]
    assert sorted(one["progress"] for one in target["learning360_now"]["rows"]) == [0, 45]


def test_what_is_held_and_merged_is_explained(sync: Sync, course: Json, command: Command) -> None:
    other = sync.add_courses(1)[0]
    sync.catalog()
    sync.sandbox.enroll(ANN, course)
    second = sync.sandbox.world.add_program("Second")
    sync.sandbox.enroll(ANN, other, isCompleted=True)
    sync.sandbox.enroll(ANN, other, programId=second["id"], overallProgress=30)
    sync.statistics()
    held = command("explain", "--learner", ANN, "--course", course["contentId"], "--offline").stdout
    assert "0 %, " in held
    assert ": held" in held
    assert "rule             launch rule: without activity" in held
    assert "sent " not in held
    merged = command("explain", "--learner", ANN, "--course", other["contentId"], "--offline").stdout
    assert merged.count("attempt 1\n") == 2
    assert "rule             the rows of several programs are one attempt" in merged
    assert "a completed attempt is closed" in merged


def test_what_was_refused_or_cannot_be_mapped_is_told_with_its_reason(
    sync: Sync, course: Json, command: Command
) -> None:
    sync.sandbox.world.add_report("stranger@example.com", course, overallProgress=10)
    bad = sync.sandbox.enroll(ANN, course, overallProgress="many")
    sync.sandbox.enroll(f"jo{ANN}", course, overallProgress=-1)
    sync.statistics()
    refused = command("explain", "--learner", "stranger@example.com", "--course", course["contentId"]).stdout
    assert "rejected         attempt 1: 360Learning: User not found (since 2026-01-15 08:00 UTC" in refused
    assert "360Learning now  knows no user of this address" in refused
    unmapped = command("explain", "--learner", ANN, "--course", course["contentId"]).stdout
    assert unmapped.count("rejected  ") == 1
    assert "rejected         a row: overallProgress is not a number" in unmapped
    bad["overallProgress"] = 10
    sync.statistics()
    mended = command("explain", "--learner", ANN, "--course", course["contentId"]).stdout
    assert "rejected  " not in mended
    assert "sent             attempt 1: 10 %" in mended


def test_what_is_on_its_way_is_told(sync: Sync, course: Json, command: Command) -> None:
    sync.sandbox.enroll(ANN, course, overallProgress=45)
    sync.sandbox.faults.add("answer", path="/results", status=500)
    assert sync.statistics().state == "failed"
    told = command("explain", "--learner", ANN, "--course", course["contentId"], "--offline").stdout
    assert "on its way       attempt 1: 45 %, in operation " in told


def test_without_the_scopes_the_rest_is_told(sync: Sync, course: Json, command: Command) -> None:
    sync.sandbox.enroll(ANN, course, overallProgress=45)
    sync.statistics()
    sync.sandbox.learning360.client.scopes -= {"users:read", "courseStats:read"}
    told = command("explain", "--learner", ANN, "--course", course["contentId"])
    assert told.code == 0
    assert (
        "360Learning now  not read back: that needs the scopes users:read and courseStats:read" in told.stdout
    )
    assert "sent             attempt 1: 45 %" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["--offline"], {}, "not asked (--offline)"),
        ([], {"LEARNING360_CLIENT_ID": "", "COURSERA_ORG_ID": ""}, "not asked: the platforms' settings"),
        ([], {"LEARNING360_GROUP_ID": "a" * 24}, "not asked: the settings name another group"),
    ],
    ids=["offline", "no settings", "another group"],
)
def test_the_ledger_tells_its_part_without_the_platforms(
    sync: Sync, course: Json, command: Command, arguments: list[str], settings: dict[str, str], said: str
) -> None:
    sync.sandbox.enroll(ANN, course, overallProgress=45)
    sync.statistics()
    sync.sandbox.log.clear()
    told = command("explain", "--learner", ANN, "--course", course["contentId"], *arguments, **settings)
    assert told.code == 0
    assert told.stdout.count(said) == 2
    assert "sent             attempt 1: 45 %" in told.stdout
    assert sync.sandbox.log.entries == []


def test_platforms_that_are_down_are_said_to_be(sync: Sync, course: Json, command: Command) -> None:
    sync.sandbox.enroll(ANN, course, overallProgress=45)
    sync.statistics()
    sync.sandbox.faults.add("answer", status=503)
    told = command("explain", "--learner", ANN, "--course", course["contentId"])
    assert told.code == 0
    assert "Coursera now     Coursera" in told.stdout
    assert "360Learning now  360Learning" in told.stdout
    assert "sent             attempt 1: 45 %" in told.stdout


def test_a_learner_or_course_that_is_unknown_is_a_message_that_helps(
    sync: Sync, course: Json, command: Command
) -> None:
    (other,) = sync.add_courses(1)
    other["name"] = "Deep Waters"
    sync.catalog()
    sync.sandbox.enroll("ann.lee@example.com", course, overallProgress=45)
    sync.statistics()
    typo = command("explain", "--learner", "ann.lee@exmple.com", "--course", course["contentId"])
    assert (typo.code, typo.stdout) == (1, "")
    assert "knows no learner ann.lee@exmple.com" in typo.stderr
    assert "Similar addresses: ann.lee@example.com." in typo.stderr
    by_name = command("explain", "--learner", "x@y.zz", "--course", "deep waters", "--json")
    assert by_name.code == 1
    assert f"Courses like that: Deep Waters ({other['contentId']})." in by_name.json["error"]
    elsewhere = command("explain", "--learner", "ann.lee@example.com", "--course", other["contentId"])
    assert f"It knows them on: {course['name']} ({course['contentId']})." in elsewhere.stderr


def test_it_does_not_wait_for_prefect() -> None:
    code = "import sys, flows.cli.explain; print('prefect' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert ended.stdout == "False\n"
