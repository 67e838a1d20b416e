"""What can be switched on the sandbox's Coursera."""

from dataclasses import dataclass
from typing import Literal


@dataclass
class CourseraOptions:
    """Off by default, all of them: a well-behaved platform."""

    #: The server's own bound on a page, below the client's `limit`.
    page_cap: int | None = None
    #: Pages come back shorter than they could, and still are not the last.
    short_pages: bool = False
    #: `paging.next` is a number, as in older answers.
    numeric_next: bool = False
    #: `paging.total` is left out.
    omit_total: bool = False
    #: Added to the true `paging.total`.
    wrong_total: int = 0
    #: `paging.next` repeats the page's own start, for ever.
    stuck_cursor: bool = False
    #: Every page begins with the element that the one before ended with.
    duplicate_rows: bool = False
    #: After the first page an element before it appears, or its first element vanishes.
    shifting: Literal["", "appear", "vanish"] = ""
    #: How many readings are still shifted; None: all.
    shifting_readings: int | None = None
    #: No answer comes sooner after its request, in real milliseconds.
    latency_ms: int = 0
    #: The same for a page of a listing alone.
    page_ms: int = 0
    #: A refresh brings a new refresh token, and the old one dies.
    rotate_refresh_token: bool = False
    #: The app was registered by a personal account: 403 for every organisation.
    personal_app: bool = False
