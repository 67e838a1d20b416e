"""One seed: odd elements and rows among good ones, through the real command, and what is to come of them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sandbox.clock import MINUTE_MS
from tests.commands import Command
from tests.fuzz import contents, reports, values
from tests.fuzz.reports import Attempt
from tests.fuzz.wire import Json, rewritten
from tests.installation import Sync
from tests.vendor import Contract

MOST_LINES, MOST_CHARACTERS = 10, 20_000
UNKNOWN_ONE_IN = 10
#: The parts of the contract that bulk operations keep.
BODIES = {
    "importExternalCourses": "ImportExternalCoursesBody",
    "importExternalStatistics": "ImportExternalStatisticsBody",
}
COUNTED = ("merged", "held", "unchanged", "accepted", "rejected")


class Fuzz:
    """What is drawn from one seed: so many elements, and as many rows.

    `contract` judges what is sent, where it is there.
    """

    def __init__(
        self, sync: Sync, command: Command, seed: int, count: int, contract: Contract | None
    ) -> None:
        self._sync = sync
        self._command = command
        self._contract = contract
        self._sends_scores = seed % 2 == 1
        draw = Random(seed)  # noqa: S311 - the same each time
        self._elements = contents.elements(draw, count)
        self._courses = contents.courses(self._elements)
        self._rows = reports.rows(draw, sorted(self._courses), count, sync.clock())
        world = sync.sandbox.world
        world.contents += [element.wire for element in self._elements]
        world.reports += [row.wire for row in self._rows]
        for row in self._rows:
            if row.mail and row.number % UNKNOWN_ONE_IN:
                sync.sandbox.learning360.add_user(row.mail)
        world.programs[0]["name"] = draw.choice(values.ANYTHING)
        options = sync.sandbox.coursera.options
        options.page_cap = draw.choice((None, 7 + count // 20, 50 + count // 3))
        options.numeric_next, options.short_pages = (draw.random() < 0.5 for _ in range(2))
        sync.sandbox.faults.add("rewrite", platform="coursera", body=rewritten(draw))

    def live(self) -> None:
        """Each command until nothing can be new: it fails where anything is otherwise than it must be."""
        bad = sum(not element.is_good for element in self._elements)
        for run in range(2):
            counts = self._run("catalog", is_first=run == 0)
            self._same_courses()
            assert (counts["extracted"], counts["rejected"]) == (len(self._elements), bad)
        for run, option in enumerate(([], [], ["--full"])):
            counts = self._run("statistics", *option, is_first=run == 0)
            self._same_attempts()
            # A reading of what is new tries again what the ledger keeps: of rows that share an id, one.
            if run != 1:
                expected = len(self._rows), self._rejected_rows()
                assert (counts["extracted"], counts["rejected"]) == expected
        self._valid_bodies()
        found = self._run("reconcile", is_first=False)["differences"]
        assert {kind for kind, count in found.items() if count} <= {"missing"}, found
        said = self._command("status", "--rejected", "--csv", "rejected.csv")
        assert said.code == 0, said.stderr

    def _run(self, *arguments: str, is_first: bool) -> Json:
        """The counts of a run that accounts for every row and does not fail; only the first sends news."""
        self._sync.clock.advance(ms=MINUTE_MS)
        options = ("--json", "--verbose", "--report", "report.html")
        ended = self._command(*arguments, *options, SYNC_SEND_SCORES=str(self._sends_scores))
        assert ended.code in {0, 3}, f"{arguments}: {ended.stderr[-MOST_CHARACTERS:]}"
        counts = ended.json
        found = {one: counts[one] for one in ("extracted", *COUNTED)}
        assert counts["extracted"] == sum(counts[one] for one in COUNTED), f"{arguments}: {found}"
        assert ended.code == (3 if counts["rejected"] else 0), f"{arguments}: {found}"
        said = ended.stdout + ended.stderr + Path("report.html").read_text(encoding="utf-8")
        assert [row.mail for row in self._rows if row.mail and row.mail in said] == []
        assert is_first or not counts["accepted"], f"{arguments}: {found}"
        return counts

    def _rejected_rows(self) -> int:
        """How many rows cannot be read, or are of what 360Learning does not know."""
        refused = {
            (row.mail, row.course)
            for row in self._rows
            if row.can_be_read and row.attempt and not self._is_known(row)
        }
        return sum(not row.can_be_read for row in self._rows) + len(refused)

    def _is_known(self, row: reports.Row) -> bool:
        return row.course in self._courses and bool(row.number % UNKNOWN_ONE_IN)

    def _same_courses(self) -> None:
        self._sync.sandbox.learning360.operations.settle()
        held = {one.external_id: one.data for one in self._sync.sandbox.learning360.courses.by_id.values()}
        _require("course", self._courses, held)

    def _same_attempts(self) -> None:
        expected = {
            (row.mail, row.course): [
                replace(row.attempt, score=row.attempt.score if self._sends_scores else None)
            ]
            for row in self._rows
            if row.can_be_read and row.attempt and self._is_known(row)
        }
        platform = self._sync.sandbox.learning360
        platform.operations.settle()
        held: dict[tuple[str, str], list[Attempt]] = {}
        for one in platform.attempts.all:
            key = platform.users[one.user_id]["mail"], platform.courses.by_id[one.course_id].external_id
            done = one.completed_ms is not None
            state = Attempt(
                one.first_ms, one.last_ms, done, one.progress, round(one.time_spent_ms), one.score
            )
            held.setdefault(key, []).append(state)
        _require("attempt", expected, held)

    def _valid_bodies(self) -> None:
        """Every body is what 360Learning's contract says, by its own stand-in and by the contract itself."""
        found: list[str] = []
        for operation in self._sync.sandbox.learning360.operations.all:
            results = operation.results
            found += [one["errorMessage"] for one in results if "Invalid" in one.get("errorMessage", "")]
            if self._contract:
                body = {"input": [one["input"] for one in results]}
                found += self._contract.problems_of(BODIES[operation.type], body)
        assert not found, "\n".join(found[:MOST_LINES])


def _require(what: str, expected: dict[Any, Any], held: dict[Any, Any]) -> None:
    found = list(islice(_differing(expected, held), MOST_LINES))
    if found:
        pytest.fail("\n".join([f"of {len(expected)} {what}s:", *found]))


def _differing(expected: dict[Any, Any], held: dict[Any, Any]) -> Iterator[str]:
    for key in _keys(expected, held):
        one, other = expected.get(key), held.get(key)
        if one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            fields = [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]
            one, other = ({name: some.get(name) for name in fields} for some in (one, other))
        yield f"{_short(key)}: expected {_short(one)}, held {_short(other)}"


def _keys(*some: Iterable[Any]) -> list[Any]:
    return sorted({key for one in some for key in one}, key=repr)


def _short(value: object) -> str:
    text = ascii(value)
    return text if len(text) < 300 else f"{text[:300]}..."
