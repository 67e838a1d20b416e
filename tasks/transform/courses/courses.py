"""Elements of Coursera's catalog → 360Learning's external courses.

The 13 rows of the content mapping, in columns: every rule works on all elements at once. An element that
cannot be mapped is rejected with the first reason found, and does not stop the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from tasks.transform.columns import NOT_AN_OBJECT, Reasons, blank, frame, number, text
from tasks.transform.courses.durations import course_ids, minutes, own_seconds, sums
from tasks.transform.courses.languages import LANGUAGES, to_platform
from tasks.transform.courses.launch_urls import launch_urls
from tasks.transform.courses.subjects import sources, subjects
from tasks.transform.nested import distinct, entries, gathered, members, texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FIELDS = [
    "contentId", "contentType", "name", "description", "slug", "languageCode", "subtitleLanguageCodes",
    "difficultyLevel", "lastUpdatedAt", "partners", "programs", "extraMetadata",
]  # fmt: skip
_DEFINITION = [
    "estimatedLearningTime", "promoPhoto", "skills", "domainTypes", "courseIds", "parentLessonObjectUrl",
]  # fmt: skip
_BODY = [
    "externalId", "name", "description", "imageUrl", "duration", "launchUrl", "defaultLang", "translations",
    "difficultyLevel", "contentType", "subjects", "sources",
]  # fmt: skip
_BESIDES = ["position", "learning_seconds", "updated_at"]
KINDS = {"specialization": "specialization", "video": "video"}  # whatever else is a course
LEVELS = ["beginner", "intermediate", "advanced"]


@dataclass(frozen=True, eq=False)
class MappedCourses:
    """What became of the elements of a listing: each is in exactly one of the two frames.

    `courses`, in the order of the elements: the fields of ExternalCourseDTO, of which externalId, name,
    description, imageUrl, launchUrl, defaultLang, difficultyLevel and contentType are str (the optional ones
    NaN where there is nothing), duration is Int64 (minutes, NA where unknown), translations holds lists of
    language codes, subjects lists of str, sources lists of dicts with name and perhaps logoUrl; beside them
    position (int64, of the element), learning_seconds (float64, NaN where unknown) and updated_at (float64,
    epoch seconds, NaN where absent).

    `rejects`: position (int64), reason (str).
    """

    courses: pd.DataFrame
    rejects: pd.DataFrame


def map_courses(
    elements: Sequence[object],
    *,
    default_language: str,
    program_order: Sequence[str] = (),
    known_seconds: Mapping[str, float] | None = None,
) -> MappedCourses:
    """Map the elements of GET /contents.

    `default_language` (one of LANGUAGES, else ValueError) is for elements whose own is absent or unknown
    there. `program_order` lists the program ids whose contentUrl is preferred, first wins. `known_seconds`
    gives the seconds of courses by externalId, for specializations whose courses are not all among the
    elements.
    """
    if default_language not in LANGUAGES:
        raise ValueError(f"{default_language!r} is not a language of 360Learning")
    raw = frame(elements, _FIELDS)
    reasons = Reasons(raw.index)
    reasons.add(raw[NOT_AN_OBJECT], "the element is not an object")
    definition = _definition(raw["extraMetadata"], reasons)
    draft = _draft(raw, definition, default_language, program_order, reasons)
    unsized = draft["contentType"].eq("specialization") & draft["learning_seconds"].isna()
    parts = course_ids(definition["courseIds"], unsized, reasons)
    usable = draft[~reasons.bad]
    totals = sums(parts, latest(usable), known_seconds or {})
    return MappedCourses(_sized(usable, totals), _rejects(reasons))


def latest(courses: pd.DataFrame) -> pd.DataFrame:
    """Keep one row for each externalId: the greatest updated_at (absent is least), then the one read last.

    The rows keep their order. Offsets are no snapshot, so a listing may show the same content twice.
    """
    read = courses.reset_index(drop=True)
    by_age = read.sort_values("updated_at", kind="stable", na_position="first")
    return by_age.drop_duplicates("externalId", keep="last").sort_index().reset_index(drop=True)


def bodies(courses: pd.DataFrame) -> list[dict[str, object]]:
    """Write each row of `MappedCourses.courses` as the ExternalCourseDTO to send.

    Absent optional fields are left out. mobileLaunchUrl is never set: the platform then uses launchUrl.
    """
    columns = {name: _plain(courses[name]) for name in _BODY}
    columns["translations"] = [_translations(codes) for codes in courses["translations"]]
    rows = zip(*columns.values(), strict=True)
    return [
        {name: value for name, value in zip(columns, row, strict=True) if value is not None} for row in rows
    ]


def _definition(extra: pd.Series, reasons: Reasons) -> pd.DataFrame:
    """Take the fields of extraMetadata.definition, as read."""
    inner = members(extra, "extraMetadata", ["definition"], reasons)["definition"]
    return members(inner, "extraMetadata.definition", _DEFINITION, reasons)


def _draft(
    raw: pd.DataFrame, definition: pd.DataFrame, default_language: str, order: Sequence[str], reasons: Reasons
) -> pd.DataFrame:
    """Map every column that needs no other element; rows with a reason may hold anything."""
    ids = _external_ids(raw["contentId"], reasons)  # first, so that a row without one is known for that
    kinds = _kinds(raw["contentType"], reasons)
    languages = _languages(raw["languageCode"], default_language, reasons)
    columns = {
        "externalId": ids,
        "name": _names(raw["name"], reasons),
        "description": _optional(raw["description"], "description", reasons),
        "imageUrl": _optional(definition["promoPhoto"], "promoPhoto", reasons),
        "launchUrl": launch_urls(raw, definition["parentLessonObjectUrl"], kinds, order, reasons),
        "defaultLang": languages,
        "translations": _subtitles(raw["subtitleLanguageCodes"], languages, reasons),
        "difficultyLevel": _levels(raw["difficultyLevel"], reasons),
        "contentType": kinds,
        "subjects": subjects(definition["domainTypes"], definition["skills"], reasons),
        "sources": sources(raw["partners"], reasons),
        "position": raw.index,
        "learning_seconds": own_seconds(definition["estimatedLearningTime"], reasons),
        "updated_at": number(raw["lastUpdatedAt"])[0],  # not mapped, so a wrong one is only unknown
    }
    return pd.DataFrame(columns, index=raw.index)


def _sized(courses: pd.DataFrame, totals: pd.Series) -> pd.DataFrame:
    """Add the specializations' sums and the duration; number the rows anew."""
    seconds = courses["learning_seconds"].fillna(totals)
    sized = courses.assign(learning_seconds=seconds, duration=minutes(seconds))
    return sized[_BODY + _BESIDES].reset_index(drop=True)


def _rejects(reasons: Reasons) -> pd.DataFrame:
    """List the rejected elements."""
    found = reasons.series[reasons.bad]
    return pd.DataFrame({"position": found.index, "reason": found.array})


def _external_ids(column: pd.Series, reasons: Reasons) -> pd.Series:
    """Take contentId as it is: it must come back unchanged in statistics."""
    values, wrong = text(column)
    reasons.add(wrong, "contentId is not text")
    reasons.add(blank(values), "contentId is missing")
    return values


def _names(column: pd.Series, reasons: Reasons) -> pd.Series:
    """Take the name, which every course must have."""
    values = texts(column, "name", reasons)
    reasons.add(blank(values), "name is missing")
    return values


def _optional(column: pd.Series, name: str, reasons: Reasons) -> pd.Series:
    """Take a text that may be absent; blank counts as absent."""
    values = texts(column, name, reasons)
    return values.mask(blank(values))


def _kinds(column: pd.Series, reasons: Reasons) -> pd.Series:
    """Name the platform's content type; an unknown or absent one is a course."""
    words = texts(column, "contentType", reasons).str.lower()
    return words.map(KINDS).astype("str").fillna("course")


def _levels(column: pd.Series, reasons: Reasons) -> pd.Series:
    """Name the platform's level; an unknown one is left out."""
    words = texts(column, "difficultyLevel", reasons).str.lower()
    return words.where(words.isin(LEVELS))


def _languages(column: pd.Series, default_language: str, reasons: Reasons) -> pd.Series:
    """Name the platform's language, the default where it has none."""
    return to_platform(texts(column, "languageCode", reasons)).fillna(default_language)


def _subtitles(column: pd.Series, languages: pd.Series, reasons: Reasons) -> pd.Series:
    """List the platform's languages of the subtitles, without unknown ones and the course's own."""
    found = entries(column, "subtitleLanguageCodes", reasons)
    codes = to_platform(texts(found, "an entry of subtitleLanguageCodes", reasons))
    other = codes.notna() & codes.ne(languages.loc[codes.index])
    return gathered(distinct(codes[other]), column.index)


def _plain(column: pd.Series) -> list[object]:
    """Turn a column into Python values, None where there is nothing."""
    return column.astype(object).where(column.notna(), None).tolist()


def _translations(codes: Sequence[str]) -> list[dict[str, object]] | None:
    """Write language codes as translations without translated fields, None where there are none."""
    return [{"lang": code, "translatedFields": {}} for code in codes] or None
