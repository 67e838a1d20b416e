"""Rows of the enrollment reports, as `GET /enrollmentReports` shows them."""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from sandbox.clock import DAY_MS, HOUR_MS
from sandbox.values import Json
from sandbox.world.contents import VIDEO
from sandbox.world.people import Learner

_OLDEST_DAYS = 700
#: Shares of the rows, added up: no activity, in progress, at 100 % but not completed; the rest is completed.
_IDLE, _MOVING, _STALLED = 0.15, 0.58, 0.60


class Enrollable(NamedTuple):
    """What a row needs to know of a content."""

    content_id: str
    content_type: str
    name: str
    slug: str
    program_ids: tuple[str, ...]
    hours: float


def enrollable(content: Json) -> Enrollable:
    """The content in the form that rows are made from."""
    seconds = (content.get("extraMetadata") or {}).get("definition", {}).get("estimatedLearningTime")
    return Enrollable(
        content["contentId"],
        content.get("contentType") or "Course",
        content.get("name") or "",
        content.get("slug") or "",
        tuple(place["programId"] for place in content.get("programs") or ()),
        seconds / 3600 if isinstance(seconds, int) and seconds else 20.0,
    )


class ReportMaker:
    """Draws report rows whose dates all lie in the past and follow each other."""

    def __init__(self, rng: Random, now_ms: int, programs: list[Json]) -> None:
        self._rng = rng
        self._now_ms = now_ms
        self._programs = {program["id"]: program for program in programs}

    def rows(self, learners: list[Learner], contents: list[Enrollable], count: int) -> list[Json]:
        """That many rows in no order, every learner in at least one where the count allows it."""
        rows: list[Json] = []
        for learner, share in zip(learners, self._shares(len(learners), count), strict=True):
            rows.extend(self._of_learner(learner, contents, share))
        self._rng.shuffle(rows)
        return rows

    def blank(self, learner: Learner, content: Enrollable, program_id: str, enrolled_ms: int) -> Json:
        """A row without activity."""
        program = self._programs[program_id]
        row: Json = {
            "id": f"{learner.external_id}~{content.content_id}~{program_id}",
            "programId": program_id,
            "programName": program["name"],
            "contractId": program["contractId"],
            "externalId": learner.external_id,
            "fullName": learner.full_name,
            "contentId": content.content_id,
            "contentType": content.content_type,
            "contentName": content.name,
            "contentSlug": content.slug,
            "enrolledAt": enrolled_ms,
            "updatedAt": min(self._now_ms, enrolled_ms + DAY_MS),
            "overallProgress": 0,
            "isCompleted": False,
            hours_field(content.content_type): 0,
            "membershipState": "MEMBER",
        }
        if learner.shows_mail:
            row["email"] = learner.mail
        return row

    def _shares(self, learners: int, count: int) -> list[int]:
        shares = [1 if number < count else 0 for number in range(learners)]
        for _ in range(max(0, count - learners)):
            shares[int(self._rng.random() * learners)] += 1
        return shares

    def _of_learner(self, learner: Learner, contents: list[Enrollable], share: int) -> Iterator[Json]:
        held: set[str] = set()
        while share:
            content = self._popular(contents, held)
            places = content.program_ids
            twice = share > 1 and len(places) > 1 and self._rng.random() < 0.3  # noqa: PLR2004 -- three in ten
            row = self._active(learner, content, places[0])
            yield row
            if twice:
                yield self._twin(row, learner, content, places[1])
            share -= 2 if twice else 1

    def _popular(self, contents: list[Enrollable], held: set[str]) -> Enrollable:
        """A content the learner has not yet; those at the head of the list are drawn more often."""
        while True:
            content = contents[int(len(contents) * self._rng.random() ** 2)]
            if content.content_id not in held or len(held) >= len(contents):
                held.add(content.content_id)
                return content

    def _active(self, learner: Learner, content: Enrollable, program_id: str) -> Json:
        enrolled_ms = self._now_ms - int(DAY_MS + self._rng.random() * _OLDEST_DAYS * DAY_MS)
        row = self.blank(learner, content, program_id, enrolled_ms)
        kind = self._rng.random()
        if kind < _IDLE:
            return row
        last_ms = enrolled_ms + int(self._rng.random() * (self._now_ms - HOUR_MS - enrolled_ms))
        row["lastActivityAt"] = last_ms
        row["updatedAt"] = min(self._now_ms, last_ms + DAY_MS)
        row["overallProgress"] = 100
        if kind < _MOVING:
            row["overallProgress"] = self._percent()
        elif kind >= _STALLED:
            self._complete(row, enrolled_ms, last_ms)
        spent = content.hours * row["overallProgress"] / 100 * (0.6 + self._rng.random() * 0.8)
        row[hours_field(content.content_type)] = round(spent, 2)
        return self._with_gaps(row)

    def _percent(self) -> float:
        percent = 1 + self._rng.random() * 97
        return round(percent, 2) if percent % 1 < 0.2 else int(percent)  # noqa: PLR2004 -- one in five

    def _complete(self, row: Json, enrolled_ms: int, last_ms: int) -> None:
        chance = self._rng.random()
        row["isCompleted"] = True
        row["completedAt"] = enrolled_ms + int((last_ms - enrolled_ms) * (0.7 + chance * 0.3))
        row["contentCertificateUrl"] = f"https://www.coursera.org/verify/{int(chance * 36**10):x}"
        if chance < 0.7:  # noqa: PLR2004 -- the others have no grade
            row["grade"] = round(0.7 + chance * 0.42, 4)
        if chance < 0.06:  # noqa: PLR2004 -- completed, though the progress does not say so
            row["overallProgress"] = 30 + int(chance * 1_000)

    def _with_gaps(self, row: Json) -> Json:
        """Now and then a date is missing, as in the real reports."""
        chance = self._rng.random()
        if chance < 0.03:  # noqa: PLR2004 -- shares of the active rows
            del row["lastActivityAt"]
        elif chance < 0.05:  # noqa: PLR2004
            row.pop("completedAt", None)
        return row

    def _twin(self, row: Json, learner: Learner, content: Enrollable, program_id: str) -> Json:
        """The same learner and content through another program, not always equally far."""
        enrolled_ms = row["enrolledAt"] - int(self._rng.random() * 30 * DAY_MS)
        twin = self.blank(learner, content, program_id, enrolled_ms)
        if self._rng.random() < 0.5:  # noqa: PLR2004 -- every other
            return twin
        return row | {
            key: twin[key] for key in ("id", "programId", "programName", "contractId", "enrolledAt")
        }


def hours_field(content_type: str) -> str:
    """The field that holds the hours a learner has spent on content of that type."""
    return "approxTotalLearningHours" if content_type == VIDEO else "approxTotalCourseHrs"


def spoil(rows: list[Json]) -> list[Json]:
    """Makes two rows malformed: a word for whether it is completed, an address that is none; returns them."""
    chosen = [row for row in rows if "email" in row][:2]
    for row, field, value in zip(chosen, ("isCompleted", "email"), ("nearly", "no address"), strict=False):
        row[field] = value
    if chosen[1:]:
        chosen[1]["externalId"] = "staff 0815"
    return chosen
