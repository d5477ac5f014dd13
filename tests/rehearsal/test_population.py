"""The made-up city: the same seed gives the same day, and every life in it ends."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from functools import cache

import pytest

from hotline.lab.simulation.city import DAY
from hotline.lab.simulation.planned_input import PlannedInput
from hotline.lab.simulation.population import Beijing
from hotline.lab.simulation.seeded_random import SeededRandom, Weighted
from hotline.lab.simulation.subjects import SUBJECTS
from services.dispatch.routing import routed
from shared.complaint import Stage, stage_of
from shared.events import (
    AnswerLimitMissed,
    ComplaintClosed,
    ComplaintEscalated,
    ComplaintReopened,
    Fact,
    LimitMissCorrected,
    OrderSigned,
    Outcome,
    ReplyRefused,
    ReturnApproved,
    ReturnRejected,
    ReturnRequested,
    SignLimitMissed,
    Urgency,
    VisitMade,
    VisitUnreached,
)
from shared.events.base import Level
from shared.inputs import CallAnswered, CallEnded, CallOffered, RecordRequest, WithdrawRequest
from shared.wording import looked_at
from tests.lived import CATALOGUE, Hotline, lived, noticed_apart

LIVED = 0.004
"""The day that is lived whole: 280 calls and 110 work orders hold every fork of a life often enough."""


def day(seed: int = 1, scale: float = 0.005) -> list[PlannedInput]:
    return list(Beijing(CATALOGUE, seed=seed, scale=scale, day=DAY).first_inputs(DAY + timedelta(days=9)))


@cache
def whole_day() -> list[PlannedInput]:
    return day(scale=0.05)


def recorded() -> list[RecordRequest]:
    return [
        planned_input.data for planned_input in whole_day() if isinstance(planned_input.data, RecordRequest)
    ]


def work_orders() -> list[RecordRequest]:
    return [request for request in recorded() if request.article_id is None]


# -- chance


def test_a_name_always_draws_the_same_row() -> None:
    one, other = SeededRandom(7, "a", "b"), SeededRandom(7, "a", "b")
    row = [one.share() for _ in range(40)]
    assert row == [other.share() for _ in range(40)]
    assert len(set(row)) == 40
    assert SeededRandom(7, "a", "b").share() != SeededRandom(8, "a", "b").share()
    assert SeededRandom(7, "a", "b").share() != SeededRandom(7, "ab").share()


def test_weights_are_kept() -> None:
    weighted = Weighted({"often": 3.0, "rarely": 1.0})
    drawn = Counter(SeededRandom(1, str(n)).of(weighted) for n in range(4000))
    assert 2850 < drawn["often"] < 3150


# -- the day


def test_the_same_seed_gives_the_same_day_and_another_another() -> None:
    assert day() == day()
    assert day(seed=2) != day()


def test_a_day_is_the_same_in_whatever_pieces_it_is_taken() -> None:
    pieces = Beijing(CATALOGUE, seed=1, scale=0.005, day=DAY)
    planned_inputs: list[PlannedInput] = []
    while (next_at := pieces.next_at()) is not None:
        got = list(pieces.first_inputs(next_at + timedelta(minutes=7)))
        assert got
        assert got[0].at == next_at
        planned_inputs += got
    assert planned_inputs == day()


def test_what_the_city_says_is_taken_as_it_is() -> None:
    """So the facts of a simulated city are those they have always been."""
    assert all(looked_at(planned_input.data) == (planned_input.data, {}) for planned_input in whole_day())


def test_the_size_of_the_day() -> None:
    """T30: the 70,000 a day are calls; two in five become orders, 28,000."""
    kinds = Counter(type(planned_input.data) for planned_input in whole_day())
    assert kinds[CallOffered] == kinds[CallEnded] == 3_500
    assert 0.013 < 1 - kinds[CallAnswered] / kinds[CallOffered] < 0.027  # abandoned
    assert 1_300 < len(work_orders()) < 1_500  # a twentieth of 28,000
    assert 0 < kinds[WithdrawRequest] < 13
    assert 10 < sum(planned_input.times - 1 for planned_input in whole_day()) < 50


def test_hours_have_their_peaks_and_calls_lie_in_the_day() -> None:
    offered = [
        planned_input.at for planned_input in whole_day() if isinstance(planned_input.data, CallOffered)
    ]
    assert all(DAY <= at < DAY + timedelta(days=1) for at in offered)
    hours = Counter(at.astimezone(DAY.tzinfo).hour for at in offered)
    assert {hour for hour, _ in hours.most_common(4)} == {9, 10, 14, 15}
    assert 0.08 < hours[10] / len(offered) < 0.115


def test_a_call_goes_its_way_in_order() -> None:
    calls: defaultdict[str, list[PlannedInput]] = defaultdict(list)
    for planned_input in whole_day():
        if planned_input.complaint is None:
            calls[planned_input.key].append(planned_input)
    for planned_inputs in calls.values():
        kinds = [type(planned_input.data) for planned_input in planned_inputs]
        assert kinds in ([CallOffered, CallAnswered, CallEnded], [CallOffered, CallEnded])
        assert [planned_input.at for planned_input in planned_inputs] == sorted(
            planned_input.at for planned_input in planned_inputs
        )
    ended = {key: planned_inputs[-1].at for key, planned_inputs in calls.items()}
    for planned_input in whole_day():
        if isinstance(planned_input.data, RecordRequest) and planned_input.data.call_id is not None:
            assert (
                timedelta(minutes=1)
                <= planned_input.at - ended[planned_input.data.call_id]
                <= timedelta(minutes=3)
            )


def test_subjects_have_the_proportions_of_the_city() -> None:
    asked = Counter(request.subject.partition("/")[0] for request in recorded())
    whole = sum(subject.requests for subject in SUBJECTS.values())
    main: Counter[str] = Counter()
    for name, subject in SUBJECTS.items():
        main[name.partition("/")[0]] += subject.requests
    assert main.most_common()[0] == ("疫情防控", 107.7)
    assert len(main) == 10
    for name, requests in main.items():
        assert asked[name] / len(recorded()) == pytest.approx(requests / whole, rel=0.12), name


def test_every_subject_stands_in_the_catalogue() -> None:
    assert set(SUBJECTS) == set(CATALOGUE.subjects)


def test_urgencies() -> None:
    shares = {k: v / len(work_orders()) for k, v in Counter(r.urgency for r in work_orders()).items()}
    assert shares[Urgency.CRITICAL_2H] == pytest.approx(0.01, abs=0.005)
    assert shares[Urgency.TIMELY_24H] == pytest.approx(0.12, abs=0.02)
    assert shares[Urgency.COMPLEX_15D] == pytest.approx(0.06, abs=0.015)


def test_most_work_goes_to_the_streets() -> None:
    """R13: the streets and towns are the centre of handling."""
    levels = Counter(
        CATALOGUE.level_of(routed(CATALOGUE, r.subject, r.district, r.street).unit) for r in work_orders()
    )
    assert 0.58 < levels[Level.UNIT] / len(work_orders()) < 0.70
    districts = Counter(request.district for request in recorded())
    assert [name for name, _ in districts.most_common(2)] == ["朝阳区", "海淀区"]
    assert set(districts) == set(CATALOGUE.districts)


def test_events_are_told_apart_by_source_and_id() -> None:
    assert len({(planned_input.source, planned_input.event_id) for planned_input in whole_day()}) == len(
        whole_day()
    )


# -- lives


@cache
def lived_by_six_hours() -> Hotline:
    return lived(timedelta(hours=6), scale=LIVED)


def of(hotline: Hotline, kind: type[Fact]) -> list[Fact]:
    return [fact for facts in hotline.facts.values() for fact in facts if type(fact) is kind]


def test_every_life_ends() -> None:
    hotline = lived_by_six_hours()
    requests = {a.complaint for a in day(scale=LIVED) if isinstance(a.data, RecordRequest)}
    assert set(hotline.cases) == requests
    assert not [complaint for complaint, case in hotline.cases.items() if stage_of(case) is not Stage.ENDED]


@pytest.mark.parametrize("hours", [1, 24, 200, 2000])
def test_facts_do_not_depend_on_how_far_the_clock_jumps(hours: int) -> None:
    one, other = lived_by_six_hours(), lived(timedelta(hours=hours), scale=LIVED)
    assert one.facts.keys() == other.facts.keys()
    for complaint, facts in one.facts.items():
        assert list(map(noticed_apart, facts)) == list(map(noticed_apart, other.facts[complaint]))


def test_no_miss_is_stated_that_has_to_be_taken_back() -> None:
    assert of(lived_by_six_hours(), SignLimitMissed)
    assert of(lived_by_six_hours(), AnswerLimitMissed)
    assert not of(lived_by_six_hours(), LimitMissCorrected)


def test_facts_of_a_life_are_told_in_order_of_time() -> None:
    for facts in lived_by_six_hours().facts.values():
        times = [getattr(fact, fact.TIME) for fact in facts]
        assert times == sorted(times)


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_another_seed_lives_to_the_end_as_well(seed: int) -> None:
    assert not [
        case
        for case in lived(timedelta(hours=48), seed=seed, scale=LIVED).cases.values()
        if stage_of(case) is not Stage.ENDED
    ]


def test_everything_that_can_happen_does_happen() -> None:
    facts = lived(timedelta(hours=48), seed=5, scale=0.016).facts
    kinds = Counter(type(fact) for life in facts.values() for fact in life)
    for kind in (
        ReturnRequested,
        ReturnApproved,
        ReturnRejected,
        ComplaintReopened,
        VisitUnreached,
        ReplyRefused,
    ):
        assert kinds[kind] > 0, kind
    levels = Counter(
        fact.to_level for life in facts.values() for fact in life if isinstance(fact, ComplaintEscalated)
    )
    assert set(levels) == {Level.DISTRICT, Level.MUNICIPAL}
    outcomes = Counter(
        fact.outcome for life in facts.values() for fact in life if isinstance(fact, ComplaintClosed)
    )
    assert {Outcome.SOLVED, Outcome.UNSOLVED, Outcome.UNREACHED} <= set(outcomes)
    signed, late = kinds[OrderSigned], kinds[SignLimitMissed]
    assert 0.02 < late / (signed + late) < 0.12
    made, unreached = kinds[VisitMade], kinds[VisitUnreached]
    assert unreached / (made + unreached) == pytest.approx(0.12, abs=0.04)
