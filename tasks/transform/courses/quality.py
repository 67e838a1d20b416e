"""What is missing or odd in Coursera's data of the courses that are mapped.

None of it rejects a course: an absent field is left out, an unknown word is read as the next best. People
see it all the same, as a course without a picture or in the wrong language, and may ask Coursera to mend it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tasks.transform.columns import blank, frame, text
from tasks.transform.courses.courses import KINDS, LEVELS
from tasks.transform.courses.languages import to_platform

if TYPE_CHECKING:
    from collections.abc import Sequence

Rows = np.ndarray[Any, np.dtype[np.intp]]

MOST_EXAMPLES = 3
# Of these the mapping keeps only what 360Learning knows; what Coursera wrote is looked up in the elements.
_WORDS = ["languageCode", "contentType", "difficultyLevel"]
_COURSE = "course"


def findings(courses: pd.DataFrame, elements: Sequence[object]) -> pd.DataFrame:
    """Count what is missing or odd, each with a few examples.

    `courses` are those of `map_courses` or a part of them, each once; `elements` what they were mapped from.
    Returns one row for each thing looked for, found or not, in a fixed order: finding str; courses int64, how
    many have it; examples str, names and ids of three at most, with the word in question where it is one.
    """
    raw = frame([elements[position] for position in courses["position"]], _WORDS).set_axis(courses.index)
    language, kind, level = (text(raw[name])[0].str.strip() for name in _WORDS)
    titles = courses["name"].str.lower()
    masks = {
        "no language": blank(language),
        "no duration": courses["duration"].isna(),
        "no image": courses["imageUrl"].isna(),
        "no description": courses["description"].isna(),
        "no type": blank(kind),
        "unknown language": ~blank(language) & to_platform(language).isna(),
        "unknown type": ~blank(kind) & ~kind.str.lower().isin([_COURSE, *KINDS]),
        "unknown level": ~blank(level) & ~level.str.lower().isin(LEVELS),
        "duplicate title": titles.duplicated(keep=False),
    }
    words = {"unknown language": language, "unknown type": kind, "unknown level": level}
    # In rows' positions, which are quicker than labels; courses of one title stand together.
    rows = {finding: np.flatnonzero(mask) for finding, mask in masks.items()}
    alike = rows["duplicate title"]
    rows["duplicate title"] = alike[titles.iloc[alike].argsort(kind="stable")]
    examples = [
        _examples(courses, found[:MOST_EXAMPLES], words.get(finding)) for finding, found in rows.items()
    ]
    return pd.DataFrame(
        {
            "finding": pd.Series(list(rows), dtype="str"),
            "courses": pd.Series([len(found) for found in rows.values()], dtype="int64"),
            "examples": pd.Series(examples, dtype="str"),
        }
    )


def _examples(courses: pd.DataFrame, found: Rows, words: pd.Series | None) -> str:
    """Courses by name and id, with their word where there are words."""
    names, ids = courses["name"].iloc[found], courses["externalId"].iloc[found]
    told = names + " (" + ids + ")" if words is None else names + " (" + ids + "): " + words.iloc[found]
    return ", ".join(told)
