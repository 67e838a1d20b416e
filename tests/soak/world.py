"""A customer whose world changes every day: learners, contents, and what the reports tell of them."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from sandbox.clock import DAY_MS, HOUR_MS, MINUTE_MS
from sandbox.sandbox import Sandbox
from sandbox.values import Json

LEARNERS, STRANGERS, COURSES, ROWS = 24, 3, 24, 90
#: The reports tell of what happened up to so long ago.
LAG_MS = 44 * HOUR_MS
#: After so many days a row's state is in 360Learning, whatever happened to a run meanwhile.
SETTLED_DAYS = 3
#: Every fourth learner has an externalId that is no address, and may change their address.
OPAQUE_ONE_IN = 4


@dataclass
class Person:
    """A learner. `external_id` never changes; it is the address where `mail` may not change."""

    mail: str
    external_id: str
    is_known: bool = True
    #: The day on which 360Learning came to know them.
    since: int = -SETTLED_DAYS


@dataclass
class Trouble:
    """A row that the reports tell wrongly, or not at all, until a day."""

    row: Json
    until: int
    sound: Json
    is_away: bool = False


class Customer:
    """The world of one seed; `next_day` changes it, the same way each time.

    Rows of learners unknown to 360Learning pass out of the reports, and come back once the learner is known.
    """

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self.sandbox = sandbox
        self.seed = seed
        self.day = 0
        self.people: list[Person] = []
        self._moved: dict[str, int] = {}
        self._published: dict[str, int] = {}
        self._troubles: list[Trouble] = []
        self._draw = Random(f"{seed}/0")  # noqa: S311 - drawn anew, the same each time
        self._fill()

    @property
    def rows(self) -> list[Json]:
        """The rows of the reports."""
        return self.sandbox.world.reports

    def person(self, external_id: str) -> Person:
        """The learner of that externalId."""
        return next(one for one in self.people if one.external_id == external_id)

    def next_day(self) -> None:
        """A day's changes, on both platforms."""
        self.day += 1
        self.sandbox.world.now_ms = self._now
        self._draw = Random(f"{self.seed}/{self.day}")  # noqa: S311
        self._end_troubles()
        self._change_contents()
        self._join()
        self._change_address()
        for row in self._some(10, lambda row: not row["isCompleted"]):
            self._progress(row)
        for row in self._some(1, lambda row: row["isCompleted"] and self._is_settled(row)):
            self._enrol_anew(row)
        for _ in range(3):
            self._enrol(self._now - self._draw.randrange(HOUR_MS, LAG_MS))
        self._make_troubles()

    def launch(self, count: int) -> None:
        """Learners launch courses in 360Learning that they are enrolled in."""
        for row in self._some(count, lambda row: self._knows(row) and self._is_old(row["contentId"])):
            self.sandbox.learning360.launch(self.person(row["externalId"]).mail, row["contentId"])

    @property
    def _now(self) -> int:
        return self.sandbox.clock()

    def _fill(self) -> None:
        world = self.sandbox.world
        for name in ("Second", "Third"):
            world.add_program(name)
        for _ in range(COURSES):
            self._publish()
        self._published = dict.fromkeys(self._published, -SETTLED_DAYS)
        for number in range(LEARNERS):
            mail = f"learner{number:02}@example.com"
            opaque = number % OPAQUE_ONE_IN == OPAQUE_ONE_IN - 1
            person = Person(mail, f"emp-{number:02}" if opaque else mail, number >= STRANGERS)
            self.people.append(person)
            if person.is_known:
                self.sandbox.learning360.add_user(mail)
        for _ in range(ROWS):
            self._enrol(self._now - self._draw.randrange(DAY_MS, 300 * DAY_MS))

    def _publish(self) -> None:
        number = len(self._published)
        self.sandbox.world.add_content(f"Course {number}", contentId=f"course-{number:03}")
        self._published[f"course-{number:03}"] = self.day

    def _change_contents(self) -> None:
        world = self.sandbox.world
        if self.day % 2:
            self._publish()
        self._draw.choice(world.contents)["name"] += "."
        if self._draw.random() < 0.3:
            old = [one for one in world.contents if self._is_old(one["contentId"])]
            world.contents.remove(self._draw.choice(old))

    def _join(self) -> None:
        strangers = [one for one in self.people if not one.is_known]
        if strangers and self._draw.random() < 0.2:
            strangers[0].is_known, strangers[0].since = True, self.day
            self.sandbox.learning360.add_user(strangers[0].mail)

    def _change_address(self) -> None:
        """One learner has a new address, and goes on: the newest of their rows shows it at once."""
        able = self._some(1, lambda row: self._may_rename(row) and not row["isCompleted"])
        if not able or self._draw.random() > 0.4:
            return
        person = self.person(able[0]["externalId"])
        old, person.mail = person.mail, f"{person.external_id}.day{self.day}@example.com"
        self.sandbox.learning360.change_mail(old, person.mail)
        away = [one.row for one in self._troubles if one.is_away]
        for row in [*self.rows, *away]:
            if row["externalId"] == person.external_id:
                row.update(email=person.mail, updatedAt=self._now)
        self._progress(able[0])

    def _may_rename(self, row: Json) -> bool:
        return "@" not in row["externalId"] and self._knows(row)

    def _enrol(self, enrolled_ms: int) -> None:
        """One more row of a learner and a course, perhaps through a second program."""
        person = self._draw.choice(self.people)
        course = self._draw.choice([one for one in sorted(self._published) if self._is_old(one)])
        program = self._draw.choice(self.sandbox.world.programs)
        row_id = f"{person.external_id}~{course}~{program['id']}"
        taken = {row["id"] for row in self.rows} | {one.row["id"] for one in self._troubles}
        if row_id in taken:
            return
        content = {"contentId": course, "name": course, "slug": course}
        row = self.sandbox.world.add_report(
            person.mail,
            content,
            externalId=person.external_id,
            programId=program["id"],
            enrolledAt=enrolled_ms,
        )
        row["email"] = person.mail
        self._moved[row["id"]] = self.day
        if self._draw.random() < 0.8:
            self._progress(row)

    def _progress(self, row: Json) -> None:
        """Somewhat further than before, told with a delay; perhaps completed."""
        earliest = max(row["enrolledAt"], row.get("lastActivityAt", 0)) + 1
        moment = max(earliest, self._now - self._draw.randrange(10 * MINUTE_MS, LAG_MS))
        percent = row["overallProgress"] + self._draw.choice((0.4, 1, 7.6, 20, 45))
        row.update(lastActivityAt=moment, updatedAt=self._now, overallProgress=min(percent, 100))
        row["approxTotalCourseHrs"] += self._draw.randrange(1, 8) / 4
        if self._draw.random() < 0.3:
            row["isCompleted"] = True
            if self._draw.random() < 0.9:
                row["completedAt"] = moment
        self._moved[row["id"]] = self.day

    def _enrol_anew(self, row: Json) -> None:
        """The row of a completed enrollment tells of the next one from now on."""
        row.pop("completedAt", None)
        enrolled = self._now - self._draw.randrange(2 * HOUR_MS, LAG_MS)
        row.update(enrolledAt=enrolled, lastActivityAt=enrolled, isCompleted=False, overallProgress=0)
        self._progress(row)

    def _make_troubles(self) -> None:
        for row in self._some(1, lambda row: self._is_settled(row) and self._knows(row)):
            self._trouble(row, 10, is_away=True)
            self.rows.remove(row)
        for row in self._some(1, lambda row: self._is_settled(row) and self._knows(row)):
            self._trouble(row, 4)
            row.pop("completedAt", None)
            row.update(overallProgress=0, isCompleted=False)
            if self._draw.random() < 0.5:
                row["lastActivityAt"] = self._now - MINUTE_MS
        for row in self._some(1, lambda row: self._is_settled(row) and not row["isCompleted"]):
            self._trouble(row, 6)
            row.update(overallProgress="many", lastActivityAt=self._now - MINUTE_MS, updatedAt=self._now)
        for row in self._some(1, lambda row: not self._knows(row)):
            self._trouble(row, 10, is_away=True)
            self.rows.remove(row)

    def _trouble(self, row: Json, most_days: int, *, is_away: bool = False) -> None:
        until = self.day + self._draw.randrange(1, most_days)
        self._troubles.append(Trouble(row, until, dict(row), is_away))

    def _end_troubles(self) -> None:
        over = [one for one in self._troubles if one.until <= self.day]
        self._troubles = [one for one in self._troubles if one not in over]
        for one in over:
            told = one.row.get("lastActivityAt", 0)
            address = {name: one.row[name] for name in ("email", "updatedAt")}
            one.row.update(one.sound | address)
            if one.is_away:
                self.rows.append(one.row)
            if told != one.sound.get("lastActivityAt", 0) or self._draw.random() < 0.5:
                self._go_on(one.row, told)

    def _go_on(self, row: Json, told_ms: int) -> None:
        """A row that comes back has gone on meanwhile, where it can."""
        if not row["isCompleted"]:
            row["lastActivityAt"] = max(told_ms, row.get("lastActivityAt", 0))
            self._progress(row)

    def _some(self, count: int, fits: Callable[[Json], bool]) -> list[Json]:
        """That many of the rows that fit and are not in trouble."""
        troubled = {one.row["id"] for one in self._troubles}
        able = [row for row in self.rows if row["id"] not in troubled and fits(row)]
        return self._draw.sample(able, min(count, len(able)))

    def _is_settled(self, row: Json) -> bool:
        latest = max(self._moved[row["id"]], self.person(row["externalId"]).since)
        return self._knows(row) and latest <= self.day - SETTLED_DAYS

    def _is_old(self, course: str) -> bool:
        return self._published[course] <= self.day - SETTLED_DAYS

    def _knows(self, row: Json) -> bool:
        return self.person(row["externalId"]).is_known
