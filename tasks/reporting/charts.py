"""Small bar charts as SVG: pictures that stand alone, and take the colours of a page that they stand in."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 62, 34
GRIDLINES = 3
FILLED = 0.72  # of each bar's place
MOST_LABELS = 12
CROSS = "\N{MULTIPLICATION SIGN}"

# A picture alone brings its own light card, so that it reads on light and dark; a page sets the variables.
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:var(--ink,#1f2937)}"
    ".title{font-weight:600;font-size:14px}.soft{fill:var(--soft,#5b6472)}"
    ".card{fill:var(--card,#fff)}.grid{stroke:var(--line,#dfe3e8);stroke-width:1}"
    ".mark{fill:var(--bad,#c2261d);font-weight:700;font-size:15px}"
)


@dataclass(frozen=True)
class Series:
    """Values of one sort, one for each bar; ``colour`` is CSS."""

    name: str
    values: Sequence[float]
    colour: str


def data_uri(svg: str) -> str:
    """A picture as an address that needs no network."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def stacked_bars(
    title: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    description: str,
    marked: Sequence[bool] = (),
    mark: str = "",
) -> str:
    """Bars beside each other, each a stack of one value of every series, with a legend.

    ``description`` says the same in words, for those who do not see it. A cross stands over the bars that
    are ``marked``; ``mark`` is what it means.
    """
    scale = _Scale(len(labels), max((sum(stack) for stack in _stacks(series)), default=0))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc><style>{STYLE}</style>",
        f'<rect class="card" width="{WIDTH}" height="{HEIGHT}" rx="10"/>',
        f'<text class="title" x="16" y="25">{escape(title)}</text>',
        *_legend(series, mark if any(marked) else ""),
        *_grid(scale),
        *_bars(scale, labels, series),
        *_marks(scale, series, marked),
        *_labels(scale, labels),
        "</svg>",
    ]
    return "".join(parts)


class _Scale:
    """Where values and bars stand in the picture."""

    def __init__(self, bars: int, greatest: float) -> None:
        self.top = _round_up(greatest)
        self.place = (WIDTH - LEFT - RIGHT) / max(bars, 1)
        self.width = min(self.place * FILLED, 48.0)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)

    def middle(self, bar: int) -> float:
        return LEFT + (bar + 0.5) * self.place


def _round_up(greatest: float) -> float:
    """The smallest value not below the greatest one that gives round gridlines."""
    if greatest <= GRIDLINES:
        return float(GRIDLINES)
    power = 10.0 ** math.floor(math.log10(greatest / GRIDLINES))
    steps = (power * step for step in (1, 2, 2.5, 5, 10, 20))
    return next(GRIDLINES * step for step in steps if GRIDLINES * step >= greatest and step == int(step))


def _stacks(series: Sequence[Series]) -> list[tuple[float, ...]]:
    return list(zip(*(one.values for one in series), strict=True))


def _legend(series: Sequence[Series], mark: str) -> list[str]:
    parts, x = [], 16.0
    for one in series:
        parts.append(f'<rect x="{x:.0f}" y="37" width="10" height="10" rx="2" fill="{one.colour}"/>')
        parts.append(f'<text class="soft" x="{x + 15:.0f}" y="46">{escape(one.name)}</text>')
        x += 34 + 6.6 * len(one.name)
    if mark:
        parts.append(f'<text class="mark" x="{x:.0f}" y="47">{CROSS}</text>')
        parts.append(f'<text class="soft" x="{x + 13:.0f}" y="46">{escape(mark)}</text>')
    return parts


def _grid(scale: _Scale) -> list[str]:
    parts = []
    for line in range(GRIDLINES + 1):
        value = scale.top * line / GRIDLINES
        y = scale.y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="soft" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_short(value)}</text>'
        )
    return parts


def _bars(scale: _Scale, labels: Sequence[str], series: Sequence[Series]) -> list[str]:
    parts = []
    for bar, stack in enumerate(_stacks(series)):
        reached = 0.0
        for one, value in zip(series, stack, strict=True):
            if value <= 0:
                continue
            x, y = scale.middle(bar) - scale.width / 2, scale.y(reached + value)
            height = scale.y(reached) - y
            told = escape(f"{labels[bar]}: {value:,g} {one.name}")
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{scale.width:.1f}" height="{max(height, 1):.1f}"'
                f' fill="{one.colour}"><title>{told}</title></rect>'
            )
            reached += value
    return parts


def _marks(scale: _Scale, series: Sequence[Series], marked: Sequence[bool]) -> list[str]:
    heights = [sum(stack) for stack in _stacks(series)]
    return [
        f'<text class="mark" x="{scale.middle(bar):.1f}" y="{scale.y(heights[bar]) - 3:.1f}"'
        f' text-anchor="middle">{CROSS}</text>'
        for bar, is_marked in enumerate(marked)
        if is_marked
    ]


def _labels(scale: _Scale, labels: Sequence[str]) -> list[str]:
    """The bars' labels, as many as have room."""
    every = math.ceil(len(labels) / MOST_LABELS)
    return [
        f'<text class="soft" x="{scale.middle(bar):.1f}" y="{HEIGHT - 12}" text-anchor="middle">'
        f"{escape(label)}</text>"
        for bar, label in enumerate(labels)
        if (len(labels) - 1 - bar) % every == 0
    ]


def _short(value: float) -> str:
    """A number as an axis has room for: 1,500, 20k, 3M."""
    for size, letter in ((1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e3 if letter == 'k' else size):g}{letter}"
    return f"{value:,g}"
