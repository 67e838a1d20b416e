"""The sandbox's row checks decide as the vendor's schemas do."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sandbox.learning360 import rows
from sandbox.learning360.schema import Check, complaint, date_time
from sandbox.values import Json

COURSE: Json = {
    "externalId": "A",
    "name": "A course",
    "launchUrl": "https://x",
    "defaultLang": "en",
    "sources": [{"name": "Coursera", "logoUrl": "https://x/logo.png"}, {"name": "Somebody"}],
    "subjects": ["Data"],
    "contentType": "course",
    "description": "All about it",
    "difficultyLevel": "beginner",
    "duration": 45,
    "imageUrl": "https://x/image.png",
    "mobileLaunchUrl": "https://x/mobile",
    "authorId": "0" * 24,
    "translations": [{"lang": "fr", "translatedFields": {"name": "Un cours", "subjects": ["Données"]}}],
}
STATISTIC: Json = {
    "courseIdentifier": {"type": "externalId", "value": "A"},
    "userIdentifier": {"type": "mail", "value": "a@example.com"},
    "forceNew": True,
    "lang": "en",
    "progress": 50,
    "score": 12.5,
    "result": "success",
    "timeSpent": 1,
    "firstActivityAt": "2026-01-01T00:00:00.000Z",
    "lastActivityAt": "2026-01-02T00:00:00.000Z",
}
ARCHIVED: Json = {"externalId": "A"}

KINDS: dict[str, tuple[Json, Check]] = {
    "ExternalCourseDTO": (COURSE, rows.course),
    "ImportExternalStatisticsDTO": (STATISTIC, rows.statistic),
    "ArchiveExternalCourseDTO": (ARCHIVED, rows.archived_course),
}
JudgeOf = Callable[[str], Draft202012Validator]

#: Values that schemas tend to disagree about.
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 0.5, 1.0, 100, 100.5, 101, 100_000, 100_001, 1e20),
    *("", "x", " ", "pt_BR", "pt-BR", "zh_HANT", "0" * 24, "0" * 23, "failed", "mail", "internalId", "video"),
    *([], [""], ["x"], [1], [None], [{}], [{"name": "x"}], {}, {"name": ""}, {"type": "mail", "value": ""}),
    *([{"lang": lang, "translatedFields": {}}] for lang in ("fr", "xx")),
    [{"lang": "fr"}],
]


def take_away(holder: Any, key: Any) -> None:
    del holder[key]


def put(value: Any) -> Callable[[Any, Any], None]:
    return lambda holder, key: holder.__setitem__(key, value)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a value, as a path of keys."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return ([path] if path else []) + [found for key, entry in inner for found in places(entry, (*path, key))]


def changed(row: Json, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Json:
    made = copy.deepcopy(row)
    holder: Any = made
    for key in path[:-1]:
        holder = holder[key]
    change(holder, path[-1])
    return made


def is_date(path: tuple[Any, ...]) -> bool:
    """Formats are left out here: jsonschema checks them only with packages that are not needed otherwise."""
    return str(path[0]).endswith("ActivityAt")


@pytest.mark.parametrize("name", KINDS)
def test_every_single_change_of_a_row_is_judged_alike(validator_of: JudgeOf, name: str) -> None:
    row, check = KINDS[name]
    judge = validator_of(name)
    assert judge.is_valid(row)
    assert check(row) is None
    for path in places(row):
        values = [] if is_date(path) else VALUES
        candidates = [changed(row, path, change) for change in (take_away, *map(put, values))]
        for candidate in candidates:
            assert (check(candidate) is None) == judge.is_valid(candidate), (path, candidate)


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=200, deadline=None, derandomize=True)
@given(data=st.data())
def test_many_changes_at_once_are_judged_alike(validator_of: JudgeOf, name: str, data: st.DataObject) -> None:
    row, check = KINDS[name]
    judge = validator_of(name)
    fields = st.sampled_from(sorted(row))
    values = (
        st.sampled_from(VALUES) | st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    )
    changes = data.draw(st.dictionaries(fields.filter(lambda field: not is_date((field,))), values))
    dropped = data.draw(st.sets(fields, max_size=2))
    candidate = {key: value for key, value in (row | changes).items() if key not in dropped}
    assert (check(candidate) is None) == judge.is_valid(candidate)


@pytest.mark.parametrize(
    ("field", "known"), [("defaultLang", rows.LANGUAGES), ("contentType", rows.CONTENT_TYPES)]
)
def test_the_enumerations_are_the_vendors(validator_of: JudgeOf, field: str, known: frozenset[str]) -> None:
    fields = validator_of("ExternalCourseDTO").schema["components"]["schemas"]["ExternalCourseDTO"][
        "properties"
    ]
    assert set(fields[field]["enum"]) == known


@pytest.mark.parametrize("check", [check for _, check in KINDS.values()], ids=KINDS)
@pytest.mark.parametrize("row", [None, 1, "row", []])
def test_what_is_no_object_is_refused(check: Check, row: object) -> None:
    assert complaint(check, row) == "input must be object"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"externalId": ""}, "/externalId must NOT have fewer than 1 characters"),
        ({}, "input must have required property 'externalId'"),
        ({"externalId": 7}, "/externalId must be string"),
    ],
)
def test_complaints_say_where_and_what(row: object, expected: str) -> None:
    assert complaint(rows.archived_course, row) == expected


@pytest.mark.parametrize("value", [None, 5, "2026-01-01", "2026-01-01T00:00:00", "x"])
def test_dates_are_checked(value: object) -> None:
    assert date_time(value) is not None
    assert date_time("2026-01-01T00:00:00.000Z") is None
