"""When a limit ends: the reference's vectors, midnight, year ends, clock changes, and what holds always."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policy.calendar import calendar
from shared.policy.deadlines import Due, due_at
from shared.policy.limits import DayKind, Days, Limit
from shared.policy.ruleset import RuleSet, ruleset

CN = calendar("cn-1")
SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
NATURAL = ruleset("beijing-draft-2021")
WORKING = msgspec.structs.replace(NATURAL, day_kind=DayKind.WORKING)
ROLLING = msgspec.structs.replace(NATURAL, roll_if_holiday=True)
BOSTON = ruleset("boston-311-2011")

# Domain §5.4: start, then the last day of +7 natural, +15 natural, +7 working, +15 working.
VECTORS = [
    ("2021-02-05", "2021-02-12", "2021-02-20", "2021-02-20", "2021-03-03"),
    ("2021-09-24", "2021-10-01", "2021-10-09", "2021-10-09", "2021-10-20"),
    ("2021-12-28", "2022-01-04", "2022-01-12", "2022-01-07", "2022-01-19"),
    ("2022-01-28", "2022-02-04", "2022-02-12", "2022-02-11", "2022-02-23"),
    ("2022-09-29", "2022-10-06", "2022-10-14", "2022-10-13", "2022-10-25"),
    ("2024-02-08", "2024-02-15", "2024-02-23", "2024-02-23", "2024-03-06"),
    ("2025-09-26", "2025-10-03", "2025-10-11", "2025-10-13", "2025-10-23"),
    ("2026-02-13", "2026-02-20", "2026-02-28", "2026-03-02", "2026-03-12"),
]


def end_of(day: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    """Give the last instant of a local day, without the code under test."""
    midnight = datetime.fromisoformat(day).replace(tzinfo=zone) + timedelta(days=1)
    return midnight.astimezone(UTC) - timedelta(microseconds=1)


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize("clock", ["00:00:00", "10:30:00", "23:59:59"])
@pytest.mark.parametrize(("start", "natural_7", "natural_15", "working_7", "working_15"), VECTORS)
def test_the_limit_ends_with_the_day_the_reference_names(
    start: str, natural_7: str, natural_15: str, working_7: str, working_15: str, clock: str
) -> None:
    """C2, C3, C4, T16: all four columns of §5.4, at whatever hour the start day began the limit."""
    began = at(f"{start}T{clock}")
    assert due_at(began, Days(7), NATURAL, CN) == Due(end_of(natural_7), provisional=False)
    assert due_at(began, Days(15), NATURAL, CN) == Due(end_of(natural_15), provisional=False)
    assert due_at(began, Days(7), WORKING, CN) == Due(end_of(working_7), provisional=False)
    assert due_at(began, Days(15), WORKING, CN) == Due(end_of(working_15), provisional=False)


def test_one_second_around_midnight_is_a_day_of_difference() -> None:
    """T15: dispatched 2021-09-24T23:59:59+08:00, which is 15:59:59Z, and one second later."""
    before = due_at(datetime(2021, 9, 24, 15, 59, 59, tzinfo=UTC), Days(7), NATURAL, CN)
    after = due_at(datetime(2021, 9, 24, 16, 0, 0, tzinfo=UTC), Days(7), NATURAL, CN)
    assert before.at == datetime(2021, 10, 1, 15, 59, 59, 999999, tzinfo=UTC)
    assert after.at - before.at == timedelta(days=1)


def test_the_last_instant_of_the_last_day_is_in_time_and_midnight_is_not() -> None:
    """T15, C3: day n ends 24:00, exclusive; in time if and only if t <= at."""
    due = due_at(at("2021-09-24T10:00:00"), Days(7), NATURAL, CN)
    assert at("2021-10-01T23:59:59.999999") <= due.at
    assert not at("2021-10-02T00:00:00") <= due.at


@pytest.mark.parametrize(("hours", "due"), [(2, "2021-09-25T01:59:59"), (24, "2021-09-25T23:59:59")])
def test_a_limit_in_hours_is_exact_and_its_last_instant_counts(hours: int, due: str) -> None:
    """C2, T15: t + 2 h and t + 24 h, over midnight too."""
    assert due_at(at("2021-09-24T23:59:59"), timedelta(hours=hours), NATURAL, CN) == Due(
        at(due), provisional=False
    )


def test_a_limit_in_hours_takes_no_notice_of_holidays() -> None:
    """C2: neither working days nor a roll touch an exact limit."""
    for rules in (NATURAL, WORKING, ROLLING):
        assert due_at(at("2021-10-01T08:00:00"), timedelta(hours=24), rules, CN).at == at(
            "2021-10-02T08:00:00"
        )


def test_a_limit_runs_over_the_end_of_the_year() -> None:
    """T16: also over a 29th of February."""
    assert due_at(at("2021-12-31T23:59:59"), Days(1), NATURAL, CN).at == end_of("2022-01-01")
    assert due_at(at("2021-12-31T23:30:00"), timedelta(hours=2), NATURAL, CN).at == at("2022-01-01T01:30:00")
    assert due_at(at("2021-12-31T12:00:00"), Days(1), WORKING, CN).at == end_of("2022-01-04")
    assert due_at(at("2024-02-28T12:00:00"), Days(1), NATURAL, CN).at == end_of("2024-02-29")


def test_a_make_up_day_in_another_years_notice_is_counted() -> None:
    """T17: Saturday 2018-12-29 is worked, the Monday after it is not."""
    assert due_at(at("2018-12-28T12:00:00"), Days(1), WORKING, CN).at == end_of("2018-12-29")
    assert due_at(at("2018-12-28T12:00:00"), Days(2), WORKING, CN).at == end_of("2019-01-02")


def test_a_working_day_limit_into_an_unannounced_year_is_provisional() -> None:
    """T16: 2027 is not published; a count within 2026 is sure."""
    assert not due_at(at("2026-12-24T12:00:00"), Days(5), WORKING, CN).provisional
    assert due_at(at("2026-12-24T12:00:00"), Days(6), WORKING, CN) == Due(
        end_of("2027-01-01"), provisional=True
    )


def test_a_natural_day_limit_into_an_unannounced_year_is_sure_unless_it_may_roll() -> None:
    """T16: no calendar is asked for natural days, so nothing in them is provisional."""
    start = at("2026-12-28T12:00:00")
    assert due_at(start, Days(7), NATURAL, CN) == Due(end_of("2027-01-04"), provisional=False)
    assert due_at(start, Days(7), ROLLING, CN) == Due(end_of("2027-01-04"), provisional=True)


def test_a_last_day_that_is_not_worked_moves_only_where_the_rule_set_says_so() -> None:
    """§5.2 `roll_if_holiday`: 2021-10-01 rolls over the holiday; the make-up Saturday 10-09 stays."""
    start = at("2021-09-24T12:00:00")
    assert due_at(start, Days(7), ROLLING, CN).at == end_of("2021-10-08")
    assert due_at(start, Days(15), ROLLING, CN).at == end_of("2021-10-09")
    assert due_at(start, Days(7), NATURAL, CN).at == end_of("2021-10-01")


def test_an_exact_limit_over_the_night_the_clocks_go_back_is_not_an_hour_long_or_short() -> None:
    """C3 elsewhere: New York, 2011-11-06, 02:00 becomes 01:00; real hours pass."""
    due = due_at(at("2011-11-06T00:30:00", NEW_YORK), timedelta(hours=2), BOSTON, CN)
    assert due.at == datetime(2011, 11, 6, 6, 30, tzinfo=UTC)
    assert due.at.astimezone(NEW_YORK).replace(tzinfo=None) == datetime(2011, 11, 6, 1, 30)


@pytest.mark.parametrize(
    ("start", "last_midnight_utc"),
    [
        ("2011-11-04T12:00:00", datetime(2011, 11, 6, 4, tzinfo=UTC)),  # ends before the change, UTC-4
        ("2011-11-05T12:00:00", datetime(2011, 11, 7, 5, tzinfo=UTC)),  # ends with the day of 25 hours, UTC-5
        ("2012-03-09T12:00:00", datetime(2012, 3, 11, 5, tzinfo=UTC)),  # ends before the change, UTC-5
        ("2012-03-10T12:00:00", datetime(2012, 3, 12, 4, tzinfo=UTC)),  # ends with the day of 23 hours, UTC-4
    ],
)
def test_a_day_ends_at_its_own_midnight_whatever_the_clocks_did_in_it(
    start: str, last_midnight_utc: datetime
) -> None:
    """C3 elsewhere: New York, both changes."""
    due = due_at(at(start, NEW_YORK), Days(1), BOSTON, CN)
    assert due.at == last_midnight_utc - timedelta(microseconds=1)


def test_a_naive_start_is_refused() -> None:
    """C3: without a zone nobody knows which day it is."""
    with pytest.raises(ValueError, match="2021-09-24T10:00:00 has no time zone"):
        due_at(datetime(2021, 9, 24, 10), Days(7), NATURAL, CN)
    with pytest.raises(ValueError, match="needs an aware start"):
        due_at(datetime(2021, 9, 24, 10), timedelta(hours=2), NATURAL, CN)


@pytest.mark.parametrize("limit", [Days(7), timedelta(hours=24)])
@pytest.mark.parametrize("rules", [NATURAL, WORKING])
def test_a_start_at_the_end_of_all_years_is_refused_clearly(limit: Limit, rules: RuleSet) -> None:
    """A clock far in the future must not surface as an overflow deep in a desk."""
    with pytest.raises(ValueError, match="ends after the year 9999"):
        due_at(datetime(9999, 12, 31, 23, tzinfo=UTC), limit, rules, CN)


def test_two_rule_sets_on_the_same_start_do_not_share_an_answer() -> None:
    """T23: the answer is remembered by rule set, so an old complaint keeps its own."""
    start = at("2021-09-24T12:00:00")
    answers = {due_at(start, Days(7), rules, CN).at for rules in (NATURAL, WORKING, ROLLING, BOSTON)}
    assert len(answers) == 4


STARTS = st.datetimes(
    datetime(2018, 1, 1), datetime(2028, 12, 31), timezones=st.sampled_from([UTC, SHANGHAI, NEW_YORK])
)
DAYS = st.builds(Days, st.integers(1, 40))
EXACT = st.timedeltas(timedelta(0), timedelta(days=40))
RULES = st.sampled_from([NATURAL, WORKING, ROLLING, BOSTON])


@given(STARTS, DAYS | EXACT, RULES)
def test_a_limit_never_ends_before_it_starts(start: datetime, limit: Limit, rules: RuleSet) -> None:
    """C3."""
    assert due_at(start, limit, rules, CN).at.timestamp() >= start.timestamp()


@given(STARTS, st.timedeltas(timedelta(0), timedelta(days=3)), DAYS | EXACT, RULES)
def test_a_later_start_never_ends_earlier(
    start: datetime, later: timedelta, limit: Limit, rules: RuleSet
) -> None:
    """C3, T15: monotone in the start, over midnights and clock changes."""
    first = start.astimezone(UTC)
    assert due_at(first, limit, rules, CN).at <= due_at(first + later, limit, rules, CN).at


@given(STARTS, st.lists(DAYS, min_size=2, max_size=2), RULES)
def test_more_days_never_end_earlier(start: datetime, limits: list[Days], rules: RuleSet) -> None:
    """C2."""
    fewer, more = sorted(limits, key=lambda limit: limit.n)
    assert due_at(start, fewer, rules, CN).at <= due_at(start, more, rules, CN).at


@given(STARTS, st.lists(EXACT, min_size=2, max_size=2), RULES)
def test_a_longer_exact_limit_never_ends_earlier(
    start: datetime, limits: list[timedelta], rules: RuleSet
) -> None:
    """C2."""
    assert due_at(start, min(limits), rules, CN).at <= due_at(start, max(limits), rules, CN).at


@given(STARTS, DAYS, RULES)
def test_a_limit_in_days_ends_one_instant_before_a_local_midnight(
    start: datetime, limit: Days, rules: RuleSet
) -> None:
    """C3, T15: 24:00 of the rule set's zone, stored in UTC, after at least so many midnights."""
    due = due_at(start, limit, rules, CN)
    zone = ZoneInfo(rules.timezone)
    next_instant = (due.at + timedelta(microseconds=1)).astimezone(zone)
    assert due.at.tzinfo is UTC
    assert (next_instant.hour, next_instant.minute, next_instant.second, next_instant.microsecond) == (
        0,
        0,
        0,
        0,
    )
    assert next_instant.date() - start.astimezone(zone).date() > timedelta(days=limit.n)


@given(STARTS, DAYS | EXACT, RULES)
def test_the_zone_a_start_is_written_in_changes_nothing(
    start: datetime, limit: Limit, rules: RuleSet
) -> None:
    """C3: the same instant, from a telephone system in another zone."""
    expected = due_at(start.astimezone(UTC), limit, rules, CN)
    assert due_at(start, limit, rules, CN) == expected
    assert due_at(start.astimezone(SHANGHAI), limit, rules, CN) == expected


@given(STARTS, DAYS)
def test_working_days_never_end_before_natural_ones_nor_on_a_known_day_off(
    start: datetime, limit: Days
) -> None:
    """C4, T16: and what rests on an unannounced year says so."""
    natural, working = due_at(start, limit, NATURAL, CN), due_at(start, limit, WORKING, CN)
    last_day: date = working.at.astimezone(SHANGHAI).date()
    assert natural.at <= working.at
    assert working.provisional == (last_day.year > 2026)
    assert working.provisional or CN.is_workday(last_day)
