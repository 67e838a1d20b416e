"""Draws the rooms of docs/architecture.txt into docs/architecture.svg: frames, floors, boxes, arrows down."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

WIDTH, BOX, GAP, PAD, TITLE = 960, 46, 22, 14, 24
COLOURS = ("#dbe9f9", "#e3f3dc", "#fbeed5", "#eeeeee")
STYLE = """
text { font: 13px sans-serif; fill: #222; text-anchor: middle }
.name { font-weight: bold }
.frame { stroke: #bbb }
.title { font-style: italic; text-anchor: start }
.box { stroke: #555 }
.prefect { stroke: #0052cc; stroke-width: 2.5 }
.arrow { stroke: #555; stroke-width: 1.5; marker-end: url(#head) }
"""
HEAD = (
    '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0 8 4 0 8z" fill="#555"/></marker>'
)


@dataclass
class Frame:
    """A frame with its floors, from above: each a list of boxes, by name and what they do."""

    title: str
    floors: list[list[tuple[str, str]]] = field(default_factory=list)

    @property
    def height(self) -> int:
        """How high it is, in pixels."""
        return TITLE + len(self.floors) * (BOX + GAP) - GAP + PAD


def frames_of(text: str) -> list[Frame]:
    """Read the frames of a text; see there."""
    frames: list[Frame] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            frames.append(Frame(line.strip()))
            continue
        boxes = [box.partition(":") for box in line.split(" | ")]
        frames[-1].floors.append([(name.strip(), does.strip()) for name, _, does in boxes])
    return frames


def drawn(frames: list[Frame]) -> Iterator[str]:
    """The picture's elements, from above."""
    top = PAD
    for frame, colour in zip(frames, COLOURS, strict=False):
        yield rectangle("frame", PAD, top, WIDTH - 2 * PAD, frame.height)
        yield f'<text class="title" x="{2 * PAD}" y="{top + 16}">{escape(frame.title)}</text>'
        for number, floor in enumerate(frame.floors):
            y = top + TITLE + number * (BOX + GAP)
            yield from boxes_of(floor, y, colour)
            if number:
                above = frame.floors[number - 1]
                yield from (arrow(middle, y - GAP, y) for _, middle in places(max(above, floor, key=len)))
        top += frame.height + GAP
        if frame is not frames[-1]:
            yield arrow(WIDTH / 2, top - GAP, top)


def boxes_of(floor: list[tuple[str, str]], y: int, colour: str) -> Iterator[str]:
    """The boxes of a floor, side by side."""
    for (name, does), (x, middle) in zip(floor, places(floor), strict=True):
        kind = "box prefect" if name.endswith(" *") else "box"
        yield rectangle(kind, x, y, 2 * (middle - x), BOX, colour)
        yield f'<text class="name" x="{middle:.0f}" y="{y + 19}">{escape(name)}</text>'
        yield f'<text x="{middle:.0f}" y="{y + 37}">{escape(does)}</text>'


def places(floor: list[tuple[str, str]]) -> list[tuple[float, float]]:
    """Where each box of a floor begins, and its middle."""
    width = (WIDTH - 3 * PAD) / len(floor) - PAD
    return [
        (begin, begin + width / 2) for begin in (2 * PAD + at * (width + PAD) for at in range(len(floor)))
    ]


def rectangle(kind: str, x: float, y: float, width: float, height: float, colour: str = "#fafafa") -> str:
    """A rectangle with round corners."""
    place = f'x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}"'
    return f'<rect class="{kind}" {place} rx="5" fill="{colour}"/>'


def arrow(x: float, begin: int, end: int) -> str:
    """An arrow down."""
    return f'<path class="arrow" d="M{x:.0f} {begin}V{end}"/>'


def main() -> None:
    """Draw the text that is named first into the file that is named second."""
    source, target = map(Path, sys.argv[1:])
    frames = frames_of(source.read_text())
    height = PAD + sum(frame.height + GAP for frame in frames) - GAP + PAD
    box = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
    parts = [f"<svg {box}>", f"<style>{STYLE}</style>", f"<defs>{HEAD}</defs>"]
    parts += [f'<rect width="{WIDTH}" height="{height}" fill="white"/>', *drawn(frames), "</svg>"]
    target.write_text("\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
