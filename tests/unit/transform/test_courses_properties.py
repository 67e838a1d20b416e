"""What holds for the content mapping whatever Coursera sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transform.courses.courses import MappedCourses, bodies, map_courses
from tasks.transform.courses.languages import LANGUAGES
from tasks.transform.courses.outline import latest, outline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Strategy = st.SearchStrategy[Any]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
WORD = st.sampled_from(["a", "b", " c ", "", "Ä"])
URL = st.sampled_from(["https://a", "http://b", " ", ""])
CODE = st.sampled_from(["en", "fr", "pt-BR", "zh-HK", "tlh", ""])


def shape(junk: Strategy, **fields: Strategy) -> Strategy:
    """An object with the fields, or with junk in place of some or of all."""
    return st.fixed_dictionaries({name: value | junk for name, value in fields.items()}) | junk


def several(entry: Strategy, junk: Strategy) -> Strategy:
    """A short list of such objects, or junk."""
    return st.lists(entry, max_size=3) | junk


def definition(junk: Strategy) -> Strategy:
    """extraMetadata.definition."""
    named = shape(junk, name=WORD)
    return shape(
        junk,
        estimatedLearningTime=st.integers(0, 10**8) | st.floats(0, 1e7),
        promoPhoto=URL,
        skills=several(shape(junk, skillName=WORD), junk),
        domainTypes=several(shape(junk, domain=named, subdomain=named), junk),
        courseIds=several(WORD.map("Course~{}".format), junk),
        parentLessonObjectUrl=URL,
    )


def content(junk: Strategy) -> Strategy:
    """A content element, with junk in place of some values at any depth."""
    optional = {
        "contentType": st.sampled_from(["Course", "Specialization", "Video", "Lab"]),
        "description": WORD,
        "languageCode": CODE,
        "subtitleLanguageCodes": several(CODE, junk),
        "difficultyLevel": st.sampled_from(["BEGINNER", "Advanced", "MIXED"]),
        "lastUpdatedAt": st.integers(0, 5),
        "partners": several(shape(junk, name=WORD, logoUrl=URL), junk),
        "programs": several(shape(junk, programId=WORD, contentUrl=URL), junk),
        "extraMetadata": shape(junk, definition=definition(junk)),
    }
    fields = dict.fromkeys(["contentId", "name", "slug"], st.sampled_from(["a", "b", "c"])) | optional
    return st.fixed_dictionaries({name: value | junk for name, value in fields.items()})


SOUND, SPARSE, SPOILT = content(st.nothing()), content(st.none()), content(JSON)


@st.composite
def contents(draw: st.DrawFn) -> list[object]:
    """A listing: sound elements, ones with nulls or anything in them, and things that are none."""
    return draw(st.lists(SOUND | SPARSE | SPOILT | JSON, max_size=6))


@st.composite
def aged(draw: st.DrawFn) -> list[object]:
    """A listing in which no content comes twice at the same age: such a pair differs by order alone."""
    keys = draw(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=6, unique=True))
    return [{**draw(SOUND), "contentId": name, "lastUpdatedAt": age} for name, age in keys]


def mapped(elements: Sequence[object], known_seconds: Mapping[str, float] | None = None) -> MappedCourses:
    return map_courses(elements, default_language="en", program_order=["b"], known_seconds=known_seconds)


def check(body: dict[str, object]) -> None:
    """Hold a body to the platform's contract and to what the mapping promises beyond it."""
    assert {"externalId", "name", "launchUrl", "defaultLang", "subjects", "sources"} <= body.keys()
    assert all(value != "" and value is not None for value in body.values())
    assert "mobileLaunchUrl" not in body
    assert str(body["launchUrl"]).lower().startswith(("http://", "https://"))
    assert body["contentType"] in {"course", "specialization", "video"}
    assert body.get("difficultyLevel", "beginner") in {"beginner", "intermediate", "advanced"}
    duration = body.get("duration", 1)
    assert isinstance(duration, int)
    assert 1 <= duration <= 100_000
    check_lists(body)


def check_lists(body: dict[str, object]) -> None:
    """Hold subjects, sources and translations to it."""
    subjects, sources, translations = body["subjects"], body["sources"], body.get("translations", [])
    assert isinstance(subjects, list)
    assert isinstance(sources, list)
    assert isinstance(translations, list)
    assert all(isinstance(subject, str) and subject for subject in subjects)
    assert len(set(subjects)) == len(subjects)
    assert sources
    assert all(source["name"] and source.get("logoUrl", "x") for source in sources)
    codes = [body["defaultLang"], *(translation["lang"] for translation in translations)]
    assert len(set(codes)) == len(codes)
    assert set(codes) <= LANGUAGES


def without_sums(courses: list[dict[str, object]]) -> list[dict[str, object]]:
    """Bodies without what depends on other elements."""
    specialization = {"contentType": "specialization"}
    return [{**body, "duration": 0} if specialization.items() <= body.items() else body for body in courses]


@settings(deadline=None)
@given(contents())
def test_every_element_is_in_exactly_one_frame(elements: list[object]) -> None:
    made = mapped(elements)
    positions = [*made.courses["position"], *made.rejects["position"]]
    assert sorted(positions) == list(range(len(elements)))
    assert made.rejects["reason"].str.len().gt(0).all()


@settings(deadline=None)
@given(contents())
def test_every_body_can_be_sent(elements: list[object]) -> None:
    for body in bodies(mapped(elements).courses):
        check(body)


@settings(deadline=None)
@given(st.data())
def test_the_order_of_reading_does_not_matter(data: st.DataObject) -> None:
    elements = data.draw(aged())
    shuffled = data.draw(st.permutations(elements))
    one, other = (bodies(latest(mapped(order).courses)) for order in (elements, shuffled))
    assert sorted(one, key=str) == sorted(other, key=str)


@settings(deadline=None, max_examples=15)
@given(contents(), contents())
def test_pages_can_be_mapped_one_by_one(first: list[object], second: list[object]) -> None:
    together = bodies(mapped([*first, *second]).courses)
    apart = bodies(mapped(first).courses) + bodies(mapped(second).courses)
    assert without_sums(together) == without_sums(apart)


@settings(deadline=None)
@given(contents())
def test_an_outline_tells_what_can_be_mapped(elements: list[object]) -> None:
    usable = outline(elements)["is_usable"]
    assert usable.index[~usable].tolist() == mapped(elements).rejects["position"].tolist()


@settings(deadline=None)
@given(contents(), st.integers(1, 4))
def test_what_an_outline_chooses_can_be_mapped_in_any_batches(elements: list[object], size: int) -> None:
    whole = bodies(latest(mapped(elements).courses))
    outlines = outline(elements)
    chosen = latest(outlines[outlines["is_usable"]])
    seconds = dict(chosen.set_index("externalId")["learning_seconds"].dropna())
    speaking = [elements[position] for position in chosen.index]
    batches = (speaking[at : at + size] for at in range(0, len(speaking), size))
    assert [body for batch in batches for body in bodies(mapped(batch, seconds).courses)] == whole


@settings(deadline=None)
@given(contents())
def test_mapping_leaves_the_elements_alone(elements: list[object]) -> None:
    before = repr(elements)
    mapped(elements)
    assert repr(elements) == before
