"""Both platforms, what lies in front of them, and the settings a client needs to reach them."""

from typing import Any, Self

from sandbox.clock import Clock, ManualClock, system_clock
from sandbox.coursera import Coursera
from sandbox.coursera.sign_in import Style
from sandbox.faults import Faults
from sandbox.layers import RequestLog
from sandbox.learning360 import Learning360
from sandbox.values import Json
from sandbox.world import World, days

COURSERA, LEARNING360, CONTROL = "coursera", "learning360", "control"

#: The token URL and the API base of each sign-in.
_COURSERA_PATHS: dict[Style, tuple[str, str]] = {
    "refresh_token": ("/oauth2/v1/token", "/api"),
    "client_credentials": ("/oauth2/client_credentials/token", "/ent/api"),
}


class Sandbox:
    """A customer with both platforms. Its parts may be changed at any time, also while it is served."""

    def __init__(self, world: World | None = None, clock: Clock = system_clock) -> None:
        self.clock = clock
        self.world = world or World.seeded(clock())
        self.coursera = Coursera(self.world, clock)
        self.learning360 = Learning360(clock)
        self.faults = Faults()
        self.log = RequestLog()
        #: The ports by application, once it is served.
        self.ports: dict[str, int] = {}
        self.showcase_path_id = self._populate()

    @classmethod
    def empty(cls, clock: Clock | None = None) -> Self:
        """Nothing on either platform; by default on a clock of its own that stands still."""
        clock = clock or ManualClock()
        return cls(World.empty(clock()), clock)

    def enroll(self, mail: str, content: Json, **fields: Any) -> Json:  # noqa: ANN401 -- fields of a report row
        """A learner known to 360Learning is enrolled on Coursera; returns the report row."""
        self.learning360.add_user(mail)
        return self.world.add_report(mail, content, **fields)

    def next_day(self) -> dict[str, int]:
        """A day passes: Coursera's side changes, and 360Learning learns of new addresses; returns counts."""
        known = len(self.world.address_changes)
        counts = days.next_day(self.world, self.clock())
        for old, new in self.world.address_changes[known:]:
            self.learning360.change_mail(old, new)
        return counts

    def showcase(self) -> Json:
        """The story of the showcase as it stands: its learner, courses and path; empty without one."""
        show = self.world.showcase
        if show is None:
            return {}
        return {
            "mail": show.mail,
            "fullName": show.full_name,
            "externalIds": list(show.external_ids),
            "programId": show.program_id,
            "pathId": self.showcase_path_id,
            "pathName": show.path_name,
            **self.learning360.path_progress(self.showcase_path_id, show.mail),
        }

    def url(self, app: str) -> str:
        """Where an application is served: `coursera`, `learning360` or `control`."""
        if app not in self.ports:
            raise RuntimeError("the sandbox is not being served")
        return f"http://127.0.0.1:{self.ports[app]}"

    def environment(self, sign_in: Style = "refresh_token") -> dict[str, str]:
        """The settings that a client needs, for either of Coursera's sign-ins."""
        token_path, api_path = _COURSERA_PATHS[sign_in]
        settings = {
            "COURSERA_ORG_ID": self.coursera.org_id,
            "COURSERA_CLIENT_ID": self.coursera.sign_in.client_id,
            "COURSERA_CLIENT_SECRET": self.coursera.sign_in.client_secret,
            "COURSERA_API_URL": self.url(COURSERA) + api_path,
            "COURSERA_TOKEN_URL": self.url(COURSERA) + token_path,
            "LEARNING360_CLIENT_ID": self.learning360.client.client_id,
            "LEARNING360_CLIENT_SECRET": self.learning360.client.client_secret,
            "LEARNING360_API_URL": self.url(LEARNING360),
            "LEARNING360_GROUP_ID": self.learning360.group_id,
            "LEARNING360_AUTHOR_ID": self.learning360.author_id,
        }
        if sign_in == "refresh_token":
            settings["COURSERA_REFRESH_TOKEN"] = self.coursera.sign_in.refresh_token
        return settings

    def _populate(self) -> str:
        """360Learning's accounts and the showcase's path; returns the path's id, or nothing."""
        for learner in self.world.learners:
            if learner.known:
                self.learning360.add_user(learner.mail, learner.full_name)
        show = self.world.showcase
        return self.learning360.add_path(show.path_name, show.external_ids).id if show else ""
