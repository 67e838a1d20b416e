"""What is missing or odd in Coursera's data of the courses that are mapped.

None of it rejects a course: an absent field is left out, an unknown word is read as the next best. People
see it all the same, as a course without a picture or in the wrong language, and may ask Coursera to mend it.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from tasks.transform.columns import blank, frame, text
from tasks.transform.courses.courses import LEVELS
from tasks.transform.courses.languages import to_platform
from tasks.transform.courses.outline import KINDS

MOST_EXAMPLES = 3
# Of these the mapping keeps only what 360Learning knows; what Coursera wrote is looked up in the elements.
_WORDS = ["languageCode", "contentType", "difficultyLevel"]
_COURSE = "course"


def findings(courses: pd.DataFrame, elements: Sequence[object]) -> pd.DataFrame:
    """Count what is missing or odd, each with a few examples.

    `courses` are those of `map_courses` or a part of them, each once; `elements` what they were mapped from.
    Returns one row for each thing looked for, found or not, in a fixed order: finding str; courses int64, how
    many have it; examples (lists of str), names and ids of three at most, with the word in question where it
    is one.
    """
    raw = frame([elements[position] for position in courses["position"]], _WORDS).set_axis(courses.index)
    language, kind, level = (text(raw[name])[0].str.strip() for name in _WORDS)
    masks = {
        "no language": blank(language),
        "no duration": courses["duration"].isna(),
        "no image": courses["imageUrl"].isna(),
        "no description": courses["description"].isna(),
        "no type": blank(kind),
        "unknown language": ~blank(language) & to_platform(language).isna(),
        "unknown type": ~blank(kind) & ~kind.str.lower().isin([_COURSE, *KINDS]),
        "unknown level": ~blank(level) & ~level.str.lower().isin(LEVELS),
    }
    words = {"unknown language": language, "unknown type": kind, "unknown level": level}
    rows = {finding: courses.assign(word=words.get(finding))[mask] for finding, mask in masks.items()}
    return _counted(rows)


def duplicate_titles(courses: pd.DataFrame) -> pd.DataFrame:
    """Count courses (externalId, name; each once) that share a title, as `findings` does."""
    titles = courses["name"].str.lower()
    alike = courses[titles.duplicated(keep=False)].assign(word=None)
    return _counted({"duplicate title": alike.loc[titles[alike.index].sort_values(kind="stable").index]})


def together(found: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """What was found in several lots of courses, as one."""
    every = pd.concat(found, ignore_index=True).groupby("finding", sort=False, as_index=False)
    summed = every.agg({"courses": "sum", "examples": "sum"})
    return summed.assign(examples=summed["examples"].str[:MOST_EXAMPLES])


def _counted(rows: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """``rows`` are the courses (externalId, name, word) by what was found."""
    return pd.DataFrame(
        {
            "finding": pd.Series(list(rows), dtype="str"),
            "courses": pd.Series([len(found) for found in rows.values()], dtype="int64"),
            "examples": pd.Series(
                [_examples(found.head(MOST_EXAMPLES)) for found in rows.values()], dtype=object
            ),
        }
    )


def _examples(some: pd.DataFrame) -> list[str]:
    """Courses by name and id, with their word where there are words."""
    told = some["name"] + " (" + some["externalId"] + ")"
    return (told + (": " + some["word"].astype("str")).where(some["word"].notna(), "")).tolist()
