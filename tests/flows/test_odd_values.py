"""Values that fast parsers refuse, or databases: at most their own row is rejected, and no other."""

import pytest

from tests.installation import Sync
from tests.observer import observed
from tests.postgres import BOTH_DATABASES

#: What stands on the wire in place of a value.
NUMBERS = {
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "beyond a float": "1e400",
    "thousands of digits": "9" * 5000,
    "deep nesting": "[" * 1500 + "]" * 1500,
}
TEXTS = {
    "half of an emoji": '"text \\ud83d"',
    "a byte that is no UTF-8": '"text \xff"',
    "NUL": '"text \\u0000"',
    "a control character": '"text \\u001b"',
}
EVERY = NUMBERS | TEXTS
PAGES = ["/contents$", "/enrollmentReports$"]
GOOD = "good"
pytestmark = BOTH_DATABASES


def on_the_wire(sync: Sync) -> None:
    """Each value stands where a row has its name."""
    written = {f'"{name}"': value for name, value in EVERY.items()} | {
        '{"elements"': '\xef\xbb\xbf{"elements"'
    }
    for path in PAGES:
        sync.sandbox.faults.add("rewrite", path=path, body=written)


@pytest.mark.parametrize("field", ["slug", "instructors", "id", "name", "contentId"])
def test_of_a_catalog_at_most_the_element_is_rejected(sync: Sync, field: str) -> None:
    on_the_wire(sync)
    sync.add_courses(1, contentId=GOOD)
    for number, name in enumerate(EVERY):
        sync.sandbox.world.add_content(**{"contentId": f"c{number}", field: name})
    refused = {"name": NUMBERS, "contentId": EVERY}.get(field, {})
    for summary in (sync.catalog(), sync.catalog()):
        assert (summary.rejected, summary.extracted) == (len(refused), 1 + len(EVERY))
    assert [*sync.rejected("catalog").values()] == [f"{field} is not text"] * len(refused)
    names = sync.courses()
    assert len(names) == 1 + len(EVERY) - len(refused)
    if field == "name":
        assert {*names.values()} == {"Course 0", "text"}


@pytest.mark.parametrize(
    ("field", "reason", "refused"),
    [
        ("fullName", "", {}),
        ("id", "", {}),
        ("contentId", "contentId is not text", EVERY),
        ("email", "email is not text", EVERY),
        ("overallProgress", "overallProgress is not a number", EVERY),
    ],
)
def test_of_the_reports_at_most_the_row_is_rejected(
    sync: Sync, field: str, reason: str, refused: dict[str, str]
) -> None:
    on_the_wire(sync)
    (course,) = sync.add_courses(1)
    sync.catalog()
    for name in (GOOD, *EVERY):
        mail = f"{name.replace(' ', '-')}@example.com"
        sync.sandbox.learning360.add_user(mail)
        row = sync.sandbox.world.add_report(mail, course, overallProgress=30)
        row |= {} if name == GOOD else {field: name}
    first, again = sync.statistics(), sync.statistics()
    assert (first.accepted, first.rejected) == (1 + len(EVERY) - len(refused), len(refused))
    assert (again.accepted, again.rejected) == (0, len(refused))
    assert [*sync.rejected("statistics").values()] == [reason] * len(refused)


def test_an_id_that_no_index_takes_is_no_id(sync: Sync) -> None:
    for id_ in ("x" * 3000, "x" * 3000, "", {"much": "y" * 3000}):
        sync.sandbox.world.add_content("   ", id=id_)
    assert sync.catalog().rejected == 4
    assert all(len(name) == 32 for name in sync.rejected("catalog"))


def test_results_of_an_operation_may_be_odd(sync: Sync) -> None:
    courses = sync.add_courses(3)
    odd = {'"Course 0"': "NaN", '"Course 1"': '"\\ud83d"', courses[2]["name"]: "\xff"}
    sync.sandbox.faults.add("rewrite", path="/results$", body=odd)
    assert sync.catalog().accepted == 3


def test_an_ignored_value_behind_rejected_elements_is_told_of_its_own_course(sync: Sync) -> None:
    for number in range(3):
        sync.add_courses(1, contentId=f"odd{number}", difficultyLevel=7)
        sync.sandbox.world.add_content("   ")
    with observed() as observer:
        assert sync.catalog().accepted == 3
    (told,) = observer.section("Ignored values").rows
    assert [*told] == ["difficultyLevel is not text", "3", "odd0, odd1, odd2"]
