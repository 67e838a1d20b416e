"""Coursera's side as plain lists of plain objects, seeded or made by hand."""

from dataclasses import dataclass, field
from random import Random
from typing import Any, Self

from sandbox.clock import DAY_MS, MANUAL_START_MS, MINUTE_MS, SECOND_MS
from sandbox.values import Json
from sandbox.world import contents, reports
from sandbox.world.people import Learner, make_learners

_PROGRAM_NAMES = ("Global Academy", "Leadership Track", "Tech Talent")
_UNKNOWN_LEARNERS = 4
_FEWEST_COURSES, _FEWEST_LEARNERS = 30, 6


@dataclass(frozen=True)
class Sizes:
    """How much the seeded world holds."""

    courses: int = 2_000
    learners: int = 300
    enrollments: int = 3_000

    def __post_init__(self) -> None:
        """Refuses what could not be drawn without repeating itself."""
        if self.courses < _FEWEST_COURSES or self.learners < _FEWEST_LEARNERS:
            raise ValueError(f"at least {_FEWEST_COURSES} courses and {_FEWEST_LEARNERS} learners are needed")
        most = self.learners * self.courses // 10
        if not 0 < self.enrollments <= most:
            raise ValueError(f"so many learners and courses allow for 1 to {most} enrollments")


@dataclass(frozen=True)
class Showcase:
    """One learner and a linear path of two courses: the story that the demo tells."""

    mail: str
    full_name: str
    #: Coursera's contentIds, 360Learning's externalIds, in the order of the path.
    external_ids: tuple[str, ...]
    path_name: str
    program_id: str


@dataclass
class World:
    """What Coursera holds. Every list may be changed in place, also while it is being served."""

    now_ms: int
    seed: int = 1
    programs: list[Json] = field(default_factory=list)
    contents: list[Json] = field(default_factory=list)
    reports: list[Json] = field(default_factory=list)
    learners: list[Learner] = field(default_factory=list)
    showcase: Showcase | None = None
    #: The seeded elements and rows that no mapping can accept.
    malformed_contents: list[Json] = field(default_factory=list)
    malformed_reports: list[Json] = field(default_factory=list)
    #: For `modifiedSinceTimestamp`: element id → its last change, with `at` in epoch seconds.
    changes: dict[str, Json] = field(default_factory=dict)
    #: Elements taken out of the catalog, by id.
    removed: dict[str, Json] = field(default_factory=dict)
    #: (old, new) addresses of learners, in the order of the changes.
    address_changes: list[tuple[str, str]] = field(default_factory=list)
    #: How many days have passed.
    day: int = 0

    @classmethod
    def empty(cls, now_ms: int = MANUAL_START_MS) -> Self:
        """One program and nothing in it."""
        world = cls(now_ms)
        world.add_program("Academy")
        return world

    @classmethod
    def seeded(cls, now_ms: int, seed: int = 1, sizes: Sizes | None = None) -> Self:
        """A believable customer; the same arguments give the same one."""
        world = cls(now_ms, seed)
        for name in _PROGRAM_NAMES:
            world.add_program(name)
        _fill(world, Random(seed), sizes or Sizes())  # noqa: S311 -- seeded data
        return world

    def add_program(self, name: str, program_id: str = "", **fields: Any) -> Json:  # noqa: ANN401 -- JSON values
        """One more program, added and returned."""
        number = len(self.programs) + 1
        slug = name.lower().replace(" ", "-")
        program: Json = {
            "id": program_id or f"prog{number:03}RbQYEeqUOQ",
            "name": name,
            "tagline": f"{name} for everyone",
            "slug": slug,
            "url": f"https://www.coursera.org/programs/{slug}",
            "contractId": f"contract-{number}",
        }
        self.programs.append(program | fields)
        return self.programs[-1]

    def add_content(self, name: str = "Learning to Learn", **fields: Any) -> Json:  # noqa: ANN401 -- JSON values
        """One more content element, added and returned.

        `fields` are top-level fields of the element, over the defaults; `definition` is merged into
        `extraMetadata.definition`; the element is in the first program unless `programs` says otherwise.
        """
        definition = fields.pop("definition", {})
        element = _plain_content(
            self, name, fields.get("contentType", contents.COURSE), fields.get("contentId")
        )
        element["extraMetadata"]["definition"].update(definition)
        element.update(fields)
        self.contents.append(element)
        return element

    def add_report(self, mail: str, content: Json, **fields: Any) -> Json:  # noqa: ANN401 -- JSON values
        """One more report row of a learner on a content, added and returned.

        Without further fields: enrolled ten days before `now_ms`, no activity. Progress or completion given
        brings believable dates with it. `fields` are fields of the row, over the defaults.
        """
        item = reports.enrollable(content)
        program_id = fields.get("programId") or (*item.program_ids, self.programs[0]["id"])[0]
        maker = reports.ReportMaker(Random(self.seed), self.now_ms, self.programs)  # noqa: S311 -- seeded data
        row = maker.blank(_learner(mail, fields), item, program_id, self.now_ms - 10 * DAY_MS)
        row.update(_dates_of(fields, self.now_ms))
        row.update(fields)
        self.reports.append(row)
        return row

    def report_of(self, mail: str, content_id: str) -> Json:
        """The first row of that learner on that content; KeyError without one."""
        for row in self.reports:
            if mail in (row.get("email"), row.get("externalId")) and row["contentId"] == content_id:
                return row
        raise KeyError(f"no report row of {mail} on {content_id}")


def _learner(mail: str, fields: Json) -> Learner:
    name = mail.partition("@")[0].replace(".", " ").title()
    return Learner(mail, fields.get("externalId", mail), name)


def _dates_of(fields: Json, now_ms: int) -> Json:
    """The dates that a row with this progress has."""
    if fields.get("isCompleted"):
        done_ms = fields.get("lastActivityAt", now_ms - DAY_MS)
        return {"overallProgress": 100, "lastActivityAt": done_ms, "completedAt": done_ms}
    return {"lastActivityAt": now_ms - DAY_MS} if fields.get("overallProgress") else {}


def _plain_content(world: World, name: str, content_type: str, content_id: str | None) -> Json:
    content_id = content_id or f"content-{len(world.contents) + 1:04}"
    slug = name.lower().replace(" ", "-")
    return {
        "id": f"{content_type}~{content_id}",
        "contentId": content_id,
        "contentType": content_type,
        "name": name,
        "description": f"All about {name}.",
        "slug": slug,
        "languageCode": "en",
        "subtitleLanguageCodes": ["fr"],
        "difficultyLevel": "BEGINNER",
        "lastUpdatedAt": world.now_ms // SECOND_MS - 86_400,
        "instructors": [],
        "partners": [{"name": "Aldermoor University", "logoUrl": "https://images.example.net/aldermoor.png"}],
        "programs": [contents.membership(world.programs[0], content_type, slug)],
        "extraMetadata": {
            "typeName": _TYPE_NAMES.get(content_type, "courseMetadata"),
            "definition": _definition(),
        },
    }


_TYPE_NAMES = {contents.SPECIALIZATION: "specializationMetadata", contents.VIDEO: "clipMetadata"}


def _definition() -> Json:
    return {
        "estimatedLearningTime": 3_600,
        "promoPhoto": "https://images.example.net/promo/1.jpg",
        "skills": [{"skillName": "Learning", "skillId": "learning"}],
        "domainTypes": [],
    }


def _fill(world: World, rng: Random, sizes: Sizes) -> None:
    world.contents = contents.CatalogMaker(rng, world.now_ms, world.programs).catalog(sizes.courses)
    world.malformed_contents = contents.spoil(world.contents)
    world.learners = make_learners(rng, sizes.learners - 1)
    for learner in world.learners[1 : 1 + _UNKNOWN_LEARNERS]:
        learner.known = False
    open_to_all = [reports.enrollable(content) for content in _well_formed(world) if content["programs"]]
    maker = reports.ReportMaker(rng, world.now_ms, world.programs)
    world.reports = maker.rows(world.learners, open_to_all, sizes.enrollments - 1)
    world.malformed_reports = reports.spoil(world.reports)
    _stage_showcase(world, maker, open_to_all)


def _well_formed(world: World) -> list[Json]:
    bad = {element["id"] for element in world.malformed_contents}
    return [element for element in world.contents if element["id"] not in bad]


def _stage_showcase(world: World, maker: reports.ReportMaker, items: list[reports.Enrollable]) -> None:
    """A learner of whom nothing else is known enrolls in the path's first course three minutes ago."""
    first, second = [item for item in items if item.content_type == contents.COURSE][:2]
    learner = Learner("camille.laurent@example.com", "camille.laurent@example.com", "Camille Laurent")
    world.learners = [other for other in world.learners if other.mail != learner.mail] + [learner]
    program_id = first.program_ids[0]
    world.reports.append(maker.blank(learner, first, program_id, world.now_ms - 3 * MINUTE_MS))
    world.showcase = Showcase(
        mail=learner.mail,
        full_name=learner.full_name,
        external_ids=(first.content_id, second.content_id),
        path_name="First steps",
        program_id=program_id,
    )
