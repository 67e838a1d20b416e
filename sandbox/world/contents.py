"""Content elements of the catalog, as `GET /contents` shows them."""

import base64
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from sandbox.clock import DAY_MS, SECOND_MS
from sandbox.values import Json
from sandbox.world.languages import LANGUAGES, SUBTITLES
from sandbox.world.names import PARTNERS
from sandbox.world.people import ascii_slug, make_instructors
from sandbox.world.subjects import DESCRIPTIONS, SUBJECTS, Subject

COURSE, SPECIALIZATION, VIDEO, UNKNOWN_TYPE = "Course", "Specialization", "Video", "GuidedProject"

_LEVELS = ("BEGINNER", "INTERMEDIATE", "ADVANCED", "MIXED", None)
_LEVEL_WEIGHTS = (48, 30, 14, 5, 3)
_CODES = tuple(LANGUAGES)
_SHARES = tuple(accumulate(language.share for language in LANGUAGES.values()))
_URL_FORMS = {SPECIALIZATION: "specializations", VIDEO: "lecture"}
_INSTRUCTORS = 150
_OLDEST_DAYS = 1_500


@dataclass(frozen=True)
class Draft:
    """What is settled about a content before its type's own fields are added."""

    subject: Subject
    topic: str
    name: str
    language: str


class CatalogMaker:
    """Draws content elements; the same seed, moment and programs give the same ones."""

    def __init__(self, rng: Random, now_ms: int, programs: list[Json]) -> None:
        self._rng = rng
        self._now_ms = now_ms
        self._programs = programs
        self._instructors = make_instructors(Random(rng.random()), _INSTRUCTORS)  # noqa: S311 -- seeded data
        self._slugs: dict[str, int] = {}

    def catalog(self, count: int) -> list[Json]:
        """That many elements: courses, specializations, clips, a few of an unknown type."""
        specializations, videos, unknown = count * 8 // 100, count * 6 // 100, count // 400
        courses = [self.course() for _ in range(count - specializations - videos - unknown)]
        rest = [self.specialization(courses) for _ in range(specializations)]
        rest += [self.video(courses) for _ in range(videos)]
        rest += [self.course(UNKNOWN_TYPE) for _ in range(unknown)]
        elements = courses + rest
        self._rng.shuffle(elements)
        return elements

    def course(self, content_type: str = COURSE) -> Json:
        """A course, or something of another type that looks like one."""
        draft = self._draft()
        definition = self._definition(draft) | {"estimatedLearningTime": self._rng.randrange(2, 90) * 1_800}
        metadata = {"typeName": "courseMetadata", "definition": definition}
        return self._vary(self._element(draft, content_type, metadata))

    def specialization(self, courses: list[Json]) -> Json:
        """A series of three to six courses, usually without a learning time of its own."""
        draft = self._draft(suffix=" Specialization")
        parts = self._rng.sample(courses, min(len(courses), self._rng.randrange(3, 7)))
        definition = self._definition(draft) | {
            "courseIds": [part["contentId"] for part in parts],
            "tagline": f"{draft.topic}, from first steps to a portfolio project",
        }
        if self._rng.random() < 0.1:  # noqa: PLR2004 -- one in ten has it
            definition["estimatedLearningTime"] = self._rng.randrange(40, 200) * 3_600
        return self._element(
            draft, SPECIALIZATION, {"typeName": "specializationMetadata", "definition": definition}
        )

    def video(self, courses: list[Json]) -> Json:
        """A clip out of a course, a few minutes long."""
        parent = self._rng.choice(courses)
        draft = self._draft(language=parent["languageCode"])
        lesson = f"https://www.coursera.org/learn/{parent['slug']}/lecture/{self._rng.randrange(16**5):05x}"
        definition = self._definition(draft) | {
            "estimatedLearningTime": self._rng.randrange(45, 1_500),
            "parentCourseId": parent["contentId"],
            "parentLessonName": draft.topic,
            "parentLessonObjectUrl": lesson,
        }
        return self._element(draft, VIDEO, {"typeName": "clipMetadata", "definition": definition})

    def _draft(self, suffix: str = "", language: str = "") -> Draft:
        code = language or self._rng.choices(_CODES, cum_weights=_SHARES)[0]
        subject = self._rng.randrange(len(SUBJECTS))
        topic = LANGUAGES[code].topics[subject]
        name = self._rng.choice(LANGUAGES[code].patterns).format(topic) + suffix
        return Draft(SUBJECTS[subject], topic, name[0].upper() + name[1:], code)

    def _definition(self, draft: Draft) -> Json:
        subject = draft.subject
        return {
            "promoPhoto": f"https://images.example.net/promo/{subject.subdomain_id}-{self._rng.randrange(400)}.jpg",
            "skills": [{"skillName": name, "skillId": ascii_slug(name)} for name in subject.skills],
            "domainTypes": [
                {
                    "domain": {"name": subject.domain, "domainId": subject.domain_id},
                    "subdomain": {"name": subject.subdomain, "subdomainId": subject.subdomain_id},
                }
            ],
        }

    def _element(self, draft: Draft, content_type: str, metadata: Json) -> Json:
        content_id = opaque_id(self._rng)
        slug = self._slug(draft)
        age_ms = self._rng.randrange(DAY_MS, _OLDEST_DAYS * DAY_MS)
        return {
            "id": f"{content_type}~{content_id}",
            "contentId": content_id,
            "contentType": content_type,
            "name": draft.name,
            "description": self._rng.choice(DESCRIPTIONS).format(topic=draft.topic),
            "slug": slug,
            "languageCode": draft.language,
            "subtitleLanguageCodes": sorted(self._rng.sample(SUBTITLES, self._rng.randrange(7))),
            "difficultyLevel": self._rng.choices(_LEVELS, _LEVEL_WEIGHTS)[0],
            "lastUpdatedAt": (self._now_ms - age_ms) // SECOND_MS,
            "instructors": self._rng.sample(self._instructors, self._rng.randrange(1, 4)),
            "partners": [_partner(*self._rng.choice(PARTNERS))],
            "programs": self._memberships(content_type, slug),
            "extraMetadata": metadata,
        }

    def _slug(self, draft: Draft) -> str:
        base = ascii_slug(draft.name) or f"{draft.subject.subdomain_id}-{draft.language.lower()}"
        self._slugs[base] = number = self._slugs.get(base, 0) + 1
        return base if number == 1 else f"{base}-{number}"

    def _memberships(self, content_type: str, slug: str) -> list[Json]:
        count = self._rng.choices((0, 1, 2), (4, 80, 16))[0]
        chosen = self._rng.sample(self._programs, min(count, len(self._programs)))
        return [membership(program, content_type, slug) for program in chosen]

    def _vary(self, element: Json) -> Json:
        """Now and then an optional field is missing, null or empty, as the real catalog has it."""
        chance = self._rng.random()
        definition = element["extraMetadata"]["definition"]
        if chance < 0.03:  # noqa: PLR2004 -- shares of the catalog, here and below
            del element["description"]
        elif chance < 0.05:  # noqa: PLR2004
            element["partners"] = []
        elif chance < 0.07:  # noqa: PLR2004
            element["subtitleLanguageCodes"] = None
        elif chance < 0.09:  # noqa: PLR2004
            definition["promoPhoto"] = None
        elif chance < 0.11:  # noqa: PLR2004
            definition["estimatedLearningTime"] = 0
        elif chance < 0.13:  # noqa: PLR2004
            del definition["skills"]
        return element


def membership(program: Json, content_type: str, slug: str) -> Json:
    """A content's place in a program, with the URL that opens it there."""
    form = _URL_FORMS.get(content_type, "learn")
    url = f"https://www.coursera.org/programs/{program['slug']}/{form}/{slug}?authProvider=example"
    return {"programId": program["id"], "contentUrl": url}


def opaque_id(rng: Random) -> str:
    """22 characters, as Coursera writes its ids."""
    return base64.urlsafe_b64encode(rng.randbytes(16)).decode().rstrip("=")


def spoil(elements: list[Json]) -> list[Json]:
    """Makes three courses malformed: a blank name, a list for a language, a number for a name."""
    chosen = [element for element in elements if element["contentType"] == COURSE][:3]
    for element, spoiler in zip(chosen, _SPOILERS, strict=False):
        spoiler(element)
    return chosen


def _blank_name(element: Json) -> None:
    element["name"] = "   "


def _language_list(element: Json) -> None:
    element["languageCode"] = ["en", "fr"]


def _number_for_name(element: Json) -> None:
    element["name"] = 101


_SPOILERS = (_blank_name, _language_list, _number_for_name)


def _partner(name: str, logo: str) -> Json:
    return {"name": name, "logoUrl": f"https://images.example.net/partners/{logo}.png"}
