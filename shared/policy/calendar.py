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

_FOLDER: Final = files("shared") / "data" / "calendar"
_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


class CalendarUnknown(LookupError):  # noqa: N818 -- reads as the sentence it reports
    """No calendar of that version is packaged; the message names those that are."""


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
    """Give the packaged calendar of that version; the same object each time."""
    known = sorted(entry.name.removesuffix(".json") for entry in _FOLDER.iterdir())
    if version not in known:
        raise CalendarUnknown(f"there is no calendar '{version}'; known: {', '.join(known)}")
    return parse_calendar(version, (_FOLDER / f"{version}.json").read_bytes())


def parse_calendar(version: str, text: bytes | str) -> Calendar:
    """Read a calendar file; `CalendarInvalid` names the version and what is wrong."""
    try:
        written = msgspec.json.decode(text, type=_Written)
        off_days = _all_days(span for year in written.years.values() for span in year.off)
        work_days = _all_days(span for year in written.years.values() for span in year.work)
    except ValueError as error:
        raise CalendarInvalid(f"calendar {version}: {error}") from error
    if written.version != version:
        raise CalendarInvalid(f"calendar {version}: version says '{written.version}'")
    if both := off_days & work_days:
        raise CalendarInvalid(f"calendar {version}: {min(both)} is listed both as off and as work")
    return Calendar(version=version, years=frozenset(written.years), off_days=off_days, work_days=work_days)


class _Year(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    notices: list[date]
    off: list[str]
    work: list[str]


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    about: str
    source: str
    licence: str
    years: dict[int, _Year]


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
