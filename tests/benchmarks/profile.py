"""`make profile`: where the time of a first run of the statistics goes, function by function.

All threads are looked at many times a second, for most of a run is done beside the thread that began it. They
are not stopped for that, since those that only wait would then seem to do something, too.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.benchmarks.__main__ import FAST, SMALL, enrolled

LINES = 40
LOOKS_A_SECOND = 200
NONE = "(none of Python's)"
OURS = re.compile(r"\((connectors|flows|tasks)/")


def main() -> None:
    """Print the functions that take longest by themselves, and of ours those that do with what they call."""
    by_itself, in_all = counted(stacks())
    ours = Counter({function: looks for function, looks in in_all.items() if OURS.search(function)})
    for title, looks in (("by itself", by_itself), ("of ours, with what is called", ours)):
        sys.stdout.write(f"\nseconds  function, {title}\n")
        for function, count in looks.most_common(LINES):
            sys.stdout.write(f"{count / LOOKS_A_SECOND:7.2f}  {function}\n")


def stacks() -> list[str]:
    """Which functions were under way, outermost first, and how often: "main (cli.py);run (run.py) 3"."""
    with enrolled(SMALL, FAST) as environment, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "stacks"
        options = [
            "--nonblocking",
            "--nolineno",
            "--format=raw",
            f"--rate={LOOKS_A_SECOND}",
            f"--output={file}",
        ]
        profiler = [str(Path(sys.executable).with_name("py-spy")), "record", *options, "--"]
        command = [*profiler, sys.executable, "-m", "flows.cli", "statistics"]
        subprocess.run(command, env=os.environ | environment, check=False)  # noqa: S603 - rejected rows are exit 3
        return file.read_text().splitlines()


def counted(stacks: list[str]) -> tuple[Counter[str], Counter[str]]:
    """How often each function was the innermost one, and how often it was under way at all."""
    innermost: Counter[str] = Counter()
    under_way: Counter[str] = Counter()
    for line in stacks:
        stack, _, count = line.rpartition(" ")
        functions = stack.split(";") if stack else [NONE]
        innermost[functions[-1]] += int(count)
        under_way.update(dict.fromkeys(functions, int(count)))
    return innermost, under_way


if __name__ == "__main__":
    main()
