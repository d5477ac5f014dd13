"""What all that is told of a call comes to: one state, one wait, one talk, in whatever order and however often."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.call_statistics import (
    ABANDONED,
    ANSWERED,
    BUSY,
    SYSTEM_FAIL,
    TIMEOUT,
    CallRecord,
    figures,
)
from services.intake.pbx import SWITCHES, asterisk, freeswitch
from services.intake.pbx.event import CallInput
from services.intake.register import OUTCOMES, UNCONNECTED, Kept, call_of, kept, read
from shared.inputs import CallAnswered, CallEnded, CallOffered
from shared.policy.ruleset import ruleset
from tests.call_table import DOCS, Golden, goldens, outcome, register, text

PAGE = Path(__file__).parents[2] / DOCS
RULES = ruleset("beijing-draft-2021").telephone
STATES = {ANSWERED, ABANDONED, BUSY, TIMEOUT, SYSTEM_FAIL}
NOON = datetime(2026, 1, 5, 4, tzinfo=UTC)
DAY = timedelta(days=1)
GOLDENS: Final = goldens()
MANY: Final = 400
"""Examples where each is one of many files."""
STEADY: Final = [golden for golden in GOLDENS if "clock-back" not in golden.name]
every_golden = pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden.name)


def possible(record: CallRecord) -> None:
    """What must hold of any call."""
    assert record.outcome is None or record.outcome in STATES
    assert (record.outcome == ANSWERED) == (record.answered_at is not None)
    zero = timedelta()
    assert all(span is None or span >= zero for span in (record.wait, record.talk, record.gave_up_after))
    if record.talk is not None and record.ended_at is not None and record.answered_at is not None:
        assert record.talk <= record.ended_at - record.answered_at, "no talk counts twice"
    found = figures([record], datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC), RULES)
    told = found.offered + found.not_over + sum(found.excluded.values()) + sum(found.never_offered.values())
    assert told == 1, "each call is counted once, in one place"
    assert sum(found.by_outcome.values()) == found.offered
    assert 0 <= found.within <= found.answered - found.wait_unknown <= found.answered <= found.offered
    assert found.answered == int(record.outcome == ANSWERED)
    averages = (found.average_wait_seconds, found.average_talk_seconds)
    assert all(average is None or average >= 0 for average in averages)
    assert (record.wait is None or record.wait > RULES.answer_within) <= (found.within == 0)


# -- each sequence the switches send


@every_golden
def test_each_sequence_comes_to_what_its_file_says(golden: Golden) -> None:
    """T1."""
    assert {call: outcome(record) for call, record in register(golden.told).items()} == golden.calls


def test_the_page_is_what_the_files_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == text()


@settings(max_examples=MANY)
@given(st.sampled_from(GOLDENS), st.randoms(use_true_random=False))
def test_shuffled_and_doubled_it_is_the_same_call(golden: Golden, random: Random) -> None:
    """T1, T13: and the inbox of whoever asks one would know each event again."""
    mixed = [*golden.told, *random.choices(golden.told, k=len(golden.told))]
    random.shuffle(mixed)
    assert register(mixed) == register(golden.told)
    assert {one.event_id for one in mixed} == {one.event_id for one in golden.told}


@every_golden
def test_two_events_have_one_identity_only_where_they_say_the_same(golden: Golden) -> None:
    said: dict[str, object] = {}
    for one in golden.told:
        assert said.setdefault(one.event_id, (one.data, one.at)) == (one.data, one.at)


@settings(max_examples=MANY)
@given(st.sampled_from(GOLDENS), st.data())
def test_whatever_is_still_to_come_the_call_so_far_is_possible(golden: Golden, data: st.DataObject) -> None:
    """T13: any of its events may be late or lost."""
    heard = data.draw(st.lists(st.sampled_from(golden.told), min_size=1, unique_by=id))
    for record in register(heard).values():
        possible(record)


@settings(max_examples=MANY)
@given(st.sampled_from(STEADY), st.data())
def test_a_clock_that_is_set_back_or_on_leaves_it_one_state_and_no_time_below_zero(
    golden: Golden, data: st.DataObject
) -> None:
    """The step may come before any event; what was answered stays so, and what was over stays over."""
    since = data.draw(st.integers(0, len(golden.events)))
    step = data.draw(st.integers(-90, 90))
    stepped = golden._replace(
        events=[event if place < since else _moved(event, step) for place, event in enumerate(golden.events)]
    )
    for call, record in register(stepped.told).items():
        possible(record)
        before = golden.calls[call].outcome
        assert before is None or record.outcome is not None, "it does not wait for ever"
        assert before != ANSWERED or record.outcome == ANSWERED


def _moved(event: Any, seconds: int) -> dict[str, Any]:
    moved = dict(event)
    for name, a_second in (("Timestamp", 1.0), ("Event-Date-Timestamp", 1e6), ("time", 1e6)):
        if name in moved:
            at = float(moved[name]) + seconds * a_second
            moved[name] = f"{at:.6f}" if a_second == 1 else str(round(at))
    return moved


# -- anything at all


_WHAT: Final = [
    *(f"{reckoned}{what}" for what in ("offered", "answered") for reckoned in ("", "reckoned ")),
    *(f"{end} {cause}" for end in ("ended", "left") for cause in (*OUTCOMES, UNCONNECTED)),
]
things = st.lists(
    st.builds(Kept, st.integers(-40, 40).map(lambda s: NOON + timedelta(seconds=s)), st.sampled_from(_WHAT)),
    min_size=1,
    max_size=14,
)


@given(things)
def test_anything_told_of_a_call_comes_to_one_that_is_possible(told: list[Kept]) -> None:
    """T1, on few instants so that many coincide."""
    possible(call_of(told))


@given(things, st.randoms(use_true_random=False))
def test_neither_order_nor_repeats_matter(told: list[Kept], random: Random) -> None:
    """T13."""
    mixed = [*told, *random.choices(told, k=len(told))]
    random.shuffle(mixed)
    assert call_of(mixed) == call_of(told)


@given(things)
def test_a_call_that_was_answered_is_not_unanswered_by_more_ends(told: list[Kept]) -> None:
    before = call_of(told)
    after = call_of([*told, Kept(NOON + timedelta(seconds=99), "ended abandoned")])
    assert before.outcome != ANSWERED or after.outcome == ANSWERED
    assert after.outcome is not None, "the call is over: it waits no longer"


@given(st.lists(things, max_size=12))
def test_figures_of_any_calls_agree_with_one_another(told: list[list[Kept]]) -> None:
    """Every call once, and no rate beyond its bounds."""
    found = figures([call_of(one) for one in told], NOON - DAY, NOON + DAY, RULES)
    aside = found.not_over + sum(found.excluded.values()) + sum(found.never_offered.values())
    assert found.offered + aside == len(told)
    assert sum(found.by_outcome.values()) == found.offered
    assert found.by_outcome.get(ANSWERED, 0) == found.answered
    assert found.short_abandons <= found.by_outcome.get(ABANDONED, 0)
    rates = (found.connection_rate, found.service_level, found.timely_rate, found.abandon_rate)
    assert all(rate is None or 0 <= rate <= 1 for rate in rates)
    averages = (found.average_wait_seconds, found.average_talk_seconds)
    assert all(average is None or average >= 0 for average in averages)


@given(st.text(min_size=1, max_size=40), st.booleans())
def test_whatever_the_cause_is_called_there_is_no_sixth_state(cause: str, left: bool) -> None:
    told = [
        kept(CallOffered(call_id="c"), NOON),
        kept(CallEnded(call_id="c", cause=cause, left_queue=left), NOON + timedelta(seconds=9)),
    ]
    assert call_of(told).outcome in STATES - {ANSWERED} | {None}
    assert [read(f"{one.at.isoformat(timespec='microseconds')} {one.what}") for one in told] == told


# -- the faults this was written for


def ten(switch: str, tenth: Sequence[dict[str, str]]) -> tuple[int, int, float | None]:
    """Nine calls that are answered, and one more; what is offered, waits, and comes through."""
    (answered,) = [golden for golden in GOLDENS if golden.name == f"{switch}-answered"]
    (call,) = answered.calls
    told: list[CallInput] = []
    for number in range(9):
        for event in answered.events:
            told += SWITCHES[switch](json.loads(json.dumps(event).replace(call, f"{call}{number}")))
    told += [one for event in tenth for one in SWITCHES[switch](event)]
    calls = list(register(told).values())
    since = min(one.at for one in told) - DAY
    found = figures(calls, since, since + 2 * DAY, RULES)
    return found.offered, found.not_over, found.connection_rate


@pytest.mark.parametrize(
    "golden", [golden for golden in GOLDENS if golden.switch != "inputs"], ids=lambda golden: golden.name
)
def test_of_ten_callers_of_whom_nine_are_answered_nine_in_ten_come_through(golden: Golden) -> None:
    """A2: in whatever way the tenth ends."""
    (tenth,) = golden.calls.values()
    found = ten(golden.switch, golden.events)
    if tenth.outcome is None:
        assert found == (9, 1, 1.0)
    elif not tenth.counted:
        assert found == (9, 0, 1.0)
    else:
        assert found == (10, 0, 1.0 if tenth.outcome == ANSWERED else 0.9)


def test_a_wait_that_cannot_be_is_offered_and_answered_and_not_in_time() -> None:
    """A1: a clock set back between joining and answer is no fast answer."""
    (golden,) = [golden for golden in GOLDENS if golden.name == "asterisk-clock-back-before-answer"]
    (record,) = register(golden.told).values()
    assert record.offered_at is not None
    found = figures([record], record.offered_at - DAY, record.offered_at, RULES)
    assert (found.offered, found.answered, found.within, found.wait_unknown) == (1, 1, 0, 1)
    assert (found.service_level, found.average_wait_seconds) == (0.0, None)


# -- every event and every cause a table names


def test_every_event_a_switch_is_listened_to_for_stands_in_a_file() -> None:
    events = [event for golden in GOLDENS for event in golden.events]
    named = {str(event.get(name)) for event in events for name in ("Event", "CC-Action", "FIFO-Action")}
    assert {*asterisk._ASTERISK, *freeswitch._CALLCENTER, *freeswitch._FIFO} <= named


@pytest.mark.parametrize("value", [*asterisk._STATUS, "CONTINUE", "WITHDRAW", "UNKNOWN"])
def test_a_queue_that_sends_a_caller_away_says_how(value: str) -> None:
    event = {"Event": "VarSet", "Timestamp": "5", "Linkedid": "1", "Variable": "QUEUESTATUS", "Value": value}
    told = SWITCHES["asterisk"](event)
    cause = asterisk._STATUS.get(value)
    ends = [one.data.cause for one in told if isinstance(one.data, CallEnded)]
    assert ends == ([] if cause is None else [cause])
    assert any(isinstance(one.data, CallOffered) for one in told) == (cause == "busy")
    assert SWITCHES["asterisk"]({**event, "Variable": "DIALSTATUS"}) == []


@pytest.mark.parametrize(
    ("switch", "cause"),
    [("asterisk", cause) for cause in (*asterisk._Q850, "0", "16", "31", "127")]
    + [("freeswitch", cause) for cause in (*freeswitch._HANGUP, "NORMAL_CLEARING", "ORIGINATOR_CANCEL")],
)
def test_each_hangup_ends_the_call_and_says_why_where_it_can(switch: str, cause: str) -> None:
    known = asterisk._Q850.get(cause) or freeswitch._HANGUP.get(cause) or "hangup"
    event = {"Event": "Hangup", "Timestamp": "5", "Linkedid": "1", "Uniqueid": "1", "Cause": cause}
    if switch == "freeswitch":
        event = {"Event-Name": "CHANNEL_HANGUP_COMPLETE", "Unique-ID": "1", "Hangup-Cause": cause}
        event["Event-Date-Timestamp"] = "5000000"
    (told,) = SWITCHES[switch](event)
    assert told.data == CallEnded(call_id="1", cause=known)
    assert OUTCOMES[known] in STATES


def test_what_an_agent_does_before_being_connected_tells_nothing() -> None:
    for name in ("AgentCalled", "AgentRingNoAnswer", "AgentDump"):
        event = {"Event": name, "Timestamp": "5", "Linkedid": "1", "Interface": "PJSIP/7", "Queue": "12345"}
        assert SWITCHES["asterisk"](event) == []


def test_an_agent_is_named_where_the_switch_names_one() -> None:
    told = [one.data for golden in GOLDENS for one in golden.told if isinstance(one.data, CallAnswered)]
    assert told
    assert all(one.agent for one in told)


def test_a_cause_that_a_newer_version_wrote_reads_as_any_other_end() -> None:
    at = datetime(2021, 9, 24, 9, tzinfo=UTC)
    call = call_of([Kept(at, "offered"), Kept(at + timedelta(seconds=9), "ended \x1b[2Jno cause of ours")])
    assert call.outcome == OUTCOMES["other"]
