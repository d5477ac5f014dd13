"""Times as a reader of a page sees them: the instant, and how long it is until then. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from hotline.web.pages.catalogues import N_
from shared.times import in_zone, shown_beside, time_of_day, zone_of
from shared.versions import RULESET

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
Text = Callable[[str], str]


class HasLimit(Protocol):
    """Anything with a limit: a row of a list."""

    @property
    def due_at(self) -> datetime:
        """Until when somebody must act."""

    @property
    def ruleset(self) -> str:
        """The rule set in whose zone it counts."""


class DueWord(NamedTuple):
    """A limit in a word and a shape: colour alone says nothing."""

    state: str
    """late, today or later; the style goes by it."""
    shape: str
    word: str
    at: str
    """The instant itself."""


def due(text: Text, one: HasLimit, now: datetime) -> DueWord:
    """The word for a limit."""
    zone = zone_of(one.ruleset)
    local, here = in_zone(one.due_at, zone), in_zone(now, zone)
    left = (one.due_at - now).total_seconds()
    at = instant(one.due_at, one.ruleset, now)
    if left < 0:
        return DueWord("late", "▲", text(N_("%(span)s over")) % {"span": span(text, -left)}, at)
    if local.date() == here.date():
        return DueWord("today", "◆", text(N_("today %(time)s")) % {"time": time_of_day(one.due_at, zone)}, at)
    return DueWord("later", "○", text(N_("in %(span)s")) % {"span": span(text, left)}, at)


def span(text: Text, seconds: float) -> str:
    """A length of time in its largest unit."""
    if seconds < _HOUR:
        return text(N_("%(n)s min")) % {"n": int(seconds // _MINUTE)}
    if seconds < 2 * _DAY:
        return text(N_("%(n)s h")) % {"n": int(seconds // _HOUR)}
    return text(N_("%(n)s d")) % {"n": int(seconds // _DAY)}


def instant(at: datetime, ruleset: str, now: datetime) -> str:
    """An instant in the complaint's zone; the year stands there where it is another one than now."""
    return shown_beside(at, now, zone_of(ruleset))


def clock(at: datetime) -> str:
    """The time of day in the city, to the second."""
    return time_of_day(at, zone_of(RULESET), seconds=True)
