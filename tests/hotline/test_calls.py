"""What `hotline calls` reads: the register of calls (A1, A2), and the messages in the log (A3)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

import asyncpg
import pytest
from msgspec.structs import replace as changed

from deploy.embedded.stack import Addresses
from hotline.cli.calls import _print
from hotline.lab.acknowledged import Acknowledged, lost
from hotline.readside import telephone
from hotline.readside.process import take_in
from services.intake import views
from services.intake.call_statistics import Figures, figures, lowest
from services.intake.pbx.event import CallInput
from services.intake.register import kept
from services.intake.response_times import Message, Response, responses
from shared.ids import complaint_id
from shared.inputs import CallAnswered, CallEnded, CallOffered
from shared.policy.ruleset import TelephoneRules, ruleset
from shared.topics import TELEPHONY_CALLS
from tests import examples as eg
from tests import register as by_register
from tests.call_table import goldens, register
from tests.examples import CALLED_AT, DAY, HOUR, told
from tests.hotline.conftest import Desks
from tests.migration_table import TOOL

RULES = ruleset("beijing-draft-2021")
MESSAGES = RULES.messages


# -- the register of calls


async def note(desks: Desks, told: Iterable[CallInput]) -> None:
    """As the door does it, one batch."""
    rows = [(one.data.call_id, kept(one.data, one.at)) for one in told]
    columns = zip(*((call, row.at, row.what) for call, row in rows), strict=True)
    await desks.owner.execute("SELECT intake.note_calls($1, $2, $3)", *map(list, columns))


def each_its_own_call() -> list[CallInput]:
    """All sequences of tests/intake/golden, each under a call of its own."""
    return [
        one._replace(data=changed(one.data, call_id=f"{golden.name} {one.data.call_id}"))
        for golden in goldens()
        for one in golden.told
    ]


@pytest.mark.parametrize("seed", range(3))
async def test_the_register_unites_what_is_told_in_any_order_any_batches_and_twice(
    desks: Desks, seed: int
) -> None:
    """T1, T13: PostgreSQL and `tests/call_table.py` come to the same calls, and nothing is written for a repeat."""
    told, random = each_its_own_call(), Random(seed)
    mixed = [*told, *random.choices(told, k=len(told))]
    random.shuffle(mixed)
    while mixed:
        size = random.randint(1, 40)
        await note(desks, mixed[:size])
        mixed = mixed[size:]
    expected = register(told)
    for call, record in expected.items():
        assert await views.call(desks.owner, call) == record, call
    last = await desks.owner.fetchval("SELECT pg_current_xact_id()")
    await note(desks, told)
    written = "SELECT count(*) FROM intake.call WHERE xmin::text::bigint > $1::xid8::text::bigint"
    assert await desks.owner.fetchval(written, last) == 0
    every = await by_register.calls(
        desks.owner, datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
    )
    assert sorted(map(str, every)) == sorted(map(str, expected.values())), "each once, in one interval"
    for record in every:
        assert record.counted_at is not None
        assert record in await by_register.calls(
            desks.owner, record.counted_at - eg.MINUTE, record.counted_at
        )
        assert record not in await by_register.calls(
            desks.owner, record.counted_at, record.counted_at + eg.MINUTE
        )


async def test_what_was_acknowledged_and_the_register_does_not_hold_is_named(desks: Desks) -> None:
    """`hotline/lab/acknowledged.py` asks for each kind of thing told, however it is told."""
    offered = CallOffered(call_id="call-1", reckoned=True)
    answered = CallAnswered(call_id="call-1", agent="agent-7", reckoned=True)
    ended = CallEnded(call_id="call-1", cause="left", left_queue=True)
    told = [CallInput(data, CALLED_AT, str(place)) for place, data in enumerate((offered, answered, ended))]
    inputs = [
        Acknowledged(
            type(one.data).TYPE, TELEPHONY_CALLS.name, "/switch", one.event_id, "call-1", ("intake",)
        )
        for one in told
    ]
    for number in range(len(told)):
        if number:
            await note(desks, told[:number])
        assert await lost(desks.dsn, "", inputs) == inputs[number:]
    await note(desks, told)
    assert await lost(desks.dsn, "", inputs) == []


async def test_a_call_of_which_more_is_told_than_is_kept_keeps_the_earliest(desks: Desks) -> None:
    """Whatever order it comes in."""
    told = [
        CallInput(CallOffered(call_id="loop"), CALLED_AT + timedelta(seconds=number), str(number))
        for number in range(1_100)
    ]
    Random(1).shuffle(told)
    for begin in range(0, len(told), 100):
        await note(desks, told[begin : begin + 100])
    found = await desks.owner.fetchval("SELECT told FROM intake.call WHERE call_id = 'loop'")
    assert len(found) == 1_000
    assert found[0].startswith(CALLED_AT.isoformat(timespec="microseconds"))
    assert found[-1].startswith((CALLED_AT + timedelta(seconds=999)).isoformat(timespec="microseconds"))


_BEFORE: Final = [
    ("answered", CALLED_AT, CALLED_AT + 9 * eg.MINUTE, CALLED_AT + HOUR, "hangup"),
    ("odd", CALLED_AT, None, CALLED_AT + HOUR, "Odd"),
    ("busy", None, None, CALLED_AT + HOUR, "busy"),
    ("waiting", CALLED_AT, None, None, None),
    ("nothing", None, None, None, None),
]
"""Rows as the register had them: call, offered, answered, ended, cause."""
_MIGRATIONS: Final = sorted(Path(__file__).parents[2].joinpath("deploy", "migrations").glob("*.sql"))


async def test_calls_told_before_the_register_kept_sets_are_what_they_were(stack: Addresses) -> None:
    """Migration 0030: the earliest of each kind is what was kept then."""
    admin = await asyncpg.connect(stack.database("postgres"))
    name = "calls_of_before"
    await admin.execute(f"CREATE DATABASE {name}")
    owner = await asyncpg.connect(stack.database(name))
    try:
        await owner.execute(TOOL)
        for file in _MIGRATIONS:
            if file.name.startswith("0030_"):
                await owner.execute(
                    "INSERT INTO intake.call SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[],"
                    " $4::timestamptz[], $5::text[])",
                    *map(list, zip(*_BEFORE, strict=True)),
                )
            await owner.execute(
                file.read_text().partition("-- migrate:up")[2].partition("-- migrate:down")[0]
            )
        found = {call: await views.call(owner, call) for call, *_ in _BEFORE}
        await owner.execute("SELECT intake.note_calls($1, $2, $3)", ["answered"], [CALLED_AT], ["offered"])
        again = await views.call(owner, "answered")
    finally:
        await owner.close()
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()
    assert {call: record and (*record[:4], record.reached) for call, record in found.items()} == {
        "answered": (CALLED_AT, CALLED_AT + 9 * eg.MINUTE, CALLED_AT + HOUR, "ANSWERED", True),
        "odd": (CALLED_AT, None, CALLED_AT + HOUR, "ABANDONED", True),
        "busy": (None, None, CALLED_AT + HOUR, "BUSY", False),
        "waiting": (CALLED_AT, None, None, None, True),
        "nothing": (None, None, None, None, False),
    }
    assert again == found["answered"], "told again it is the same"


async def test_the_command_says_of_each_figure_what_it_counts(
    desks: Desks, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing negative, nothing twice, and what is not counted stands beside it."""
    await note(desks, each_its_own_call())
    every = await by_register.calls(
        desks.owner, datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
    )
    begin = min(at for record in every if (at := record.counted_at) is not None) - DAY
    end = begin + 3 * DAY
    found = figures(every, begin, end, RULES.telephone)
    _print(begin, end, found, RULES.telephone, RULES.timezone)
    lines = [line.rpartition("  ") for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    said = {name.strip(): value.strip() for name, _, value in lines}
    waits, talks = found.answered - found.wait_unknown, found.answered - found.talk_unknown
    assert int(said["offered, and over or answered"]) == found.offered
    assert int(said["answered"]) == found.answered > waits > 0
    assert int(said["answered, how soon is not known"]) == found.wait_unknown
    assert int(said["not counted, ended and never offered"]) == sum(found.never_offered.values()) > 0
    assert int(said["not counted yet, still waiting"]) == found.not_over
    assert said[f"average wait of {waits} answered"] == f"{found.average_wait_seconds:.1f} s"
    assert said[f"average talk of {talks} that are over"] == f"{found.average_talk_seconds:.1f} s"
    assert not any(value.startswith("-") for value in said.values()), "nothing is below zero"


# -- messages


async def test_what_was_sent_in_an_interval_is_found_in_the_log(desks: Desks) -> None:
    """A3: by message only, in order, and wherever in the log it begins."""
    for number, (channel, wait) in enumerate([("sms", 2), ("web", 90), ("phone", None), ("sms", 4)]):
        name = f"message-{number}"
        at = CALLED_AT + number * HOUR
        changes: dict[str, object] = {"request_id": name, "call_id": None, "channel": channel}
        if wait is not None:
            changes["sent_at"] = at - timedelta(minutes=wait)
        await desks.tell_unheard(
            told(eg.RECORD, command=changed(eg.REQUEST, **changes), complaint_id=complaint_id(name), at=at)
        )

    async def found(since: datetime, until: datetime) -> list[Message]:
        return await by_register.messages(desks.owner, since, until)

    every = await found(CALLED_AT - HOUR, CALLED_AT + 4 * HOUR)
    assert [message.channel for message in every] == ["sms", "web", "sms"]
    sms = next(one for one in responses(every, MESSAGES) if one.channel == "sms")
    assert sms == Response("sms", timedelta(minutes=3), 2, 1, 180.0)
    assert await found(CALLED_AT, CALLED_AT + HOUR) == every[1:2], "its beginning excluded, its end included"
    assert await found(CALLED_AT + 30 * HOUR, CALLED_AT + 60 * HOUR) == []


async def test_messages_are_found_with_letters_of_weeks_ago_anywhere_in_the_log(desks: Desks) -> None:
    """A3: what came when is not the order in which it was put on record, nor near it."""
    days = [0, 21, 1, 40, 2, 3, 35, 4, 14, 5, 6, 28, 7, 8, 60, 9]  # in the log's order, by the day each came
    for number, day in enumerate(days):
        name, at = f"letter-{number}", CALLED_AT + day * DAY
        request = changed(
            eg.REQUEST, request_id=name, call_id=None, channel=f"day {day}", sent_at=at - timedelta(minutes=5)
        )
        await desks.tell_unheard(told(eg.RECORD, command=request, complaint_id=complaint_id(name), at=at))
    for first in sorted(days):
        for last in (first, first + 1, first + 20, 60):
            since = CALLED_AT + (first - 0.5) * DAY
            found = await by_register.messages(desks.owner, since, CALLED_AT + last * DAY)
            expected = [f"day {day}" for day in sorted(days) if first <= day <= last]
            assert [message.channel for message in found] == expected, (first, last)


# -- the same figures from the read side


async def read_side(desks: Desks, since: datetime, until: datetime, rules: TelephoneRules) -> Figures:
    return await telephone.figures(desks.owner, since, until, rules)


@pytest.mark.parametrize("seed", range(4))
async def test_the_read_side_gives_the_figures_that_all_calls_give(
    desks: Desks, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A1, A2, T12: to the microsecond, in any interval, under any load; and calls said later move them."""
    random = Random(seed)
    if seed:
        monkeypatch.setattr(telephone, "FEW", 0)  # minute by minute, as with many
    rules = changed(RULES.telephone, window_calls_min=random.choice([0, 1, 20]))
    begin = datetime(2021, 9, 20, tzinfo=UTC)
    span = 3 * 24 * 3600
    answered_of_ten = random.choice([3, 9, 10])
    for part in range(2):  # the second part is said when the first is taken in
        said = each_its_own_call() if part else []
        for number in range(400):
            at = begin + timedelta(
                seconds=random.randint(0, span), microseconds=random.choice([0, 1, 500_000])
            )
            at = at.replace(second=0, microsecond=0) if random.random() < 0.2 else at
            call, after = f"r-{part}-{number}", timedelta(seconds=random.choice([1, 15, 16, 70]))
            said.append(CallInput(CallOffered(call_id=call), at, "1"))
            if random.randint(1, 10) <= answered_of_ten:
                said.append(CallInput(CallAnswered(call_id=call, agent="a"), at + after, "2"))
            if random.random() < 0.9:
                cause = random.choice(["hangup", "busy", "abandoned", "timeout"])
                said.append(CallInput(CallEnded(call_id=call, cause=cause), at + 2 * after, "3"))
        await note(desks, said)
        await take_in(desks.dsn)
        for _ in range(12):
            since = begin + timedelta(seconds=random.randint(0, span))
            since = since.replace(second=0) if random.random() < 0.5 else since
            until = since + random.choice([eg.MINUTE, HOUR, DAY, 2 * DAY, timedelta(seconds=17)])
            every = await by_register.calls(desks.owner, since - rules.window, until)
            expected = figures(every, since, until, rules)
            assert await read_side(desks, since, until, rules) == expected, (since, until)
            narrow = changed(rules, window=timedelta(seconds=90))
            every = await by_register.calls(desks.owner, since - narrow.window, until)
            assert (await read_side(desks, since, until, narrow)).lowest == lowest(
                every, since, until, narrow
            )


async def test_the_read_side_gives_the_responses_that_all_messages_give(desks: Desks) -> None:
    """A3: small and large letters are one channel, and no call is a message."""
    for number, (channel, wait) in enumerate(
        [("sms", 2), ("SMS", 9), ("web", 90), ("phone", None), ("Fax", 4)]
    ):
        name, at = f"message-{number}", CALLED_AT + number * HOUR
        changes: dict[str, object] = {"request_id": name, "call_id": None, "channel": channel}
        if wait is not None:
            changes["sent_at"] = at - timedelta(minutes=wait)
        await desks.tell_unheard(
            told(eg.RECORD, command=changed(eg.REQUEST, **changes), complaint_id=complaint_id(name), at=at)
        )
    await take_in(desks.dsn)
    for since, until in ((CALLED_AT - HOUR, CALLED_AT + DAY), (CALLED_AT, CALLED_AT + HOUR)):
        every = await by_register.messages(desks.owner, since, until)
        found = await telephone.responses(desks.owner, since, until, MESSAGES)
        assert sorted(found) == sorted(responses(every, MESSAGES))
