"""What changes on Coursera's side from one day to the next, drawn from the seed and the day's number."""

from collections.abc import Iterable
from random import Random

from sandbox.clock import DAY_MS, MINUTE_MS, SECOND_MS
from sandbox.values import Json
from sandbox.world.contents import CatalogMaker
from sandbox.world.model import World
from sandbox.world.people import Learner, ascii_slug
from sandbox.world.reports import ReportMaker, enrollable, hours_field

#: Percent and hours, after one day and after two.
_SHOWCASE_BEGUN, _SHOWCASE_DONE = (45, 3.4), (100, 7.9)


def next_day(world: World, now_ms: int) -> dict[str, int]:
    """Moves the world to a new day; returns the number of changes of each kind."""
    world.day += 1
    world.now_ms = now_ms
    rng = Random(f"{world.seed}/day/{world.day}")  # noqa: S311 -- seeded data
    counts = _change_catalog(world, rng)
    open_rows = _open_rows(world)
    counts["addresses_changed"] = _change_address(world, rng, open_rows)
    counts |= _move_learners(world, rng, open_rows)
    counts["enrollments_added"] = _enroll(world, rng)
    counts["showcase_percent"] = _move_showcase(world)
    return counts


def _change_catalog(world: World, rng: Random) -> dict[str, int]:
    size = len(world.contents)
    removed = _remove(world, rng, size // 400)
    changed = _touch(world, rng, size // 80)
    added = _publish(world, rng, size // 160)
    return {"contents_added": added, "contents_changed": changed, "contents_removed": removed}


def _remove(world: World, rng: Random, count: int) -> int:
    """Contents that nobody is enrolled in leave the catalog."""
    held = {row["contentId"] for row in world.reports} | set(_showcase_ids(world))
    idle = [element for element in _sound(world) if element["contentId"] not in held]
    gone = rng.sample(idle, min(count, len(idle)))
    for element in gone:
        world.contents.remove(element)
        world.removed[element["id"]] = element
        _note(world, element, "REMOVED")
    return len(gone)


def _touch(world: World, rng: Random, count: int) -> int:
    chosen = rng.sample(_sound(world), min(count, len(world.contents) // 2))
    for number, element in enumerate(chosen):
        if number % 2:
            element["name"] += " (new edition)"
        else:
            element["description"] = f"Revised. {element.get('description') or element['name']}"
        _note(world, element, "MODIFIED")
    return len(chosen)


def _publish(world: World, rng: Random, count: int) -> int:
    maker = CatalogMaker(rng, world.now_ms, world.programs)
    for number in range(count):
        element = maker.course()
        element["slug"] += f"-d{world.day}n{number}"
        world.contents.append(element)
        _note(world, element, "ADDED")
    return count


def _note(world: World, element: Json, change_type: str) -> None:
    now_s = world.now_ms // SECOND_MS
    element["lastUpdatedAt"] = now_s
    program_ids = [place["programId"] for place in element.get("programs") or ()]
    world.changes[element["id"]] = {"changeType": change_type, "programIds": program_ids, "at": now_s}


def _sound(world: World) -> list[Json]:
    bad = {element["id"] for element in world.malformed_contents}
    return [element for element in world.contents if element["id"] not in bad]


def _showcase_ids(world: World) -> tuple[str, ...]:
    return world.showcase.external_ids if world.showcase else ()


def _open_rows(world: World) -> dict[str, Json]:
    """For each learner (by externalId) one row that can move on."""
    bad = {row["id"] for row in world.malformed_reports}
    star = world.showcase.mail if world.showcase else None
    return {
        row["externalId"]: row
        for row in world.reports
        if _can_move(row) and row["id"] not in bad and row["externalId"] != star
    }


def _can_move(row: Json) -> bool:
    return not row.get("isCompleted") and isinstance(row.get("overallProgress"), int | float)


def _move_learners(world: World, rng: Random, open_rows: dict[str, Json]) -> dict[str, int]:
    changed = {new for _, new in world.address_changes}
    certain = [row for row in open_rows.values() if row.get("email") in changed]
    others = [row for row in open_rows.values() if row.get("email") not in changed]
    wanted = len(world.learners) * 2 // 3 - len(certain)
    rows = certain + rng.sample(others, min(max(0, wanted), len(others)))
    completed = sum(_move(row, rng, world.now_ms) for row in rows)
    return {"learners_progressed": len(rows), "learners_completed": completed}


def _move(row: Json, rng: Random, now_ms: int) -> bool:
    """Progress on one row within the last ten minutes; True when it completes."""
    done = rng.random() < 0.3 or row["overallProgress"] >= 95  # noqa: PLR2004 -- three in ten, and the nearly done
    moment = max(now_ms - rng.randrange(10 * MINUTE_MS), row.get("lastActivityAt", 0) + 1, row["enrolledAt"])
    percent = row["overallProgress"]
    row["overallProgress"] = 100 if done else min(99, int(percent) + rng.randrange(1, 30))
    row["lastActivityAt"] = moment
    row["updatedAt"] = now_ms
    hours = hours_field(row["contentType"])
    row[hours] = round((row.get(hours) or 0) + rng.random() * 3, 2)
    if done:
        row |= {"isCompleted": True, "completedAt": moment, "grade": round(0.7 + rng.random() * 0.3, 4)}
    return done


def _change_address(world: World, rng: Random, open_rows: dict[str, Json]) -> int:
    """One learner with an externalId that is no address gets a new one."""
    able = [
        learner for learner in world.learners if _may_rename(learner) and learner.external_id in open_rows
    ]
    if not able:
        return 0
    learner = rng.choice(able)
    local, _, domain = learner.mail.partition("@")
    new = f"{local}-{ascii_slug(rng.choice(world.learners).full_name).rpartition('-')[2]}@{domain}"
    world.address_changes.append((learner.mail, new))
    learner.mail = new
    for row in _rows_of(world.reports, learner):
        row["email"] = new
        row["updatedAt"] = world.now_ms
    return 1


def _may_rename(learner: Learner) -> bool:
    return learner.known and "@" not in learner.external_id


def _rows_of(rows: Iterable[Json], learner: Learner) -> list[Json]:
    return [row for row in rows if row["externalId"] == learner.external_id]


def _enroll(world: World, rng: Random) -> int:
    """New rows, enrolled within the last day, every other of them active already."""
    maker = ReportMaker(rng, world.now_ms, world.programs)
    items = [enrollable(content) for content in _sound(world) if content.get("programs")]
    wanted = len(world.reports) // 50 if items and world.learners else 0
    before = len(world.reports)
    taken = {row["id"] for row in world.reports}
    for number in range(wanted):
        learner, item = rng.choice(world.learners), rng.choice(items)
        enrolled_ms = world.now_ms - rng.randrange(11 * MINUTE_MS, DAY_MS)
        row = maker.blank(learner, item, item.program_ids[0], enrolled_ms)
        if row["id"] in taken or _is_showcase(world, learner):
            continue
        taken.add(row["id"])
        world.reports.append(row)
        if number % 2:
            _move(row, rng, world.now_ms)
    return len(world.reports) - before


def _is_showcase(world: World, learner: Learner) -> bool:
    return world.showcase is not None and learner.mail == world.showcase.mail


def _move_showcase(world: World) -> int:
    """The showcase learner comes a good way on the path's first course, and completes it a day later."""
    if world.showcase is None:
        return 0
    row = world.report_of(world.showcase.mail, world.showcase.external_ids[0])
    done = world.day > 1
    percent, hours = _SHOWCASE_DONE if done else _SHOWCASE_BEGUN
    row |= {"overallProgress": percent, "lastActivityAt": world.now_ms, "updatedAt": world.now_ms}
    row[hours_field(row["contentType"])] = hours
    if done and not row["isCompleted"]:
        row |= {"isCompleted": True, "completedAt": world.now_ms, "grade": 0.91}
    return percent
