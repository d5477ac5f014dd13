"""The conductor's rules: what may be handed in now, and how far timers may fire."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from hotline.lab.simulation.agenda import Agenda, Timer, Watch, fire_until, shortest_limit
from hotline.lab.simulation.planned_input import PlannedInput
from shared import inputs
from shared.events import Urgency
from shared.ids import ComplaintId
from shared.topics import FEEDBACK_VISIT_RESULTS, TELEPHONY_CALLS

NOON = datetime(2021, 9, 27, 4, tzinfo=UTC)
BEIJING = "beijing-draft-2021"


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def planned_input(complaint: str, minutes: float, about: str = "", event_id: str = "") -> PlannedInput:
    return PlannedInput(
        at=at(minutes),
        line=FEEDBACK_VISIT_RESULTS,
        key=complaint,
        source="/test",
        event_id=event_id or f"{complaint}/{minutes}",
        data=inputs.RecordUnreached(complaint_id=complaint, visit=1, attempt=1),
        complaint=ComplaintId(complaint),
        about=about,
    )


def call(name: str, minutes: float) -> PlannedInput:
    return PlannedInput(
        at(minutes), TELEPHONY_CALLS, name, "/test", f"{name}/{minutes}", inputs.CallOffered(call_id=name)
    )


def agenda(*planned_inputs: PlannedInput) -> Agenda:
    made = Agenda()
    for one in planned_inputs:
        made.put(one)
    return made


def ids(planned_inputs: list[PlannedInput]) -> list[str]:
    return [one.event_id for one in planned_inputs]


def timer(
    complaint: str, minutes: float, urgency: Urgency = Urgency.GENERAL_7D, *, arrival: bool = False
) -> Timer:
    return Timer(ComplaintId(complaint), at(minutes), BEIJING, urgency, arrival)


# -- what may be handed in


def test_of_each_complaint_only_the_earliest_act_is_handed_in() -> None:
    plan = agenda(
        planned_input("a", 20), planned_input("b", 5), planned_input("a", 10), planned_input("b", 6)
    )
    assert ids(plan.take(at(60), {})) == ["b/5", "a/10"]
    assert ids(plan.take(at(60), {})) == ["b/6", "a/20"]
    assert plan.take(at(60), {}) == []
    assert len(plan) == 0


def test_calls_belong_to_no_complaint_and_go_all_at_once() -> None:
    plan = agenda(call("c1", 1), call("c1", 2), call("c2", 1.5), call("c2", 90))
    assert ids(plan.take(at(60), {})) == ["c1/1", "c2/1.5", "c1/2"]
    assert plan.next_at() == at(90)


def test_nothing_is_handed_in_before_its_time() -> None:
    plan = agenda(planned_input("a", 61))
    assert plan.take(at(60), {}) == []
    assert plan.next_at() == at(61)
    assert ids(plan.take(at(61), {})) == ["a/61"]


def test_an_act_waits_for_the_timer_before_it() -> None:
    plan = agenda(planned_input("a", 30), planned_input("a", 40), planned_input("b", 30))
    due = {ComplaintId("a"): at(29)}
    assert ids(plan.take(at(60), due)) == ["b/30"]
    assert plan.take(at(60), due) == []
    assert len(plan) == 2
    assert ids(plan.take(at(60), {})) == ["a/30"]


def test_an_act_at_the_very_limit_is_in_time_and_goes_first() -> None:
    plan = agenda(planned_input("a", 30))
    assert ids(plan.take(at(60), {ComplaintId("a"): at(30)})) == ["a/30"]


def test_two_acts_at_one_instant_keep_the_order_in_which_they_were_put() -> None:
    plan = agenda(planned_input("a", 5, event_id="first"), planned_input("a", 5, event_id="second"))
    assert ids(plan.take(at(9), {})) == ["first"]
    assert ids(plan.take(at(9), {})) == ["second"]


def test_what_was_dropped_is_never_handed_in() -> None:
    plan = agenda(
        planned_input("a", 5, "order 1"),
        planned_input("a", 6, "order 1"),
        planned_input("a", 7, "order 2"),
        planned_input("b", 5, "order 1"),
    )
    assert plan.void(ComplaintId("a"), "order 1") == 2
    assert len(plan) == 2
    assert ids(plan.take(at(60), {})) == ["b/5", "a/7"]
    assert plan.next_at() is None


def test_what_is_about_nothing_cannot_be_dropped() -> None:
    plan = agenda(planned_input("a", 5))
    assert plan.void(ComplaintId("a"), "") == 0
    assert ids(plan.take(at(60), {})) == ["a/5"]


@pytest.mark.parametrize("seed", range(20))
def test_however_the_steps_are_cut_each_complaint_acts_in_its_own_order(seed: int) -> None:
    dice = random.Random(seed)
    planned_inputs = [planned_input(f"c{n % 7}", dice.randint(0, 500), event_id=f"{n}") for n in range(60)]
    orders = []
    for cuts in ([500], list(range(0, 501, 50)), [*sorted(dice.sample(range(500), 9)), 500]):
        plan = agenda(*planned_inputs)
        handed: dict[str, list[str]] = {}
        for until in cuts:
            while some := plan.take(at(until), {}):
                for one in some:
                    assert one.at <= at(until)
                    handed.setdefault(one.key, []).append(one.event_id)
        assert len(plan) == 0
        orders.append(handed)
    assert orders[0] == orders[1] == orders[2]


# -- how far timers may fire


def test_the_second_limit_of_one_complaint_does_not_fire_with_the_first() -> None:
    assert fire_until(at(600), [timer("a", 200), timer("a", 100)]) == at(200)


def test_two_limits_of_one_complaint_at_one_instant_fire_together() -> None:
    assert fire_until(at(600), [timer("a", 100), timer("a", 100)]) > at(100)


def test_nothing_fires_beyond_the_step() -> None:
    assert fire_until(at(400), [timer("a", 100)]) == at(400)


def test_no_limit_that_begins_with_the_first_firing_fires_with_it() -> None:
    critical = timer("a", 100, Urgency.CRITICAL_2H)
    assert shortest_limit(BEIJING, Urgency.CRITICAL_2H) == timedelta(minutes=15)
    assert fire_until(at(600), [critical]) == at(115)


def test_after_a_missed_arrival_a_called_unit_has_time_before_the_next_level_is_told() -> None:
    assert fire_until(at(600), [timer("a", 100, arrival=True)]) == at(130)
    assert fire_until(at(600), [timer("a", 100), timer("a", 100, arrival=True)]) == at(130)
    assert fire_until(at(120), [timer("a", 100, arrival=True)]) == at(120)


@pytest.mark.parametrize(
    ("urgency", "hours"),
    [(Urgency.TIMELY_24H, 1), (Urgency.GENERAL_7D, 8), (Urgency.COMPLEX_15D, 8)],
)
def test_the_shortest_limit_is_the_rule_sets(urgency: Urgency, hours: int) -> None:
    assert shortest_limit(BEIJING, urgency) == timedelta(hours=hours)


def watch(*timers: Timer) -> Watch:
    made = Watch()
    for complaint in {one.complaint for one in timers}:
        made.put(complaint, [one for one in timers if one.complaint == complaint])
    return made


def test_limits_of_different_complaints_fire_together_each_up_to_its_own_instant() -> None:
    timers = watch(timer("a", 100), timer("a", 200), timer("b", 10, Urgency.CRITICAL_2H), timer("c", 400))
    assert timers.fire(at(400), agenda(), ()) == {"a": at(200), "b": at(25)}
    assert timers.next_at() == at(10)


def test_a_limit_waits_for_the_act_before_it_and_for_the_act_at_its_very_instant() -> None:
    timers = watch(timer("a", 100), timer("b", 100), timer("c", 100))
    plan = agenda(planned_input("a", 99), planned_input("b", 100), planned_input("c", 101))
    assert timers.fire(at(150), plan, ()).keys() == {"c"}


def test_a_limit_waits_for_what_is_just_handed_in() -> None:
    timers = watch(timer("a", 100))
    assert timers.fire(at(150), agenda(), {ComplaintId("a")}) == {}
    assert timers.fire(at(150), agenda(), ()).keys() == {"a"}


def test_a_timer_that_was_moved_or_cancelled_is_forgotten() -> None:
    timers = watch(timer("a", 100), timer("b", 100))
    timers.put(ComplaintId("a"), [timer("a", 300)])
    timers.put(ComplaintId("b"), [])
    assert timers.fire(at(300), agenda(), ()) == {}
    assert timers.next_at() == at(300)
    assert timers.due == {"a": at(300)}
    assert timers.fire(at(301), agenda(), ()) == {"a": at(301)}


@pytest.mark.parametrize("seed", range(20))
def test_always_something_of_each_complaint_is_next_and_never_too_much(seed: int) -> None:
    dice = random.Random(seed)
    timers = [
        timer(f"c{dice.randint(0, 5)}", dice.randint(0, 300), dice.choice(list(Urgency))) for _ in range(9)
    ]
    plan = agenda(*(planned_input(f"c{n}", dice.randint(0, 300)) for n in range(6)))
    known = watch(*timers)
    planned_inputs = plan.take(at(301), known.due)
    busy = {one.complaint for one in planned_inputs if one.complaint is not None}
    firing = known.fire(at(301), plan, busy)
    assert busy.isdisjoint(firing)
    assert busy | firing.keys() == {f"c{n}" for n in range(6)}
    for complaint, until in firing.items():
        fired = [one for one in timers if one.complaint == complaint and one.due_at < until]
        assert len({one.due_at for one in fired}) == 1
        assert until - fired[0].due_at <= max(shortest_limit(BEIJING, one.urgency) for one in fired)
