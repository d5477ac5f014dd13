"""A year of the city: its load by the calendar, and `hotline rehearse year` as it is typed."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from hotline.acknowledged import Acknowledged
from hotline.city.ledger import Ledger
from hotline.city.year import REQUESTS, BeijingYear, midnight, requests_by_day, span, step_of
from shared.catalogue import catalogue
from shared.inputs import RequestRecorded
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


def test_each_day_brings_its_share_and_how_it_is_asked_for_changes_nothing() -> None:
    days = span(4, 7)

    def made(step: timedelta) -> dict[str, Any]:
        people = BeijingYear(catalogue(), seed=3, scale=0.01, days=days)
        now, acts = midnight(days[0]), {}
        while people.next_at() is not None:
            now += step
            acts |= {(act.source, act.event_id): act for act in people.first_acts(now)}
        return acts

    acts = made(timedelta(days=1))
    assert acts == made(timedelta(hours=5)) == made(timedelta(days=30))
    requests = [act for act in acts.values() if isinstance(act.data, RequestRecorded)]
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
    words = ("rehearse", "year", "--month", "4", "--days", "2", "--scale", "0.0005")
    one, other = typed_json(typed_stack, *words), typed_json(typed_stack, *words)
    told = (
        "requests",
        "orders",
        "facts",
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
