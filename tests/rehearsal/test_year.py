"""A year of the city: its load by the calendar, and `hotline rehearse year` as it is typed."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from hotline.lab.acknowledged import Acknowledged
from hotline.lab.simulation.ledger import Ledger
from hotline.lab.simulation.year import (
    REQUESTS,
    BeijingYear,
    Surge,
    SurgeInvalid,
    midnight,
    period,
    requests_by_day,
    span,
    step_of,
    surge_of,
)
from shared.inputs import RecordRequest
from shared.policy.catalogue import catalogue
from tests.small_city import streets_in
from tests.typed import typed_json


def test_the_days_make_the_year() -> None:
    load = requests_by_day()
    assert len(load) == 365
    assert sum(load.values()) == pytest.approx(REQUESTS)


def test_a_holiday_and_a_weekend_bring_less_than_a_working_day_and_a_make_up_sunday_does_not() -> None:
    load = requests_by_day()
    working, weekend = load[date(2025, 4, 10)], load[date(2025, 4, 12)]
    assert weekend == pytest.approx(0.8 * working)
    assert load[date(2025, 4, 4)] == weekend, "Qingming, a Friday"
    assert load[date(2025, 4, 27)] == working, "a Sunday that was worked"


def test_a_span_is_a_month_or_as_many_days_as_asked_for() -> None:
    assert span(2, None) == [date(2025, 2, 1) + timedelta(days=n) for n in range(28)]
    assert span(12, 40)[-1] == date(2025, 12, 31)
    assert len(span(1, 365)) == 365


def test_any_period_has_its_years_sum_and_its_own_calendar() -> None:
    load = period(date(2020, 12, 30), 5)
    assert list(load) == [date(2020, 12, 30) + timedelta(days=n) for n in range(5)]
    assert load[date(2020, 12, 31)] == requests_by_day(2020)[date(2020, 12, 31)]
    assert load[date(2021, 1, 1)] == requests_by_day(2021)[date(2021, 1, 1)]
    assert sum(period(date(2021, 1, 1), 365).values()) == pytest.approx(14_850_000)


def test_a_surge_multiplies_its_days_and_no_other() -> None:
    """§1.1: load peaks are event-driven."""
    surge = surge_of("2021-01-10/2021-01-12:3")
    assert surge == Surge(date(2021, 1, 10), date(2021, 1, 12), 3.0)
    calm, busy = period(date(2021, 1, 1), 31), period(date(2021, 1, 1), 31, [surge])
    for day, number in calm.items():
        assert busy[day] == pytest.approx(3 * number if surge.first <= day <= surge.last else number)


@pytest.mark.parametrize(
    "text", ["", "2021-01-10", "2021-01-10:0", "2021-01-12/2021-01-10:2", "x:3", "2021-01-10:101"]
)
def test_a_surge_that_cannot_be_read_says_what_was_expected(text: str) -> None:
    with pytest.raises(SurgeInvalid, match="expected FIRST/LAST:TIMES"):
        surge_of(text)


def test_a_year_nobody_knows_the_sum_of_is_named() -> None:
    with pytest.raises(SurgeInvalid, match="how much came in 2018 is not known, only 2019 to 2026"):
        period(date(2018, 12, 31), 1)


def test_each_day_brings_its_share_and_how_it_is_asked_for_changes_nothing() -> None:
    days = span(4, 7)

    def made(step: timedelta) -> dict[str, Any]:
        people = BeijingYear(catalogue(), seed=3, scale=0.01, days=days)
        now, acts = midnight(days[0]), {}
        while people.next_at() is not None:
            now += step
            acts |= {(act.source, act.event_id): act for act in people.first_inputs(now)}
        return acts

    acts = made(timedelta(days=1))
    assert acts == made(timedelta(hours=5)) == made(timedelta(days=30))
    requests = [act for act in acts.values() if isinstance(act.data, RecordRequest)]
    load = requests_by_day()
    assert len(requests) == pytest.approx(0.01 * sum(load[day] for day in days), rel=0.02)
    assert {act.at.date() for act in requests} >= set(days)


def test_a_step_is_longer_the_smaller_the_city_and_never_less_than_a_day() -> None:
    assert [step_of(scale).days for scale in (1, 0.1, 0.01, 0.0001)] == [1, 4, 30, 30]


def test_a_ledger_gives_back_what_was_noted() -> None:
    noted = [Acknowledged("t", "topic", "/s", f"{n}", "键", ("intake", "dispatch")) for n in range(3)]
    with Ledger() as ledger:
        for one in noted:
            ledger.add(one)
        assert list(ledger) == noted


@pytest.mark.connected
@pytest.mark.timeout(1300)
def test_the_same_days_give_the_same_facts(typed_stack: Path) -> None:
    words = (
        "rehearse", "year", "--month", "4", "--days", "2", "--scale", "0.0005",
        "--streets", streets_in(typed_stack.parent),
    )  # fmt: skip
    one, other = typed_json(typed_stack, *words), typed_json(typed_stack, *words)
    told = (
        "requests",
        "orders",
        "facts",
        "facts_by_type",
        "sign_limits_missed",
        "answer_limits_missed",
        "escalations",
        "digest",
    )
    assert {name: one[name] for name in told} == {name: other[name] for name in told}
    assert one["verify_problems"] == other["verify_problems"] == 0
    assert 40 <= one["requests"] <= 100
    assert 0 < one["orders"] < one["requests"]
    assert 0 < one["satisfied"] <= one["visits"]
    assert one["year_minutes"] == pytest.approx(
        one["seconds"] / 60 * one["year_orders"] / one["orders"], rel=0.01
    )
    assert one["month_bytes"] > 0


@pytest.mark.connected
@pytest.mark.timeout(1300)
def test_any_period_with_a_surge_is_lived_and_ranked(typed_stack: Path) -> None:
    """§1.1: January 2021 as it was counted then, three times as much on one day."""
    words = (
        "rehearse", "--from", "2021-01-01", "--days", "3", "--scale", "0.003",
        "--streets", streets_in(typed_stack.parent),
    )  # fmt: skip
    found = typed_json(typed_stack, *words, "--surge", "2021-01-02:3")
    load = period(date(2021, 1, 1), 3, [surge_of("2021-01-02:3")])
    assert found["verify_problems"] == 0
    assert found["requests"] == pytest.approx(0.003 * sum(load.values()), rel=0.15)
    assert [month["month"] for month in found["months"]] == ["2021-01", "2021-02"]
    ranked = [line for month in found["months"] for line in month["lines"]]
    assert all(line["rank"] >= 1 and line["score"] is not None for line in ranked)
