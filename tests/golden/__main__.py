"""`python -m tests.golden`: compares all cases with their golden files; `--write` writes these anew."""

import argparse
import os
import sys

import pytest


def main() -> int:
    """Runs the cases as tests; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the golden files anew")
    parser.add_argument("--case", default="", help="only the cases whose name has this in it")
    chosen = parser.parse_args()
    os.environ["GOLDEN"] = "write" if chosen.write else "compare"
    return pytest.main(["tests/golden", "-k", chosen.case] if chosen.case else ["tests/golden"])


if __name__ == "__main__":
    sys.exit(main())
