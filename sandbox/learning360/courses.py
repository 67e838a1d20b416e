"""External courses: what an integration has put into its group's catalog."""

from dataclasses import dataclass, field

from sandbox.values import Json, iso

#: Course fields that the platform's own course shows under the same name.
_SHARED = ("name", "description", "duration")


@dataclass
class ExternalCourse:
    """A course of an integration. `data` is the last upsert as it came; the rest belongs to the platform."""

    id: str
    integration_id: str
    external_id: str
    data: Json
    created_ms: int
    modified_ms: int
    archived: bool = False
    in_catalog: bool = True
    in_library: bool = True
    #: Added by people; no upsert touches them.
    tags: list[str] = field(default_factory=list)

    @property
    def lang(self) -> str:
        """The language it is shown in by default."""
        return str(self.data["defaultLang"])

    def author_id(self, integration: Json) -> str:
        """Its own author, else the integration's."""
        return str(self.data.get("authorId") or integration["authorId"])

    def to_external_json(self, integration: Json) -> Json:
        """As `GET /integrations/{id}/courses/{externalId}` shows it."""
        own = {"authorId": self.author_id(integration), "courseId": self.id}
        return {"translations": []} | self.data | own

    def to_course_json(self, integration: Json) -> Json:
        """As `GET /courses` shows it: without the external id, which that list does not know."""
        return {
            "_id": self.id,
            "type": "external",
            "externalPlatform": integration["externalPlatform"],
            "status": "archived" if self.archived else "published",
            "sourceLang": self.lang,
            "defaultLang": self.lang,
            "authorId": self.author_id(integration),
            "groupId": integration["groupId"],
            "coAuthorIds": [],
            "createdAt": iso(self.created_ms),
            "modifiedAt": iso(self.modified_ms),
            "translations": [_translation(entry) for entry in self.data.get("translations", ())],
            "currentVersionNumber": 1,
            "collaborativeLearning": False,
        } | {name: self.data[name] for name in _SHARED if name in self.data}


class Courses:
    """All external courses in the order of their making."""

    def __init__(self) -> None:
        self.by_id: dict[str, ExternalCourse] = {}
        self._by_external_id: dict[tuple[str, str], ExternalCourse] = {}

    def add(self, course: ExternalCourse) -> ExternalCourse:
        """Records a new course."""
        self.by_id[course.id] = course
        self._by_external_id[course.integration_id, course.external_id] = course
        return course

    def find(self, integration_id: str, external_id: str) -> ExternalCourse | None:
        """An integration's course by its external id."""
        return self._by_external_id.get((integration_id, external_id))

    def named(self, external_id: str) -> list[ExternalCourse]:
        """The courses of that external id in any integration."""
        return [course for (_, name), course in self._by_external_id.items() if name == external_id]


def _translation(entry: Json) -> Json:
    fields = {
        name: value for name, value in entry["translatedFields"].items() if name in ("name", "description")
    }
    return {"lang": entry["lang"], "published": True, "translatorIds": [], "translatedFields": fields}
