"""How a time reads to a person: the city's own time, in one form everywhere. Pure.

Machines get RFC 3339 with its offset; that is `datetime.isoformat`. Texts get what stands here.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from shared.policy.ruleset import RuleSetUnknown, ruleset

_MINUTE: Final = "%Y-%m-%d %H:%M"
_SECOND: Final = "%Y-%m-%d %H:%M:%S"
_THIS_YEAR: Final = "%m-%d %H:%M"
_THIS_YEAR_SECOND: Final = "%m-%d %H:%M:%S"
_TODAY: Final = "%H:%M"
_TODAY_SECOND: Final = "%H:%M:%S"
_ZONES_KEPT: Final = 64
"""Rule sets whose zone is remembered."""


def in_zone(at: datetime, zone: tzinfo) -> datetime:
    """The same instant by a zone's clocks; as it is where the zone's year would be none that Python has."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at


@lru_cache(_ZONES_KEPT)
def zone_of(code: str | None) -> tzinfo:
    """The zone in which a rule set counts its days; UTC where there is none, or none of that code."""
    try:
        return UTC if code is None else ZoneInfo(ruleset(code).timezone)
    except RuleSetUnknown:
        return UTC


def shown(at: datetime, zone: tzinfo | None = None, *, seconds: bool = False) -> str:
    """An instant on a screen, as 2021-09-24 17:00; with seconds where they tell one row from the next.

    Without a zone it is told in its own.
    """
    local = at if zone is None else in_zone(at, zone)
    return local.strftime(_SECOND if seconds else _MINUTE)


def short(at: datetime, zone: tzinfo, *, seconds: bool = False) -> str:
    """The same without its year, for a place that names the year once for all."""
    return in_zone(at, zone).strftime(_THIS_YEAR_SECOND if seconds else _THIS_YEAR)


def time_of_day(at: datetime, zone: tzinfo, *, seconds: bool = False) -> str:
    """The same without its day, for a place that names the day."""
    return in_zone(at, zone).strftime(_TODAY_SECOND if seconds else _TODAY)


def shown_beside(at: datetime, beside: datetime, zone: tzinfo) -> str:
    """The same beside another instant: without its year where that is the other's too."""
    same = in_zone(at, zone).year == in_zone(beside, zone).year
    return short(at, zone) if same else shown(at, zone)


def stated(at: datetime, code: str) -> str:
    """An instant in the reason of a refusal: to the second, in the zone of the complaint's rule set."""
    return shown(at, zone_of(code), seconds=True)
