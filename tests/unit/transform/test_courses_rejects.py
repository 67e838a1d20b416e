"""Catalog elements that are rejected, one reason each; and what is only left out of a course."""

from __future__ import annotations

import pytest

from tasks.transform.courses.courses import bodies, map_courses

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
        pytest.param(element(languageCode=["en"]), "languageCode is not text", id="language a list"),
        pytest.param(element(languageCode=5), "languageCode is not text", id="language a number"),
        pytest.param(element(slug=None), f"{NO_PROGRAM} slug is missing", id="no slug"),
        pytest.param(element(slug=" "), f"{NO_PROGRAM} slug is missing", id="blank slug"),
        pytest.param(element(slug=5), "slug is not text", id="slug a number"),
        pytest.param(element(slug="a b"), "launchUrl is not a web address", id="slug with a space"),
        pytest.param(
            {**element(programs=[program("p", "/p")]), "slug": None},
            f"{NO_PROGRAM} slug is missing",
            id="no usable program, no slug",
        ),
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
    ],
)
def test_what_is_rejected(given: object, reason: str) -> None:
    good = {**PLAIN, "contentId": "good"}
    mapped = map_courses([good, given, good], default_language="en")
    assert mapped.rejects.to_dict("records") == [{"position": 1, "reason": reason}]
    assert mapped.courses["position"].tolist() == [0, 2]
    assert mapped.ignored == {}


SOUND = program("p", "https://p")


@pytest.mark.parametrize(
    ("given", "what", "sent"),
    [
        (element(description=5), "description is not text", {}),
        (element(contentType=5), "contentType is not text", {}),
        (element(difficultyLevel=5), "difficultyLevel is not text", {}),
        (element(subtitleLanguageCodes="fr"), "subtitleLanguageCodes is not a list", {}),
        (
            element(subtitleLanguageCodes=["fr", 5]),
            "an entry of subtitleLanguageCodes is not text",
            {"translations": [{"lang": "fr", "translatedFields": {}}]},
        ),
        (element(partners={}), "partners is not a list", {}),
        (
            element(partners=["x", {"name": "A"}]),
            "an entry of partners is not an object",
            {"sources": [{"name": "A"}]},
        ),
        (element(partners=[{"name": 5}]), "partners.name is not text", {}),
        (
            element(partners=[{"name": "x", "logoUrl": 5}]),
            "partners.logoUrl is not text",
            {"sources": [{"name": "x"}]},
        ),
        (
            element(partners=[{"name": "x", "logoUrl": "data:image/png;base64,AAAA"}]),
            "partners.logoUrl is not a web address",
            {"sources": [{"name": "x"}]},
        ),
        (element(programs="p"), "programs is not a list", {}),
        (element(programs=[5, SOUND]), "an entry of programs is not an object", {"launchUrl": "https://p"}),
        (
            element(programs=[program(5, "https://p")]),
            "programs.programId is not text",
            {"launchUrl": "https://p"},
        ),
        (
            element(programs=[SOUND, program("a", 5)]),
            "programs.contentUrl is not text",
            {"launchUrl": "https://p"},
        ),
        (
            element(programs=[SOUND, program("a", "/p")]),
            "programs.contentUrl is not a web address",
            {"launchUrl": "https://p"},
        ),
        (element(extraMetadata="x"), "extraMetadata is not an object", {}),
        (element(extraMetadata={"definition": []}), "extraMetadata.definition is not an object", {}),
        (defined(promoPhoto=5), "promoPhoto is not text", {}),
        (defined(promoPhoto="javascript:alert(1)"), "promoPhoto is not a web address", {}),
        (defined(promoPhoto="file:///etc/passwd"), "promoPhoto is not a web address", {}),
        (defined(estimatedLearningTime=-1), "estimatedLearningTime is negative", {}),
        (defined(estimatedLearningTime="1"), "estimatedLearningTime is not a number", {}),
        (defined(estimatedLearningTime=True), "estimatedLearningTime is not a number", {}),
        (
            defined(estimatedLearningTime=1_700_000_000),
            "estimatedLearningTime is longer than 100,000 hours",
            {},
        ),
        (defined(estimatedLearningTime=1e300), "estimatedLearningTime is longer than 100,000 hours", {}),
        (defined(estimatedLearningTime=10**400), "estimatedLearningTime is not a number", {}),
        (defined(skills="x"), "skills is not a list", {}),
        (
            defined(skills=["x", {"skillName": "K"}]),
            "an entry of skills is not an object",
            {"subjects": ["K"]},
        ),
        (defined(skills=[{"skillName": 5}]), "skills.skillName is not text", {}),
        (defined(domainTypes={}), "domainTypes is not a list", {}),
        (defined(domainTypes=[5]), "an entry of domainTypes is not an object", {}),
        (defined(domainTypes=[{"domain": "x"}]), "domainTypes.domain is not an object", {}),
        (
            defined(domainTypes=[{"domain": {"name": "D"}, "subdomain": {"name": 5}}]),
            "domainTypes.subdomain.name is not text",
            {"subjects": ["D"]},
        ),
        (specialization(courseIds="x"), "courseIds is not a list", {}),
        (specialization(courseIds=[5]), "an entry of courseIds is not text", {}),
    ],
)
def test_what_is_only_left_out(given: dict[str, object], what: str, sent: dict[str, object]) -> None:
    mapped = map_courses([given], default_language="en")
    assert {one: rows.tolist() for one, rows in mapped.ignored.items()} == {what: [0]}
    plain = bodies(map_courses([PLAIN], default_language="en").courses)[0]
    kind = {"contentType": "specialization"} if given.get("contentType") == "Specialization" else {}
    page = {"launchUrl": "https://www.coursera.org/specializations/machine-learning"} if kind else {}
    assert bodies(mapped.courses) == [{**plain, **kind, **page, **sent}]


@pytest.mark.parametrize(
    ("url", "is_usable"),
    [
        ("https://www.coursera.org/learn/x?y=%20&z=1#top", True),
        ("HTTP://coursera.example:8443", True),
        ("https://[2001:db8::1]/x", True),
        ("https://xn--nxasmq6b.example/ü", True),
        ("https://", False),
        ("//coursera.org", False),
        ("ftp://coursera.org", False),
        ("https://www.coursera.org/learn /x", False),
        ("https://www.coursera.org/\nx", False),
        ("https://user:secret@www.coursera.org", False),
        ("https://www.coursera.org\\@evil.example", False),
        ("https://localhost/x", False),
        ("https://app.localhost./x", False),
        ("http://127.9.9.9:4200/api", False),
        ("http://[::1]/x", False),
        ("http://0.0.0.0/x", False),
        ("http://127.1/x", False),
        ("http://2130706433/x", False),
        ("http://0x7f.0.0.1/x", False),
        ("http://0177.0.0.1/x", False),
        ("http://0/x", False),
        ("http://[::ffff:127.0.0.1]/x", False),
        ("http://[::]/x", False),
        ("http://\uff11\uff12\uff17\u30020.0.1/x", False),  # full-width digits
        ("http://\uff4cocalhost/x", False),
        ("https://127.0.0.1.example.com/x", True),
        ("https://10.0.0.1/x", True),
        ("https://" + "x" * 70 + ".example/x", True),
        ("http://127%2e0.0.1/x", False),
    ],
)
def test_a_learner_is_only_sent_to_a_page_on_the_web(url: str, *, is_usable: bool) -> None:
    mapped = map_courses([element(programs=[program("p", url)])], default_language="en")
    assert (mapped.courses["launchUrl"].tolist() == [url]) == is_usable
