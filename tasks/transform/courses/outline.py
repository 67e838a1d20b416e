"""What every course needs, and what has to be known of a whole catalog before its elements are mapped."""

from collections.abc import Sequence

import pandas as pd

from tasks.transform.columns import NOT_AN_OBJECT, Ignored, Reasons, blank, frame, identifier, number
from tasks.transform.courses.durations import own_seconds
from tasks.transform.courses.languages import to_platform
from tasks.transform.courses.launch_urls import launch_urls
from tasks.transform.nested import members, texts

_FIELDS = [
    "contentId", "contentType", "name", "description", "slug", "languageCode", "subtitleLanguageCodes",
    "difficultyLevel", "lastUpdatedAt", "partners", "programs", "extraMetadata",
]  # fmt: skip
_DEFINITION = [
    "estimatedLearningTime", "promoPhoto", "skills", "domainTypes", "courseIds", "parentLessonObjectUrl",
]  # fmt: skip
KINDS = {"specialization": "specialization", "video": "video"}  # whatever else is a course
OUTLINE_COLUMNS = ["externalId", "name", "updated_at", "learning_seconds", "is_usable"]


def outline(elements: Sequence[object]) -> pd.DataFrame:
    """Outline elements of GET /contents, in their order: OUTLINE_COLUMNS.

    externalId and name str (NaN where there is none); updated_at float64 (epoch
    seconds, NaN where absent); learning_seconds float64, how long the content takes by its own account (NaN
    where absent); is_usable bool, whether it has all that a course needs.
    """
    raw, definition, ignored = fields_of(elements)
    reasons = Reasons(raw.index)
    # Which language, and which of the programs' pages, does not matter here.
    needed = map_needed(raw, definition, "", (), reasons, ignored)
    return needed.assign(is_usable=~reasons.bad)[OUTLINE_COLUMNS]


def latest(courses: pd.DataFrame) -> pd.DataFrame:
    """Keep one row for each externalId: the greatest updated_at (absent is least), then the one read last.

    The rows keep their order and labels. Offsets are no snapshot, so a listing may show a content twice.
    """
    by_age = courses.sort_values("updated_at", kind="stable", na_position="first")
    return by_age.drop_duplicates("externalId", keep="last").sort_index()


def fields_of(elements: Sequence[object]) -> tuple[pd.DataFrame, pd.DataFrame, Ignored]:
    """Lay out the fields of elements, and those of their extraMetadata.definition, as read.

    With them comes what is ignored of both, for more to be added.
    """
    raw = frame(elements, _FIELDS)
    ignored = Ignored(raw.index)
    inner = members(raw["extraMetadata"], "extraMetadata", ["definition"], ignored)["definition"]
    return raw, members(inner, "extraMetadata.definition", _DEFINITION, ignored), ignored


def map_needed(
    raw: pd.DataFrame,
    definition: pd.DataFrame,
    default_language: str,
    order: Sequence[str],
    reasons: Reasons,
    ignored: Ignored,
) -> pd.DataFrame:
    """Map the columns that every course has, or that decide which element speaks for it.

    Rows with a reason may hold anything. externalId, name, launchUrl, defaultLang, contentType str;
    learning_seconds and updated_at float64.
    """
    reasons.add(raw[NOT_AN_OBJECT], "the element is not an object")
    ids = _external_ids(raw["contentId"], reasons)  # first, so that a row without one is known for that
    kinds = _kinds(raw["contentType"], ignored)
    columns = {
        "externalId": ids,
        "name": _names(raw["name"], reasons),
        "launchUrl": launch_urls(raw, definition["parentLessonObjectUrl"], kinds, order, reasons, ignored),
        "defaultLang": _languages(raw["languageCode"], default_language, reasons),
        "contentType": kinds,
        "learning_seconds": own_seconds(definition["estimatedLearningTime"], ignored),
        "updated_at": number(raw["lastUpdatedAt"])[0],  # not mapped, so a wrong one is only unknown
    }
    return pd.DataFrame(columns, index=raw.index)


def _external_ids(column: pd.Series, reasons: Reasons) -> pd.Series:
    """Take contentId as it is: it must come back unchanged in statistics."""
    values, wrong = identifier(column)
    reasons.add(wrong, "contentId is not text")
    reasons.add(blank(values), "contentId is missing")
    return values


def _names(column: pd.Series, reasons: Reasons) -> pd.Series:
    """Take the name, which every course must have."""
    values = texts(column, "name", reasons)
    reasons.add(blank(values), "name is missing")
    return values


def _kinds(column: pd.Series, ignored: Ignored) -> pd.Series:
    """Name the platform's content type; an unknown or absent one is a course."""
    words = texts(column, "contentType", ignored).str.lower()
    return words.map(KINDS).astype("str").fillna("course")


def _languages(column: pd.Series, default_language: str, reasons: Reasons) -> pd.Series:
    """Name the platform's language, the default where it has none."""
    return to_platform(texts(column, "languageCode", reasons)).fillna(default_language)
