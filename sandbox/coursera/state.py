"""The sandbox's Coursera: its state: a world, an accounts server, options."""

from collections.abc import Callable
from typing import NamedTuple

from sandbox.clock import Clock
from sandbox.coursera import queries
from sandbox.coursera.listing import page
from sandbox.coursera.options import CourseraOptions
from sandbox.coursera.sign_in import SignIn, api_error
from sandbox.values import Json
from sandbox.world import World

_LISTINGS: dict[str, Callable[[World, queries.Query], list[Json]]] = {
    "programs": queries.programs,
    "contents": queries.contents,
    "enrollmentReports": queries.enrollment_reports,
}
#: From this many elements on, a reading's later pages reuse what its first page selected.
_LARGE = 20_000


class _Selection(NamedTuple):
    key: object
    elements: list[Json]


class Coursera:
    """One organisation on Coursera for Business."""

    def __init__(self, world: World, clock: Clock) -> None:
        self.world = world
        self.clock = clock
        self._options = CourseraOptions()
        self.sign_in = SignIn(clock, self._options)
        self.org_id = "acme-learning"
        self.org_name = "Acme Learning"
        #: Organisations that exist but are not open to this client.
        self.foreign_org_ids = {"other-company"}
        #: Called with the listing's name and `start` before each page is served; a test may change the world.
        self.before_page: Callable[[str, int], None] | None = None
        self._selection = _Selection(None, [])

    @property
    def options(self) -> CourseraOptions:
        """What is switched on; shared by all parts, so its fields are set and it is never replaced."""
        return self._options

    def organization(self) -> Json:
        """The organisation as the API shows it."""
        return {"id": self.org_id, "name": self.org_name, "slug": self.org_id}

    def expect_org(self, org_id: str) -> None:
        """Raises 404 for no such organisation, 403 for one that is closed to the token."""
        if org_id != self.org_id and org_id not in self.foreign_org_ids:
            raise api_error(404, "Not Found", f"No organization {org_id}")
        if org_id != self.org_id or self.options.personal_app:
            raise api_error(403, "Forbidden", f"The client may not act for organization {org_id}")

    def listing(self, name: str, query: queries.Query) -> bytes:
        """One page of a listing, as it goes over the wire."""
        if name not in _LISTINGS:
            raise api_error(404, "Not Found", f"No resource {name}")
        start, limit = queries.start_and_limit(query)
        if self.before_page:
            self.before_page(name, start)
        return page(self._select(name, query, start), start, limit, self.options)

    def _select(self, name: str, query: queries.Query, start: int) -> list[Json]:
        """The listing's elements; a large listing is not filtered anew for each page."""
        size = len(self.world.contents) + len(self.world.reports)
        wanted = frozenset((key, value) for key, value in query.items() if key not in queries.PAGING)
        key = (name, wanted, size)
        if start == 0 or size < _LARGE or key != self._selection.key:
            self._selection = _Selection(key, _LISTINGS[name](self.world, query))
        return self._selection.elements
