"""The page of what is in force: rule set with each value and its basis, calendar, catalogue, inhabitants, map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from hotline.contract.rulebook import rules, value_of
from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.naming import unit_name
from hotline.web.pages.value_words import GROUPS, label_of, written
from shared.events import Level, Urgency
from shared.policy.calendar import Calendar, calendar
from shared.policy.catalogue import To
from shared.policy.ruleset import RuleSet, ruleset, ruleset_tables

_LIMITS: Final = ("dispatch", "sign", "feedback", "ladder_step", "warnings", "supervision")
"""The values of a class, in the order of a life."""
_DAY: Final = timedelta(days=1)


class ValueInForce(NamedTuple):
    """One value of the rule set, in words, and its basis."""

    name: str
    label: str
    value: str
    standing: str
    source: str
    rule: str
    """The rule's id; empty where it has none."""
    note: str


class SubjectInForce(NamedTuple):
    """A subject: its class, and the unit that answers for it."""

    name: str
    urgency: str
    answers: str
    limit: str


class DaySpan(NamedTuple):
    """A span of days of the calendar, both ends included."""

    first: date
    last: date


async def in_force(ask: PageAsk) -> PageView:
    """All rules and data that new complaints are born under now."""
    rooms = ask.rooms
    known = ruleset(rooms.ruleset)
    days = calendar(rooms.calendar)
    today = ask.now.astimezone(ZoneInfo(known.timezone)).date()
    values = list(_values(ask, known))
    groups = {name: [one for one in values if _group(one.name) == name] for name in GROUPS}
    named = {one.rule for one in values if one.rule}
    count = rooms.inhabitants.at(today)
    values_shown: dict[str, Any] = {
        "rules": known,
        "standings": Counter(known.basis[one.name].standing for one in values),
        "limits": [(urgency, _of_class(values, urgency)) for urgency in Urgency],
        "limit_names": [(name, label_of(ask, f"classes.{Urgency.GENERAL_7D}.{name}")) for name in _LIMITS],
        "groups": {name: found for name, found in groups.items() if found},
        "book": [one for one in rules().values() if one.id in named],
        "days_known": days,
        "group_words": GROUPS,
        "others": _others(ask),
        "year": today.year,
        "off": list(_spans(day for day in days.off_days if day.year == today.year)),
        "worked": list(_spans(day for day in days.work_days if day.year == today.year)),
        "announced": _announced(days, today),
        "catalogue": rooms.catalogue,
        "levels": Counter(unit.level for unit in rooms.catalogue.units.values()),
        "level_order": list(reversed(Level)),
        "streets": sum(len(one.streets) for one in rooms.catalogue.districts.values()),
        "subjects": list(_subjects(ask, known)),
        "inhabitants": rooms.inhabitants,
        "count": count,
    }
    return PageView("in-force.html", values_shown)


def _values(ask: PageAsk, known: RuleSet) -> Iterator[ValueInForce]:
    tables = ruleset_tables(known.version)
    for name, basis in known.basis.items():
        yield ValueInForce(
            name=name,
            label=label_of(ask, name),
            value=written(ask, name, value_of(tables, name)),
            standing=ask.name("standing_of_value", basis.standing),
            source=basis.source,
            rule=basis.id if basis.id in rules() else "",
            note=basis.note,
        )


def _of_class(values: Iterable[ValueInForce], urgency: Urgency) -> dict[str, ValueInForce]:
    """The values of one class by the last part of their names."""
    begin = f"classes.{urgency}."
    return {one.name.removeprefix(begin): one for one in values if one.name.startswith(begin)}


def _group(name: str) -> str:
    first = name.partition(".")[0]
    return first if first in GROUPS or first == "classes" else ""


def _subjects(ask: PageAsk, known: RuleSet) -> Iterator[SubjectInForce]:
    tables = ruleset_tables(known.version)
    catalogue = ask.rooms.catalogue
    for name, subject in sorted(catalogue.subjects.items()):
        urgency = known.class_for(name)
        feedback = f"classes.{urgency}.feedback"
        yield SubjectInForce(
            name=name,
            urgency=ask.name("Urgency", urgency),
            answers=unit_name(catalogue, subject.unit or "")
            if subject.to is To.UNIT
            else ask.name("answers_for", subject.to),
            limit=written(ask, feedback, value_of(tables, feedback)) if feedback in known.basis else "",
        )


def _others(ask: PageAsk) -> list[str]:
    """The names of units that are neither a district's government nor a street or town."""
    known = ask.rooms.catalogue
    districts = known.districts.values()
    placed = {one.unit for one in districts} | {unit for one in districts for unit in one.streets.values()}
    return [told.name for unit, told in known.units.items() if unit not in placed]


def _spans(days: Iterable[date]) -> Iterator[DaySpan]:
    """Days on end as one span, in their order."""
    first = last = None
    for day in sorted(days):
        if last is not None and day - last == _DAY:
            last = day
            continue
        if first is not None and last is not None:
            yield DaySpan(first, last)
        first = last = day
    if first is not None and last is not None:
        yield DaySpan(first, last)


def _announced(days: Calendar, today: date) -> bool:
    """Whether the days of this year have been announced in this version."""
    return today.year in days.years
