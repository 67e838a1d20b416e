"""`python -m tests.fuzz --seeds 1-5 --rows 3000`: so many elements and rows of each seed."""

import argparse
import os
import sys

import pytest

from tests.seeds import seeds


def main() -> int:
    """Runs the seeds as tests; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--seeds", type=seeds, default="1-5", metavar="A-B", help="which; a number, or a range"
    )
    parser.add_argument("--rows", type=int, default=3000, help="how many of each kind")
    parser.add_argument("--postgres", action="store_true", help="with the ledger in PostgreSQL alone")
    chosen = parser.parse_args()
    os.environ["FUZZ_CASES"] = " ".join(f"{seed}x{chosen.rows}" for seed in chosen.seeds)
    os.environ["FUZZ_DATABASES"] = "postgresql" if chosen.postgres else "sqlite,postgresql"
    return pytest.main(["tests/fuzz", "--verbose", "--tb=short", "--show-capture=no"])


if __name__ == "__main__":
    sys.exit(main())
