"""Catalog elements that are rejected: one reason each, and the others go on."""

from __future__ import annotations

import pytest

from tasks.transform.courses.courses import map_courses

PLAIN = {"contentId": "id-1", "name": "Machine Learning", "slug": "machine-learning"}


def element(**fields: object) -> dict[str, object]:
    return {**PLAIN, **fields}


def defined(**fields: object) -> dict[str, object]:
    return element(extraMetadata={"definition": fields})


def specialization(**fields: object) -> dict[str, object]:
    return {**defined(**fields), "contentType": "Specialization"}


def program(program_id: object, url: object) -> dict[str, object]:
    return {"programId": program_id, "contentUrl": url}


NO_PROGRAM = "no launch URL: no program, and"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param(None, "the element is not an object", id="null"),
        pytest.param([PLAIN], "the element is not an object", id="a list"),
        pytest.param({}, "contentId is missing", id="empty object"),
        pytest.param(element(contentId=" "), "contentId is missing", id="contentId blank"),
        pytest.param(element(contentId=5), "contentId is not text", id="contentId a number"),
        pytest.param(element(name=None), "name is missing", id="name null"),
        pytest.param(element(name=" "), "name is missing", id="name blank"),
        pytest.param(element(name=["x"]), "name is not text", id="name a list"),
        pytest.param(element(name="\ud800"), "name is not text", id="name not Unicode"),
        pytest.param(element(description=5), "description is not text", id="description"),
        pytest.param(element(languageCode=["en"]), "languageCode is not text", id="language a list"),
        pytest.param(element(languageCode=5), "languageCode is not text", id="language a number"),
        pytest.param(element(contentType=5), "contentType is not text", id="contentType"),
        pytest.param(element(difficultyLevel=5), "difficultyLevel is not text", id="level"),
        pytest.param(
            element(subtitleLanguageCodes="fr"), "subtitleLanguageCodes is not a list", id="subtitles"
        ),
        pytest.param(
            element(subtitleLanguageCodes=["fr", 5]),
            "an entry of subtitleLanguageCodes is not text",
            id="a subtitle",
        ),
        pytest.param(element(partners={}), "partners is not a list", id="partners"),
        pytest.param(element(partners=["x"]), "an entry of partners is not an object", id="a partner"),
        pytest.param(element(partners=[{"name": 5}]), "partners.name is not text", id="partner's name"),
        pytest.param(
            element(partners=[{"name": "x", "logoUrl": 5}]),
            "partners.logoUrl is not text",
            id="partner's logo",
        ),
        pytest.param(element(programs="p"), "programs is not a list", id="programs"),
        pytest.param(element(programs=[5]), "an entry of programs is not an object", id="a program"),
        pytest.param(
            element(programs=[program(5, "https://p")]), "programs.programId is not text", id="its id"
        ),
        pytest.param(
            element(programs=[program("p", "https://p"), program("q", 5)]),
            "programs.contentUrl is not text",
            id="its URL",
        ),
        pytest.param(
            element(programs=[program("p", "/p")]), "launchUrl is not a web address", id="no address"
        ),
        pytest.param(
            element(programs=[program("p", "https://")]), "launchUrl is not a web address", id="no host"
        ),
        pytest.param(element(slug=None), f"{NO_PROGRAM} slug is missing", id="no slug"),
        pytest.param(element(slug=" "), f"{NO_PROGRAM} slug is missing", id="blank slug"),
        pytest.param(element(slug=5), "slug is not text", id="slug a number"),
        pytest.param(
            element(contentType="Video"),
            f"{NO_PROGRAM} parentLessonObjectUrl is missing",
            id="video without a lesson",
        ),
        pytest.param(
            {**defined(parentLessonObjectUrl=5), "contentType": "Video"},
            "parentLessonObjectUrl is not text",
            id="lesson a number",
        ),
        pytest.param(
            {**defined(parentLessonObjectUrl="lesson"), "contentType": "Video"},
            "launchUrl is not a web address",
            id="lesson no address",
        ),
        pytest.param(element(extraMetadata="x"), "extraMetadata is not an object", id="extraMetadata"),
        pytest.param(
            element(extraMetadata={"definition": []}),
            "extraMetadata.definition is not an object",
            id="definition",
        ),
        pytest.param(defined(promoPhoto=5), "promoPhoto is not text", id="photo"),
        pytest.param(
            defined(estimatedLearningTime=-1), "estimatedLearningTime is negative", id="negative time"
        ),
        pytest.param(
            defined(estimatedLearningTime="1"), "estimatedLearningTime is not a number", id="time as text"
        ),
        pytest.param(
            defined(estimatedLearningTime=True), "estimatedLearningTime is not a number", id="time a bool"
        ),
        pytest.param(defined(skills="x"), "skills is not a list", id="skills"),
        pytest.param(defined(skills=["x"]), "an entry of skills is not an object", id="a skill"),
        pytest.param(defined(skills=[{"skillName": 5}]), "skills.skillName is not text", id="skill's name"),
        pytest.param(defined(domainTypes={}), "domainTypes is not a list", id="domainTypes"),
        pytest.param(
            defined(domainTypes=[5]), "an entry of domainTypes is not an object", id="a domain type"
        ),
        pytest.param(
            defined(domainTypes=[{"domain": "x"}]), "domainTypes.domain is not an object", id="domain"
        ),
        pytest.param(
            defined(domainTypes=[{"subdomain": {"name": 5}}]),
            "domainTypes.subdomain.name is not text",
            id="subdomain",
        ),
        pytest.param(specialization(courseIds="x"), "courseIds is not a list", id="courseIds"),
        pytest.param(specialization(courseIds=[5]), "an entry of courseIds is not text", id="a course id"),
    ],
)
def test_what_is_rejected(given: object, reason: str) -> None:
    good = {**PLAIN, "contentId": "good"}
    mapped = map_courses([good, given, good], default_language="en")
    assert mapped.rejects.to_dict("records") == [{"position": 1, "reason": reason}]
    assert mapped.courses["position"].tolist() == [0, 2]
