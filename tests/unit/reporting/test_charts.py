"""The pictures: right in their proportions, readable by machines, and safe with any text."""

import base64
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reporting.charts import CROSS, HEIGHT, WIDTH, Series, data_uri, stacked_bars

SVG = "{http://www.w3.org/2000/svg}"
Bars = list[tuple[float, float, float, float]]


def drawn(
    *values: tuple[float, ...], labels: list[str] | None = None, marked: tuple[bool, ...] = ()
) -> ET.Element:
    series = [Series(f"series {number}", list(one), "#123456") for number, one in enumerate(values)]
    names = labels or [f"bar {number}" for number in range(len(values[0]) if values else 0)]
    svg = stacked_bars("A title", names, series, description="In words.", marked=marked, mark="failed")
    return ET.fromstring(svg)  # noqa: S314 - our own


def bars(svg: ET.Element) -> Bars:
    """Each bar's x, y, width and height: the rectangles that tell what they are."""
    found = [one for one in svg.iter(f"{SVG}rect") if one.find(f"{SVG}title") is not None]
    return [tuple(float(one.attrib[name]) for name in ("x", "y", "width", "height")) for one in found]  # type: ignore[misc]


def texts(svg: ET.Element) -> list[str]:
    return [one.text or "" for one in svg.iter(f"{SVG}text")]


def test_a_picture_says_what_it_shows_to_those_who_do_not_see_it() -> None:
    svg = drawn((1,))
    assert svg.attrib["role"] == "img"
    assert (svg.findtext(f"{SVG}title"), svg.findtext(f"{SVG}desc")) == ("A title", "In words.")
    told = [one.findtext(f"{SVG}title") for one in svg.iter(f"{SVG}rect")]
    assert "bar 0: 1 series 0" in told


def test_heights_are_in_proportion_and_stacks_stand_on_each_other() -> None:
    lower, upper = drawn((100.0,)), drawn((50.0,), (50.0,))
    ((_, y, _, height),) = bars(lower)
    first, second = bars(upper)
    assert first[3] == pytest.approx(height / 2, abs=0.2)
    assert second[1] + second[3] == pytest.approx(first[1], abs=0.2)
    assert second[1] == pytest.approx(y, abs=0.2)


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=40))
def test_every_bar_lies_inside_the_picture_and_beside_its_neighbour(values: list[float]) -> None:
    found = bars(drawn(tuple(values)))
    assert len(found) == sum(value > 0 for value in values)
    assert all(x >= 0 and x + width <= WIDTH and 0 <= y <= HEIGHT for x, y, width, _ in found)
    assert all(one[0] + one[2] <= next_[0] + 0.2 for one, next_ in pairwise(found))


@pytest.mark.parametrize(
    ("greatest", "top"),
    [(0, "3"), (3, "3"), (4, "6"), (7, "15"), (297, "300"), (301, "600"), (29_000, "30k"), (2e6, "3M")],
)
def test_gridlines_are_round(greatest: float, top: str) -> None:
    assert top in texts(drawn((greatest,)))


def test_nothing_to_show_is_no_failure() -> None:
    assert bars(drawn((0.0, 0.0))) == []
    assert bars(drawn()) == []


def test_a_cross_stands_over_what_is_marked_and_is_explained() -> None:
    assert texts(drawn((1, 1), marked=(False, True))).count(CROSS) == 2
    assert "failed" in texts(drawn((1, 1), marked=(False, True)))
    assert CROSS not in texts(drawn((1, 1), marked=(False, False)))


def test_labels_are_as_many_as_have_room_and_the_last_is_among_them() -> None:
    labels = [f"day {number}" for number in range(30)]
    shown = [text for text in texts(drawn((1.0,) * 30, labels=labels)) if text.startswith("day")]
    assert len(shown) <= 12
    assert shown[-1] == "day 29"


def test_any_text_stays_text() -> None:
    svg = drawn((1,), labels=['<script>"&'])
    assert '<script>"&' in texts(svg)


def test_a_data_uri_carries_the_picture() -> None:
    head, _, body = data_uri("<svg>é</svg>").partition(",")
    assert head == "data:image/svg+xml;base64"
    assert base64.b64decode(body).decode() == "<svg>é</svg>"
