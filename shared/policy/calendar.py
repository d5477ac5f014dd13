"""Working days as the State Council announced them; a day that is not announced is never guessed silently.

A day is listed off, listed as a make-up working day, or follows its weekday (J1). The notice for a year comes
late in the year before. So a count that touches an unannounced year guesses by weekdays and is marked
`provisional` (T16).
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

import msgspec

from shared.policy.flaws import Flaw, first_of
from shared.policy.own_versions import CALENDARS, own_text, own_versions
from shared.text import shown

_FOLDER: Final = files("shared") / "data" / "calendar"
_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


class CalendarUnknown(LookupError):  # noqa: N818 -- reads as the sentence it reports
    """There is no calendar of that version; the message names those that are."""


class CalendarInvalid(ValueError):  # noqa: N818 -- reads as the sentence it reports
    """A calendar's data cannot be right; the message names the version and the field."""


class YearUnpublished(LookupError):  # noqa: N818 -- reads as the sentence it reports
    """Whether that day is worked has not been announced in this version of the calendar."""


class Reached(NamedTuple):
    """The day a count arrived at; provisional if it went through a year not yet announced."""

    day: date
    provisional: bool


# Compared and hashed by identity: the loader makes one of each version, and deadlines cache by it.
class Calendar(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Which days are worked, in one version of the announcements."""

    version: str
    years: frozenset[int]
    """The years announced in full."""
    off_days: frozenset[date]
    work_days: frozenset[date]

    def is_workday(self, day: date) -> bool:
        """Say whether the day is worked; `YearUnpublished` where nobody can know yet."""
        if not self._is_published(day):
            raise YearUnpublished(
                f"calendar {self.version} cannot say whether {day} is worked: it does not know {day.year}"
            )
        return self._is_worked(day)

    def after_workdays(self, start: date, days: int) -> Reached:
        """Count that many working days, the start day not counted; 0 days is the start day itself."""
        day, provisional = start, False
        while days > 0:
            day += _DAY
            provisional = provisional or not self._is_published(day)
            days -= self._is_worked(day)
        return Reached(day, provisional)

    def rolled(self, day: date) -> Reached:
        """Move a day that is not worked to the next one that is; a worked day stays."""
        provisional = not self._is_published(day)
        while not self._is_worked(day):
            day += _DAY
            provisional = provisional or not self._is_published(day)
        return Reached(day, provisional)

    def _is_published(self, day: date) -> bool:
        # A notice may list days of the year before (T17: 2018-12-29 stands in the one for 2019). So a listed day is
        # known even where its own year is not.
        return day.year in self.years or day in self.off_days or day in self.work_days

    def _is_worked(self, day: date) -> bool:
        if isinstance(day, datetime):
            raise TypeError(f"a calendar knows days, not times: give the local date of {day}")
        if day in self.work_days:
            return True
        return day.weekday() < _SATURDAY and day not in self.off_days


@cache
def calendar(version: str) -> Calendar:
    """Give the calendar of that version, packaged or the city's own; the same object each time."""
    if version in packaged():
        return parse_calendar(version, (_FOLDER / f"{version}.json").read_bytes())
    if version in (own := own_versions(CALENDARS)):
        return parse_calendar(version, own_text(CALENDARS, version))
    raise CalendarUnknown(f"there is no calendar '{version}'; known: {', '.join((*packaged(), *own))}")


def packaged() -> tuple[str, ...]:
    """The versions that ship with the project."""
    return tuple(sorted(entry.name.removesuffix(".json") for entry in _FOLDER.iterdir()))


def parse_calendar(version: str, text: bytes | str) -> Calendar:
    """Read a calendar file; `CalendarInvalid` names the version and what is wrong."""
    try:
        written = msgspec.json.decode(text, type=WrittenCalendar)
    except ValueError as error:
        raise CalendarInvalid(f"calendar {version}: {error}") from error
    if (flaw := first_of(flaws(version, written))) is not None:
        raise CalendarInvalid(f"calendar {version}: {flaw.sentence}")
    return Calendar(
        version=version,
        years=frozenset(written.years),
        off_days=_all_days(span for year in written.years.values() for span in year.off),
        work_days=_all_days(span for year in written.years.values() for span in year.work),
    )


class WrittenYear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The days that the notices of one year list; `a/b` is a span, both ends included."""

    notices: list[date]
    off: list[str]
    work: list[str]


class WrittenCalendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    version: str
    about: str
    source: str
    licence: str
    years: dict[int, WrittenYear]


def flaws(version: str, written: WrittenCalendar) -> Iterator[Flaw]:
    """All that cannot be in a calendar whose shape is right."""
    if written.version != version:
        yield Flaw(("version",), f"version says '{shown(written.version)}', expected '{version}'")
    told: dict[date, str] = {}
    for year, listed in written.years.items():
        for kind, spans in (("off", listed.off), ("work", listed.work)):
            for place, span in enumerate(spans):
                at = ("years", str(year), kind, place)
                try:
                    days = list(_days_of(span))
                except ValueError as error:
                    yield Flaw(at, f"'{shown(span)}' is no day and no span of days: {error}")
                    continue
                if far := [day for day in days if abs(day.year - year) > 1]:
                    yield Flaw(at, f"{far[0]} is no day that a notice for {year} lists")
                if both := [day for day in days if told.setdefault(day, kind) != kind]:
                    yield Flaw(at, f"{min(both)} is listed both as off and as work")


def _all_days(spans: Iterable[str]) -> frozenset[date]:
    return frozenset(day for span in spans for day in _days_of(span))


def _days_of(span: str) -> Iterator[date]:
    """Each day of `2021-02-11/2021-02-17`, both ends included, or of a single `2021-01-01`."""
    first, _, last = span.partition("/")
    day, end = date.fromisoformat(first), date.fromisoformat(last or first)
    if end < day:
        raise ValueError(f"span {span} ends before it begins")
    while day <= end:
        yield day
        day += _DAY
