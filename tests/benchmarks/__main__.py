"""`make bench`: what the work costs, against the stand-ins; a table here and in docs/benchmarks.md.

python -m tests.benchmarks [--rows 1000000] [--write]
"""

import argparse
import json
import math
import os
import platform
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.stand_ins import StandIns, running_stand_ins
from tests.benchmarks.commands import Cost, measured, python_script

PAGE = "docs/benchmarks.md"
COURSES, SMALL = 20_000, 100_000
# The platforms of the bench `pipeline`: seconds a page and pages at a time; seconds an operation, rows a
# second within it, operations at a time.
PAGE_SECONDS, PAGES_AT_ONCE = 0.25, 4
OPERATION_SECONDS, ROWS_A_SECOND, OPERATIONS_AT_ONCE = 1.0, 5_000, 3
PAGE_ROWS, OPERATION_ROWS = 1_000, 10_000
SLOW = {
    "coursera": {"latency_ms": round(PAGE_SECONDS * 1000)},
    "learning360": {
        "operation_base_ms": round(OPERATION_SECONDS * 1000),
        "rows_per_second": ROWS_A_SECOND,
        "in_parallel": True,
    },
}
FAST = {"learning360": {"operation_base_ms": 100, "rows_per_second": 1_000_000}}

#: Measures a run with nothing to do.
Start = Callable[[], Cost]


@dataclass(frozen=True)
class Line:
    """A line of the table. ``rows`` is 0 where a figure a row means nothing; ``ratio`` is said in words."""

    name: str
    cost: Cost
    rows: int
    ratio: str = ""


@contextmanager
def customer(courses: int, learners: int, enrollments: int) -> Iterator[tuple[StandIns, dict[str, str]]]:
    """Stand-ins with so much in them, and the settings that lead to them and to a new ledger."""
    sizes = [("--courses", courses), ("--learners", learners), ("--enrollments", enrollments)]
    arguments = [str(word) for pair in sizes for word in pair]
    with running_stand_ins(arguments) as stand_ins, tempfile.TemporaryDirectory() as folder:
        yield stand_ins, stand_ins.environment | {"SYNC_STATE_URL": f"sqlite:///{folder}/ledger.db"}


def options(stand_ins: StandIns, values: object) -> None:
    """Set the stand-ins' options."""
    request = urllib.request.Request(  # noqa: S310 - our own loopback server
        f"{stand_ins.control}/options",
        data=json.dumps(values).encode(),
        headers={"content-type": "application/json"},
        method="POST",
    )
    urllib.request.urlopen(request).close()  # noqa: S310


@contextmanager
def enrolled(rows: int, behaviour: object) -> Iterator[dict[str, str]]:
    """The settings that lead to a customer with so many enrollments, whose catalog has been sent already."""
    with customer(COURSES, rows // 10, rows) as (stand_ins, environment):
        measured(["catalog"], environment)
        options(stand_ins, behaviour)
        yield environment


@contextmanager
def starts() -> Iterator[Start]:
    """A way to measure a run with nothing to do: what every command pays, for Prefect's server above all."""
    with customer(30, 6, 1) as (_, environment):
        measured(["catalog"], environment)
        measured(["statistics"], environment)
        yield lambda: measured(["statistics"], environment)


def beyond(start: Start, arguments: list[str], environment: Mapping[str, str]) -> Cost:
    """What a command costs beyond an empty run, which is measured right before: no two hours are alike."""
    empty = start()
    return measured(arguments, environment).less(empty)


def statistics(rows: int, start: Start) -> Iterator[Line]:
    """The first run over so many enrollments, and a second one in full that finds nothing new."""
    with enrolled(rows, FAST) as environment:
        for name in ("first run", "second run, unchanged"):
            cost = beyond(start, ["statistics", "--full"], environment)
            yield Line(f"statistics, {rows:,} enrollments, {name}", cost, rows)


def catalog(start: Start) -> Iterator[Line]:
    """The first and the second run over a large catalog."""
    with customer(COURSES, 300, 3_000) as (stand_ins, environment):
        options(stand_ins, FAST)
        for name in ("first run", "second run, unchanged"):
            cost = beyond(start, ["catalog"], environment)
            yield Line(f"catalog, {COURSES:,} courses, {name}", cost, COURSES)


def pipeline(start: Start) -> Iterator[Line]:
    """Reading alone, which is a dry run; sending alone, with pages at no delay; and both at once."""
    with enrolled(SMALL, SLOW) as environment:
        reading = beyond(start, ["statistics", "--dry-run"], environment)
        both = beyond(start, ["statistics"], environment)
    with enrolled(SMALL, {"learning360": SLOW["learning360"]}) as environment:
        sending = beyond(start, ["statistics"], environment)
    longer = max(reading.seconds, sending.seconds)
    least = least_seconds(both.summary["submitted"])
    ratio = f"{both.seconds / longer:.2f} of the longer alone; {both.seconds / least:.2f} of {least:.1f} s"
    yield Line(f"pipeline, {SMALL:,} enrollments: reading alone", reading, SMALL)
    yield Line(f"pipeline, {SMALL:,} enrollments: sending alone", sending, SMALL)
    yield Line(f"pipeline, {SMALL:,} enrollments: both at once", both, SMALL, ratio)


def least_seconds(statistics: int) -> float:
    """What the platforms of the bench `pipeline` need for the longer of reading and sending."""
    reading = math.ceil(SMALL / PAGE_ROWS / PAGES_AT_ONCE) * PAGE_SECONDS
    operations = math.ceil(statistics / OPERATION_ROWS)
    an_operation = OPERATION_SECONDS + OPERATION_ROWS / ROWS_A_SECOND
    return max(reading, math.ceil(operations / OPERATIONS_AT_ONCE) * an_operation)


def plain(ours: Cost) -> Line:
    """The plain way, without all that this project exists for."""
    with enrolled(SMALL, FAST) as environment:
        cost = python_script(Path(__file__).parent / "plain.py", environment)
    ratio = f"{cost.own / ours.own:.2f} of our processor time"
    return Line(f"the plain way, {SMALL:,} enrollments", cost, SMALL, ratio)


def all_lines(rows: int) -> Iterator[Line]:
    """Every bench, in the order of the table."""
    with starts() as start:
        yield Line("an empty run", start(), 0)
        yield from catalog(start)
        small = list(statistics(SMALL, start))
        yield from small
        yield plain(small[0].cost)
        yield from pipeline(start)
        yield from statistics(rows, start)
        yield next(statistics(2 * rows, start))


def row(line: Line) -> str:
    """A line of the table, in Markdown."""
    cost = line.cost
    speed = f"{line.rows / cost.own:,.0f}" if line.rows else ""
    cells = (
        line.name,
        f"{cost.wall:.1f}",
        f"{cost.own:.1f}",
        f"{cost.server:.1f}",
        speed,
        f"{cost.peak_mib:.0f}",
        line.ratio,
    )
    return f"| {' | '.join(cells)} |"


HEAD = """| bench | wall s | processor s | Prefect's server s | rows a processor s | peak MiB | ratio |
|---|--:|--:|--:|--:|--:|---|"""


def machine() -> str:
    """What this was measured on."""
    facts = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in facts if "model name" in line), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {model}, {memory:.0f} GiB, Python {platform.python_version()}"


def main() -> None:
    """Print the table line by line; with --write put it into the docs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="enrollments of the large bench")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE} anew")
    wanted = parser.parse_args()
    sys.stdout.write(f"{machine()}\n{HEAD}\n")
    rows = []
    for line in all_lines(wanted.rows):
        rows.append(row(line))
        sys.stdout.write(rows[-1] + "\n")
        sys.stdout.flush()
    if wanted.write:
        page = Path(PAGE)
        head, mark, _ = page.read_text().partition("<!-- figures -->\n")
        page.write_text(f"{head}{mark}\n{machine()}\n\n{HEAD}\n" + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
