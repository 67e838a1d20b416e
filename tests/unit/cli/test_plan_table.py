"""How a plan reads: changes in a few words, in which the difference shows."""

import pytest

from flows.cli.output.plan_table import MOST_CHARACTERS, change, shortened

LONG = "The same beginning of a long description, up to here: "
ROW = {"action": "update", "field": "duration", "before": "60", "after": "90", "why": ""}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "duration: 60 → 90"),
        ({"before": ""}, "duration: nothing → 90"),
        ({"after": ""}, "duration: 60 → nothing"),
        ({"why": "it was archived"}, "duration: 60 → 90 (it was archived)"),
        ({"field": "", "why": "it was archived"}, "it was archived"),
        ({"action": "create", "field": "", "before": "", "after": ""}, "new"),
        ({"action": "create", "field": "progress", "before": ""}, "progress: 90"),
    ],
)
def test_a_change_in_words(changes: dict[str, str], words: str) -> None:
    assert change({**ROW, **changes}) == words


def test_short_texts_stay_as_they_are() -> None:
    assert shortened("one and two", "one and three") == ("one and two", "one and three")


def test_long_texts_are_cut_to_where_they_differ() -> None:
    before, after = shortened(f"{LONG}old", f"{LONG}new\nand more {'x' * 100}")
    assert before == "…n, up to here: old"
    assert after.startswith("…n, up to here: new and more xxx")
    assert len(after) <= MOST_CHARACTERS + 1


@pytest.mark.parametrize("texts", [("", "x" * 100), (LONG, ""), (LONG, f"{LONG} and more")])
def test_texts_of_which_one_is_empty_or_a_part_of_the_other(texts: tuple[str, str]) -> None:
    assert shortened(*texts) != ("", "")
    assert len(set(shortened(*texts))) == 2
