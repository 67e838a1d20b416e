"""The content mapping, row by row."""

from __future__ import annotations

import pytest

from tasks.transform.courses.courses import bodies, map_courses
from tasks.transform.courses.outline import latest

PLAIN = {"contentId": "id-1", "name": "Machine Learning", "slug": "machine-learning"}


def element(**fields: object) -> dict[str, object]:
    return {**PLAIN, **fields}


def defined(**fields: object) -> dict[str, object]:
    return element(extraMetadata={"definition": fields})


def specialization(**fields: object) -> dict[str, object]:
    return {**defined(**fields), "contentId": "s12n", "contentType": "Specialization"}


def program(program_id: object, url: object) -> dict[str, object]:
    return {"programId": program_id, "contentUrl": url}


def body(one: object, **options: object) -> dict[str, object]:
    """The body that one element makes."""
    mapped = map_courses([one], **({"default_language": "en"} | options))  # type: ignore[arg-type]
    assert mapped.rejects["reason"].tolist() == []
    return bodies(mapped.courses)[0]


def durations(*elements: object, known: dict[str, float] | None = None) -> dict[object, object]:
    """Duration by externalId, of those that have one."""
    mapped = map_courses(list(elements), default_language="en", known_seconds=known)
    return {made["externalId"]: made["duration"] for made in bodies(mapped.courses) if "duration" in made}


def test_a_full_element() -> None:
    full = {
        "id": "Course~id-1",
        "contentId": "id-1",
        "contentType": "Course",
        "name": " Machine Learning ",
        "description": " All of it. ",
        "slug": "machine-learning",
        "languageCode": "en",
        "subtitleLanguageCodes": ["fr", "pt-BR"],
        "difficultyLevel": "BEGINNER",
        "lastUpdatedAt": 1769778943,
        "partners": [{"name": "Stanford", "logoUrl": "https://logo"}, {"name": "DeepLearning.AI"}],
        "programs": [program("p", "https://www.coursera.org/programs/p/learn/machine-learning")],
        "extraMetadata": {
            "typeName": "courseMetadata",
            "definition": {
                "estimatedLearningTime": 3600,
                "promoPhoto": "https://photo",
                "skills": [{"skillName": "Python", "skillId": "1"}],
                "domainTypes": [{"domain": {"name": "Data"}, "subdomain": {"name": "Learning"}}],
            },
        },
    }
    assert body(full) == {
        "externalId": "id-1",
        "name": "Machine Learning",
        "description": "All of it.",
        "imageUrl": "https://photo",
        "duration": 60,
        "launchUrl": "https://www.coursera.org/programs/p/learn/machine-learning",
        "defaultLang": "en",
        "translations": [
            {"lang": "fr", "translatedFields": {}},
            {"lang": "pt_BR", "translatedFields": {}},
        ],
        "difficultyLevel": "beginner",
        "contentType": "course",
        "subjects": ["Data", "Learning", "Python"],
        "sources": [{"name": "Stanford", "logoUrl": "https://logo"}, {"name": "DeepLearning.AI"}],
    }


def test_the_least_that_is_needed() -> None:
    assert body(PLAIN) == {
        "externalId": "id-1",
        "name": "Machine Learning",
        "launchUrl": "https://www.coursera.org/learn/machine-learning",
        "defaultLang": "en",
        "contentType": "course",
        "subjects": [],
        "sources": [{"name": "Coursera"}],
    }


NULLS = dict.fromkeys(
    ["description", "languageCode", "subtitleLanguageCodes", "difficultyLevel", "contentType", "programs",
     "partners", "extraMetadata", "lastUpdatedAt", "instructors"]
)  # fmt: skip
DEFINITION = [
    "estimatedLearningTime",
    "promoPhoto",
    "skills",
    "domainTypes",
    "courseIds",
    "parentLessonObjectUrl",
]


@pytest.mark.parametrize(
    "sparse",
    [
        pytest.param(element(**NULLS), id="null fields"),
        pytest.param(
            element(description=" ", languageCode="", contentType="", difficultyLevel=""), id="blank text"
        ),
        pytest.param(element(subtitleLanguageCodes=[], programs=[], partners=[]), id="empty lists"),
        pytest.param(
            element(subtitleLanguageCodes=[None], programs=[None], partners=[None]), id="lists of null"
        ),
        pytest.param(element(programs=[{}], partners=[{}], extraMetadata={}), id="empty objects"),
        pytest.param(element(extraMetadata={"definition": None}), id="null definition"),
        pytest.param(defined(), id="empty definition"),
        pytest.param(defined(**dict.fromkeys(DEFINITION)), id="null in the definition"),
        pytest.param(defined(skills=[], domainTypes=[], courseIds=[], promoPhoto=" "), id="empty in it"),
        pytest.param(defined(skills=[{}, None], domainTypes=[{}, None]), id="empty in its lists"),
        pytest.param(defined(domainTypes=[{"domain": None, "subdomain": {"name": None}}]), id="null domain"),
        pytest.param(
            element(partners=[{"name": " ", "logoUrl": "https://logo"}]), id="partner without a name"
        ),
        pytest.param(element(lastUpdatedAt="yesterday", isNew=[{"x": 1}]), id="fields that are not mapped"),
        pytest.param(defined(courseIds="x", parentLessonObjectUrl=5), id="fields of other content types"),
    ],
)
def test_what_is_absent_null_or_empty_is_left_out(sparse: dict[str, object]) -> None:
    assert body(sparse) == body(PLAIN)


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        pytest.param(element(contentId=" x "), "externalId", " x ", id="externalId as it is"),
        pytest.param(element(name="\tA b\n"), "name", "A b", id="name trimmed"),
        pytest.param(element(description=" d "), "description", "d", id="description trimmed"),
        pytest.param(defined(promoPhoto="https://i"), "imageUrl", "https://i", id="imageUrl"),
        pytest.param(defined(estimatedLearningTime=3600), "duration", 60, id="seconds to minutes"),
        pytest.param(defined(estimatedLearningTime=119.9), "duration", 1, id="whole minutes, rounded down"),
        pytest.param(defined(estimatedLearningTime=1), "duration", 1, id="at least a minute"),
        pytest.param(defined(estimatedLearningTime=10**8), "duration", 100_000, id="at most 100,000 minutes"),
        pytest.param(defined(estimatedLearningTime=0), "duration", None, id="no duration of 0"),
        pytest.param(element(languageCode="pt-BR"), "defaultLang", "pt_BR", id="language"),
        pytest.param(element(languageCode="de-AT"), "defaultLang", "de", id="region dropped"),
        pytest.param(element(languageCode="tlh"), "defaultLang", "it", id="unknown language"),
        pytest.param(element(languageCode=" "), "defaultLang", "it", id="blank language"),
        pytest.param(PLAIN, "defaultLang", "it", id="no language"),
        pytest.param(element(difficultyLevel="BEGINNER"), "difficultyLevel", "beginner", id="beginner"),
        pytest.param(
            element(difficultyLevel="Intermediate"), "difficultyLevel", "intermediate", id="any case"
        ),
        pytest.param(element(difficultyLevel="advanced"), "difficultyLevel", "advanced", id="advanced"),
        pytest.param(element(difficultyLevel="MIXED"), "difficultyLevel", None, id="unknown level"),
        pytest.param(element(contentType="Course"), "contentType", "course", id="course"),
        pytest.param(element(contentType="Specialization"), "contentType", "specialization", id="s12n"),
        pytest.param(element(contentType="GuidedProject"), "contentType", "course", id="unknown type"),
        pytest.param(element(mobileLaunchUrl="https://m"), "mobileLaunchUrl", None, id="no mobileLaunchUrl"),
    ],
)
def test_one_field(given: object, field: str, expected: object) -> None:
    assert body(given, default_language="it").get(field) == expected


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param(["fr", "zh-TW"], ["fr", "zh_tw"], id="mapped"),
        pytest.param(["tlh", "fr"], ["fr"], id="unknown left out"),
        pytest.param(["en", "en-US", "fr"], ["fr"], id="the default left out"),
        pytest.param(["pt", "pt-PT", "pt-BR"], ["pt", "pt_BR"], id="each once"),
        pytest.param([None, "", "fr"], ["fr"], id="null and blank left out"),
    ],
)
def test_translations(codes: list[object], expected: list[str]) -> None:
    made = body(element(languageCode="en", subtitleLanguageCodes=codes))["translations"]
    assert made == [{"lang": code, "translatedFields": {}} for code in expected]


def test_a_default_language_is_no_translation_of_itself() -> None:
    assert "translations" not in body(element(subtitleLanguageCodes=["it"]), default_language="it")


@pytest.mark.parametrize(
    ("domains", "skills", "expected"),
    [
        pytest.param([("D", "S")], ["K"], ["D", "S", "K"], id="domain, subdomain, skill"),
        pytest.param([("D", "S"), ("D", "T")], ["K", "L"], ["D", "S", "T", "K", "L"], id="each once"),
        pytest.param([("D", "S")], ["S", "D"], ["D", "S"], id="a skill of the same name"),
        pytest.param([(" D ", None)], [" K", "", "K"], ["D", "K"], id="trimmed, blank left out"),
        pytest.param([], ["K", "k"], ["K", "k"], id="case tells them apart"),
    ],
)
def test_subjects(domains: list[tuple[str, str | None]], skills: list[str], expected: list[str]) -> None:
    types = [{"domain": {"name": one}, "subdomain": {"name": other}} for one, other in domains]
    made = body(defined(domainTypes=types, skills=[{"skillName": name} for name in skills]))
    assert made["subjects"] == expected


def test_sources_skip_partners_without_a_name_and_blank_logos() -> None:
    partners = [
        {"name": " A ", "logoUrl": " "},
        {"logoUrl": "https://x"},
        {"name": "B", "logoUrl": " https://b "},
    ]
    assert body(element(partners=partners))["sources"] == [
        {"name": "A"},
        {"name": "B", "logoUrl": "https://b"},
    ]


P, Q, R = program("p", "https://p"), program("q", "https://q"), program("r", "https://r")
LEARN = "https://www.coursera.org/learn/machine-learning"
S12N = "https://www.coursera.org/specializations/machine-learning"


@pytest.mark.parametrize(
    ("kind", "programs", "order", "expected"),
    [
        pytest.param("Course", [Q, P], (), "https://p", id="smallest programId"),
        pytest.param("Course", [P, Q, R], ("r", "q"), "https://r", id="first in the order"),
        pytest.param("Course", [Q, P], ("x", "q"), "https://q", id="the order names others too"),
        pytest.param("Course", [P, R, Q], ("q", "r", "q"), "https://q", id="named twice in the order"),
        pytest.param("Course", [R, Q], ("x",), "https://q", id="none in the order"),
        pytest.param("Course", [program("a", " "), Q, P], (), "https://p", id="blank URL: next program"),
        pytest.param("Course", [program("q", None), P], ("q",), "https://p", id="no URL: next program"),
        pytest.param("Course", [program(None, "https://n"), Q], (), "https://q", id="no programId: last"),
        pytest.param(
            "Course", [program(None, "https://n")], (), "https://n", id="only one without programId"
        ),
        pytest.param("Course", [program("p", " HTTP://p ")], (), "HTTP://p", id="http, any case, trimmed"),
        pytest.param("Course", [program("p", "")], (), LEARN, id="no program with a URL"),
        pytest.param("Course", [], (), LEARN, id="course without a program"),
        pytest.param("Specialization", [], (), S12N, id="specialization without a program"),
        pytest.param("Specialization", [P], (), "https://p", id="specialization with one"),
        pytest.param("Lab", [], (), LEARN, id="unknown type"),
        pytest.param("Video", [P], (), "https://p", id="video with a program"),
        pytest.param("Video", [], (), "https://lesson", id="video without one"),
    ],
)
def test_launch_url(kind: str, programs: list[object], order: tuple[str, ...], expected: str) -> None:
    given = {**defined(parentLessonObjectUrl="https://lesson"), "contentType": kind, "programs": programs}
    assert body(given, program_order=order)["launchUrl"] == expected


def test_a_slug_that_is_not_needed_does_not_matter() -> None:
    assert body(element(slug=["x"], programs=[P]))["launchUrl"] == "https://p"


A, B = ({**defined(estimatedLearningTime=600), "contentId": name} for name in "AB")


@pytest.mark.parametrize(
    ("elements", "known", "expected"),
    [
        pytest.param([specialization(courseIds=["Course~A", "B"]), A, B], {}, 20, id="sum of its courses"),
        pytest.param([specialization(courseIds=["A", "Course~A"]), A], {}, 10, id="a course listed twice"),
        pytest.param([specialization(courseIds=["A", "C"]), A], {}, None, id="one is unknown"),
        pytest.param([specialization(courseIds=["A", "C"]), A], {"C": 60.0}, 11, id="the ledger knows it"),
        pytest.param([specialization(courseIds=["A"]), A], {"A": 60.0}, 10, id="the catalog goes first"),
        pytest.param([specialization(courseIds=["C"])], {"C": 0.0}, None, id="known without a length"),
        pytest.param([specialization(courseIds=["C"])], {"C": float("nan")}, None, id="known as NaN"),
        pytest.param([specialization(courseIds=[])], {}, None, id="no courses"),
        pytest.param([specialization()], {}, None, id="no list of courses"),
        pytest.param([specialization(courseIds=["A"], estimatedLearningTime=60), A], {}, 1, id="its own"),
        pytest.param(
            [specialization(courseIds=["A"], estimatedLearningTime=0), A], {}, 10, id="its own is 0"
        ),
        pytest.param([specialization(courseIds=["A"]), {**A, "name": ""}], {}, None, id="course rejected"),
        pytest.param([specialization(courseIds=[None, "A"]), A], {}, 10, id="null in the list"),
        pytest.param(
            [
                specialization(courseIds=["A"]),
                {**defined(estimatedLearningTime=60), "contentId": "A", "lastUpdatedAt": 2},
                {**A, "lastUpdatedAt": 1},
            ],
            {},
            1,
            id="a course read twice: the latest",
        ),
    ],
)
def test_duration_of_a_specialization(
    elements: list[object], known: dict[str, float], expected: object
) -> None:
    assert durations(*elements, known=known).get("s12n") == expected


def test_seconds_and_times_stand_beside_the_body() -> None:
    known = {**A, "lastUpdatedAt": 1769778943}
    courses = map_courses([5, known, PLAIN], default_language="en").courses
    assert courses["position"].tolist() == [1, 2]
    assert courses["learning_seconds"].fillna(-1).tolist() == [600.0, -1.0]
    assert courses["updated_at"].fillna(-1).tolist() == [1769778943.0, -1.0]
    assert courses.index.tolist() == [0, 1]


def test_an_empty_listing() -> None:
    mapped = map_courses([], default_language="en")
    assert (len(mapped.courses), len(mapped.rejects), bodies(latest(mapped.courses))) == (0, 0, [])
    full = map_courses([A], default_language="en")
    assert mapped.courses.dtypes.to_dict() == full.courses.dtypes.to_dict()


def test_a_default_language_that_the_platform_does_not_know() -> None:
    with pytest.raises(ValueError, match="'tlh' is not a language of 360Learning"):
        map_courses([], default_language="tlh")


@pytest.mark.parametrize(
    ("times", "kept"),
    [
        pytest.param([1, 2], 1, id="newer comes last"),
        pytest.param([2, 1], 0, id="newer comes first"),
        pytest.param([1, 1], 1, id="same age: read last"),
        pytest.param([None, None], 1, id="no age: read last"),
        pytest.param([1, None], 0, id="without an age is oldest"),
    ],
)
def test_latest(times: list[int | None], kept: int) -> None:
    twice = [element(lastUpdatedAt=time) for time in times]
    other = element(contentId="other")
    courses = latest(map_courses([*twice, other], default_language="en").courses)
    assert courses["position"].tolist() == [kept, 2]
