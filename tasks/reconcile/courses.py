"""Reconciling: external courses in 360Learning beside Coursera's catalog, course by course."""

from collections.abc import Sequence

import orjson
import pandas as pd

from connectors.learning360.client import Learning360Client
from connectors.ledger.records import courses as ledger
from connectors.ledger.records.attempts import attempted_courses
from connectors.settings import Learning360Settings
from tasks.catalog.selection import CourseSelection
from tasks.extract.coursera import Catalog
from tasks.extract.learning360 import remote_courses
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.transform.comparison import DIFFERENCES, FOUND_COLUMNS, ONLY, filled, found_courses
from tasks.transform.courses.courses import bodies
from tasks.transform.courses.names import name_of

COURSES_SCOPE = "courses:read"


class RemoteCourses:
    """The courses of both sides. A plain class, so that Prefect does not walk through it.

    ``bodies``: the courses (JSON) that 360Learning holds, by externalId; ``by_id``: externalIds by its own
    ids; ``expected``: those that it should hold (JSON); ``archived``: externalIds of held ones that are
    archived there, as far as that can be seen; ``others``: names of the integration's courses,
    by 360Learning's ids, that no externalId is known of.
    """

    def __init__(self, bodies: dict[str, str], expected: dict[str, str]) -> None:
        self.bodies = bodies
        self.expected = expected
        self.by_id = {str(orjson.loads(body)["courseId"]): one for one, body in bodies.items()}
        self.archived: set[str] = set()
        self.others: dict[str, str] = {}

    @property
    def names(self) -> dict[str, str]:
        """What the courses are called, by externalId."""
        both = self.expected | self.bodies
        return {one: name_of(body) for one, body in both.items()}


@step("read back the courses that 360Learning holds")
async def read_remote_courses(
    run: RunContext, catalog: Catalog, attempted: Sequence[str], missing_scopes: Sequence[str]
) -> RemoteCourses:
    """Read the integration's courses: of the catalog, of reports, and all that the ledger knows."""
    expected = await run.shared.frames.do(_expected, run, catalog)
    with run.ledger.read() as db:
        known = ledger.known_courses(db, run.target.id)["external_id"].tolist()
        known += attempted_courses(db, run.target.id)
    ids = sorted({*expected, *attempted, *known})
    found = await remote_courses(run.learning360, run.integration_id, ids)
    courses = RemoteCourses({one: orjson.dumps(course).decode() for one, course in found.items()}, expected)
    if COURSES_SCOPE not in missing_scopes:
        await _look_at_group(run.learning360, run.settings.learning360, courses)
    return courses


@step("compare the catalog with what 360Learning holds")
async def compare_courses(run: RunContext, courses: RemoteCourses, *, is_exhaustive: bool) -> None:
    """Tell where courses differ. What only 360Learning has shows where the catalog was read whole."""
    found = found_courses(courses.expected, courses.bodies, archived=courses.archived)
    others = pd.DataFrame(
        {
            "difference": ONLY,
            "kind": "course",
            "name": list(courses.others.values()),
            "why": [
                f"neither Coursera nor the ledger has it: {one} in 360Learning" for one in courses.others
            ],
        }
    )
    found = pd.concat([found, filled(others.reindex(columns=FOUND_COLUMNS))], ignore_index=True)
    if not is_exhaustive:
        found = found.loc[found["difference"].ne(ONLY)]
    things = found.drop_duplicates(["difference", "course", "why"])["difference"]
    run.recorder.differ(found, {sort: int(things.eq(sort).sum()) for sort in DIFFERENCES})


@step("adopt the courses that 360Learning holds")
async def adopt_courses(run: RunContext, courses: RemoteCourses) -> None:
    """Let the ledger know the courses that 360Learning holds and it does not, but for archived ones.

    What was sent of them is not known: their digest is none, so that the next catalog run sends them again.
    """
    with run.ledger.begin() as db:
        known = set(ledger.known_courses(db, run.target.id)["external_id"])
        new = [one for one in courses.bodies if one not in known and one not in courses.archived]
        ids = {external_id: course_id for course_id, external_id in courses.by_id.items()}
        rows = pd.DataFrame(
            {
                "external_id": pd.Series(new, dtype="str"),
                "course_id": pd.Series([ids[one] for one in new], dtype="str"),
                "digest": "",
                "body": pd.Series([courses.bodies[one] for one in new], dtype="str"),
                "learning_seconds": pd.Series(float("nan"), index=range(len(new)), dtype="float64"),
            }
        )
        now_ms = run.clock.now_ms()
        ledger.accept_courses(db, run.target.id, rows, run_id=run.id, operation_id=None, now_ms=now_ms)
    run.note(
        f"Courses that 360Learning held already, adopted into the ledger: {len(new)}; what was sent of "
        "them is not known, so that the next catalog run sends them again"
    )


async def _look_at_group(
    learning360: Learning360Client, settings: Learning360Settings, courses: RemoteCourses
) -> None:
    """Find which courses are archived, and which ones of the integration no externalId is known of."""
    async for page in learning360.external_courses(settings.group_id):
        for course in page:
            external_id = courses.by_id.get(course["_id"])
            is_ours = course.get("externalPlatform") == settings.platform_name
            if external_id is not None and course["status"] != "published":
                courses.archived.add(external_id)
            elif external_id is None and is_ours and course["status"] == "published":
                courses.others[course["_id"]] = str(course.get("name"))


def _expected(run: RunContext, catalog: Catalog) -> dict[str, str]:
    """The courses (JSON by externalId) that the catalog maps to; what cannot be mapped is in no count."""
    selection = CourseSelection.load(run, catalog)
    return {
        str(body["externalId"]): orjson.dumps(body).decode()
        for elements in selection.batches()
        for body in bodies(selection.map(elements).courses)
    }
