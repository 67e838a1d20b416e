"""Rows of the enrollment reports, good and odd ones, each with the attempt that is to come of it.

It shares no code with the product: it says the rules of docs/mapping.md once more, for one value at a time.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from sandbox.clock import DAY_MS, HOUR_MS, MINUTE_MS
from tests.fuzz import values
from tests.fuzz.wire import Json, no_row

YEAR_2012_MS = 1_325_376_000_000
#: What a date can be that is none; all of them are before 2012 or ahead of now.
_NO_DATES: list[Any] = [
    0, 1, -1, 1_769_778_943, 1_769_778_943.5, YEAR_2012_MS - 1, -1e300, 1e-300, 253_402_300_800_000, 1e18,
    2**53, 2**63, 2**64 - 1, -(2**63), 1e300, "2026-01-01T00:00:00Z", *values.NO_NUMBER,
]  # fmt: skip
#: overallProgress, and the percentage of an open row; None: nothing true could be sent.
_PROGRESS: list[tuple[Any, int | None]] = [
    (0, 0), (None, 0), (-0.0, 0), (1e-300, 1), (0.4, 1), (1, 1), (37.9, 37), (99.999, 99), (100, 99),
    (100.5, 99), (100.6, None), (-0.1, None), (-1e300, None), (1e300, None), (2**63, None), (4_000, None),
]  # fmt: skip
_HOURS: list[tuple[Any, float | None]] = [
    (0, 0), (1e-300, 0), (2.5, 2.5), (100_000, 100_000), (100_000.1, None), (-1, None), (-1e300, None),
    (1_769_778_943, None), (1e300, None), (1e303, None), (2**63, None),
]  # fmt: skip
_GRADES: list[tuple[Any, float | None]] = [
    (0, 0), (1, 1), (0.005, 0.005), (0.9223, 0.9223), (1e-300, 0), (1.001, None), (92, None), (-0.1, None),
    (1e300, None), (2**63, None),
]  # fmt: skip
#: Addresses as they are written, and as 360Learning knows them; each is one learner's by a number.
_ADDRESSES: list[tuple[str, str]] = [
    ("ann{}@example.com", "ann{}@example.com"),
    (" \t Ann{}@EXAMPLE.com\n", "ann{}@example.com"),
    ("\u3000ann{}@example.com\xa0", "ann{}@example.com"),
    ("<<line>>ann{}@example.com<<line>>", "ann{}@example.com"),
    ("İbrahim{}@example.com", "i\u0307brahim{}@example.com"),
    ("Straße{}@MÜNCHEN.example", "straße{}@münchen.example"),
    ("\u212aelvin{}@example.com", "kelvin{}@example.com"),
    ("ΟΔΥΣΣΕΥΣ{}@example.com", "οδυσσευς{}@example.com"),
    ("e\u0301{}@example.com", "e\u0301{}@example.com"),
    ('"ann.lee{}"@example.com', '"ann.lee{}"@example.com'),
    ("o'hara+tag{}@example.com", "o'hara+tag{}@example.com"),
    ("=cmd{}@example.com", "=cmd{}@example.com"),
    ("ann{}@[127.0.0.1]", "ann{}@[127.0.0.1]"),
    ("ann{}%40x@example.com", "ann{}%40x@example.com"),
    ("學習{}@例子.example", "學習{}@例子.example"),
    ("<<both halves>>{}@example.com", "\U0001f600{}@example.com"),
    ("\u202eann{}@example.com", "\u202eann{}@example.com"),
    ("ann{}@\uff45xample.com", "ann{}@\uff45xample.com"),
    ("x" * 400 + "{}@example.com", "x" * 400 + "{}@example.com"),
]
_NO_ADDRESSES = (
    "ann{}", "ann{}@", "@{}", "ann{}@@example.com", "a{}@b@example.com", '"ann lee{}"@example.com',
    "ann {}@x.com", "ann{}@exam\u3000ple.com", "ann{}\uff20example.com", "ann{}&#64;example.com",
    "ann{}<<nul>>@example.com",
    "ann{}@example.com<<half>>", "ann{}<<escape>>@example.com", "ann{}@<<byte>>example.com",
    "ann{}@x\n.com",
    "x" * 500 + "{}@example.com",
)  # fmt: skip


@dataclass(frozen=True)
class Attempt:
    """What 360Learning is to hold of a learner's course. Times are in milliseconds."""

    first: int
    last: int
    completed: bool
    progress: int
    spent: int
    score: int | None


class Row:
    """One row: what is written, and what is to be read of it."""

    def __init__(self, number: int, course: str, now_ms: int) -> None:
        self.number = number
        self.mail: str | None = f"learner{number:05}@example.com"
        self.course = course
        self.now_ms = now_ms
        self.is_good = True
        enrolled = now_ms - (20 + number % 300) * DAY_MS
        self.dates: dict[str, int | None] = {
            "enrolledAt": enrolled,
            "lastActivityAt": enrolled + (1 + number % 20) * DAY_MS - HOUR_MS,
            "completedAt": None,
        }
        self.progress: int | None = 1 + number % 90
        self.completed = False
        self.grade: float | None = 0.5
        self.hours: dict[str, float | None] = {
            "approxTotalCourseHrs": number % 9 / 4,
            "approxTotalLearningHours": None,
        }
        self.wire: Json = {
            **self.dates,
            **self.hours,
            "id": f"row-{number}",
            "programId": "p1",
            "externalId": f"emp-{number}",
            "email": self.mail,
            "fullName": "Ann Lee",
            "contentId": course,
            "contentType": "Course",
            "updatedAt": now_ms - HOUR_MS,
            "overallProgress": self.progress,
            "isCompleted": False,
            "grade": self.grade,
            "membershipState": "MEMBER",
        }

    @property
    def can_be_read(self) -> bool:
        """Whether it has all that is sent."""
        is_dated = any(self.dates.values())
        return self.is_good and bool(self.mail) and is_dated and (self.completed or self.progress is not None)

    @property
    def attempt(self) -> Attempt | None:
        """What comes of it; nothing where it shows no activity."""
        if not self.completed and not self.progress:
            return None
        dates = [date for date in self.dates.values() if date]
        last = self.dates["lastActivityAt"] or self.dates["enrolledAt"] or min(dates)
        last = self.dates["completedAt"] or last if self.completed else last
        hours = next((value for value in self.hours.values() if value is not None), 0.0)
        spent = max(1, round(hours * HOUR_MS))
        progress = 100 if self.completed else self.progress or 0
        score = round(self.grade * 100) if self.completed and self.grade is not None else None
        return Attempt(min(dates), max(last, min(dates) + 1), self.completed, progress, spent, score)


Oddity = Callable[[Row, Random], None]


def _completion(row: Row, draw: Random) -> None:
    kind = draw.random()
    if kind < 0.3:
        row.wire["isCompleted"] = draw.choice(values.NO_FLAG)
        row.is_good = False
    elif kind < 0.4:
        row.wire["isCompleted"] = None
    else:
        row.wire["isCompleted"] = row.completed = True


def _progress(row: Row, draw: Random) -> None:
    wrong = [(value, None) for value in values.NO_NUMBER]
    row.wire["overallProgress"], row.progress = draw.choice([*_PROGRESS, *_PROGRESS, *wrong])


def _date(name: str) -> Oddity:
    def change(row: Row, draw: Random) -> None:
        if draw.random() < 0.4:
            row.wire[name] = draw.choice([*_NO_DATES, row.now_ms + HOUR_MS])
            row.dates[name] = None
            # Of an open row the completion is not sent.
            row.is_good = row.is_good and name == "completedAt" and not row.completed
            return
        since = row.now_ms - YEAR_2012_MS
        moment = draw.choice(
            [None, YEAR_2012_MS, row.now_ms, row.now_ms + 2 * MINUTE_MS, row.now_ms - draw.randrange(since)]
        )
        row.dates[name] = moment
        row.wire[name] = moment and moment + draw.choice((0, 0, 0.5))

    return change


def _address(row: Row, draw: Random) -> None:
    kind = draw.random()
    if kind < 0.4:
        written = draw.choice(_NO_ADDRESSES).format(row.number)
        row.wire["email"], row.mail = draw.choice([written, *values.NO_TEXT[:4], written]), None
        return
    written, folded = draw.choice(_ADDRESSES)
    row.mail = folded.format(row.number)
    if kind < 0.7:
        row.wire["email"] = written.format(row.number)
    else:  # it is where there is no other
        nothing = draw.choice((None, "", " ", "\t\n ", "\u3000", "<<line>>"))
        row.wire |= {"email": nothing, "externalId": written.format(row.number)}


def _external_id(row: Row, draw: Random) -> None:
    if row.wire["externalId"] == f"emp-{row.number}":
        wire, _ = values.identifier(draw, f"own-{row.number}")
        row.wire["externalId"] = draw.choice([wire, "", " ", None, *values.NO_TEXT])


def _course(row: Row, draw: Random) -> None:
    wire, is_usable = values.identifier(draw, f"nowhere-{row.number}")
    row.wire["contentId"] = wire
    row.course = wire if is_usable else ""
    row.is_good = row.is_good and is_usable


def _hours(name: str) -> Oddity:
    def change(row: Row, draw: Random) -> None:
        wrong = [(value, None) for value in (None, *values.NO_NUMBER)]
        row.wire[name], row.hours[name] = draw.choice([*_HOURS, *_HOURS, *wrong])

    return change


def _grade(row: Row, draw: Random) -> None:
    wrong = [(value, None) for value in (None, *values.NO_NUMBER)]
    row.wire["grade"], row.grade = draw.choice([*_GRADES, *_GRADES, *wrong])


def _unused(row: Row, draw: Random) -> None:
    fields = ["programId", "updatedAt", "fullName", "contentName", "<<half>>", "x" * 300, ""]
    for field in draw.sample(fields, 4):
        row.wire[field] = draw.choice([*values.ANYTHING, *_NO_DATES])


def _own_id(row: Row, draw: Random) -> None:
    row.wire["id"] = draw.choice(["shared", "shared", "1", *values.ANYTHING])
    if draw.random() < 0.3:
        del row.wire["id"]


#: Completion comes before the dates: they are judged by it.
ODDITIES: tuple[Oddity, ...] = (
    _completion, _progress, _date("enrolledAt"), _date("lastActivityAt"), _date("completedAt"), _address,
    _external_id, _course, _hours("approxTotalCourseHrs"), _hours("approxTotalLearningHours"), _unused,
    _grade, _own_id,
)  # fmt: skip


def rows(draw: Random, courses: Sequence[str], count: int, now_ms: int) -> list[Row]:
    """That many rows, each of a learner of its own; four in ten are good, some come twice, some are none."""
    made: list[Row] = []
    for number in range(count):
        kind = draw.random()
        if made and kind < 0.05:
            made.append(copy.deepcopy(draw.choice(made)))
            continue
        if made and kind < 0.08:
            made.append(_twin(made[-1], number))
            continue
        row = Row(number, draw.choice(courses), now_ms)
        some = 0 if kind < 0.4 else draw.choice((1, 1, 2, 3, 6, len(ODDITIES)))
        for oddity in sorted(draw.sample(ODDITIES, some), key=ODDITIES.index):
            oddity(row, draw)
        if kind > 0.98:
            row.wire, row.is_good = no_row(draw), False
        made.append(row)
    return made


def _twin(row: Row, number: int) -> Row:
    """The same learner's course through another program, of which nothing true could be sent."""
    twin = copy.deepcopy(row)
    twin.wire = {**row.wire, "id": f"row-{number}", "programId": "p2", "isCompleted": "yes"}
    twin.is_good = False
    return twin
