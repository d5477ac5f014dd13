"""A treemap's rectangles: areas in proportion, each as near to a square as can be. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle, in units of its drawing."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Its area."""
        return self.width * self.height

    def inner(self, *, top: float = 0.0, gap: float = 0.0) -> Box:
        """Its rest below a heading and within a margin."""
        return Box(
            self.x + gap,
            self.y + top,
            max(self.width - 2 * gap, 0.0),
            max(self.height - top - gap, 0.0),
        )


def squarified(weights: Sequence[float], frame: Box) -> list[Box]:
    """A box for each weight, in the order of the weights; together they fill the frame.

    The largest is laid first, among equals the one that is named first: the same weights give the same picture. A
    weight of nothing gets a box of nothing.
    """
    boxes = [Box(frame.x, frame.y, 0.0, 0.0)] * len(weights)
    order = sorted((n for n, weight in enumerate(weights) if weight > 0), key=lambda n: -weights[n])
    whole = sum(weights[n] for n in order)
    areas = [weights[n] / whole * frame.area for n in order]
    left, begin = frame, 0
    while begin < len(order) and left.area > 0:
        end = begin + _row_length(areas[begin:], min(left.width, left.height))
        row, left = _laid(areas[begin:end], left)
        for n, box in zip(order[begin:end], row, strict=True):
            boxes[n] = box
        begin = end
    return boxes


def _row_length(areas: Sequence[float], side: float) -> int:
    """How many of these, the largest first, make a row along this side: one more would make its boxes longer."""
    total, worst = 0.0, math.inf
    for length, area in enumerate(areas):
        total += area
        ratio = max(side**2 * areas[0] / total**2, total**2 / (side**2 * area))
        if ratio > worst:
            return length
        worst = ratio
    return len(areas)


def _laid(areas: Sequence[float], left: Box) -> tuple[list[Box], Box]:
    """A row of boxes along the shorter side, and the frame without it."""
    upright = left.width >= left.height
    side = left.height if upright else left.width
    thick = sum(areas) / side
    row: list[Box] = []
    at = 0.0
    for area in areas:
        length = area / thick
        row.append(
            Box(left.x, left.y + at, thick, length) if upright else Box(left.x + at, left.y, length, thick)
        )
        at += length
    if upright:
        return row, Box(left.x + thick, left.y, max(left.width - thick, 0.0), left.height)
    return row, Box(left.x, left.y + thick, left.width, max(left.height - thick, 0.0))
