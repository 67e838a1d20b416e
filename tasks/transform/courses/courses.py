"""Elements of Coursera's catalog → 360Learning's external courses.

The 13 rows of the content mapping, in columns: every rule works on all elements at once. An element that
lacks what a course needs is rejected with the first reason found, and does not stop the others; any other
value that is wrong is ignored, and the course goes without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from tasks.transform.columns import Ignored, Reasons, blank
from tasks.transform.courses.durations import course_ids, minutes, sums
from tasks.transform.courses.languages import LANGUAGES, to_platform
from tasks.transform.courses.outline import fields_of, latest, map_needed
from tasks.transform.courses.subjects import sources, subjects
from tasks.transform.courses.web_addresses import is_web_address
from tasks.transform.nested import distinct, entries, gathered, texts

_BODY = [
    "externalId", "name", "description", "imageUrl", "duration", "launchUrl", "defaultLang", "translations",
    "difficultyLevel", "contentType", "subjects", "sources",
]  # fmt: skip
_BESIDES = ["position", "learning_seconds", "updated_at"]
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

    `rejects`: position (int64), reason (str). `ignored`: positions of courses by what is ignored in them.
    """

    courses: pd.DataFrame
    rejects: pd.DataFrame
    ignored: Mapping[str, pd.Index]


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
    raw, definition, ignored = fields_of(elements)
    reasons = Reasons(raw.index)
    needed = map_needed(raw, definition, default_language, program_order, reasons, ignored)
    draft = needed.assign(**_optional(raw, definition, needed["defaultLang"], ignored), position=raw.index)
    unsized = draft["contentType"].eq("specialization") & draft["learning_seconds"].isna()
    parts = course_ids(definition["courseIds"], unsized, ignored)
    usable = draft[~reasons.bad]
    totals = sums(parts, latest(usable), known_seconds or {})
    return MappedCourses(_sized(usable, totals), _rejects(reasons), ignored.of(~reasons.bad))


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


def _optional(
    raw: pd.DataFrame, definition: pd.DataFrame, languages: pd.Series, ignored: Ignored
) -> dict[str, pd.Series]:
    """Map the columns that a course may go without, or with less in them."""
    return {
        "description": _filled(texts(raw["description"], "description", ignored)),
        "imageUrl": _image_urls(definition["promoPhoto"], ignored),
        "translations": _subtitles(raw["subtitleLanguageCodes"], languages, ignored),
        "difficultyLevel": _levels(raw["difficultyLevel"], ignored),
        "subjects": subjects(definition["domainTypes"], definition["skills"], ignored),
        "sources": sources(raw["partners"], ignored),
    }


def _sized(courses: pd.DataFrame, totals: pd.Series) -> pd.DataFrame:
    """Add the specializations' sums and the duration; number the rows anew."""
    seconds = courses["learning_seconds"].fillna(totals)
    sized = courses.assign(learning_seconds=seconds, duration=minutes(seconds))
    return sized[_BODY + _BESIDES].reset_index(drop=True)


def _rejects(reasons: Reasons) -> pd.DataFrame:
    """List the rejected elements."""
    found = reasons.series[reasons.bad]
    return pd.DataFrame({"position": found.index, "reason": found.array})


def _filled(values: pd.Series) -> pd.Series:
    """Take texts that may be absent; blank counts as absent."""
    return values.mask(blank(values))


def _image_urls(column: pd.Series, ignored: Ignored) -> pd.Series:
    """Take the addresses of images that can be shown in a page."""
    urls = _filled(texts(column, "promoPhoto", ignored))
    is_usable = is_web_address(urls)
    ignored.add(urls.notna() & ~is_usable, "promoPhoto is not a web address")
    return urls.where(is_usable)


def _levels(column: pd.Series, ignored: Ignored) -> pd.Series:
    """Name the platform's level; an unknown one is left out."""
    words = texts(column, "difficultyLevel", ignored).str.lower()
    return words.where(words.isin(LEVELS))


def _subtitles(column: pd.Series, languages: pd.Series, ignored: Ignored) -> pd.Series:
    """List the platform's languages of the subtitles, without unknown ones and the course's own."""
    found = entries(column, "subtitleLanguageCodes", ignored)
    codes = to_platform(texts(found, "an entry of subtitleLanguageCodes", ignored))
    other = codes.notna() & codes.ne(languages.loc[codes.index])
    return gathered(distinct(codes[other]), column.index)


def _plain(column: pd.Series) -> list[object]:
    """Turn a column into Python values, None where there is nothing."""
    return column.astype(object).where(column.notna(), None).tolist()


def _translations(codes: Sequence[str]) -> list[dict[str, object]] | None:
    """Write language codes as translations without translated fields, None where there are none."""
    return [{"lang": code, "translatedFields": {}} for code in codes] or None
