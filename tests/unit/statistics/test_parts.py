"""A reading cut into parts: all rows, those of one key together, in files that are gone afterwards."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.clock import Clock
from connectors.coursera.models import Page, Paging, report_rows
from tasks.extract.spool import Spool
from tasks.extract.staging import StagedListing
from tasks.reporting.summary import Counts
from tasks.statistics.left_alone import NO_DIGESTS, leave_alone
from tasks.statistics.parts import Part, cut, keys_and_digests, parts_for
from tasks.transform.statistics.enrollment_reports import REPORT_COLUMNS
from tasks.transform.statistics.learner_moves import AddressMap

NOBODY = AddressMap({})
NO_REJECTS = pd.DataFrame({"row_id": pd.Series(dtype="str"), "key": pd.Series(dtype="int64")})

Rows = list[tuple[str, int]]


def page(rows: Rows, **fields: object) -> Page:
    """A page of rows: their ids, and how far they are."""
    elements = [
        {"id": row_id, "email": f"{row_id[0]}@x.com", "contentId": "C1", "overallProgress": progress} | fields
        for row_id, progress in rows
    ]
    return Page(elements=report_rows(elements), paging=Paging(total=len(rows)))


def staged(folder: Path, *tries: list[Rows], batch_rows: int = 3, held_rows: int = 6) -> StagedListing:
    """Readings of one listing, each of several pages."""
    listing = StagedListing(folder, batch_rows=batch_rows, held_rows=held_rows, now_ms=Clock().now_ms)
    for pages in tries:
        listing.begin("")
        for rows in pages:
            if listing.add(page(rows)):
                listing.stage()
    listing.finish()
    return listing


def parts_of(listing: StagedListing, folder: Path, rejects: pd.DataFrame = NO_REJECTS) -> Iterator[Part]:
    sizes: dict[str, Any] = {"number": parts_for(listing.rows, 4), "folder": folder, "held_rows": 6}
    rows = leave_alone(keys_and_digests(listing.frames(), NOBODY), NO_DIGESTS, rejects["key"])
    with cut(listing.frames(), rows, rejects, NOBODY, **sizes) as parts:
        yield from parts


def shown(frames: Iterator[pd.DataFrame]) -> Rows:
    rows = pd.concat(frames)
    return list(zip(rows["row_id"], rows["overallProgress"].astype(int), strict=True))


row_lists = st.lists(
    st.tuples(st.sampled_from([f"{one}{two}" for one in "abcd" for two in "12"]), st.integers(0, 99))
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pages=st.lists(row_lists, max_size=5), batch_rows=st.integers(1, 9), held_rows=st.integers(0, 20))
def test_what_was_staged_comes_back_in_its_order(
    tmp_path: Path, pages: list[Rows], batch_rows: int, held_rows: int
) -> None:
    listing = staged(tmp_path, pages, batch_rows=batch_rows, held_rows=held_rows)
    assert shown(listing.frames()) == [row for rows in pages for row in rows]
    assert shown(listing.frames()) == [row for rows in pages for row in rows]  # as often as there are targets


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.lists(row_lists, max_size=3), second=st.lists(row_lists, max_size=3))
def test_a_listing_read_again_stands_in_for_what_it_shows_again(
    tmp_path: Path, first: list[Rows], second: list[Rows]
) -> None:
    listing = staged(tmp_path, first, second)
    again = [row for rows in second for row in rows]
    kept = [row for rows in first for row in rows if row[0] not in {one for one, _ in again}]
    assert shown(listing.frames()) == kept + again


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pages=st.lists(row_lists, max_size=6))
def test_parts_have_all_rows_and_those_of_a_key_together(tmp_path: Path, pages: list[Rows]) -> None:
    listing = staged(tmp_path, pages)
    parts = list(parts_of(listing, tmp_path))
    assert sorted(row for part in parts for row in shown(iter([part.rows]))) == sorted(
        row for rows in pages for row in rows
    )
    homes = [set(part.rows["key"]) for part in parts]
    assert sum(map(len, homes)) == len(set().union(*homes))
    for part in parts:
        assert part.rows["key"].between(part.first, part.last).all()
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_what_is_left_alone_is_in_no_part_but_counted_where_it_would_be(tmp_path: Path) -> None:
    listing = staged(tmp_path, [[(f"{one}1", 1) for one in "abcdefghijkl"]])
    known = keys_and_digests(listing.frames(), NOBODY).assign(attempt=1)
    some: dict[str, Any] = {"number": 5, "folder": tmp_path, "held_rows": 6}
    rows = leave_alone(known, known.iloc[2:], NO_REJECTS["key"])
    with cut(listing.frames(), rows, NO_REJECTS, NOBODY, **some) as cutting:
        parts = list(cutting)
    assert sorted(key for part in parts for key in part.rows["key"]) == sorted(known["key"][:2])
    for part in parts:
        unchanged = int(known["key"][2:].between(part.first, part.last).sum())
        assert part.left_alone == Counts(extracted=unchanged, unchanged=unchanged)


def test_a_part_has_what_was_rejected_under_its_keys_though_no_row_shows_it(tmp_path: Path) -> None:
    listing = staged(tmp_path, [[(f"{one}1", 1) for one in "abcdefghijkl"]])
    keys = np.array([-(2**63), 0, 2**63 - 1])
    rejects = pd.DataFrame({"row_id": pd.Series(["x", "y", "z"], dtype="str"), "key": keys})
    parts = list(parts_of(listing, tmp_path, rejects))
    found = {row_id: part for part in parts for row_id in part.rejects["row_id"]}
    assert sorted(found) == ["x", "y", "z"]
    assert all(found[name].first <= key <= found[name].last for name, key in zip("xyz", keys, strict=True))


def test_of_nothing_there_is_one_part_with_what_was_rejected(tmp_path: Path) -> None:
    listing = staged(tmp_path, [[]])
    assert [len(part.rows) for part in parts_of(listing, tmp_path)] == [0]
    rejects = pd.DataFrame({"row_id": pd.Series(["x"], dtype="str"), "key": [1]})
    (part,) = parts_of(listing, tmp_path, rejects)
    assert list(part.rows.columns) == [*REPORT_COLUMNS, "key", "learner"]


def test_rows_that_name_nobody_are_not_all_of_one_part(tmp_path: Path) -> None:
    listing = StagedListing(tmp_path, now_ms=Clock().now_ms)
    listing.begin("")
    listing.add(page([(f"a{number}", 1) for number in range(50)], email="nobody"))
    listing.finish()
    assert len(list(parts_of(listing, tmp_path))) > 5


def test_few_rows_touch_no_disk(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "rows.arrow", held_rows=2)
    spool.add(pa.table({"a": [1, 2]}))
    spool.finish()
    assert [len(frame) for frame in spool.frames()] == [2]
    assert list(tmp_path.iterdir()) == []


def test_dtypes_are_the_same_in_memory_and_in_a_file(tmp_path: Path) -> None:
    rows: list[Rows] = [[("a1", 1), ("b1", 2), ("c1", 3)]]
    (tmp_path / "file").mkdir()
    held, written = staged(tmp_path, rows), staged(tmp_path / "file", rows, held_rows=0)
    assert [path.name for path in (tmp_path / "file").iterdir()] == ["listing.arrow"]
    pd.testing.assert_frame_equal(pd.concat(held.frames()), pd.concat(written.frames()))


@pytest.mark.parametrize("value", ["7", True, [1], float("inf"), {"a": 1}], ids=str)
def test_an_element_whose_columns_cannot_give_it_back_is_kept(tmp_path: Path, value: object) -> None:
    listing = StagedListing(tmp_path, now_ms=Clock().now_ms)
    listing.begin("")
    listing.add(page([("a1", 1)], grade=value))
    listing.finish()
    (frame,) = listing.frames()
    assert "grade" in frame["raw"].iloc[0]
