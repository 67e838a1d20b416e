"""The sandbox's 360Learning: its state."""

import functools
from collections.abc import Sequence
from typing import Any

from sandbox.clock import DAY_MS, Clock
from sandbox.learning360 import bulk
from sandbox.learning360.access import Access, RateLimit
from sandbox.learning360.attempts import Attempt, Attempts
from sandbox.learning360.courses import Courses, ExternalCourse
from sandbox.learning360.errors import coded
from sandbox.learning360.operations import Operation, Operations, OperationType
from sandbox.learning360.options import Learning360Options
from sandbox.learning360.paths import Kind, Path
from sandbox.values import Json, ObjectIds

_HANDLERS = {
    "importExternalCourses": bulk.upsert_course,
    "archiveExternalCourses": bulk.archive_course,
    "importExternalStatistics": bulk.record_statistic,
}


class LaunchRefusedError(Exception):
    """A launch that the platform does not allow."""


class Learning360:
    """One customer's platform: a group, its author, an API client, and what comes to be in it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._options = Learning360Options()
        self.new_id = ObjectIds(clock)
        self.access = Access(clock)
        self.rate_limit = RateLimit(clock, self._options)
        self.client = self.access.add_client("learning360-client", "learning360-secret")
        self.users: dict[str, Json] = {}
        self._user_ids: dict[str, str] = {}
        self.groups: dict[str, Json] = {}
        self.integrations: dict[str, Json] = {}
        self.courses = Courses()
        self.attempts = Attempts()
        self.operations = Operations(clock, self._options, self.new_id)
        self.paths: dict[str, Path] = {}
        self.group_id: str = self.add_group("Acme Learning")["_id"]
        self.author_id: str = self.add_user("learning.admin@example.com", "Learning Admin")["_id"]

    @property
    def options(self) -> Learning360Options:
        """What is switched on; shared by all parts, so its fields are set and it is never replaced."""
        return self._options

    def add_group(self, name: str) -> Json:
        """One more group."""
        group: Json = {"_id": self.new_id(), "name": name, "public": False}
        self.groups[group["_id"]] = group
        return group

    def add_user(self, mail: str, name: str = "Given Family", status: str = "active") -> Json:
        """One more learner, returned; an account that has the address already is returned as it is."""
        if known := self.user_of(mail):
            return known
        first, _, last = name.partition(" ")
        user: Json = {"_id": self.new_id(), "mail": mail.lower(), "status": status, "lang": "en"}
        user |= {"firstName": first, "lastName": last or first}
        self.users[user["_id"]] = user
        self._user_ids[user["mail"]] = user["_id"]
        return user

    def user_of(self, mail: str) -> Json | None:
        """The account of an address, in whatever case it is written."""
        return self.users.get(self._user_ids.get(mail.lower(), ""))

    def change_mail(self, old: str, new: str) -> None:
        """An account gets a new address; KeyError when there is no such account."""
        user_id = self._user_ids.pop(old.lower())
        self.users[user_id]["mail"] = new.lower()
        self._user_ids[new.lower()] = user_id

    def add_integration(self, external_platform: str = "Coursera for Business", **fields: object) -> Json:
        """One more integration of the group, made without asking whether the API would allow it."""
        own = {"externalPlatform": external_platform, "authorId": self.author_id, "groupId": self.group_id}
        integration: Json = own | fields | {"_id": self.new_id()}
        self.integrations[integration["_id"]] = integration
        return integration

    def add_course(self, external_id: str, **fields: object) -> ExternalCourse:
        """One more course of the first integration (made where there is none); `fields` as in an upsert."""
        integrations = list(self.integrations) or [self.add_integration()["_id"]]
        row: Json = {"externalId": external_id, "name": external_id, "defaultLang": "en"}
        row |= {"launchUrl": f"https://www.coursera.org/learn/{external_id}", "sources": [], "subjects": []}
        bulk.upsert_course(self, integrations[0], row | fields)
        return self.course(external_id)

    def add_attempt(self, mail: str, external_id: str, **fields: Any) -> Attempt:  # noqa: ANN401 -- fields of Attempt
        """One more attempt at a known course: a day old and open at 0 % unless `fields` say otherwise."""
        user, course, now_ms = self.user_of(mail), self.course(external_id), self.clock()
        if user is None:
            raise KeyError(f"no account of {mail}")
        own = {"id": self.new_id(), "user_id": user["_id"], "course_id": course.id, "lang": course.lang}
        plain = {"origin": "statistic", "first_ms": now_ms - DAY_MS, "last_ms": now_ms - DAY_MS}
        return self.attempts.add(Attempt(**own | plain | {"time_spent_ms": 1, "progress": 0} | fields))

    def integration(self, integration_id: str) -> Json:
        """The integration of that id; raises a 404."""
        if integration_id not in self.integrations:
            raise coded(404, "integrationNotFound")
        return self.integrations[integration_id]

    def submit(self, kind: OperationType, integration_id: str, rows: list[Json]) -> Operation:
        """Queues a bulk operation; raises a 429 when too many have not ended."""
        handler = functools.partial(_HANDLERS[kind], self, integration_id)
        return self.operations.submit(kind, integration_id, rows, handler)

    def release(self) -> None:
        """Ends what `options.hold_operations` has held, and holds no more."""
        self.operations.release()
        self.operations.settle()

    def course(self, external_id: str) -> ExternalCourse:
        """The course of that external id, archived or not; KeyError without one."""
        self.operations.settle()
        for course in self.courses.named(external_id):
            return course
        raise KeyError(f"no external course {external_id}")

    def attempts_of(self, mail: str, external_id: str) -> list[Attempt]:
        """A learner's attempts at a course, oldest first; empty where either is unknown."""
        self.operations.settle()
        user = self.user_of(mail)
        courses = self.courses.named(external_id)
        return self.attempts.of(user["_id"], courses[0].id) if user and courses else []

    def add_tag(self, external_id: str, tag: str) -> None:
        """Somebody tags a course by hand."""
        self.course(external_id).tags.append(tag)

    def add_path(self, name: str, external_ids: Sequence[str], kind: Kind = "linear") -> Path:
        """One more path."""
        path = Path(self.new_id(), name, kind, tuple(external_ids))
        self.paths[path.id] = path
        return path

    def path_progress(self, path_id: str, mail: str) -> Json:
        """A learner's steps on a path, and whether it is marked successful; KeyError for unknown ones."""
        path, user_id = self.paths[path_id], self._user_ids[mail.lower()]
        is_completed = functools.partial(self._is_completed, user_id)
        states = path.states(is_completed)
        steps = [
            {"externalId": name, "state": state}
            for name, state in zip(path.external_ids, states, strict=True)
        ]
        return {"steps": steps, "successful": path.is_successful(is_completed)}

    def launch(self, mail: str, external_id: str, path_id: str | None = None) -> Attempt:
        """A learner starts a course, perhaps out of a path: a new attempt by the integration's defaults."""
        self.operations.settle()
        user = self.user_of(mail)
        if user is None or user["status"] == "deleted":
            raise LaunchRefusedError("User not found")
        course = self._launchable(external_id)
        attempt = self._launch_attempt(user["_id"], course)
        if path_id is not None:
            self._enter_path(attempt, mail, external_id, self.paths[path_id])
        return self.attempts.add(attempt)

    def _launchable(self, external_id: str) -> ExternalCourse:
        """The course of the first group that has it, whichever integration was the quicker to bring it."""
        live = [course for course in self.courses.named(external_id) if not course.archived]
        if not live:
            raise LaunchRefusedError(f"Course not found: {external_id}")
        return min(live, key=lambda course: str(self.integrations[course.integration_id]["groupId"]))

    def _launch_attempt(self, user_id: str, course: ExternalCourse) -> Attempt:
        now_ms = self.clock()
        integration = self.integrations.get(course.integration_id, {})
        return Attempt(
            id=self.new_id(),
            user_id=user_id,
            course_id=course.id,
            lang=course.lang,
            origin="launch",
            first_ms=now_ms,
            last_ms=now_ms,
            time_spent_ms=0,
            progress=integration.get("defaultProgress", 0),
            completed_ms=now_ms if integration.get("defaultCompletion") else None,
        )

    def _enter_path(self, attempt: Attempt, mail: str, external_id: str, path: Path) -> None:
        steps = {step["externalId"]: step["state"] for step in self.path_progress(path.id, mail)["steps"]}
        if steps.get(external_id, "locked") == "locked":
            raise LaunchRefusedError(f"The step is locked: {external_id}")
        attempt.path_id = path.id
        attempt.path_session_id = path.sessions.setdefault(attempt.user_id, self.new_id())

    def _is_completed(self, user_id: str, external_id: str) -> bool:
        self.operations.settle()
        return any(
            self.attempts.is_completed(user_id, course.id) for course in self.courses.named(external_id)
        )
