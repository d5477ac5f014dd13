"""The whistle: who may blow it and for whom, who reports, who lets go, who rates (G1, G2, G3, T25)."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from services.dispatch import rules
from shared.events import Fact, Level, UnitCalled, WhistleKind
from tests import examples as eg
from tests.examples import CALLED_AT, CATALOGUE, DISTRICT, HOUR, MINUTE, OTHER_STREET, STREET, WATER, told
from tests.spec import case_of, spec

given = spec(partial(rules.decide, catalogue=CATALOGUE))

AT_UNIT = (eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED)
SECOND = replace(eg.CALLED, called=OTHER_STREET, leads=False)
WHISTLED = (*AT_UNIT, eg.BLOWN, eg.CALLED, SECOND)
ENDED = (*WHISTLED, eg.WITHDRAWN)


def test_a_street_calls_several_the_first_leads_and_each_is_told() -> None:
    """G1, R12."""
    given(*AT_UNIT).when(eg.BLOW).then(eg.BLOWN, eg.CALLED, SECOND).when(eg.BLOW).then_refused(
        "whistle", "whistle 1 was blown already, the next is 2"
    )


@pytest.mark.parametrize(
    ("kind", "district", "minutes"),
    [
        (WhistleKind.EMERGENCY, "海淀区", 30),
        (WhistleKind.JOINT_ENFORCEMENT, "海淀区", None),
        (WhistleKind.JOINT_ENFORCEMENT, "平谷区", 30),
        (WhistleKind.KEY_WORK, "平谷区", None),
    ],
)
def test_how_soon_they_must_be_there_is_configuration_by_kind_and_district(
    kind: WhistleKind, district: str, minutes: int | None
) -> None:
    """G2, T31: thirty minutes stand for Pinggu's joint enforcement, never for the whole city."""
    past = (replace(eg.RECEIVED, district=district), *AT_UNIT[1:])
    _, called, _ = rules.decide(told(eg.BLOW, kind=kind), case_of(past), CATALOGUE)
    assert isinstance(called, UnitCalled)
    assert called.arrive_by == (None if minutes is None else eg.BLOW.at + minutes * MINUTE)


def test_one_matter_is_whistled_for_several_times() -> None:
    """§1.1: 多次"吹哨"."""
    again = told(eg.BLOW, whistle=2, kind=WhistleKind.KEY_WORK, at=CALLED_AT + 5 * HOUR)
    said = rules.decide(again, case_of(WHISTLED), CATALOGUE)
    assert [type(fact).__name__ for fact in said] == ["WhistleBlown", "UnitCalled", "UnitCalled"]


@pytest.mark.parametrize(
    ("past", "change", "because"),
    [
        (AT_UNIT, {"unit": OTHER_STREET}, "the order lies with street-huayuanlu now"),
        (AT_UNIT, {"assignment": 2}, "assignment 2 is over"),
        (AT_UNIT, {"whistle": 2}, "whistle 2: the next is 1"),
        (AT_UNIT, {"called": ("nobody",)}, "called: “nobody” is not in catalogue test-1"),
        (AT_UNIT, {"called": (STREET,)}, "called: each unit once, and not the street itself"),
        (AT_UNIT, {"called": (WATER, WATER)}, "called: each unit once"),
        (WHISTLED, {"kind": WhistleKind.KEY_WORK}, "whistle 1 was blown already, the next is 2"),
        ((*AT_UNIT, eg.ANSWERED), {}, "the order is answered"),
        (ENDED, {}, "the life ended with ComplaintWithdrawn"),
        (
            (*AT_UNIT[:2], replace(eg.DISPATCHED, unit=DISTRICT, level=Level.DISTRICT)),
            {"unit": DISTRICT},
            "only a street or town whistles (G1)",
        ),
    ],
)
def test_a_whistle_that_cannot_be_blown(past: tuple[Fact, ...], change: dict[str, Any], because: str) -> None:
    """G1, T2."""
    given(*past).when(told(eg.BLOW, **change)).then_refused("whistle", because)


def test_no_more_whistles_and_no_more_called_than_the_rule_set_allows() -> None:
    many = tuple(f"unit-{n}" for n in range(21))
    catalogue = replace(CATALOGUE, units={**CATALOGUE.units, **dict.fromkeys(many, CATALOGUE.units[WATER])})
    (refusal,) = rules.decide(told(eg.BLOW, called=many), case_of(AT_UNIT), catalogue)
    assert "called: 21 units, at most 20" in getattr(refusal, "reason", "")
    past = (*AT_UNIT, *(f for n in range(1, 21) for f in (replace(eg.BLOWN, whistle=n),)))
    given(*past).when(told(eg.BLOW, whistle=21)).then_refused("whistle", "20 whistles already, at most 20")


def test_a_called_unit_comes_is_there_and_does_something() -> None:
    """G2, §7."""
    after = given(*WHISTLED).when(eg.ACKNOWLEDGE).then(eg.ACKNOWLEDGED)
    after.when(eg.ACKNOWLEDGE).then_refused("acknowledge", "acknowledged it at")
    after = after.when(eg.ARRIVE).then(eg.ARRIVED)
    after.when(eg.ARRIVE).then_refused("arrive", "arrived at")
    after = after.when(eg.MEASURE).then(eg.MEASURED)
    after.when(eg.MEASURE).then(eg.MEASURED)
    after.when(told(eg.MEASURE, measure="划设禁停线")).then(replace(eg.MEASURED, measure="划设禁停线"))


def test_only_the_street_lets_go_one_or_all() -> None:
    """T25: a department that releases itself is refused and that is recorded."""
    given(*WHISTLED).when(told(eg.RELEASE, unit=WATER)).then_refused("release", "only street-huayuanlu")
    after = given(*WHISTLED).when(eg.RELEASE).then(eg.RELEASED)
    after.when(eg.RELEASE).then_refused("release", "was let go already")
    after.when(told(eg.RELEASE, called=None)).then(replace(eg.RELEASED, called=OTHER_STREET))


def test_what_was_let_go_does_nothing_more() -> None:
    """T25."""
    past = (*WHISTLED, eg.RELEASED)
    for command, asked in ((eg.ACKNOWLEDGE, "acknowledge"), (eg.ARRIVE, "arrive"), (eg.MEASURE, "record a")):
        (refusal,) = rules.decide(command, case_of(past), CATALOGUE)
        assert getattr(refusal, "asked", "").startswith(asked)
        assert getattr(refusal, "reason", "") == "street-huayuanlu has let it go"


def test_both_rate_each_other_once() -> None:
    """R16, G3: 双考核."""
    back = told(eg.RATE_UNIT, unit=WATER, rated=STREET, stars=3)
    after = given(*WHISTLED, eg.ARRIVED).when(eg.RATE_UNIT).then(eg.UNIT_RATED)
    after.when(eg.RATE_UNIT).then_refused("rate", "has rated")
    after = after.when(back).then(replace(eg.UNIT_RATED, rated_by=WATER, rated=STREET, stars=3))
    after.when(back).then_refused("rate", "has rated")


@pytest.mark.parametrize(
    ("past", "command", "asked", "because"),
    [
        (AT_UNIT, eg.ACKNOWLEDGE, "acknowledge", "whistle 1 was not blown"),
        (WHISTLED, told(eg.ARRIVE, unit=DISTRICT), "arrive", "whistle 1 did not call district-haidian"),
        (WHISTLED, told(eg.MEASURE, whistle=2), "record a measure", "whistle 2 was not blown"),
        (AT_UNIT, eg.RELEASE, "release", "whistle 1 was not blown"),
        (WHISTLED, told(eg.RELEASE, called=DISTRICT), "release", "called: district-haidian was not called"),
        (WHISTLED, eg.RATE_UNIT, "rate", "water-group has neither come nor been let go"),
        (
            WHISTLED,
            told(eg.RATE_UNIT, unit=DISTRICT),
            "rate",
            "whistle 1 is not between district-haidian and",
        ),
        (
            (*WHISTLED, eg.ARRIVED),
            told(eg.RATE_UNIT, unit=WATER, rated=OTHER_STREET),
            "rate",
            "rated: who was called rates street-huayuanlu",
        ),
        (ENDED, eg.ACKNOWLEDGE, "acknowledge", "the life ended"),
        (ENDED, eg.RELEASE, "release", "the life ended with ComplaintWithdrawn, and everybody was let go"),
        (ENDED, eg.RATE_UNIT, "rate", "the life ended"),
    ],
)
def test_a_move_that_cannot_be(past: tuple[Fact, ...], command: Any, asked: str, because: str) -> None:
    given(*past).when(command).then_refused(asked, because)


def test_a_street_that_lost_the_order_still_lets_go_whom_it_called() -> None:
    """T25: released by the street that whistled, wherever the order lies."""
    elsewhere = replace(eg.DISPATCHED, unit=OTHER_STREET, assignment=2, dispatched_at=CALLED_AT + 3 * HOUR)
    past = (*WHISTLED, eg.RETURN_REQUESTED, eg.RETURN_APPROVED, elsewhere)
    given(*past).when(eg.RELEASE).then(eg.RELEASED)
