"""What is missing or odd in the catalog, counted in columns, against a count of one element at a time."""

from collections import Counter
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings

from tasks.transform.courses.courses import map_courses
from tasks.transform.courses.languages import platform_language
from tasks.transform.courses.outline import latest
from tasks.transform.courses.quality import duplicate_titles, findings, together
from tests.unit.transform.test_courses_properties import contents

FINE = {
    "contentId": "id",
    "name": "A course",
    "slug": "a-course",
    "description": "All about it.",
    "languageCode": "en",
    "contentType": "Course",
    "difficultyLevel": "BEGINNER",
    "extraMetadata": {"definition": {"estimatedLearningTime": 3600, "promoPhoto": "https://a"}},
}


def found(*elements: object) -> dict[str, tuple[int, str]]:
    """What is found among elements: how many courses have it, and the examples; the rest is left out."""
    courses = latest(map_courses(elements, default_language="en").courses)
    rows = together([findings(courses, elements), duplicate_titles(courses)]).to_dict("records")
    return {row["finding"]: (row["courses"], ", ".join(row["examples"])) for row in rows if row["courses"]}


def course(**changes: object) -> dict[str, Any]:
    return {**FINE, **changes}


def test_nothing_is_wrong_with_a_course_that_has_it_all() -> None:
    assert found(FINE) == {}
    assert found() == {}


@pytest.mark.parametrize(
    ("changes", "finding", "example"),
    [
        ({"languageCode": None}, "no language", "A course (id)"),
        ({"languageCode": " "}, "no language", "A course (id)"),
        ({"languageCode": "tlh"}, "unknown language", "A course (id): tlh"),
        ({"contentType": None}, "no type", "A course (id)"),
        ({"contentType": "Lab"}, "unknown type", "A course (id): Lab"),
        ({"difficultyLevel": "MIXED"}, "unknown level", "A course (id): MIXED"),
        ({"description": "  "}, "no description", "A course (id)"),
        ({"extraMetadata": {"definition": {"promoPhoto": "https://a"}}}, "no duration", "A course (id)"),
        ({"extraMetadata": {"definition": {"estimatedLearningTime": 60}}}, "no image", "A course (id)"),
    ],
)
def test_each_thing_is_found_alone(changes: dict[str, object], finding: str, example: str) -> None:
    assert found(course(**changes)) == {finding: (1, example)}


@pytest.mark.parametrize(
    "changes",
    [
        {"contentType": "VIDEO"},
        {"contentType": "Specialization"},
        {"difficultyLevel": None},
        {"difficultyLevel": "advanced"},
        {"languageCode": "pt-BR"},
    ],
)
def test_other_words_for_what_is_known_are_not_odd(changes: dict[str, object]) -> None:
    assert found(course(**changes)) == {}


def test_courses_of_one_title_stand_together_whatever_its_case() -> None:
    names = ["One", "Two", "one ", "Three", "two"]
    elements = [course(contentId=str(number), name=name) for number, name in enumerate(names)]
    assert found(*elements) == {"duplicate title": (4, "One (0), one (2), Two (1)")}


def test_examples_are_few() -> None:
    elements = [course(contentId=str(number), name=f"No {number}", description=None) for number in range(9)]
    assert found(*elements) == {"no description": (9, "No 0 (0), No 1 (1), No 2 (2)")}


def test_a_rejected_row_and_a_row_shown_twice_are_not_counted() -> None:
    old, new = course(lastUpdatedAt=1, languageCode="tlh"), course(lastUpdatedAt=2)
    assert found(None, course(name=None, languageCode="tlh"), old, new) == {}


@settings(max_examples=40)
@given(contents())
def test_the_counts_are_those_of_one_element_at_a_time(elements: list[object]) -> None:
    courses = latest(map_courses(elements, default_language="en").courses)
    rows = together([findings(courses, elements), duplicate_titles(courses)])
    by_one: Counter[str] = Counter()
    names = Counter(name.lower() for name in courses["name"])
    for row in courses.to_dict("records"):
        element = elements[row["position"]]
        assert isinstance(element, dict)
        words = {name: value.strip() for name, value in element.items() if isinstance(value, str)}
        language, kind, level = (
            words.get(name, "") for name in ("languageCode", "contentType", "difficultyLevel")
        )
        by_one["no language"] += not language
        by_one["unknown language"] += bool(language) and platform_language(language) is None
        by_one["no type"] += not kind
        by_one["unknown type"] += kind.lower() not in {"", "course", "specialization", "video"}
        by_one["unknown level"] += level.lower() not in {"", "beginner", "intermediate", "advanced"}
        by_one["no description"] += not words.get("description", "")
        by_one["no duration"] += pd.isna(row["duration"])
        by_one["no image"] += pd.isna(row["imageUrl"])
        by_one["duplicate title"] += names[row["name"].lower()] > 1
    assert Counter(dict(zip(rows["finding"], rows["courses"], strict=True))) == by_one
    assert rows["examples"].str.len().gt(0).eq(rows["courses"].gt(0)).all()
