"""The legs of a life on the operations page: how long each took by the city's time, of all units or of one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from markupsafe import Markup

from hotline.readside.leg_edges import BUCKETS, bounds_of
from hotline.readside.leg_figures import (
    EVERY_UNIT,
    LegFigures,
    LegQuantile,
    LegSpan,
    leg_figures,
    since,
)
from hotline.readside.legs import Leg
from hotline.readside.standing import AsOf, as_of
from hotline.web.pages.asking import PageAsk
from hotline.web.pages.catalogues import N_
from hotline.web.pages.operations.leg_drawing import LegBar, histogram_svg
from hotline.web.pages.rendering import as_of_words, is_late
from hotline.web.pages.telling_time import Text, instant
from hotline.web.reading import lent
from shared.complaint import Stage
from shared.events.base import DeskName
from shared.runtime.errors import UserError
from shared.versions import RULESET

HALF, MOST = SHARES = (0.5, 0.95)
"""The quantiles that are shown."""
UNKNOWN: Final = "–"
MARKED: Final = (60.0, 3600.0, 86_400.0, 7 * 86_400.0, 30 * 86_400.0)
"""The edges that have a word below them, in seconds."""
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0

NAMES: Final = {
    Leg.ORDERED: N_("from receipt to the order"),
    Leg.SIGNED: N_("from the order to the signature"),
    Leg.ANSWERED: N_("from the signature to the answer"),
    Leg.VISITED: N_("from the answer to the visit"),
    Leg.CLOSED: N_("from the visit to the end"),
}
UNITS_OWN: Final = N_("the unit")
LIES_WITH: Final = {
    Leg.ORDERED: DeskName.DISPATCH,
    Leg.SIGNED: UNITS_OWN,
    Leg.ANSWERED: UNITS_OWN,
    Leg.VISITED: DeskName.FEEDBACK,
    Leg.CLOSED: DeskName.FEEDBACK,
}
"""A life is in hand of a desk of ours meanwhile, or of the unit."""
SPANS: Final = {
    LegSpan.HOUR: N_("last hour"),
    LegSpan.DAY: N_("last day"),
    LegSpan.WEEK: N_("last week"),
}


class LegChoice(NamedTuple):
    """The interval and the unit that a reader chose."""

    span: LegSpan
    unit: str
    """Empty: all units."""

    @property
    def query(self) -> str:
        """The same as the query of an address."""
        return urlencode({"span": self.span, **({"unit": self.unit} if self.unit else {})})


class LegLine(NamedTuple):
    """A line of the table."""

    leg: str
    name: str
    lies_with: str
    lives: str
    half: str
    most: str
    histogram: Markup
    slow: str
    """The address of those that are in this leg now, the earliest due first; empty where there is no such list."""


class UnitChoice(NamedTuple):
    """A unit that can be chosen."""

    unit: str
    name: str


def choice_of(ask: PageAsk) -> LegChoice:
    """The choice of the query; a day of all units where it says nothing that is known."""
    span, unit = ask.query("span"), ask.query("unit")
    return LegChoice(
        LegSpan(span) if span in set(LegSpan) else LegSpan.DAY,
        unit if unit in ask.rooms.catalogue.units else EVERY_UNIT,
    )


def units_of(ask: PageAsk) -> list[UnitChoice]:
    """All units of the catalogue, by their names."""
    units = [UnitChoice(unit, one.name) for unit, one in ask.rooms.catalogue.units.items()]
    return sorted(units, key=lambda one: one.name)


async def leg_values(ask: PageAsk, choice: LegChoice) -> dict[str, Any]:
    """The values that the part shows."""
    now = ask.now
    async with lent(ask.rooms.pool) as connection:
        figures = await leg_figures(connection, choice.unit, choice.span, now)
    return {
        "legs": [_line(ask, one, choice) for one in figures],
        "legs_since": instant(since(choice.span, now), RULESET, now),
    }


async def leg_stamp_values(ask: PageAsk) -> dict[str, Any]:
    """As of when the legs are: the projector makes them, and not the processes that the page asks."""
    async with lent(ask.rooms.pool) as connection:
        try:
            standing = await as_of(connection)
        except UserError:  # no projector has ever run: a page for trouble shows the rest
            standing = AsOf(0, timedelta(), going=True)
    return {"legs_as_of": as_of_words(ask.look, standing, ask.now), "legs_late": is_late(standing)}


def _line(ask: PageAsk, one: LegFigures, choice: LegChoice) -> LegLine:
    text = ask.text
    half, most = (one.quantile(share) for share in SHARES)
    name, lies_with = text(NAMES[one.leg]), LIES_WITH[one.leg]
    told = {"name": name, "lives": f"{one.lives:,}", "half": told_of(half, text), "most": told_of(most, text)}
    label = text(
        N_("How long it took %(name)s: %(lives)s lives, half within %(half)s, 95 of 100 within %(most)s")
    )
    bars = [_bar(number, legs, text) for number, legs in enumerate(one.buckets)]
    at = [_place(quantile) for quantile in (half, most) if quantile is not None]
    return LegLine(
        one.leg,
        name,
        ask.name("desk", lies_with) if isinstance(lies_with, DeskName) else text(lies_with),
        told["lives"],
        told["half"],
        told["most"],
        Markup(histogram_svg(bars, at, label % told)),  # noqa: S704 -- escaped where drawn
        _slow(one.leg, choice.unit),
    )


def _slow(leg: Leg, unit: str) -> str:
    """The list of those that are in this leg, the earliest due first."""
    stages = {Leg.SIGNED: Stage.AT_UNIT, Leg.ANSWERED: Stage.SIGNED}
    if leg in stages:
        return "/board/orders?" + urlencode({"stage": stages[leg], **({"unit": unit} if unit else {})})
    if unit:  # the lists of our own desks are of all units
        return ""
    if leg is Leg.ORDERED:
        return "/board/waiting/desks?" + urlencode({"role": Stage.TO_DISPATCH})
    return "/board/waiting/visits" if leg is Leg.VISITED else ""


def _bar(number: int, legs: int, text: Text) -> LegBar:
    begins, ends = bounds_of(number)
    told = {"from": duration(begins, text), "n": f"{legs:,}"}
    if ends is None:
        return LegBar(legs, text(N_("more than %(from)s: %(n)s")) % told, "")
    title = text(N_("%(from)s to %(to)s: %(n)s")) % {**told, "to": duration(ends, text)}
    return LegBar(legs, title, duration(ends, text) if ends in MARKED else "")


def _place(quantile: LegQuantile) -> float:
    """Where a quantile lies, in bars from the left."""
    for number in range(BUCKETS - 1):
        begins, ends = bounds_of(number)
        if ends is not None and quantile.seconds <= ends and not quantile.beyond:
            return number + (quantile.seconds - begins) / (ends - begins)
    return BUCKETS - 0.5


def told_of(quantile: LegQuantile | None, text: Text) -> str:
    """A quantile in words."""
    if quantile is None:
        return UNKNOWN
    said = duration(quantile.seconds, text)
    return f"> {said}" if quantile.beyond else said


def duration(seconds: float, text: Text) -> str:
    """A length of time in its largest unit, with a digit behind the point where that says more."""
    for size, word in ((_DAY, N_("%(n)s d")), (_HOUR, N_("%(n)s h")), (_MINUTE, N_("%(n)s min"))):
        if seconds >= size:
            number = seconds / size
            return text(word) % {"n": f"{number:.1f}".removesuffix(".0") if number < 10 else f"{number:.0f}"}  # noqa: PLR2004 -- ten
    return text(N_("%(n)s s")) % {"n": f"{seconds:.1f}".removesuffix(".0")}
