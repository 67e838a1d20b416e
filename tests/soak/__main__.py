"""`python -m tests.soak --seeds 1-5 --days 30`: lives through the days of these seeds."""

import argparse
import os
import sys

import pytest

from tests.seeds import seeds


def main() -> int:
    """Runs the seeds as tests; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument(
        "--seeds", type=seeds, default="1-5", metavar="A-B", help="which; a number, or a range"
    )
    parser.add_argument("--days", type=int, default=30, help="how many days each")
    parser.add_argument("--postgres", action="store_true", help="with the ledger in PostgreSQL")
    chosen = parser.parse_args()
    os.environ["SOAK_SEEDS"] = ",".join(map(str, chosen.seeds))
    os.environ["SOAK_DAYS"] = str(chosen.days)
    os.environ["SOAK_DATABASE"] = "postgresql" if chosen.postgres else "sqlite"
    return pytest.main(["tests/soak", "--verbose", "-rP", "--show-capture=stdout", "--tb=short"])


if __name__ == "__main__":
    sys.exit(main())
