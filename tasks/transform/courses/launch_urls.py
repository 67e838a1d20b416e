"""Where a learner is sent: launchUrl, from the programs of a content or, without one, from its own page."""

from collections.abc import Sequence

import pandas as pd

from tasks.transform.columns import Ignored, Reasons, blank, text
from tasks.transform.courses.web_addresses import is_web_address
from tasks.transform.nested import objects, owners, texts

_PAGES = {
    "course": "https://www.coursera.org/learn/",
    "specialization": "https://www.coursera.org/specializations/",
}


def launch_urls(
    raw: pd.DataFrame,
    parent_urls: pd.Series,
    kinds: pd.Series,
    order: Sequence[str],
    reasons: Reasons,
    ignored: Ignored,
) -> pd.Series:
    """Find the launch URL of each element (str dtype); one without a usable URL gets a reason.

    `raw` has `programs` and `slug` as read, `parent_urls` is a clip's parentLessonObjectUrl as read, `kinds`
    the platform's content type, `order` the program ids whose URL is preferred, first wins.
    """
    usable = program_urls(raw["programs"], ignored)
    urls = _preferred(usable, order).reindex(raw.index)
    return urls.fillna(fallback_urls(raw["slug"], parent_urls, kinds, urls.isna(), reasons))


def program_urls(programs: pd.Series, ignored: Ignored) -> pd.DataFrame:
    """Take the programs that have a usable URL, one row for each: program (its id, NaN without) and url.

    The index names the element; `programs` are as read.
    """
    table = objects(programs, "programs", ["programId", "contentUrl"], ignored)
    ids = texts(table["programId"], "programs.programId", ignored)
    urls = texts(table["contentUrl"], "programs.contentUrl", ignored)
    is_usable = is_web_address(urls)
    unusable = ~blank(urls) & ~is_usable
    ignored.add(owners(unusable, ignored.index), "programs.contentUrl is not a web address")
    return pd.DataFrame({"program": ids.mask(blank(ids)), "url": urls})[is_usable]


def fallback_urls(
    slugs: pd.Series, parent_urls: pd.Series, kinds: pd.Series, needed: pd.Series, reasons: Reasons
) -> pd.Series:
    """Find the URL of the page (for a clip, of its lesson) where no program gives one.

    str dtype, NaN elsewhere; a row that needs one and has none gets a reason.
    """
    is_clip = kinds.eq("video")
    pages = kinds.map(_PAGES) + _stand_in(slugs, "slug", needed & ~is_clip, reasons)
    urls = pages.fillna(_stand_in(parent_urls, "parentLessonObjectUrl", needed & is_clip, reasons))
    is_usable = is_web_address(urls)
    reasons.add(needed & ~is_usable, "launchUrl is not a web address")
    return urls.where(is_usable)


def _preferred(usable: pd.DataFrame, order: Sequence[str]) -> pd.Series:
    """Choose one program's URL for each element that has any (str dtype, a row for each such element).

    The choice depends on ids alone, never on the order in which Coursera lists them; a program without an id
    comes last.
    """
    ranks = {program: rank for rank, program in reversed(list(enumerate(order)))}
    choice = usable.assign(rank=usable["program"].map(ranks).astype("float64").fillna(len(order)))
    in_order = choice.sort_values(["rank", "program", "url"], na_position="last")
    chosen: pd.Series = in_order.loc[~in_order.index.duplicated(), "url"]
    return chosen


def _stand_in(column: pd.Series, name: str, needed: pd.Series, reasons: Reasons) -> pd.Series:
    """Take the text that stands in for a program's URL; where it is not needed its type does not matter."""
    values, wrong = text(column)
    reasons.add(wrong & needed, f"{name} is not text")
    reasons.add(blank(values) & needed, f"no launch URL: no program, and {name} is missing")
    return values.str.strip().where(needed & ~blank(values))
