"""No regular expression of ours takes more than its share of a long text: tenfold text, tenfold work.

A title of 110,000 characters held a run up for 44 seconds in one that was quadratic.
"""

import ast
import re
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from connectors.addresses import mentions
from connectors.coursera.models import report_fields, report_rows
from tasks.reporting.redaction import mask_addresses
from tasks.transform.statistics.enrollment_reports import read_reports

ROOT = Path(__file__).parents[2]
USES = {
    "compile",
    "contains",
    "extract",
    "findall",
    "finditer",
    "fullmatch",
    "match",
    "search",
    "split",
    "sub",
}
#: What expressions of ours look for, and what they do not.
ALPHABET = 'a1~@."\\'
#: Of an expression that is built when it is used; such ones are tried below.
BUILT_LATER = "re.escape("


def sources() -> Iterator[tuple[Path, ast.Call]]:
    """Every call that may be given a regular expression."""
    for folder in ("connectors", "tasks", "flows"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                    is_replace = node.func.attr == "replace" and any(
                        word.arg == "regex" for word in node.keywords
                    )
                    of_text = ast.unparse(node.func.value) == "re" or ast.unparse(node.func).endswith(
                        f".str.{node.func.attr}"
                    )
                    if is_replace or (of_text and node.func.attr in USES):
                        yield path.relative_to(ROOT), node


def expressions() -> list[Any]:
    """Every regular expression of ours, by where it stands."""
    found = []
    for path, call in sources():
        expression = ast.unparse(call.args[0])
        if BUILT_LATER not in expression:
            module = import_module(".".join(path.with_suffix("").parts))
            pattern = eval(expression, vars(module))  # noqa: S307 - our own sources
            is_of_all = ".fullmatch(" in (ROOT / path).read_text(encoding="utf-8")
            use = re.compile(pattern).fullmatch if is_of_all else re.compile(pattern).findall
            found.append(pytest.param(use, id=f"{path}:{call.lineno}"))
    return found


def seconds(work: Callable[[str], object], text: str) -> float:
    """Of processor time, at best; what takes less than a millisecond takes one."""
    best = float("inf")
    for _ in range(2):
        began = time.process_time()
        work(text)
        best = min(best, time.process_time() - began)
    return max(best, 0.001)


def assert_linear(work: Callable[[str], object], piece: str, longest: int = 1_000_000) -> None:
    """Tenfold, and fourfold for what machines do; a quadratic one would take a hundredfold."""
    size = 10_000
    before = seconds(work, piece * (size // len(piece)))
    while (size := size * 10) <= longest:
        now = seconds(work, piece * (size // len(piece)))
        assert now < 40 * before, f"{size} characters of {piece!r}"
        before = now


def test_all_of_them_are_found() -> None:
    assert len(expressions()) >= 9


@pytest.mark.parametrize("use", expressions())
def test_an_expression_takes_its_share(use: Callable[[str], object]) -> None:
    for piece in ALPHABET:
        assert_linear(use, piece)
    for pair in permutations(ALPHABET, 2):
        assert_linear(use, "".join(pair), longest=100_000)


@pytest.mark.parametrize("piece", ["a", "a.b@x.com ", "a@", "@", ".", '"\\', "ann@example.com"])
@pytest.mark.parametrize(
    "work",
    [
        mask_addresses,
        mentions("ann@example.com").findall,
        lambda text: read_reports(report_fields(report_rows([{"email": text}])) | {"row_id": ["a"]}),
    ],
    ids=["masking addresses", "a learner in a log", "a learner's address"],
)
def test_what_is_done_with_titles_messages_and_addresses(work: Callable[[str], object], piece: str) -> None:
    assert_linear(work, piece)
