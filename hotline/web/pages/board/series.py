"""Figures over time as SVG: a rate beside the line it must not fall below, and calls by the hour. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

from hotline.web.pages.board.drawing import opened

WIDTH: Final = 320.0
HEIGHT: Final = 84.0
RIGHT: Final = 34.0
"""Kept free for the words at the ends of lines."""
TOP: Final = 6.0
FLOOR_STEP: Final = 0.05
"""The lowest rate shown is a multiple of it."""
FLOOR_MAX: Final = 0.90
"""A picture that begins at 94 % makes a cliff of every call."""
BARS_WIDTH: Final = 960.0
BARS_HEIGHT: Final = 200.0
BARS_LEFT: Final = 44.0
BARS_FOOT: Final = 20.0
BAR_SHARE: Final = 0.78
"""The width of a bar, of the place it has."""
HOUR_WORDS: Final = 3
"""An hour's name stands below every third bar."""


class RatePoint(NamedTuple):
    """A rate at an instant; None where there was nothing to measure."""

    rate: float | None


class HourBar(NamedTuple):
    """The calls of an hour."""

    name: str
    """As it stands below the bar: 09:00."""
    title: str
    """All its figures in a sentence."""
    offered: int
    answered: int
    within: int


def rate_svg(points: Sequence[RatePoint], limit: float, label: str, width: float = WIDTH) -> str:
    """A rate over time, with the line at `limit`; `label`: what it shows, in words."""
    told = [point.rate for point in points if point.rate is not None]
    floor = _floor([*told, limit])

    def y(rate: float) -> float:
        return TOP + (1 - (rate - floor) / (1 - floor)) * (HEIGHT - 2 * TOP)

    end = width - RIGHT
    across = end / max(len(points) - 1, 1)
    parts = [opened("rate-line", width, HEIGHT, label)]
    for kind, rate in (("edge", 1.0), ("limit", limit), ("edge", floor)):
        parts.append(f'<path class="{kind}" d="M0 {y(rate):.1f}H{end:.0f}"/>')
        parts.append(
            f'<text class="{kind}" x="{end + 4:.0f}" y="{y(rate) + 4:.1f}" aria-hidden="true">{rate:.0%}</text>'
        )
    path, pen = [], "M"
    for number, point in enumerate(points):
        if point.rate is None:
            pen = "M"
            continue
        path.append(f"{pen}{number * across:.1f} {y(point.rate):.1f}")
        pen = "L"
    if path:
        parts.append(f'<path class="line" d="{"".join(path)}"/>')
    return "".join([*parts, "</svg>"])


def _floor(rates: Sequence[float]) -> float:
    lowest = math.floor(min(rates) / FLOOR_STEP) * FLOOR_STEP
    return max(min(lowest, FLOOR_MAX), 0.0)


def bars_svg(hours: Sequence[HourBar], label: str) -> str:
    """Calls by the hour: offered, and in front of that answered, and answered in time."""
    most = _round_up(max((hour.offered for hour in hours), default=0))
    high = BARS_HEIGHT - BARS_FOOT - TOP
    place = (BARS_WIDTH - BARS_LEFT) / max(len(hours), 1)
    parts = [opened("bars", BARS_WIDTH, BARS_HEIGHT, label)]
    for share in (0.0, 0.5, 1.0):
        at, amount = TOP + high * (1 - share), f"{most * share:,.0f}"
        parts.append(f'<path class="edge" d="M{BARS_LEFT:.0f} {at:.1f}H{BARS_WIDTH:.0f}"/>')
        beside = f'x="{BARS_LEFT - 6:.0f}" y="{at + 4:.1f}" aria-hidden="true"'
        parts.append(f'<text class="amount" {beside}>{amount}</text>')
    for number, hour in enumerate(hours):
        x = BARS_LEFT + number * place
        parts.append(f'<g class="hour"><title>{escape(hour.title)}</title>')
        for kind, calls in (("offered", hour.offered), ("answered", hour.answered), ("within", hour.within)):
            tall = high * calls / most
            parts.append(
                f'<rect class="{kind}" x="{x + place * (1 - BAR_SHARE) / 2:.1f}" y="{TOP + high - tall:.1f}" '
                f'width="{place * BAR_SHARE:.1f}" height="{tall:.1f}"/>'
            )
        parts.append("</g>")
        if number % HOUR_WORDS == 0:
            foot = f'x="{x + place / 2:.1f}" y="{BARS_HEIGHT - 5:.0f}" aria-hidden="true"'
            parts.append(f'<text class="hour-name" {foot}>{escape(hour.name)}</text>')
    return "".join([*parts, "</svg>"])


def _round_up(number: int) -> int:
    """The next number of one digit and noughts, at least 10: the top of a scale."""
    if number <= 10:  # noqa: PLR2004 -- ten
        return 10
    unit = int(10 ** (len(str(number)) - 1))
    return -(-number // unit) * unit
