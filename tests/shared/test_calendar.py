"""Which days are worked: the State Council's notices, day by day, and what nobody can know yet."""

from datetime import date, datetime, timedelta
from importlib.resources import files

import chinese_calendar  # type: ignore[import-untyped]  # the package carries no types
import msgspec
import pytest

from shared.policy.calendar import CalendarInvalid, CalendarUnknown, YearUnpublished, calendar, parse_calendar

CN = calendar("cn-1")
TEXT = (files("shared") / "data" / "calendar" / "cn-1.json").read_text(encoding="utf-8")

# Domain §5.3, as printed there; the last column is its count of working days in the year.
MAKE_UP_DAYS = [
    (2019, "02-02 02-03 04-28 05-05 09-29 10-12", 250),
    (2020, "01-19 04-26 05-09 06-28 09-27 10-10", 249),
    (2021, "02-07 02-20 04-25 05-08 09-18 09-26 10-09", 250),
    (2022, "01-29 01-30 04-02 04-24 05-07 10-08 10-09", 249),
    (2023, "01-28 01-29 04-23 05-06 06-25 10-07 10-08", 249),
    (2024, "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12", 251),
    (2025, "01-26 02-08 04-27 09-28 10-11", 248),
    (2026, "01-04 02-14 02-28 05-09 09-20 10-10", 248),
]


def days_of(year: int) -> list[date]:
    return [
        date(year, 1, 1) + timedelta(days=n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)
    ]


@pytest.mark.parametrize("year", range(2018, 2027))
def test_every_day_of_an_announced_year_agrees_with_the_second_opinion(year: int) -> None:
    """J1: compared with the package the data was made from, 2018 to 2026."""
    assert [day for day in days_of(year) if CN.is_workday(day) != chinese_calendar.is_workday(day)] == []


def test_the_listed_days_are_those_of_the_second_opinion() -> None:
    """J1: also the weekends that a notice lists as off, which no count would show."""
    announced = range(2018, 2027)
    assert {day for day in chinese_calendar.holidays if day.year in announced} == CN.off_days
    assert {day for day in chinese_calendar.workdays if day.year in announced} == CN.work_days


@pytest.mark.parametrize(("year", "make_up_days", "_workdays"), MAKE_UP_DAYS)
def test_each_make_up_day_is_worked_although_it_is_a_weekend(
    year: int, make_up_days: str, _workdays: int
) -> None:
    """T16, §5.3: all of them and no others."""
    worked_weekends = [day for day in days_of(year) if day.weekday() >= 5 and CN.is_workday(day)]
    assert worked_weekends == [date.fromisoformat(f"{year}-{day}") for day in make_up_days.split()]


@pytest.mark.parametrize(("year", "_make_up_days", "workdays"), MAKE_UP_DAYS)
def test_a_year_has_as_many_working_days_as_its_notices_leave(
    year: int, _make_up_days: str, workdays: int
) -> None:
    """J1, §5.3: the counts in brackets."""
    assert sum(map(CN.is_workday, days_of(year))) == workdays


def test_a_day_listed_in_the_notice_for_another_year_is_found() -> None:
    """T17: 2018-12-29 to 31 stand in the notice for 2019."""
    assert CN.is_workday(date(2018, 12, 29))
    assert not CN.is_workday(date(2018, 12, 31))


def test_a_listed_day_is_known_although_its_own_year_is_not_announced() -> None:
    """T17: the notice for 2019 settles a Saturday and a Monday of 2018, but not the Friday before."""
    written = msgspec.json.decode(TEXT)
    written["years"] = {"2019": written["years"]["2019"]}
    only_2019 = parse_calendar("cn-1", msgspec.json.encode(written))
    assert only_2019.is_workday(date(2018, 12, 29))
    assert not only_2019.is_workday(date(2018, 12, 31))
    with pytest.raises(YearUnpublished):
        only_2019.is_workday(date(2018, 12, 28))


def test_the_prolonged_spring_festival_of_2020_is_in() -> None:
    """T8, §5.3: by the notice of 2020-01-27 Saturday 02-01 is off again and work begins on 02-03."""
    assert not CN.is_workday(date(2020, 2, 1))
    assert not CN.is_workday(date(2020, 1, 31))
    assert CN.is_workday(date(2020, 2, 3))


def test_an_amended_calendar_is_another_version_and_gives_another_day() -> None:
    """T8, §5.4: 2020-01-22 + 7 working days, before and after the notice of 2020-01-27."""
    written = msgspec.json.decode(TEXT.replace("2020-01-24/2020-02-02", "2020-01-24/2020-01-30"))
    written["years"]["2020"]["work"].append("2020-02-01")
    written["version"] = "cn-before"
    before = parse_calendar("cn-before", msgspec.json.encode(written))
    assert before.after_workdays(date(2020, 1, 22), 7) == (date(2020, 2, 6), False)
    assert CN.after_workdays(date(2020, 1, 22), 7) == (date(2020, 2, 10), False)


@pytest.mark.parametrize("day", [date(2027, 1, 4), date(2027, 10, 1), date(2017, 12, 29)])
def test_whether_a_day_of_an_unannounced_year_is_worked_is_not_guessed(day: date) -> None:
    """T16: neither a plain Monday nor a holiday of 2027, nor a day before the first notice."""
    with pytest.raises(YearUnpublished, match=rf"cn-1 cannot say whether {day} is worked.*{day.year}"):
        CN.is_workday(day)


def test_a_count_into_an_unannounced_year_says_that_it_is_provisional() -> None:
    """T16: from the last but one working day of 2026 the first step is sure, the second is not."""
    assert CN.after_workdays(date(2026, 12, 30), 1) == (date(2026, 12, 31), False)
    assert CN.after_workdays(date(2026, 12, 30), 2) == (date(2027, 1, 1), True)


def test_a_count_that_passes_through_an_unannounced_year_stays_provisional() -> None:
    """T16: 2017 is unknown, the day it ends on is not."""
    assert CN.after_workdays(date(2017, 12, 28), 2) == (date(2018, 1, 2), True)
    assert CN.after_workdays(date(2017, 12, 31), 1) == (date(2018, 1, 2), False)


@pytest.mark.parametrize(
    ("day", "moved_to", "provisional"),
    [
        (date(2021, 10, 1), date(2021, 10, 8), False),  # National Day, seven days
        (date(2021, 10, 9), date(2021, 10, 9), False),  # a make-up Saturday is worked
        (date(2021, 9, 25), date(2021, 9, 26), False),  # a Saturday before a make-up Sunday
        (date(2027, 1, 4), date(2027, 1, 4), True),  # a Monday, for all we know
        (date(2027, 1, 2), date(2027, 1, 4), True),
    ],
)
def test_a_day_not_worked_rolls_to_the_next_one_that_is(day: date, moved_to: date, provisional: bool) -> None:
    """T16, §5.2 `roll_if_holiday`."""
    assert CN.rolled(day) == (moved_to, provisional)


def test_a_time_is_not_taken_for_a_day() -> None:
    """A datetime is a date to Python and equals none: every holiday would silently be a working day."""
    with pytest.raises(TypeError, match="give the local date"):
        CN.is_workday(datetime(2021, 10, 1))


def test_an_unknown_version_is_named_together_with_the_known_ones() -> None:
    """J1: a complaint pinned to a calendar that is gone must not get another one."""
    with pytest.raises(CalendarUnknown, match=r"no calendar 'cn-0'; known: cn-1, cn-2020-01-26"):
        calendar("cn-0")


def test_a_version_is_loaded_once() -> None:
    """J1: deadlines cache by the calendar's identity."""
    assert calendar("cn-1") is CN


@pytest.mark.parametrize(
    ("good", "bad", "complaint"),
    [
        ('"version": "cn-1"', '"version": "cn-2"', "version says 'cn-2'"),
        ('"work": ["2018-02-11"', '"work": ["2018-02-15"', "2018-02-15 is listed both as off and as work"),
        ('"2018-02-15/2018-02-21"', '"2018-02-21/2018-02-15"', "ends before it begins"),
        ('"2018-02-11"', '"2018-02-31"', "day is out of range"),
        ('"notices": ["2017-11-30"]', '"notices": ["soon"]', "notices"),
        ('"work"', '"worked"', "unknown field `worked`"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(good: str, bad: str, complaint: str) -> None:
    """J1: the message names the version and what is wrong."""
    with pytest.raises(CalendarInvalid, match=rf"calendar cn-1: .*{complaint}"):
        parse_calendar("cn-1", TEXT.replace(good, bad, 1))


def test_the_file_names_its_source_its_licence_and_the_dates_of_its_notices() -> None:
    """J1: two years were amended, so they have two notices."""
    written = msgspec.json.decode(TEXT)
    assert "chinesecalendar 1.11.0, MIT" in written["source"]
    assert "Permission is hereby granted" in written["licence"]
    notices = {int(year): entry["notices"] for year, entry in written["years"].items()}
    assert sorted(notices) == list(range(2018, 2027))
    assert notices[2019] == ["2018-12-06", "2019-03-22"]
    assert notices[2020] == ["2019-11-21", "2020-01-27"]
