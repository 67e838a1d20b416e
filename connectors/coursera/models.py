"""What arrives from Coursera, tolerant: unknown fields are ignored, optional ones may be missing or null."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, BeforeValidator

from connectors.coursera.row_ids import Hashes, hashes_of, row_ids

JsonObject = dict[str, Any]


def _whole_number(value: object) -> object:
    """``paging.next`` is a decimal string, or empty on the last page; older answers carry a number."""
    if isinstance(value, str) and not value.strip():
        return None
    return int(value) if isinstance(value, str) and value.strip().isdigit() else value


class Organisation(BaseModel):
    """The organisation behind an org_id: the cheapest proof that credentials and org_id belong together."""

    id: str | None = None
    name: str | None = None


class Paging(BaseModel):
    """Where the next page starts (None on the last one), and how many elements there are in all."""

    next: Annotated[int | None, BeforeValidator(_whole_number)] = None
    total: int | None = None


class Page(BaseModel):
    """One page of a listing. Elements stay as they came: the mapping judges them row by row."""

    elements: list[Any]
    paging: Annotated[Paging, BeforeValidator(lambda value: value or {})] = Paging()

    @cached_property
    def ids(self) -> list[str]:
        """What tells its elements apart, see `connectors.coursera.row_ids`."""
        return row_ids(self.elements)

    @cached_property
    def identities(self) -> Hashes:
        """The same as numbers of this process."""
        return hashes_of(self.ids)


class ReportRow(msgspec.Struct, gc=False, omit_defaults=True):
    """What is used of an enrollment report, whatever it holds; the rest of a row is not even read.

    Where a row is rejected, these are what is kept of it.
    """

    id: Any = None
    email: Any = None
    externalId: Any = None  # noqa: N815 - Coursera's names
    contentId: Any = None  # noqa: N815
    programId: Any = None  # noqa: N815
    enrolledAt: Any = None  # noqa: N815
    lastActivityAt: Any = None  # noqa: N815
    completedAt: Any = None  # noqa: N815
    updatedAt: Any = None  # noqa: N815
    overallProgress: Any = None  # noqa: N815
    isCompleted: Any = None  # noqa: N815
    grade: Any = None
    approxTotalCourseHrs: Any = None  # noqa: N815
    approxTotalLearningHours: Any = None  # noqa: N815


class ReportsPage(msgspec.Struct, gc=False):
    """A page of enrollment reports as it comes, where all of its elements are rows."""

    elements: list[ReportRow]
    paging: Any = msgspec.field(default_factory=dict)


def report_rows(elements: Iterable[object]) -> list[object]:
    """Elements (JSON objects) as rows; what is no object stays as it is."""
    return [msgspec.convert(one, ReportRow) if isinstance(one, dict) else one for one in elements]


def report_fields(elements: Sequence[object]) -> dict[str, list[Any]]:
    """The fields of report rows, column by column, and ``is_row``: whether an element is a row at all."""
    is_row = [isinstance(element, ReportRow) for element in elements]
    rows = [element if isinstance(element, ReportRow) else NO_ROW for element in elements]
    # Field by field: a loop over their names would take four times as long.
    return {
        "is_row": is_row,
        "id": [row.id for row in rows],
        "email": [row.email for row in rows],
        "externalId": [row.externalId for row in rows],
        "contentId": [row.contentId for row in rows],
        "programId": [row.programId for row in rows],
        "enrolledAt": [row.enrolledAt for row in rows],
        "lastActivityAt": [row.lastActivityAt for row in rows],
        "completedAt": [row.completedAt for row in rows],
        "updatedAt": [row.updatedAt for row in rows],
        "overallProgress": [row.overallProgress for row in rows],
        "isCompleted": [row.isCompleted for row in rows],
        "grade": [row.grade for row in rows],
        "approxTotalCourseHrs": [row.approxTotalCourseHrs for row in rows],
        "approxTotalLearningHours": [row.approxTotalLearningHours for row in rows],
    }


def report_json(fields: Sequence[str], values: Sequence[Any]) -> str:
    """Fields of a report row, as typed columns hold them, as JSON again; a NaN is left out."""
    given = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in zip(fields, values, strict=True)
        if value == value  # noqa: PLR0124 - false of NaN alone
    }
    return msgspec.json.encode(ReportRow(**given)).decode()


NO_ROW = ReportRow()
