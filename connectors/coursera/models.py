"""What arrives from Coursera, tolerant: unknown fields are ignored, optional ones may be missing or null."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

JsonObject = dict[str, Any]


def _whole_number(value: object) -> object:
    """``paging.next`` is a decimal string; older answers carry a number."""
    return int(value) if isinstance(value, str) and value.strip().isdigit() else value


class Organisation(BaseModel):
    """The organisation behind an org_id: the cheapest proof that credentials and org_id belong together."""

    id: str = ""
    name: str = ""


class Program(BaseModel):
    """A learning program of the organisation."""

    id: str = Field(min_length=1)
    name: str = ""


class Paging(BaseModel):
    """Where the next page starts (None on the last one), and how many elements there are in all."""

    next: Annotated[int | None, BeforeValidator(_whole_number)] = None
    total: int | None = None


class Page(BaseModel):
    """One page of a listing. Elements stay as they came: the mapping judges them row by row."""

    elements: list[Any]
    paging: Paging = Paging()
