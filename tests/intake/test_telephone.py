"""The telephone's figures, and what two switches' recorded events come to."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.call_statistics import CallRecord, figures, lowest
from services.intake.pbx import SWITCHES
from services.intake.pbx.asterisk import from_asterisk
from services.intake.pbx.event import SwitchEventInvalid
from services.intake.pbx.freeswitch import from_freeswitch
from shared.contacts.callers import CallersKey
from shared.policy.ruleset import ruleset
from tests.call_table import register

SAMPLES = Path(__file__).parent / "samples"
DATA = Path(__file__).parents[3] / "shared" / "data"
"""Public records kept beside the project, never in it."""
RULES = ruleset("beijing-draft-2021").telephone
NOON = datetime(2026, 1, 5, 4, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def call(at: timedelta, wait: float | None = 3.0, outcome: str | None = None, talk: float = 60) -> CallRecord:
    """One offered so long after noon; answered after `wait` seconds, else over after 40 with this outcome."""
    offered_at = NOON + at
    if wait is None:
        ended_at = None if outcome is None else offered_at + 40 * SECOND
        return CallRecord(offered_at, None, ended_at, outcome)
    answered_at = offered_at + timedelta(seconds=wait)
    return CallRecord(offered_at, answered_at, answered_at + timedelta(seconds=talk), "ANSWERED")


def missed(at: timedelta, outcome: str = "ABANDONED") -> CallRecord:
    return call(at, None, outcome)


def offered(record: CallRecord) -> datetime:
    assert record.offered_at is not None
    return record.offered_at


# -- figures


def test_what_a_day_comes_to() -> None:
    """A1, A2: both definitions, each by its name (S22)."""
    calls = [
        call(SECOND, 2),
        call(2 * SECOND, 15.0),
        call(3 * SECOND, 15.001),
        missed(4 * SECOND),
        missed(5 * SECOND, "BUSY"),
        call(6 * SECOND, None, None),
    ]
    found = figures(calls, NOON, NOON + DAY, RULES)
    assert (found.offered, found.answered, found.within, found.not_over) == (5, 3, 2, 1)
    assert found.by_outcome == {"ABANDONED": 1, "ANSWERED": 3, "BUSY": 1}
    assert found.connection_rate == 3 / 5
    assert found.service_level == 2 / 5
    assert found.timely_rate == 2 / 3
    assert found.abandon_rate == 1 / 5
    assert found.average_wait_seconds == pytest.approx((2 + 15 + 15.001) / 3)
    assert found.average_talk_seconds == 60


@pytest.mark.parametrize(("wait", "within"), [(14.999, 1), (15.0, 1), (15.001, 0)])
def test_fifteen_seconds_count_and_a_millisecond_more_does_not(wait: float, within: int) -> None:
    """T11, A1."""
    assert figures([call(SECOND, wait)], NOON, NOON + DAY, RULES).within == within


@pytest.mark.parametrize("hours", [0, 15, 24 * 42], ids=["noon", "three at night", "Spring Festival"])
def test_a_call_by_night_or_on_a_holiday_is_measured_as_any_other_from_its_offering_on(hours: int) -> None:
    """A4: day and night; and no menu stands between the offering and the wait."""
    at = timedelta(hours=hours)
    late = figures([call(at + SECOND, 15.001), call(at + 2 * SECOND)], NOON + at, NOON + at + DAY, RULES)
    assert (late.offered, late.answered, late.within) == (2, 2, 1)


def test_of_no_calls_there_is_no_rate() -> None:
    """T14: null, not zero."""
    found = figures([], NOON, NOON + DAY, RULES)
    assert found[:3] == (0, 0, 0)
    assert found[10:] == (None,) * 7
    only_missed = figures([missed(SECOND)], NOON, NOON + DAY, RULES)
    assert (only_missed.connection_rate, only_missed.timely_rate) == (0.0, None)


def test_times_that_cannot_be_are_not_known_and_the_call_counts_all_the_same() -> None:
    """A1: ended before it was answered, answered before it was offered, given up before that: a clock was set back."""
    before, after = NOON + SECOND, NOON + 9 * SECOND
    calls = [
        CallRecord(after, before, after, "ANSWERED"),
        CallRecord(before, after, before, "ANSWERED"),
        CallRecord(None, after, None, "ANSWERED", first_at=after),
        CallRecord(after, None, before, "ABANDONED"),
    ]
    found = figures(calls, NOON, NOON + DAY, RULES)
    assert (found.offered, found.answered, found.within, found.short_abandons) == (4, 3, 1, 0)
    assert (found.wait_unknown, found.talk_unknown) == (2, 2)
    assert (found.average_wait_seconds, found.average_talk_seconds) == (8.0, 8.0)
    assert (found.service_level, found.timely_rate) == (1 / 4, 1 / 3)


def test_the_time_between_two_talks_is_no_talk() -> None:
    """Transferred into another queue, and answered there."""
    record = CallRecord(NOON + SECOND, NOON + 2 * SECOND, NOON + 62 * SECOND, "ANSWERED", between=20 * SECOND)
    assert figures([record], NOON, NOON + DAY, RULES).average_talk_seconds == 40


def test_what_no_queue_ever_had_is_published_and_not_counted() -> None:
    """A telephone's own outward call ends too."""
    outward = CallRecord(None, None, NOON + SECOND, "BUSY", first_at=NOON + SECOND, reached=False)
    found = figures([outward, call(SECOND)], NOON, NOON + DAY, RULES)
    assert (found.offered, found.never_offered, found.connection_rate) == (1, {"BUSY": 1}, 1.0)
    assert found.lowest is not None
    assert found.lowest.rate == 1.0


def test_who_gives_up_at_once_is_counted_beside_and_not_left_out() -> None:
    """§9: short_abandon, default not excluded."""
    at_once = CallRecord(NOON + SECOND, None, NOON + 3 * SECOND, "ABANDONED")
    found = figures([at_once, missed(SECOND)], NOON, NOON + DAY, RULES)
    assert (found.offered, found.short_abandons) == (2, 1)


def test_what_a_rule_set_excludes_is_published() -> None:
    """§9, §13: whether Beijing excludes anything is unknown, so it is configuration, and never hidden."""
    from msgspec.structs import replace

    rules = replace(RULES, excluded=frozenset({"SYSTEM_FAIL"}))
    calls = [call(SECOND), missed(SECOND, "SYSTEM_FAIL"), missed(2 * SECOND)]
    found = figures(calls, NOON, NOON + DAY, rules)
    assert (found.offered, found.excluded, found.connection_rate) == (2, {"SYSTEM_FAIL": 1}, 0.5)
    assert found.lowest is not None
    assert found.lowest.rate == 0.5


def test_an_interval_is_open_at_its_beginning_and_closed_at_its_end() -> None:
    calls = [call(timedelta(0)), call(DAY)]
    assert figures(calls, NOON, NOON + DAY, RULES).offered == 1


# -- any 24 hours on end


def test_the_rate_rolls_across_midnight() -> None:
    """T12, A2: each calendar day keeps 95 %, and the 24 hours around midnight do not."""
    evening, morning = timedelta(hours=10), timedelta(hours=14)  # 22:00 and 02:00 in Beijing
    quiet = [call(timedelta(hours=-11) + n * SECOND) for n in range(100)]
    later = [call(timedelta(hours=35) + n * SECOND) for n in range(100)]
    bad = [missed(evening + n * SECOND) for n in range(5)] + [missed(morning + n * SECOND) for n in range(5)]
    calls = [*quiet, *bad, *later]
    midnight = NOON + timedelta(hours=12)
    for begin in (midnight - DAY, midnight):
        by_day = figures(calls, begin, begin + DAY, RULES).connection_rate
        assert by_day is not None
        assert by_day >= 0.95
    worst = lowest(calls, NOON, NOON + DAY, RULES)
    assert worst is not None
    assert worst.rate < 0.95


def test_a_call_leaves_the_window_a_day_after_it_came() -> None:
    """T12: (t - 24 h, t]."""
    calls = [missed(timedelta(0)), call(SECOND)]
    window = timedelta(hours=24)
    at = lowest(calls, NOON + window - SECOND, NOON + window - SECOND / 2, RULES)
    assert at is not None
    assert at.rate == 0.5
    after = lowest(calls, NOON + window, NOON + window + SECOND / 2, RULES)
    assert after is not None
    assert after.rate == 1.0
    assert lowest(calls, NOON + 3 * DAY, NOON + 4 * DAY, RULES) is None


def test_a_tail_of_few_calls_is_not_the_worst_day_and_the_worst_says_what_it_is_made_of() -> None:
    """After the last busy hour the window runs empty: two missed calls are no day of 0 %."""
    rules = ruleset("beijing-draft-2021.2").telephone
    busy = [call(n * SECOND) for n in range(95)] + [missed((95 + n) * SECOND) for n in range(5)]
    tail = [missed(timedelta(hours=23) + n * SECOND) for n in range(2)]
    worst = lowest([*busy, *tail], NOON, NOON + 3 * DAY, rules)
    assert worst is not None
    assert worst.offered == rules.window_calls_min
    assert worst.answered == worst.offered - 7, "as long as all seven missed ones and enough others are in it"
    assert worst.rate == worst.answered / worst.offered
    assert lowest(tail, NOON, NOON + 3 * DAY, rules) is None


calls_drawn = st.lists(
    st.builds(
        lambda at, how: (
            call(timedelta(minutes=at)) if how is None else call(timedelta(minutes=at), None, how)
        ),
        st.integers(-3000, 1440),
        st.sampled_from((None, None, None, "ABANDONED", "BUSY", "TIMEOUT", "SYSTEM_FAIL")),
    ),
    max_size=40,
)


@given(calls_drawn, st.randoms(use_true_random=False))
def test_whatever_order_the_calls_are_told_in_the_figures_are_the_same(
    calls: list[CallRecord], random: Random
) -> None:
    """T13."""
    told = list(calls)
    random.shuffle(told)
    assert figures(told, NOON, NOON + DAY, RULES) == figures(calls, NOON, NOON + DAY, RULES)


@given(calls_drawn)
def test_the_worst_window_is_the_worst_of_all_windows_looked_at_one_by_one(calls: list[CallRecord]) -> None:
    """T12: at every instant, found by trying each instant at which anything changes, and between."""
    changes = sorted(
        {NOON + timedelta(microseconds=1), NOON + DAY}
        | {at for c in calls for at in (offered(c), offered(c) + RULES.window) if NOON < at <= NOON + DAY}
    )
    between = [a + (b - a) / 2 for a, b in pairwise(changes)]
    rates = []
    for at in (*changes, *between):
        window = [c for c in calls if at - RULES.window < offered(c) <= at and c.outcome is not None]
        if window:
            rates.append(sum(c.answered_at is not None for c in window) / len(window))
    found = lowest(calls, NOON, NOON + DAY, RULES)
    assert (None if found is None else found.rate) == min(rates, default=None)


@pytest.mark.skipif(not (DATA / "bankus2003_calls_5min.csv.gz").exists(), reason="the data is not here")
def test_a_real_call_centres_load_is_counted_whole() -> None:
    """The shape of a big city's hotline: 32,000 calls a day, in five-minute bins."""
    with gzip.open(DATA / "bankus2003_calls_5min.csv.gz", "rt", encoding="utf-8") as file:
        numbers = [int(float(row["Calls"])) for row in csv.DictReader(file)][: 169 * 2]
    calls = [
        call(timedelta(minutes=5 * place, seconds=300 * n / number), 3 if n % 20 else None, "ABANDONED")
        for place, number in enumerate(numbers)
        for n in range(number)
    ]
    found = figures(calls, NOON - SECOND, NOON + 10 * DAY, RULES)
    assert found.offered == sum(numbers) > 50_000
    assert found.connection_rate == pytest.approx(0.95, abs=0.01)


# -- two switches


def recorded(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (SAMPLES / f"{name}.jsonl").read_text().splitlines()]


def at(text: float) -> datetime:
    return datetime.fromtimestamp(text, UTC)


def test_asterisks_queue_becomes_calls_with_one_end_each() -> None:
    """T1, T28: HoldTime is a duration; a call whose joining was missed was offered that long before."""
    found = register([told for event in recorded("asterisk") for told in from_asterisk(event)])
    assert {call: record[:4] for call, record in found.items()} == {
        "1764208799.10": (at(1764208800.1), at(1764208808.15), at(1764208998.4), "ANSWERED"),
        "1764208809.11": (at(1764208810.0), None, at(1764208843.0), "ABANDONED"),
        "1764208870.12": (at(1764208870.0), None, at(1764208900.0), "ABANDONED"),
        "1764208949.13": (at(1764208950.0), None, at(1764208951.0), "SYSTEM_FAIL"),
    }


def test_freeswitchs_callcenter_becomes_calls_with_one_end_each() -> None:
    """T1."""
    found = register([told for event in recorded("freeswitch") for told in from_freeswitch(event)])
    assert {call: record[:4] for call, record in found.items()} == {
        "7f0c-1": (at(1764208800.1), at(1764208815.1), at(1764208999.0), "ANSWERED"),
        "7f0c-2": (at(1764208900.0), None, at(1764208960.0), "TIMEOUT"),
        "7f0c-3": (at(1764208910.0), None, at(1764208913.0), "ABANDONED"),
        "7f0c-4": (None, None, at(1764208930.0), "BUSY"),
    }
    assert {call for call, record in found.items() if not record.reached} == {"7f0c-4"}


def test_an_offer_tells_where_its_callers_complaints_are_found_and_never_the_number() -> None:
    callers = CallersKey(b"c" * 32)
    joined = {"Event": "QueueCallerJoin", "Linkedid": "1.1", "Queue": "12345", "Timestamp": "1764208800.1"}
    pushed = {
        "Event-Subclass": "callcenter::info",
        "CC-Action": "member-queue-start",
        "CC-Member-Session-UUID": "7f",
        "CC-Queue": "12345",
        "Event-Date-Timestamp": "1764208800100000",
    }
    for told in (
        from_asterisk({**joined, "CallerIDNum": "+86 138-0013-8000"}, callers),
        from_freeswitch({**pushed, "CC-Member-CID-Number": "13800138000"}, callers),
    ):
        assert [one.data.caller for one in told] == [callers.index("13800138000").hex()]  # type: ignore[union-attr]
        assert "13800138000" not in repr(told)
    for number in ("", "<unknown>", "anonymous"):
        (said,) = from_asterisk({**joined, "CallerIDNum": number}, callers)
        assert said == from_asterisk(joined)[0]


@pytest.mark.parametrize("switch", SWITCHES)
@given(st.randoms(use_true_random=False))
def test_sent_twice_and_in_any_order_the_calls_are_the_same(switch: str, random: Random) -> None:
    """T1, T13."""
    events = recorded(switch)
    again = [*events, *random.choices(events, k=len(events))]
    random.shuffle(again)
    told = [one for event in events for one in SWITCHES[switch](event)]
    mixed = [one for event in again for one in SWITCHES[switch](event)]
    assert register(mixed) == register(told)
    assert {one.event_id for one in mixed} == {one.event_id for one in told}, "the inbox knows them again"


@pytest.mark.parametrize(
    ("switch", "event", "because"),
    [
        (
            "asterisk",
            {"Event": "QueueCallerJoin", "Timestamp": "1", "Linkedid": "1"},
            "QueueCallerJoin: Queue: missing",
        ),
        (
            "asterisk",
            {"Event": "AgentConnect", "Linkedid": "1", "Interface": "x"},
            "AgentConnect: Timestamp: missing",
        ),
        (
            "asterisk",
            {"Event": "QueueCallerAbandon", "Timestamp": "5", "Linkedid": "1", "HoldTime": "long"},
            "HoldTime: 'long', expected a number",
        ),
        (
            "asterisk",
            {"Event": "Hangup", "Timestamp": "1e300", "Linkedid": "1", "Cause": "16"},
            "'1e300' is no time",
        ),
        (
            "asterisk",
            {"Event": "Hangup", "Timestamp": "-5", "Linkedid": "1", "Cause": "16"},
            "'-5' is no time",
        ),
        (
            "asterisk",
            {"Event": "Hangup", "Timestamp": "nan", "Linkedid": "1", "Cause": "16"},
            "expected a number",
        ),
        (
            "asterisk",
            {"Event": "QueueCallerAbandon", "Timestamp": "5", "Linkedid": "1", "HoldTime": "1e300"},
            "HoldTime: '1e300' is too long",
        ),
        (
            "freeswitch",
            {"Event-Subclass": "callcenter::info", "CC-Action": "member-queue-start", "CC-Queue": "q"},
            "member-queue-start: CC-Member-Session-UUID: missing",
        ),
    ],
)
def test_an_event_that_cannot_be_names_its_field(switch: str, event: dict[str, str], because: str) -> None:
    with pytest.raises(SwitchEventInvalid, match=because.replace("(", r"\(")):
        SWITCHES[switch](event)


@pytest.mark.parametrize("switch", SWITCHES)
def test_what_is_no_call_of_the_queue_gives_nothing(switch: str) -> None:
    assert SWITCHES[switch]({"Event": "PeerStatus", "Event-Name": "HEARTBEAT"}) == []
    assert SWITCHES[switch]({}) == []
