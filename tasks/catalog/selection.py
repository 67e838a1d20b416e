"""What of the catalog a target maps: known from an outline, before any element is mapped."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import orjson
import pandas as pd

from connectors.coursera.row_ids import row_ids
from connectors.ledger.records import rejects
from connectors.ledger.records.courses import known_courses
from connectors.ledger.streams import CATALOG
from connectors.settings import SyncSettings
from tasks.extract.coursera import Catalog
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.transform.columns import blank
from tasks.transform.courses.courses import MappedCourses, map_courses
from tasks.transform.courses.outline import latest, outline
from tasks.transform.courses.program_filter import of_programs


@dataclass(frozen=True, eq=False)
class CourseSelection:
    """The elements of a catalog that concern a target, and what is known of all of them.

    ``again``: elements that earlier runs rejected and the reading does not show; ``outline``: OUTLINE_COLUMNS
    of all, row_id str, and is_mapped bool, false for older elements of a course; ``known``: the courses that
    the ledger knows, see `known_courses`; ``rejected``: the row_ids of elements that earlier runs rejected;
    ``seconds``: how long courses take by their own account, in the catalog or earlier.
    """

    catalog: Catalog
    programs: Sequence[str]
    again: Sequence[object]
    outline: pd.DataFrame
    known: pd.DataFrame
    rejected: frozenset[str]
    seconds: Mapping[str, float]
    settings: SyncSettings
    batch_rows: int

    @classmethod
    def load(cls, run: RunContext, catalog: Catalog) -> "CourseSelection":
        """Look through the elements once, those of the target's programs where it is for some only."""
        programs, most = run.settings.programs, run.shared.pacing.course_rows
        shown = [_outline(few) for few in _in_batches(_elements(catalog, programs), most)]
        outlines = pd.concat([_outline([]), *shown], ignore_index=True)
        with run.ledger.read() as db:
            known = known_courses(db, run.target.id)
            rejected = rejects.known_rejects(db, run.target.id, CATALOG)
        again: list[object] = []
        if not catalog.read.is_exhaustive:
            unseen = rejected.loc[~rejected["row_id"].isin(outlines["row_id"]), "raw"].dropna()
            again = [orjson.loads(raw) for raw in unseen]
            outlines = pd.concat([outlines, _outline(again)], ignore_index=True)
        usable = outlines["is_usable"]
        outlines["is_mapped"] = ~usable | outlines.index.isin(latest(outlines[usable]).index)
        return cls(
            catalog,
            programs,
            again,
            outlines,
            known,
            frozenset(rejected["row_id"]),
            _seconds(known, outlines),
            run.settings.sync,
            most,
        )

    @property
    def courses(self) -> pd.DataFrame:
        """The outline of the elements that become courses."""
        return _courses(self.outline)

    @property
    def shown_ids(self) -> pd.Series:
        """The externalId of every element, NaN where it has none that is usable."""
        return self.outline["externalId"].mask(blank(self.outline["externalId"]))

    @property
    def gone(self) -> list[str]:
        """The row_ids of rejected elements that Coursera shows no more, or only older than another."""
        return sorted(self.rejected.difference(self.outline.loc[self.outline["is_mapped"], "row_id"]))

    def batches(self) -> Iterator[list[object]]:
        """The elements to map, some at a time."""
        every = chain(_elements(self.catalog, self.programs), self.again)
        chosen = zip(every, self.outline["is_mapped"], strict=True)
        return _in_batches((element for element, is_mapped in chosen if is_mapped), self.batch_rows)

    def map(self, elements: Sequence[object]) -> MappedCourses:
        """Map elements of a batch, each for itself but for the sums of specializations."""
        return map_courses(
            elements,
            default_language=self.settings.default_language,
            program_order=self.settings.program_order,
            known_seconds=self.seconds,
        )


@step("look through the catalog")
async def select_courses(run: RunContext, catalog: Catalog) -> CourseSelection:
    """Find the elements to map, those among them that earlier runs rejected; the others are merged."""
    found = await run.shared.frames.do(CourseSelection.load, run, catalog)
    is_mapped = found.outline["is_mapped"]
    run.recorder.add(extracted=len(is_mapped), merged=int((~is_mapped).sum()))
    return found


def _outline(elements: Sequence[object]) -> pd.DataFrame:
    return outline(elements).assign(row_id=pd.Series(row_ids(elements), dtype="str"))


def _courses(outlines: pd.DataFrame) -> pd.DataFrame:
    return outlines[outlines["is_mapped"] & outlines["is_usable"]]


def _seconds(known: pd.DataFrame, outlines: pd.DataFrame) -> dict[str, float]:
    earlier = known.rename(columns={"external_id": "externalId"})
    told = pd.concat([earlier, _courses(outlines)]).dropna(subset="learning_seconds")
    return dict(zip(told["externalId"], told["learning_seconds"], strict=True))


def _elements(catalog: Catalog, programs: Sequence[str]) -> Iterable[object]:
    elements = catalog.staged.elements()
    return of_programs(elements, programs) if programs else elements


def _in_batches(elements: Iterable[object], most: int) -> Iterator[list[object]]:
    every = iter(elements)
    while few := list(islice(every, most)):
        yield few
