"""What 360Learning answers, and the shapes of what is sent to it (its OpenAPI file is the authority)."""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
from pydantic import BaseModel, ConfigDict, Field

JsonObject = dict[str, Any]
OperationType = Literal["importExternalCourses", "archiveExternalCourses", "importExternalStatistics"]


class Integration(BaseModel):
    """An integration configuration. A default that is absent is not in force."""

    model_config = ConfigDict(populate_by_name=True)

    id: str = Field(alias="_id")
    external_platform: str = Field(alias="externalPlatform")
    group_id: str = Field(alias="groupId")
    author_id: str = Field(alias="authorId")
    default_completion: bool = Field(default=False, alias="defaultCompletion")
    default_progress: int | None = Field(default=None, alias="defaultProgress")
    no_group_propagation: bool = Field(default=False, alias="noGroupPropagation")


class IntegrationBody(TypedDict):
    """A new integration configuration."""

    externalPlatform: str
    groupId: str
    authorId: str
    noGroupPropagation: bool
    defaultCompletion: bool
    defaultProgress: int


class IntegrationPatch(TypedDict, total=False):
    """The fields of a configuration to change; the others stay."""

    authorId: str
    noGroupPropagation: bool
    defaultCompletion: bool
    defaultProgress: int


class Operation(BaseModel):
    """A bulk operation's life: pending, queued, running, then completed or error.

    One in a status that the contract does not name has not ended.
    """

    id: str = Field(alias="_id")
    type: str
    status: str

    @property
    def has_ended(self) -> bool:
        """Whether the results can be read."""
        return self.status in {"completed", "error"}

    @property
    def is_under_way(self) -> bool:
        """Whether it is sure to end."""
        return self.status in {"pending", "queued", "running"}


class Identifier(msgspec.Struct, gc=False):
    """How a statistic names its course (``externalId``) and its learner (``mail``)."""

    type: Literal["externalId", "mail"]
    value: str


class Statistic(msgspec.Struct, gc=False, omit_defaults=True):
    """One learner's progress on one course. Times are ISO 8601 in UTC, ``timeSpent`` milliseconds."""

    courseIdentifier: Identifier  # noqa: N815 - 360Learning's names
    userIdentifier: Identifier  # noqa: N815
    progress: int
    timeSpent: int  # noqa: N815
    firstActivityAt: str  # noqa: N815
    lastActivityAt: str  # noqa: N815
    forceNew: bool = False  # noqa: N815
    score: int | None = None


Moment = Annotated[datetime, msgspec.Meta(tz=True)] | None


class Attempt(TypedDict):
    """What is relied on of an attempt that is read back; ``timeSpent`` is milliseconds."""

    _id: str
    courseId: str
    userId: str
    progress: Annotated[float, msgspec.Meta(ge=0, le=100)]
    timeSpent: Annotated[float, msgspec.Meta(ge=0, le=2**53)]
    score: NotRequired[Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None]
    firstActivityAt: NotRequired[Moment]
    lastActivityAt: NotRequired[Moment]
    completedAt: NotRequired[Moment]


class User(TypedDict):
    """What is relied on of a user."""

    _id: str
    mail: NotRequired[str | None]


class Course(TypedDict):
    """What is relied on of a course in a group's list."""

    _id: str
    status: str


class ExternalCourse(TypedDict):
    """What is relied on of an integration's course."""

    courseId: str


class Archival(TypedDict):
    """A course to archive."""

    externalId: str


class ResultIdentifier(msgspec.Struct, gc=False):
    """What a result's input names a course or a learner by."""

    value: Any = None


class ResultInput(msgspec.Struct, gc=False):
    """What tells a result's input apart from the others of its operation."""

    externalId: Any = None  # noqa: N815 - 360Learning's names
    courseIdentifier: ResultIdentifier | None = None  # noqa: N815
    userIdentifier: ResultIdentifier | None = None  # noqa: N815
    firstActivityAt: Any = None  # noqa: N815


class Result(msgspec.Struct, gc=False):
    """What is used of a row of an operation's results."""

    input: ResultInput | None = None
    status: Any = None
    resourceId: Any = None  # noqa: N815
    errorMessage: Any = None  # noqa: N815


def result_of(row: JsonObject) -> Result:
    """A row of an operation's results. Of one that has another shape nothing is used: it is none of ours."""
    try:
        return msgspec.convert(row, Result)
    except msgspec.ValidationError:
        return Result(input=ResultInput())
