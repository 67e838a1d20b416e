"""Where a learner is sent: launchUrl, from the programs of a content or, without one, from its own page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tasks.transform.columns import blank, text
from tasks.transform.nested import objects, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.transform.columns import Reasons

_PAGES = {
    "course": "https://www.coursera.org/learn/",
    "specialization": "https://www.coursera.org/specializations/",
}
_WEB_ADDRESS = r"https?://\S"


def launch_urls(
    raw: pd.DataFrame, parent_urls: pd.Series, kinds: pd.Series, order: Sequence[str], reasons: Reasons
) -> pd.Series:
    """Find the launch URL of each element (str dtype); one without a usable URL gets a reason.

    `raw` has `programs` and `slug` as read, `parent_urls` is a clip's parentLessonObjectUrl as read, `kinds`
    the platform's content type, `order` the program ids whose URL is preferred, first wins.
    """
    urls = _program_urls(raw["programs"], order, reasons).reindex(raw.index)
    pages = _pages(raw["slug"], kinds, urls.isna() & kinds.ne("video"), reasons)
    lessons = _lessons(parent_urls, urls.isna() & kinds.eq("video"), reasons)
    urls = urls.fillna(pages).fillna(lessons)
    is_address = urls.str.match(_WEB_ADDRESS, case=False, na=False)
    reasons.add(~is_address, "launchUrl is not a web address")
    return urls


def _program_urls(programs: pd.Series, order: Sequence[str], reasons: Reasons) -> pd.Series:
    """Choose one program's URL for each element that has any (str dtype, a row for each such element).

    The choice depends on ids alone, never on the order in which Coursera lists them; a program without a URL
    is passed over, and one without an id comes last.
    """
    table = objects(programs, "programs", ["programId", "contentUrl"], reasons)
    ids = texts(table["programId"], "programs.programId", reasons)
    urls = texts(table["contentUrl"], "programs.contentUrl", reasons)
    ranks = {program: rank for rank, program in reversed(list(enumerate(order)))}
    choice = pd.DataFrame(
        {"rank": ids.map(ranks).astype("float64").fillna(len(order)), "id": ids.mask(blank(ids)), "url": urls}
    )
    in_order = choice[~blank(urls)].sort_values(["rank", "id", "url"], na_position="last")
    chosen: pd.Series = in_order.loc[~in_order.index.duplicated(), "url"]
    return chosen


def _pages(slugs: pd.Series, kinds: pd.Series, needed: pd.Series, reasons: Reasons) -> pd.Series:
    """Build the public page's address where it is needed (str dtype, NaN elsewhere)."""
    values = _fallback(slugs, "slug", needed, reasons)
    return kinds.map(_PAGES) + values


def _lessons(parent_urls: pd.Series, needed: pd.Series, reasons: Reasons) -> pd.Series:
    """Take the address of the lesson that a clip belongs to where it is needed (str dtype, NaN elsewhere)."""
    return _fallback(parent_urls, "parentLessonObjectUrl", needed, reasons)


def _fallback(column: pd.Series, name: str, needed: pd.Series, reasons: Reasons) -> pd.Series:
    """Take the text that stands in for a program's URL; where it is not needed its type does not matter."""
    values, wrong = text(column)
    reasons.add(wrong & needed, f"{name} is not text")
    reasons.add(blank(values) & needed, f"no launch URL: no program, and {name} is missing")
    return values.str.strip().where(needed & ~blank(values))
