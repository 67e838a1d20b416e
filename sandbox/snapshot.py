"""360Learning's whole state as one JSON object, to look at and to compare between runs."""

from sandbox.learning360 import Learning360
from sandbox.learning360.attempts import Attempt
from sandbox.learning360.courses import ExternalCourse
from sandbox.values import Json, iso

#: What differs from run to run, though nothing else does.
_IDS_AND_MOMENTS = {"_id", "courseId", "authorId", "groupId", "createdAt", "modifiedAt", "operations"}


def state(platform: Learning360) -> Json:
    """Integrations, external courses with their tags, attempts, paths, operations."""
    platform.operations.settle()
    return {
        "integrations": list(platform.integrations.values()),
        "courses": [_course(platform, course) for course in platform.courses.by_id.values()],
        "attempts": [_attempt(platform, attempt) for attempt in platform.attempts.all],
        "paths": [_path(platform, path_id) for path_id in platform.paths],
        "operations": [operation.to_json(platform.clock()) for operation in platform.operations.all],
        "users": len(platform.users),
    }


def comparable(found: Json) -> Json:
    """A state without ids and moments of writing, every list in a fixed order."""
    return {
        name: sorted((_plain(item) for item in value), key=repr) if isinstance(value, list) else value
        for name, value in found.items()
        if name not in _IDS_AND_MOMENTS
    }


def _plain(item: Json) -> Json:
    """The object without ids, its fields in alphabetical order."""
    return {name: item[name] for name in sorted(item) if name not in _IDS_AND_MOMENTS}


def _course(platform: Learning360, course: ExternalCourse) -> Json:
    integration = platform.integrations.get(course.integration_id, {})
    return {
        "courseId": course.id,
        "externalId": course.external_id,
        "externalPlatform": integration.get("externalPlatform"),
        "archived": course.archived,
        "inCatalog": course.in_catalog,
        "inLibrary": course.in_library,
        "tags": list(course.tags),
        "createdAt": iso(course.created_ms),
        "modifiedAt": iso(course.modified_ms),
        "data": course.data,
    }


def _attempt(platform: Learning360, attempt: Attempt) -> Json:
    shown = attempt.to_json()
    return {
        "_id": attempt.id,
        "mail": platform.users[attempt.user_id].get("mail"),
        "externalId": platform.courses.by_id[attempt.course_id].external_id,
        "origin": attempt.origin,
        "inPath": attempt.path_id is not None,
        "completed": attempt.completed_ms is not None,
    } | {name: shown[name] for name in _ATTEMPT_FIELDS if name in shown}


_ATTEMPT_FIELDS = (
    "firstActivityAt",
    "lastActivityAt",
    "completedAt",
    "timeSpent",
    "progress",
    "score",
    "lang",
)


def _path(platform: Learning360, path_id: str) -> Json:
    path = platform.paths[path_id]
    return {"_id": path.id, "name": path.name, "kind": path.kind, "externalIds": list(path.external_ids)}
