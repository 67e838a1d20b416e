from collections import Counter

import orjson
import pytest

from sandbox.clock import MANUAL_START_MS, MINUTE_MS
from sandbox.values import Json
from sandbox.world import Sizes, World, days

NOW_MS = MANUAL_START_MS


@pytest.fixture(scope="module")
def world() -> World:
    return World.seeded(NOW_MS)


def _program_ids(content: Json) -> list[str]:
    return [place["programId"] for place in content["programs"]]


def test_the_same_seed_and_moment_give_the_same_world(world: World) -> None:
    again = World.seeded(NOW_MS)
    assert orjson.dumps([again.contents, again.reports]) == orjson.dumps([world.contents, world.reports])


def test_another_seed_gives_another_world(world: World) -> None:
    assert World.seeded(NOW_MS, seed=2).contents != world.contents


def test_it_has_the_sizes_that_are_asked_for(world: World) -> None:
    assert (len(world.contents), len(world.learners), len(world.reports)) == (2_000, 300, 3_000)
    small = World.seeded(NOW_MS, 1, Sizes(courses=60, learners=9, enrollments=30))
    assert (len(small.contents), len(small.learners), len(small.reports)) == (60, 9, 30)


@pytest.mark.parametrize("sizes", [(29, 10, 10), (100, 5, 10), (30, 6, 0), (30, 6, 19)])
def test_sizes_that_cannot_be_drawn_are_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="learners"):
        Sizes(*sizes)
    assert World.seeded(NOW_MS, 1, Sizes(30, 6, 18)).showcase


def test_the_catalog_is_mixed(world: World) -> None:
    types = Counter(content["contentType"] for content in world.contents)
    assert types["Course"] > 1_600
    assert types["Specialization"] == 160
    assert types["Video"] == 120
    assert set(types) - {"Course", "Specialization", "Video"}
    languages = {str(content["languageCode"]) for content in world.contents}
    assert {"en", "fr", "es", "de", "pt-BR", "zh-CN", "zh-TW", "ja", "ko", "ar", "he", "hi"} <= languages
    assert {len(_program_ids(content)) for content in world.contents} == {0, 1, 2}


def test_ids_and_slugs_are_unique(world: World) -> None:
    for field in ("id", "contentId", "slug"):
        assert len({content[field] for content in world.contents}) == 2_000
    assert len({row["id"] for row in world.reports}) == 3_000


def test_types_carry_their_own_metadata(world: World) -> None:
    by_type = {content["contentType"]: content["extraMetadata"] for content in world.contents}
    assert by_type["Specialization"]["typeName"] == "specializationMetadata"
    assert by_type["Specialization"]["definition"]["courseIds"]
    assert by_type["Video"]["typeName"] == "clipMetadata"
    assert by_type["Video"]["definition"]["parentLessonObjectUrl"].startswith("https://")


def test_a_specialization_is_made_of_courses_of_the_catalog(world: World) -> None:
    known = {content["contentId"] for content in world.contents}
    for content in world.contents:
        assert set(content["extraMetadata"]["definition"].get("courseIds", ())) <= known


def test_optional_fields_are_sometimes_missing_null_or_empty(world: World) -> None:
    definitions = [content["extraMetadata"]["definition"] for content in world.contents]
    assert any("description" not in content for content in world.contents)
    assert any(content["partners"] == [] for content in world.contents)
    assert any(content["subtitleLanguageCodes"] is None for content in world.contents)
    assert any(definition["promoPhoto"] is None for definition in definitions)
    assert any("skills" not in definition for definition in definitions)


def test_a_few_things_are_malformed(world: World) -> None:
    assert len(world.malformed_contents) == 3
    assert len(world.malformed_reports) == 2
    assert [str(content["name"]).strip() for content in world.malformed_contents].count("") == 1
    assert any(isinstance(content["languageCode"], list) for content in world.malformed_contents)
    assert any(row["isCompleted"] == "nearly" for row in world.malformed_reports)
    bad = {content["contentId"] for content in world.malformed_contents}
    assert not any(row["contentId"] in bad for row in world.reports)


def test_four_learners_with_rows_are_not_in_360learning(world: World) -> None:
    strangers = {learner.external_id for learner in world.learners if not learner.known}
    assert len(strangers) == 4
    assert strangers <= {row["externalId"] for row in world.reports}


def test_dates_are_in_the_past_and_in_order(world: World) -> None:
    for row in world.reports:
        moments = [row["enrolledAt"], row.get("completedAt", row["enrolledAt"])]
        moments.append(row.get("lastActivityAt", moments[-1]))
        assert moments == sorted(moments)
        assert moments[-1] <= NOW_MS
        assert row["updatedAt"] <= NOW_MS
    assert all(content["lastUpdatedAt"] * 1_000 <= NOW_MS for content in world.contents)


def test_rows_have_the_irregularities_of_real_ones(world: World) -> None:
    rows = [row for row in world.reports if row not in world.malformed_reports]
    assert any("email" not in row and "@" in row["externalId"] for row in rows)
    assert any("@" not in row["externalId"] for row in rows)
    assert any(row["isCompleted"] and row["overallProgress"] < 100 for row in rows)
    assert any(not row["isCompleted"] and row["overallProgress"] == 100 for row in rows)
    assert any(row["overallProgress"] % 1 for row in rows)
    assert any(row["isCompleted"] and "completedAt" not in row for row in rows)
    assert any(row["isCompleted"] and "grade" not in row for row in rows)
    assert any(row["overallProgress"] and "lastActivityAt" not in row for row in rows)
    assert any("approxTotalLearningHours" in row for row in rows)
    pairs = Counter((row["externalId"], row["contentId"]) for row in rows)
    assert max(pairs.values()) == 2


def test_rows_are_of_a_content_and_program_that_exist(world: World) -> None:
    programs = {content["contentId"]: _program_ids(content) for content in world.contents}
    assert all(row["programId"] in programs[row["contentId"]] for row in world.reports)


def test_the_showcase_learner_has_one_row_without_activity(world: World) -> None:
    show = world.showcase
    assert show is not None
    first, second = show.external_ids
    rows = [row for row in world.reports if row["externalId"] == show.mail]
    assert [row["contentId"] for row in rows] == [first]
    assert rows[0]["overallProgress"] == 0
    assert "lastActivityAt" not in rows[0]
    assert NOW_MS - 10 * MINUTE_MS < rows[0]["enrolledAt"] < NOW_MS
    assert second in {content["contentId"] for content in world.contents}


def test_a_day_changes_what_it_says() -> None:
    world = World.seeded(NOW_MS)
    before = {content["id"]: orjson.dumps(content) for content in world.contents}
    rows = {row["id"]: orjson.dumps(row) for row in world.reports}
    later_ms = NOW_MS + MINUTE_MS

    counts = days.next_day(world, later_ms)

    after = {content["id"]: orjson.dumps(content) for content in world.contents}
    assert counts["contents_added"] == len(after.keys() - before.keys()) > 0
    assert counts["contents_removed"] == len(before.keys() - after.keys()) > 0
    assert counts["contents_changed"] == sum(
        after[key] != before[key] for key in after.keys() & before.keys()
    )
    new_rows = [row for row in world.reports if row["id"] not in rows]
    assert counts["enrollments_added"] == len(new_rows) > 50
    moved = [
        row for row in world.reports if row["id"] in rows and row.get("lastActivityAt", 0) > NOW_MS - 600_000
    ]
    assert len(moved) == counts["learners_progressed"] + 1 == 201
    assert 0 < counts["learners_completed"] < 200
    assert all(row["updatedAt"] == later_ms for row in moved)
    assert all(row["enrolledAt"] <= row["lastActivityAt"] <= later_ms for row in moved)


def test_a_day_changes_one_address_and_keeps_the_external_id() -> None:
    world = World.seeded(NOW_MS)
    counts = days.next_day(world, NOW_MS + 1)
    [(old, new)] = world.address_changes
    assert counts["addresses_changed"] == 1
    assert old not in {row.get("email") for row in world.reports}
    renamed = [row for row in world.reports if row.get("email") == new]
    assert renamed
    assert len({row["externalId"] for row in renamed}) == 1
    assert any(row.get("lastActivityAt", 0) > NOW_MS - 600_000 for row in renamed), (
        "an incremental reading sees it"
    )


def test_a_day_brings_the_showcase_learner_on() -> None:
    world = World.seeded(NOW_MS)
    assert days.next_day(world, NOW_MS + 1)["showcase_percent"] == 45
    assert world.showcase is not None
    row = world.report_of(world.showcase.mail, world.showcase.external_ids[0])
    assert (row["overallProgress"], row["isCompleted"], row["lastActivityAt"]) == (45, False, NOW_MS + 1)
    assert row["approxTotalCourseHrs"] > 0
    assert days.next_day(world, NOW_MS + 2)["showcase_percent"] == 100
    assert (row["isCompleted"], row["completedAt"]) == (True, NOW_MS + 2)


def test_days_are_deterministic_and_can_follow_each_other() -> None:
    worlds = [World.seeded(NOW_MS), World.seeded(NOW_MS)]
    counts = [[days.next_day(world, NOW_MS + day * 86_400_000) for day in (1, 2, 3)] for world in worlds]
    assert counts[0] == counts[1]
    assert orjson.dumps(worlds[0].reports) == orjson.dumps(worlds[1].reports)
    assert len({row["id"] for row in worlds[0].reports}) == len(worlds[0].reports)


def test_a_day_in_an_empty_world_changes_nothing() -> None:
    world = World.empty(NOW_MS)
    assert sum(days.next_day(world, NOW_MS + 1).values()) == 0


def test_contents_and_rows_are_added_by_hand() -> None:
    world = World.empty(NOW_MS)
    content = world.add_content("Statistics", languageCode="fr", definition={"estimatedLearningTime": 60})
    idle = world.add_report("a@example.com", content)
    active = world.add_report("b@example.com", content, overallProgress=40)
    done = world.add_report("c@example.com", content, isCompleted=True, externalId="emp-1")
    assert world.contents == [content]
    assert (content["languageCode"], _program_ids(content)) == ("fr", [world.programs[0]["id"]])
    assert content["extraMetadata"]["definition"]["estimatedLearningTime"] == 60
    assert world.reports == [idle, active, done]
    assert "lastActivityAt" not in idle
    assert active["lastActivityAt"] < NOW_MS
    assert done["completedAt"] == done["lastActivityAt"]
    assert (done["email"], done["externalId"]) == ("c@example.com", "emp-1")
    assert world.report_of("b@example.com", content["contentId"]) is active
    with pytest.raises(KeyError):
        world.report_of("nobody@example.com", content["contentId"])
