"""`make bench`: what the work costs, against the sandbox; a table here and in docs/benchmarks.md.

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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flows.cli.sandbox_process import RunningSandbox, running_sandbox
from tests.benchmarks.commands import Cost, measured, python_script

PAGE = "docs/benchmarks.md"
COURSES, SMALL = 20_000, 100_000
# How often is measured what has a goal: processors are shared with others, and no two minutes are alike.
TIMES = 3
# The platforms of the bench `pipeline`: seconds a page and pages at a time; seconds an operation, rows a
# second within it, operations at a time.
PAGE_SECONDS, PAGES_AT_ONCE = 0.25, 4
OPERATION_SECONDS, ROWS_A_SECOND, OPERATIONS_AT_ONCE = 1.0, 5_000, 3
PAGE_ROWS, OPERATION_ROWS = 1_000, 10_000
SLOW = {
    "coursera": {"page_ms": round(PAGE_SECONDS * 1000)},
    "learning360": {
        "operation_base_ms": round(OPERATION_SECONDS * 1000),
        "rows_per_second": ROWS_A_SECOND,
        "in_parallel": True,
    },
}
FAST = {"learning360": {"operation_base_ms": 100, "rows_per_second": 1_000_000}}

#: Measures a run with nothing to do.
Start = Callable[[], Cost]
#: The settings that lead to a customer of the sandbox, for as long as there is one.
Customer = AbstractContextManager[dict[str, str]]


@dataclass(frozen=True)
class Line:
    """A line of the table. ``rows`` is 0 where a figure a row means nothing; ``ratio`` is said in words."""

    name: str
    cost: Cost
    rows: int
    ratio: str = ""


@dataclass(frozen=True)
class Run:
    """What a command cost, and an empty run right before: no two hours are alike."""

    empty: Cost
    full: Cost


@contextmanager
def customer(
    courses: int, learners: int, enrollments: int
) -> Iterator[tuple[RunningSandbox, dict[str, str]]]:
    """A sandbox with so much in it, and the settings that lead to it and to a new ledger."""
    sizes = [("--courses", courses), ("--learners", learners), ("--enrollments", enrollments)]
    arguments = [str(word) for pair in sizes for word in pair]
    with running_sandbox(arguments) as sandbox, tempfile.TemporaryDirectory() as folder:
        yield sandbox, sandbox.environment | {"SYNC_STATE_URL": f"sqlite:///{folder}/ledger.db"}


def options(sandbox: RunningSandbox, values: object) -> None:
    """Set the sandbox's options."""
    request = urllib.request.Request(  # noqa: S310 - our own loopback server
        f"{sandbox.control}/options",
        data=json.dumps(values).encode(),
        headers={"content-type": "application/json"},
        method="POST",
    )
    urllib.request.urlopen(request).close()  # noqa: S310


@contextmanager
def enrolled(rows: int, behaviour: object) -> Iterator[dict[str, str]]:
    """The settings that lead to a customer with so many enrollments, whose catalog has been sent already."""
    with customer(COURSES, rows // 10, rows) as (sandbox, environment):
        measured(["catalog"], environment)
        options(sandbox, behaviour)
        yield environment


@contextmanager
def with_catalog() -> Iterator[dict[str, str]]:
    """The settings that lead to a customer with a large catalog, of which nothing has been sent."""
    with customer(COURSES, 300, 3_000) as (sandbox, environment):
        options(sandbox, FAST)
        yield environment


@contextmanager
def starts() -> Iterator[Start]:
    """A way to measure a run with nothing to do: what every command pays, for Prefect's server above all."""
    with customer(30, 6, 1) as (_, environment):
        measured(["catalog"], environment)
        measured(["statistics"], environment)
        yield lambda: measured(["statistics"], environment)


def beyond(start: Start, arguments: list[str], environment: Mapping[str, str]) -> Run:
    """Measure an empty run and a command."""
    return Run(start(), measured(arguments, environment))


def least(runs: Sequence[Run]) -> Cost:
    """What a command costs beyond an empty run: the least processor time, for others only add to it.

    Of memory it is the most.
    """
    empty, full = (min(costs, key=lambda cost: cost.own) for costs in _columns(runs))
    return replace(full.less(empty), peak_mib=max(run.full.peak_mib for run in runs))


def middle(runs: Sequence[Run]) -> Cost:
    """What a command costs beyond an empty run: that in the middle by its seconds."""
    empty, full = (sorted(costs, key=lambda cost: cost.seconds)[len(costs) // 2] for costs in _columns(runs))
    return full.less(empty)


def _columns(runs: Sequence[Run]) -> tuple[list[Cost], list[Cost]]:
    return [run.empty for run in runs], [run.full for run in runs]


def first_and_second(
    name: str, rows: int, customers: Iterable[Customer], arguments: list[str], start: Start
) -> Iterator[Line]:
    """The first run on each of some new customers, and a second one that finds nothing new."""
    runs: dict[str, list[Run]] = {"first run": [], "second run, unchanged": []}
    for each in customers:
        with each as environment:
            for several in runs.values():
                several.append(beyond(start, arguments, environment))
    for which, several in runs.items():
        yield Line(f"{name}, {which}", least(several), rows)


def statistics(rows: int, start: Start, times: int = 1) -> Iterator[Line]:
    """Both runs in full over so many enrollments."""
    customers = (enrolled(rows, FAST) for _ in range(times))
    name = f"statistics, {rows:,} enrollments"
    yield from first_and_second(name, rows, customers, ["statistics", "--full"], start)


def catalog(start: Start) -> Iterator[Line]:
    """Both runs over a large catalog."""
    name = f"catalog, {COURSES:,} courses"
    yield from first_and_second(name, COURSES, [with_catalog()], ["catalog"], start)


def pipeline(start: Start) -> Iterator[Line]:
    """Reading alone, which is a dry run; sending alone, with pages at no delay; and one after the other."""
    runs: dict[str, list[Run]] = {"reading alone": [], "sending alone": [], "both": []}
    for _ in range(TIMES):
        with enrolled(SMALL, SLOW) as environment:
            runs["reading alone"].append(beyond(start, ["statistics", "--dry-run"], environment))
            runs["both"].append(beyond(start, ["statistics"], environment))
        with enrolled(SMALL, {"learning360": SLOW["learning360"]}) as environment:
            runs["sending alone"].append(beyond(start, ["statistics"], environment))
    reading, sending, both = map(middle, runs.values())
    bound = least_seconds(both.summary["submitted"])
    alone = reading.seconds + sending.seconds
    ratio = f"{both.seconds / alone:.2f} of both alone; {both.seconds / bound:.2f} of {bound:.1f} s"
    for name, cost, said in zip(runs, (reading, sending, both), ("", "", ratio), strict=True):
        yield Line(f"pipeline, {SMALL:,} enrollments: {name}", cost, SMALL, said)


def least_seconds(statistics: int) -> float:
    """What the platforms of the bench `pipeline` need for reading and sending."""
    reading = math.ceil(SMALL / PAGE_ROWS / PAGES_AT_ONCE) * PAGE_SECONDS
    operations = math.ceil(statistics / OPERATION_ROWS)
    an_operation = OPERATION_SECONDS + OPERATION_ROWS / ROWS_A_SECOND
    return reading + math.ceil(operations / OPERATIONS_AT_ONCE) * an_operation


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
        yield from statistics(rows, start, TIMES)
        yield from statistics(2 * rows, start)


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
