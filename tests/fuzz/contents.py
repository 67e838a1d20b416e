"""Elements of the catalog, good and odd ones, each with the course that is to come of it.

It shares no code with the product: it says the rules of docs/mapping.md once more, for one value at a time.
"""

import copy
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from tests.fuzz import values
from tests.fuzz.wire import Json, no_row, read

_PAGES = {"course": "learn", "specialization": "specializations"}
_LANGUAGES = {
    "en": "en", "EN_us": "en", "pt-BR": "pt_BR", "zh-CN": "zh", "zh-TW": "zh_tw", "he": "he_IL", " fr ": "fr",
    "xx": None, "x" * 5000: None, "": None, "<<half>>": None, "d<<nul>>e": "de", "-": None, "\u202een": None,
}  # fmt: skip
#: estimatedLearningTime in seconds, and the minutes that come of it.
_SECONDS: list[tuple[Any, int | None]] = [
    (0, None), (-1, None), (-1e300, None), (1, 1), (59.9, 1), (1e-300, 1), (60, 1), (3_599, 59),
    (5_400.0, 90), (360_000_000, 100_000), (360_000_001, None), (1_769_778_943, None), (1e300, None),
    (2**63, None),
]  # fmt: skip


class Element:
    """One element: what is written, and what is to be read of it."""

    def __init__(self, number: int) -> None:
        self.id = f"course-{number:05}"
        self.wire: Json = {
            "id": f"Course~{self.id}",
            "contentId": self.id,
            "contentType": "Course",
            "name": f"Course {number}",
            "description": f"All about {number}.",
            "slug": f"slug-{number}",
            "languageCode": "en",
            "subtitleLanguageCodes": ["fr", "pt-BR"],
            "difficultyLevel": "BEGINNER",
            "lastUpdatedAt": 1_769_000_000 + number,
            "instructors": [{"name": "Ann"}],
            "partners": [{"name": "Aldermoor", "logoUrl": "https://images.example.net/a.png"}],
            "programs": [{"programId": "p1", "contentUrl": f"https://www.coursera.org/programs/a/{number}"}],
            "extraMetadata": {
                "typeName": "courseMetadata",
                "definition": {
                    "estimatedLearningTime": 3_600,
                    "promoPhoto": "https://images.example.net/1.jpg",
                    "skills": [{"skillName": "Learning", "skillId": "s"}],
                    "domainTypes": [{"domain": {"name": "Arts"}, "subdomain": {"name": "Music"}}],
                    "parentLessonObjectUrl": f"https://www.coursera.org/lesson/{number}",
                },
            },
        }
        self.body: Json = {
            "externalId": self.id,
            "name": f"Course {number}",
            "description": f"All about {number}.",
            "imageUrl": "https://images.example.net/1.jpg",
            "duration": 60,
            "defaultLang": "en",
            "difficultyLevel": "beginner",
            "contentType": "course",
            "subjects": ["Arts", "Music", "Learning"],
            "sources": [{"name": "Aldermoor", "logoUrl": "https://images.example.net/a.png"}],
        }
        self.is_good = self.has_id = True
        self.age = self.wire["lastUpdatedAt"]
        self.subtitles = ["fr", "pt_BR"]
        #: What may be launched: a program's page, the slug, a clip's lesson.
        self.program_url: str | None = self.wire["programs"][0]["contentUrl"]
        self.slug: str | None = self.wire["slug"]
        self.lesson_url: str | None = self.definition["parentLessonObjectUrl"]

    @property
    def definition(self) -> Json:
        """The inner part of the element."""
        found: Json = self.wire["extraMetadata"]["definition"]
        return found

    def says(self, field: str, value: object) -> None:
        """What a field of the course is to hold; None: it is left out."""
        self.body.pop(field, None)
        if value is not None:
            self.body[field] = value

    def finish(self) -> None:
        """The fields of the course that several values decide together."""
        kind = self.body["contentType"]
        page = self.slug and f"https://www.coursera.org/{_PAGES.get(kind)}/{self.slug}"
        url = self.program_url or (self.lesson_url if kind == "video" else page)
        self.is_good = self.is_good and self.has_id and bool(url)
        self.says("launchUrl", url)
        others = [code for code in self.subtitles if code != self.body["defaultLang"]]
        found = [{"lang": code, "translatedFields": {}} for code in dict.fromkeys(others)]
        self.says("translations", found or None)


Oddity = Callable[[Element, Random], None]


def _id(element: Element, draw: Random) -> None:
    element.wire["contentId"], element.has_id = values.identifier(draw, element.id)
    element.says("externalId", element.wire["contentId"])


def _name(element: Element, draw: Random) -> None:
    wire, name = _prose(draw)
    element.wire["name"] = wire
    element.says("name", name)
    element.is_good = element.is_good and bool(name)


def _description(element: Element, draw: Random) -> None:
    element.wire["description"], description = _prose(draw)
    element.says("description", description)


def _image(element: Element, draw: Random) -> None:
    element.definition["promoPhoto"], url = values.url(draw)
    element.says("imageUrl", url)


def _duration(element: Element, draw: Random) -> None:
    wrong = [(value, None) for value in (None, *values.NO_NUMBER)]
    element.definition["estimatedLearningTime"], minutes = draw.choice([*_SECONDS, *_SECONDS, *wrong])
    element.says("duration", minutes)


def _language(element: Element, draw: Random) -> None:
    if draw.random() < 0.3:
        element.wire["languageCode"] = draw.choice(values.NO_TEXT)
        element.is_good = False
    else:
        code = draw.choice([*_LANGUAGES, None])
        element.wire["languageCode"] = code
        element.says("defaultLang", _LANGUAGES.get(code or "") or "en")


def _subtitles(element: Element, draw: Random) -> None:
    element.subtitles = []
    if draw.random() < 0.3:
        element.wire["subtitleLanguageCodes"] = draw.choice([None, *values.NO_LIST])
        return
    codes = draw.choices([*_LANGUAGES, None, *values.NO_TEXT], k=draw.choice((0, 1, 3, 40)))
    element.wire["subtitleLanguageCodes"] = codes
    element.subtitles = [known for code in codes if isinstance(code, str) and (known := _LANGUAGES.get(code))]


def _level(element: Element, draw: Random) -> None:
    wire = draw.choice(["Advanced", " INTERMEDIATE ", "MIXED", "", None, *values.NO_TEXT, values.text(draw)])
    element.wire["difficultyLevel"] = wire
    word = read(wire).lower() if isinstance(wire, str) else ""
    element.says("difficultyLevel", word if word in {"advanced", "intermediate"} else None)


def _kind(element: Element, draw: Random) -> None:
    wire = draw.choice(["Specialization", " VIDEO", "Lab", "", None, *values.NO_TEXT, values.text(draw)])
    element.wire["contentType"] = wire
    word = read(wire).lower() if isinstance(wire, str) else ""
    element.says("contentType", word if word in {"specialization", "video"} else "course")


def _programs(element: Element, draw: Random) -> None:
    """The smallest program id that has a page is first; one without an id comes last."""
    places: list[Any] = draw.choices([None, *values.NO_OBJECT], k=draw.randrange(3))
    pages = []
    for program in draw.sample(["a", "b", "z", None, 7, "", "<<nan>>"], draw.randrange(5)):
        wire, url = values.url(draw)
        places.append({"programId": program, "contentUrl": wire})
        if url:
            pages.append((program if program in {"a", "b", "z"} else "\U0010ffff", url))
    draw.shuffle(places)
    element.wire["programs"] = places
    element.program_url = min(pages)[1] if pages else None
    if draw.random() < 0.3:
        element.wire["programs"], element.program_url = draw.choice([None, *values.NO_LIST]), None


def _slug(element: Element, draw: Random) -> None:
    if draw.random() < 0.5:
        element.wire["slug"] = draw.choice(
            ["a b", "<<half>>", "a<<nul>>b", " \u2028 ", None, *values.NO_TEXT]
        )
        element.slug = None
    else:
        element.wire["slug"] = draw.choice((" slug ", "ü", "a/../x", "?a#b", "\u202e", "x" * 9_000))
        element.slug = element.wire["slug"].strip()


def _lesson(element: Element, draw: Random) -> None:
    element.definition["parentLessonObjectUrl"], element.lesson_url = values.url(draw)


def _partners(element: Element, draw: Random) -> None:
    sources = []
    entries: list[Any] = draw.choices([None, *values.NO_OBJECT], k=draw.randrange(3))
    for _ in range(draw.randrange(3)):
        wire, name = _prose(draw)
        logo, url = values.url(draw)
        entries.append({"name": wire, "logoUrl": logo})
        if name:
            sources.append({"name": name} | ({"logoUrl": url} if url else {}))
    element.wire["partners"] = entries
    if draw.random() < 0.3:
        element.wire["partners"], sources = draw.choice([None, *values.NO_LIST]), []
    element.says("sources", sources or [{"name": "Coursera"}])


def _subjects(element: Element, draw: Random) -> None:
    domains, skills, names = list[Any](), list[Any](), list[str | None]()
    for _ in range(draw.randrange(3)):
        (domain, first), (subdomain, second) = _named(draw), _named(draw)
        domains.append({"domain": domain, "subdomain": subdomain})
        names += [first, second]
    for _ in range(draw.choice((0, 1, 3, 50))):
        wire, name = _prose(draw)
        skills.append({"skillName": wire})
        names.append(name)
    element.definition["domainTypes"] = [*domains, *draw.choices([None, *values.NO_OBJECT], k=1)]
    element.definition["skills"] = [*draw.choices([None, *values.NO_OBJECT], k=1), *skills]
    element.says("subjects", list(dict.fromkeys(name for name in names if name)))


def _inner(element: Element, draw: Random) -> None:
    """Nothing can be read of the inner part, or of all that is around it."""
    wire = draw.choice([None, *values.NO_OBJECT])
    element.wire["extraMetadata"] = draw.choice([wire, {"definition": wire}])
    for field in ("imageUrl", "duration"):
        element.says(field, None)
    element.says("subjects", [])
    element.lesson_url = None


def _unused(element: Element, draw: Random) -> None:
    for field in draw.sample(["instructors", "typeName", "x" * 300, "<<half>>", "constructor", ""], 3):
        element.wire[field] = draw.choice(values.ANYTHING)


def _own_id(element: Element, draw: Random) -> None:
    """What tells elements apart: missing, shared, or nothing that could be one."""
    element.wire["id"] = draw.choice(["shared", "shared", "1", *values.ANYTHING])
    if draw.random() < 0.3:
        del element.wire["id"]


def _age(element: Element, draw: Random) -> None:
    element.wire["lastUpdatedAt"] = draw.choice([None, -1, 0, 1e300, 2**63, *values.NO_NUMBER])


#: Whatever is inside extraMetadata comes before the one that throws it away.
ODDITIES: tuple[Oddity, ...] = (
    _id, _name, _description, _image, _duration, _language, _subtitles, _level, _kind, _programs, _slug,
    _lesson, _partners, _subjects, _unused, _own_id, _age, _inner,
)  # fmt: skip


def elements(draw: Random, count: int) -> list[Element]:
    """That many elements: four in ten are good, some come twice, some are none at all."""
    made: list[Element] = []
    for number in range(count):
        kind = draw.random()
        if made and kind < 0.03:
            made.append(copy.deepcopy(draw.choice(made)))
            continue
        if made and kind < 0.05 and made[-1].wire.get("lastUpdatedAt") == made[-1].age:
            made.append(_renewed(made[-1], number))
            continue
        element = Element(number)
        some = 0 if kind < 0.4 else draw.choice((1, 1, 2, 3, 6, len(ODDITIES)))
        for oddity in sorted(draw.sample(ODDITIES, some), key=ODDITIES.index):
            oddity(element, draw)
        element.finish()
        if kind > 0.98:
            element.wire, element.is_good = no_row(draw), False
        made.append(element)
    return made


def _renewed(element: Element, number: int) -> Element:
    """The same content as it was told later, good again."""
    newer = Element(number)
    newer.wire["contentId"] = element.wire["contentId"]
    newer.says("externalId", newer.wire["contentId"])
    newer.is_good = element.has_id
    newer.finish()
    return newer


def courses(made: Iterable[Element]) -> dict[str, Json]:
    """The courses that are to come of elements, by their external ids: what was told last is right."""
    in_order = sorted(made, key=lambda element: element.age)
    return {element.body["externalId"]: element.body for element in in_order if element.is_good}


def _prose(draw: Random) -> tuple[Any, str | None]:
    """A text for people, or none, as it is written and as it is to be read."""
    kind = draw.random()
    if kind < 0.2:
        return draw.choice(values.NO_TEXT), None
    if kind < 0.3:
        return values.blank(draw), None
    wire = values.text(draw)
    return wire, read(wire) or None


def _named(draw: Random) -> tuple[Any, str | None]:
    """An object with a name, or none."""
    if draw.random() < 0.3:
        return draw.choice([None, *values.NO_OBJECT]), None
    wire, name = _prose(draw)
    return {"name": wire}, name
