"""`make profile`: where the processor time of a first run of the statistics goes, function by function."""

import os
import pstats
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.__main__ import FAST, SMALL, enrolled

LINES = 40


def main() -> None:
    """Print the functions that take longest, their own time and with what they call."""
    with enrolled(SMALL, FAST) as environment, tempfile.TemporaryDirectory() as folder:
        profile = str(Path(folder) / "profile")
        command = [sys.executable, "-m", "cProfile", "-o", profile, "-m", "flows.cli", "statistics"]
        subprocess.run(command, env=os.environ | environment, check=False)  # noqa: S603 - rows put aside are exit 3
        figures = pstats.Stats(profile)
    figures.sort_stats("tottime").print_stats(LINES)
    figures.sort_stats("cumtime").print_stats("connectors|flows|tasks", LINES)


if __name__ == "__main__":
    main()
