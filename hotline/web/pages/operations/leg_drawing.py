"""The histogram of a leg as SVG: a bar for each bucket, and lines at the quantiles. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

from hotline.web.pages.board.drawing import opened

BAR: Final = 10.0
"""The place of a bar: each bucket has the same, as each is about twice as long as the one before."""
BAR_WIDTH: Final = 8.0
HEIGHT: Final = 56.0
TOP: Final = 4.0
FOOT: Final = 15.0
"""For the words below."""
LOW: Final = 1.5
"""The lowest bar that can be seen."""


class LegBar(NamedTuple):
    """A bucket in words."""

    legs: int
    title: str
    """From when to when, and how many: it is read out, and shown over the bar."""
    mark: str
    """The word at its end, below the line; empty at most of them."""


def histogram_svg(bars: Sequence[LegBar], at: Sequence[float], label: str) -> str:
    """The picture; `at`: where quantiles lie, in bars from the left; `label`: what it shows, in words."""
    most = max((one.legs for one in bars), default=0) or 1
    floor = HEIGHT - FOOT
    width = BAR * len(bars)
    parts = [opened("leg-histogram", width, HEIGHT, label)]
    parts.append(f'<path class="edge" d="M0 {floor:.1f}H{width:.0f}"/>')
    for number, one in enumerate(bars):
        x = number * BAR
        if one.legs:
            tall = max((floor - TOP) * one.legs / most, LOW)
            parts.append(
                f'<rect x="{x + (BAR - BAR_WIDTH) / 2:.1f}" y="{floor - tall:.1f}" width="{BAR_WIDTH:.0f}" '
                f'height="{tall:.1f}"><title>{escape(one.title)}</title></rect>'
            )
        if one.mark:
            end = x + BAR
            parts.append(f'<path class="edge" d="M{end:.0f} {floor:.1f}v3"/>')
            parts.append(
                f'<text x="{end:.0f}" y="{HEIGHT - 2:.0f}" aria-hidden="true">{escape(one.mark)}</text>'
            )
    lines = [f'<path class="quantile" d="M{place * BAR:.1f} {TOP - 2:.0f}V{floor:.1f}"/>' for place in at]
    return "".join([*parts, *lines, "</svg>"])
