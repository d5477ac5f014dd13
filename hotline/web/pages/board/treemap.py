"""All streets of a city at a glance, as SVG: a box each, by district, in the shade of its figure. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final, NamedTuple

from hotline.web.pages.board.boxes import Box, squarified
from hotline.web.pages.board.drawing import AreaMark, fitted, link, opened, text

FRAME: Final = Box(0.0, 0.0, 1200.0, 560.0)
HEADING: Final = 18.0
"""The height of a district's heading."""
GAP: Final = 2.0
"""Between districts."""
PAD: Final = 3.0
SIZE: Final = 11.0
"""Of the letters, in the drawing's units."""
LINE: Final = 13.0
CELL_HEIGHT_MIN: Final = 14.0
"""A lower box holds no text."""


class TreemapCell(NamedTuple):
    """A street or town."""

    key: str
    """Its unit: the box keeps its place in the page by it."""
    name: str
    weight: float
    mark: AreaMark


class TreemapGroup(NamedTuple):
    """A district."""

    key: str
    name: str
    mark: AreaMark
    cells: Sequence[TreemapCell]


def treemap_svg(groups: Sequence[TreemapGroup], label: str, frame: Box = FRAME) -> str:
    """The picture; `label`: what it shows, in words."""
    weights = [sum(cell.weight for cell in group.cells) for group in groups]
    parts = [opened("treemap", frame.width, frame.height, label)]
    for group, box in zip(groups, squarified(weights, frame), strict=True):
        if group.cells:
            parts += _group(group, box)
    return "".join([*parts, "</svg>"])


def _group(group: TreemapGroup, box: Box) -> Iterator[str]:
    yield "<g>"
    if heading := fitted(group.name, box.width - 2 * GAP, SIZE + 1):
        told = f"{heading} {group.mark.value}".strip()
        if fitted(told, box.width - 2 * GAP, SIZE + 1) != told:
            told = heading
        words = f'<text class="heading" x="{box.x + GAP + 1:.1f}" y="{box.y + HEADING - 5:.1f}">{escape(told)}</text>'
        title = f"<title>{escape(group.mark.title)}</title>"
        yield f'<a id="group-{escape(group.key)}" href="{escape(group.mark.href)}">{title}{words}</a>'
    inner = box.inner(top=HEADING, gap=GAP)
    for cell, place in zip(
        group.cells, squarified([cell.weight for cell in group.cells], inner), strict=True
    ):
        yield from _cell(cell, place)
    yield "</g>"


def _cell(cell: TreemapCell, box: Box) -> Iterator[str]:
    shape = f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    yield link(cell.mark, cell.name, f"street-{cell.key}", shape)
    if box.height < CELL_HEIGHT_MIN:
        return
    name = fitted(cell.name, box.width - 2 * PAD, SIZE)
    if name:
        yield text(box.x + PAD, box.y + LINE - 1, name, "cell", cell.mark)
    below = box.height >= CELL_HEIGHT_MIN + LINE
    value = cell.mark.value
    if name and value and below and fitted(value, box.width - 2 * PAD, SIZE) == value:
        yield text(box.x + PAD, box.y + 2 * LINE - 1, value, "cell figure", cell.mark)
