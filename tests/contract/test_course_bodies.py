"""What the content mapping sends, against the vendor's OpenAPI document (found through CONTRACTS_DIR)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from jsonschema import Draft202012Validator

from tasks.transform.courses.courses import bodies, map_courses
from tasks.transform.courses.languages import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

PLAIN = {"contentId": "least", "name": "N", "slug": "s"}
FULL = {
    "contentId": "full",
    "contentType": "Video",
    "name": " N ",
    "description": " D ",
    "languageCode": "zh-HK",
    "subtitleLanguageCodes": ["fr", "pt-BR", "he", "tlh"],
    "difficultyLevel": "BEGINNER",
    "lastUpdatedAt": 1769778943,
    "partners": [{"name": "P", "logoUrl": "https://logo"}, {"name": "Q", "logoUrl": ""}],
    "programs": [{"programId": "p", "contentUrl": "https://p"}],
    "extraMetadata": {
        "definition": {
            "estimatedLearningTime": 10**9,
            "promoPhoto": "https://photo",
            "skills": [{"skillName": "K"}, {"skillName": ""}],
            "domainTypes": [{"domain": {"name": "D"}, "subdomain": {"name": "S"}}],
        }
    },
}
ABSENT: dict[str, object] = {
    **dict.fromkeys(FULL, ""),
    **PLAIN,
    "subtitleLanguageCodes": [],
    "partners": [],
    "programs": [],
    "lastUpdatedAt": None,
    "extraMetadata": {"definition": {"promoPhoto": "", "estimatedLearningTime": 0}},
}


@pytest.fixture(scope="module")
def document() -> dict[str, object]:
    """The vendor's OpenAPI document."""
    folder = os.environ.get("CONTRACTS_DIR")
    if folder is None:
        pytest.skip("CONTRACTS_DIR is not set: the folder of 360learning-openapi.json")
    text = Path(folder, "360learning-openapi.json").read_text(encoding="utf-8")
    return cast("dict[str, object]", json.loads(text))


@pytest.fixture(scope="module")
def validator(document: Mapping[str, object]) -> Draft202012Validator:
    """A validator of ImportExternalCoursesBody, with the whole document to resolve references in."""
    return Draft202012Validator({**document, "$ref": "#/components/schemas/ImportExternalCoursesBody"})


@pytest.mark.parametrize(
    "element",
    [
        pytest.param(PLAIN, id="the least"),
        pytest.param(FULL, id="everything"),
        pytest.param(ABSENT, id="optional fields empty"),
        pytest.param({**PLAIN, "contentType": "Specialization"}, id="specialization"),
        pytest.param({**PLAIN, "contentType": "Lab", "difficultyLevel": "MIXED"}, id="unknown words"),
    ],
)
def test_a_body_keeps_the_contract(validator: Draft202012Validator, element: dict[str, object]) -> None:
    made = bodies(map_courses([element], default_language="en").courses)
    assert len(made) == 1
    assert list(validator.iter_errors({"input": made})) == []


@pytest.mark.parametrize("code", sorted(LANGUAGES))
def test_every_language_keeps_the_contract(validator: Draft202012Validator, code: str) -> None:
    element = {**PLAIN, "languageCode": code, "subtitleLanguageCodes": sorted(LANGUAGES)}
    made = bodies(map_courses([element], default_language="en").courses)
    assert made[0]["defaultLang"] == code
    assert list(validator.iter_errors({"input": made})) == []


def test_the_contract_refuses_what_it_should(validator: Draft202012Validator) -> None:
    made = bodies(map_courses([PLAIN], default_language="en").courses)
    assert list(validator.iter_errors({"input": [{**made[0], "defaultLang": "tlh"}]}))
    assert list(validator.iter_errors({"input": [{**made[0], "duration": 0}]}))


def test_the_enumeration_is_the_vendors(document: dict[str, object]) -> None:
    parts = ("components", "schemas", "ExternalCourseDTO", "properties", "defaultLang")
    inner = document
    for part in parts:
        inner = cast("dict[str, object]", inner[part])
    assert set(cast("list[str]", inner["enum"])) == LANGUAGES
