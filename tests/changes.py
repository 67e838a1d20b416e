"""What may happen to a customer between two runs, beside what the sandbox's own days bring; from a seed."""

from collections.abc import Callable
from random import Random

from sandbox.clock import DAY_MS, HOUR_MS, MINUTE_MS
from sandbox.learning360.attempts import Attempt, Attempts
from sandbox.sandbox import Sandbox
from sandbox.values import Json


class Changes:
    """Changes in a customer's world; the same seed draws the same ones."""

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self._sandbox = sandbox
        self._draw = Random(f"{seed}/changes")  # noqa: S311 - drawn anew, the same each time
        self._away: list[Json] = []

    def launch(self, count: int) -> None:
        """Learners launch courses in 360Learning that they are enrolled in at Coursera."""
        for row in self._some(count, self._is_in_learning360):
            self._sandbox.learning360.launch(_mail(row), row["contentId"])

    def enrol_anew(self, count: int) -> None:
        """Learners who have completed begin once more: their row tells of the new enrollment from now on."""
        now_ms = self._sandbox.clock()
        begun = {"enrolledAt": now_ms - 2 * HOUR_MS, "lastActivityAt": now_ms - HOUR_MS}
        for row in self._some(count, lambda row: row["isCompleted"] is True):
            row.pop("completedAt", None)
            row.update(
                begun, isCompleted=False, overallProgress=self._draw.randrange(1, 90), updatedAt=now_ms
            )

    def enrol_twice(self, count: int) -> None:
        """Learners are in a course through a second program, too, and not equally far there."""
        world = self._sandbox.world
        for row in self._some(count, lambda row: row["programId"] != world.programs[-1]["id"]):
            program = world.programs[-1]
            twin = row | {"programId": program["id"], "programName": program["name"]}
            twin |= {"id": f"{row['externalId']}~{row['contentId']}~{program['id']}"}
            if all(twin["id"] != other["id"] for other in world.reports):
                twin["enrolledAt"] = row["enrolledAt"] - self._draw.randrange(DAY_MS)
                if twin["isCompleted"] is False:
                    twin["overallProgress"] = self._draw.randrange(60)
                world.reports.append(twin)

    def forget_progress(self, count: int) -> None:
        """Passing zeros: rows that had progress show none."""
        for row in self._some(count, lambda row: row["isCompleted"] is False and _moved(row)):
            row |= {"overallProgress": 0, "lastActivityAt": self._sandbox.clock() - HOUR_MS}

    def take_away(self, count: int) -> None:
        """Gaps: rows pass out of the reports, until `bring_back`."""
        for row in self._some(count, self._is_in_learning360):
            self._sandbox.world.reports.remove(row)
            self._away.append(row)

    def bring_back(self) -> None:
        """The rows that were taken away are there again; every other one has gone on meanwhile."""
        for number, row in enumerate(self._away):
            if number % 2 and row["isCompleted"] is False:
                row |= {"overallProgress": 97, "lastActivityAt": self._sandbox.clock() - HOUR_MS}
        self._sandbox.world.reports += self._away
        self._away.clear()

    def mend(self) -> None:
        """The rows that no mapping can accept are corrected at Coursera; whose they are, their ids tell."""
        world, now_ms = self._sandbox.world, self._sandbox.clock()
        for row in world.malformed_reports:
            learner = next(one for one in world.learners if row["id"].startswith(f"{one.external_id}~"))
            row.update(email=learner.mail, externalId=learner.external_id, lastActivityAt=now_ms - HOUR_MS)
            row.update(overallProgress=33, isCompleted=False)
        world.malformed_reports.clear()

    def join(self, count: int) -> None:
        """Learners whom 360Learning did not know get an account."""
        strangers = [learner for learner in self._sandbox.world.learners if not learner.known]
        for learner in strangers[:count]:
            learner.known = True
            self._sandbox.learning360.add_user(learner.mail, learner.full_name)

    def revise_catalog(self) -> None:
        """One course more, two that differ, and one less that nobody is enrolled in."""
        world, now_s = self._sandbox.world, self._sandbox.clock() // 1000
        world.add_content(f"Course of day {world.day}", contentId=f"course-of-day-{world.day}")
        sound = [one for one in world.contents if one not in world.malformed_contents]
        for element in self._draw.sample(sound, 2):
            element |= {"name": f"{element['name']} II", "lastUpdatedAt": now_s}
        held = {row["contentId"] for row in world.reports}
        idle = [element for element in sound if element["contentId"] not in held]
        if idle:
            world.contents.remove(self._draw.choice(idle))

    def lose_attempts(self, count: int) -> None:
        """360Learning loses attempts, and one more shows less progress than it had."""
        platform = self._sandbox.learning360
        before = list(platform.attempts.all)
        statistics = sorted((one for one in before if one.origin == "statistic"), key=self._in_order)
        lost = {one.id for one in self._draw.sample(statistics, count)}
        platform.attempts = Attempts()
        for attempt in before:
            if attempt.id not in lost:
                platform.attempts.add(attempt)
        further = [one for one in statistics if one.id not in lost and 1 < one.progress < 100]
        for attempt in further[:1]:
            attempt.progress = 1

    def _in_order(self, attempt: Attempt) -> tuple[int, int, str, str]:
        """An order that does not depend on which of several operations came first."""
        platform = self._sandbox.learning360
        group = platform.integrations[platform.courses.by_id[attempt.course_id].integration_id]["groupId"]
        return attempt.first_ms, attempt.last_ms, platform.users[attempt.user_id]["mail"], group

    def _some(self, count: int, fits: Callable[[Json], bool]) -> list[Json]:
        """That many of the sound rows that fit, in an order of their own; fewer where there are fewer.

        Left alone are learners who may get a new address, the showcase's, and rows of the last day.
        """
        world, now_ms = self._sandbox.world, self._sandbox.clock()
        star = world.showcase.mail if world.showcase else ""
        able = [
            row
            for row in world.reports
            if row not in world.malformed_reports
            and "@" in row["externalId"]
            and star != row["externalId"]
            and row["enrolledAt"] < now_ms - DAY_MS - MINUTE_MS
            and fits(row)
        ]
        return self._draw.sample(able, min(count, len(able)))

    def _is_in_learning360(self, row: Json) -> bool:
        platform = self._sandbox.learning360
        courses = platform.courses.named(row["contentId"])
        return platform.user_of(_mail(row)) is not None and any(not one.archived for one in courses)


def _mail(row: Json) -> str:
    return str(row.get("email") or row["externalId"])


def _moved(row: Json) -> bool:
    percent = row["overallProgress"]
    return isinstance(percent, int | float) and percent > 0
