"""A call is handed from one operator to another and both record it (T7): one order goes out, nothing said is lost."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.intake import rules as intake
from services.intake.inbound import requests
from services.intake.settings import Settings
from shared.complaint import head_of
from shared.desk import Desk
from shared.events import (
    ComplaintReceived,
    ComplaintTurnedAway,
    MatterLinked,
    RequestType,
    TurnedAway,
    Urgency,
)
from shared.ids import ComplaintId, complaint_id
from shared.inputs import Input, RecordRequest, WithdrawRequest
from shared.log.memory import MemoryLog
from shared.runtime.telemetry import Telemetry
from shared.topics import DISPATCH_REPLIES, DISPATCH_REVIEWS, INTAKE_REQUESTS
from shared.work import Batch
from tests import examples as eg
from tests.doors import message
from tests.examples import HOUR
from tests.story import ADDRESSES, Story

SECOND = replace(
    eg.REQUEST, request_id="20210924-0002", title="消防通道停车", content="占道", recorded_by="agent-9"
)


def ended(story: Story, request_id: str) -> str | None:
    """How its life ended; None where it goes on."""
    end = head_of(story.memory.heads[complaint_id(request_id)][2]).ended
    return None if end is None else end.how


async def test_the_second_record_is_kept_points_to_the_call_and_ends() -> None:
    """T7."""
    story = Story()
    first = await story.records()
    await story.tells(INTAKE_REQUESTS, SECOND)
    assert ended(story, eg.REQUEST_ID) is None
    story.id = complaint_id(SECOND.request_id)
    received, _, turned = story.facts()
    assert isinstance(received, ComplaintReceived)
    assert received.content == "占道", "what the second wrote stays readable"
    assert isinstance(turned, ComplaintTurnedAway)
    assert (turned.how, turned.to) == (TurnedAway.RECORDED_TWICE, "call-1")
    await story.tells(INTAKE_REQUESTS, SECOND, event_id="told once more, by another id")
    assert len(story.facts()) == 3
    await story.tells(INTAKE_REQUESTS, replace(SECOND, content="别的"))
    assert len(story.facts()) == 3
    assert len(story.memory.parked) == 1, "a third content under its number is set aside by itself"
    story.id = first
    await story.tells(INTAKE_REQUESTS, eg.REQUEST, event_id="nor does the first become the second")
    assert "ComplaintTurnedAway" not in story.told()
    story.holds()


async def test_in_one_batch_the_first_goes_on() -> None:
    """T7."""
    story = Story()
    told = [
        message(data, INTAKE_REQUESTS.name, at=eg.CALLED_AT, event_id=data.request_id, offset=n)
        for n, data in enumerate((SECOND, eg.REQUEST), start=1)
    ]
    await story.comes(INTAKE_REQUESTS, *told)
    assert ended(story, SECOND.request_id) is None
    assert ended(story, eg.REQUEST_ID) == "ComplaintTurnedAway"
    story.holds()


async def test_two_intake_desks_at_the_same_moment_and_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """T7: both have read that nobody was first; the log lets one of them, and the other decides again."""
    story = Story()
    read = asyncio.Barrier(2)
    heads = MemoryLog.heads
    waits = {"left": 2}

    async def both_read(log: MemoryLog, *asked: object) -> object:
        known = await heads(log, *asked)  # type: ignore[arg-type]
        if waits["left"]:
            waits["left"] -= 1
            await read.wait()
        return known

    monkeypatch.setattr(MemoryLog, "heads", both_read)
    door = requests(Settings(**ADDRESSES), story.clock)

    async def takes(data: RecordRequest, offset: int) -> None:
        batch = Batch()
        told = message(data, INTAKE_REQUESTS.name, at=eg.CALLED_AT, event_id=data.request_id, offset=offset)
        door([told], batch)
        desk = Desk("intake", intake.decide, MemoryLog(story.memory, "intake"), Telemetry("intake"))
        await desk.obey(batch)

    await asyncio.gather(takes(eg.REQUEST, 1), takes(SECOND, 2))
    await story.hears()
    ends = sorted(str(ended(story, one)) for one in (eg.REQUEST_ID, SECOND.request_id))
    assert ends == ["ComplaintTurnedAway", "None"]
    story.holds()


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "供水"},
        {"street": "北太平庄街道"},
        {"call_id": "call-2"},
        {"call_id": None, "channel": "web"},
        {"another_matter": True},
        {"matter_of": eg.REQUEST_ID},
    ],
    ids=str,
)
async def test_what_is_or_may_be_another_matter_goes_on_by_itself(changes: dict[str, object]) -> None:
    """T7: one call, two matters; and where two are of one subject and place, the operator says so."""
    story = Story()
    await story.records()
    await story.tells(INTAKE_REQUESTS, replace(SECOND, **changes))
    assert ended(story, SECOND.request_id) is None
    story.id = ComplaintId(complaint_id(SECOND.request_id))
    assert "ComplaintDispatched" in story.told()
    story.holds()


async def test_a_first_record_that_could_not_be_decided_holds_nothing() -> None:
    """T7: only what is on record stands before another."""
    story = Story()

    def fails(command: object, case: object) -> object:
        raise RuntimeError("a bug in a rule")

    right = story.desks["intake"]
    story.desks["intake"] = Desk(
        "intake",
        partial(fails),
        MemoryLog(story.memory, "intake"),
        Telemetry("intake"),  # type: ignore[arg-type]
    )
    await story.tells(INTAKE_REQUESTS, eg.REQUEST)
    assert len(story.memory.parked) == 1
    story.desks["intake"] = right
    await story.tells(INTAKE_REQUESTS, SECOND)
    assert ended(story, SECOND.request_id) is None


async def test_the_citizen_may_still_say_more_to_the_record_that_goes_on() -> None:
    """T7: the second record's life is over, the first's is not."""
    story = Story()
    await story.records()
    await story.tells(INTAKE_REQUESTS, SECOND)
    await story.passes(HOUR)
    await story.tells(INTAKE_REQUESTS, eg.SUPPLEMENT)
    assert story.told()[-1] == "RequestSupplemented"
    await story.signs()
    await story.answers()
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "ComplaintClosed"
    story.holds()


# --- which record stands for another


async def _withdrawn(story: Story) -> None:
    await story.withdraws()


async def _solved(story: Story) -> None:
    await story.signs()
    await story.answers()
    await story.citizen_says(solved=True)


async def _by_exception(story: Story) -> None:
    await story.supervisor_lets_it_close()


async def _terminated(story: Story) -> None:
    """Nobody acts any more, and feedback has not closed it yet."""
    await story.signs()
    await story.tells(DISPATCH_REPLIES, eg.TERMINATION_REPLY, unit=eg.STREET)
    await story.tells(DISPATCH_REVIEWS, eg.TERMINATION_REVIEW, heard=False)


async def _nothing(story: Story) -> None:
    """It lies with its unit."""


async def _answered(story: Story) -> None:
    await story.signs()
    await story.answers()


async def _reopened(story: Story) -> None:
    await _answered(story)
    await story.citizen_says(solved=False)


class Fate(NamedTuple):
    """What has become of the first record when the second comes."""

    lives: Callable[[Story], Awaitable[None]]
    goes_on: bool
    fields: Mapping[str, object] = MappingProxyType({})


TURNED: Final = {"turned_away_to": "119", "turned_away_reason": "火情"}
FATES: Final = {
    "with its unit": Fate(_nothing, goes_on=True),
    "answered, and the citizen is to be asked": Fate(_answered, goes_on=True),
    "reopened": Fate(_reopened, goes_on=True),
    "withdrawn": Fate(_withdrawn, goes_on=False),
    "solved": Fate(_solved, goes_on=False),
    "closed by exception": Fate(_by_exception, goes_on=False),
    "its order terminated": Fate(_terminated, goes_on=False),
    **{
        how.value: Fate(_nothing, goes_on=False, fields={"turned_away": how, **TURNED})
        for how in TurnedAway
        if how is not TurnedAway.RECORDED_TWICE
    },
}


def linked(story: Story, request_id: str) -> MatterLinked | None:
    """By which fact it was linked."""
    story.id = complaint_id(request_id)
    found = story.facts(MatterLinked)
    assert all(isinstance(fact, MatterLinked) for fact in found)
    return next(iter(found), None)  # type: ignore[arg-type]


KINDS: Final = tuple(RequestType)
PAIRS: Final = [pair for n, kind in enumerate(KINDS) for pair in ((kind, kind), (kind, KINDS[n - 1]))]
"""Each kind after itself and after another."""


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize(("kind", "second"), PAIRS, ids=str)
async def test_only_a_record_of_the_same_kind_that_goes_on_stands_for_another(
    kind: RequestType, second: RequestType, fate: str
) -> None:
    """T7, B2, R4, E3: what nobody else acts on goes on, and is linked."""
    story = Story()
    first = await story.records(request_type=kind, **FATES[fate].fields)
    await FATES[fate].lives(story)
    await story.tells(INTAKE_REQUESTS, replace(SECOND, request_type=second))
    left = FATES[fate].goes_on and kind is second
    assert ended(story, SECOND.request_id) == ("ComplaintTurnedAway" if left else None)
    link = linked(story, SECOND.request_id)
    assert ("ComplaintDispatched" in story.told()) is not left
    assert (None if link is None else link.matter_of) == (None if left else first)
    assert link is None or (link.linked_by, link.same_call) == ("intake", True)
    said = len(story.memory.facts)
    await story.tells(INTAKE_REQUESTS, replace(SECOND, request_type=second), event_id="told once more")
    assert (len(story.memory.facts), story.memory.parked) == (said, {})
    story.holds()


async def test_a_question_answered_from_an_article_leaves_the_complaint_of_the_same_call_to_a_unit() -> None:
    """T7, B2: and the third record, of that complaint, is left for it."""
    story = Story()
    asked = await story.records(request_type=RequestType.CONSULT, article_id="parking-12")
    await story.tells(INTAKE_REQUESTS, replace(SECOND, request_type=RequestType.COMPLAINT))
    third = replace(SECOND, request_id="20210924-0003", request_type=RequestType.COMPLAINT)
    await story.tells(INTAKE_REQUESTS, third)
    assert ended(story, SECOND.request_id) is None
    assert ended(story, third.request_id) == "ComplaintTurnedAway"
    link = linked(story, SECOND.request_id)
    assert link is not None
    assert link.matter_of == asked
    story.holds()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"urgency": Urgency.CRITICAL_2H}),
        ({}, {"confidential": True}),
        ({}, {"anonymous": True}),
        ({"anonymous": True}, {}),
        ({}, {"turned_away": TurnedAway.EMERGENCY, **TURNED}),
        ({"request_type": RequestType.CONSULT}, {"request_type": RequestType.CONSULT, "article_id": "kb-1"}),
    ],
    ids=str,
)
async def test_a_record_that_asks_for_more_or_ends_by_its_own_word_is_not_left_for_the_first(
    first: dict[str, object], second: dict[str, object]
) -> None:
    """T7, A5, R4, E2: two hours, a secret, an emergency service, somebody to ask: none of it is lost."""
    story = Story()
    await story.records(**first)
    await story.tells(INTAKE_REQUESTS, replace(SECOND, **second))
    story.id = complaint_id(SECOND.request_id)
    (end,) = story.facts(ComplaintTurnedAway) or [None]
    assert end is None or (isinstance(end, ComplaintTurnedAway) and end.how is TurnedAway.EMERGENCY)
    assert linked(story, SECOND.request_id) is not None
    story.holds()


async def test_nobody_says_from_outside_that_a_record_is_the_second_of_its_call() -> None:
    """T7: the first would have to go on, and only what is on record shows that."""
    story = Story()
    await story.tells(INTAKE_REQUESTS, replace(eg.REQUEST, turned_away=TurnedAway.RECORDED_TWICE))
    (kept,) = story.memory.parked.values()
    assert kept.parked.reason.startswith("data: turned_away: RECORDED_TWICE is found out here")


@pytest.mark.parametrize("at_once", ["withdrawn", "recorded"])
async def test_a_first_that_is_taken_back_at_the_same_moment_is_taken_back_before_or_after(
    monkeypatch: pytest.MonkeyPatch, at_once: str
) -> None:
    """T7: two desks at once; whichever word is written first, a record is never left for one that was over."""
    story = Story()
    first = await story.records()
    append, turn = MemoryLog.append, {"left": 1}
    door = requests(Settings(**ADDRESSES), story.clock)

    async def takes(data: Input, offset: int) -> None:
        batch = Batch()
        told = message(data, INTAKE_REQUESTS.name, at=eg.CALLED_AT, event_id=str(offset), offset=offset)
        door([told], batch)
        desk = Desk("intake", intake.decide, MemoryLog(story.memory, "intake"), Telemetry("intake"))
        await desk.obey(batch)

    taken_back = WithdrawRequest(request_id=eg.REQUEST_ID)
    mine, others = (SECOND, taken_back) if at_once == "withdrawn" else (taken_back, SECOND)

    async def overtaken(log: MemoryLog, appended: object) -> None:
        if turn["left"]:
            turn["left"] -= 1
            await takes(others, 2)
        await append(log, appended)  # type: ignore[arg-type]

    monkeypatch.setattr(MemoryLog, "append", overtaken)
    await takes(mine, 1)
    await story.hears()
    kept = [
        stored
        for stored in story.memory.facts
        if stored.type in {"ComplaintWithdrawn", "ComplaintTurnedAway"}
    ]
    left_at = [stored.position for stored in kept if stored.type == "ComplaintTurnedAway"]
    over_at = next(stored.position for stored in kept if stored.complaint_id == first)
    assert all(position < over_at for position in left_at)
    assert bool(left_at) == (at_once == "recorded")
    story.holds()


class Said(NamedTuple):
    """A record of the call, or the withdrawal of one of them; and whether it comes in the batch of the one before."""

    kind: RequestType
    urgency: Urgency = Urgency.GENERAL_7D
    confidential: bool = False
    turned_away: TurnedAway | None = None
    withdraws: int | None = None
    same_batch: bool = False


SAID: Final = st.lists(
    st.builds(
        Said,
        kind=st.sampled_from((RequestType.CONSULT, RequestType.COMPLAINT)),
        urgency=st.sampled_from((Urgency.GENERAL_7D, Urgency.GENERAL_7D, Urgency.TIMELY_24H)),
        confidential=st.sampled_from((False, False, True)),
        turned_away=st.sampled_from((None, None, None, TurnedAway.EMERGENCY)),
        withdraws=st.sampled_from((None, None, 0, 1, 2)),
        same_batch=st.booleans(),
    ),
    min_size=2,
    max_size=8,
)


@given(SAID)
@settings(max_examples=60, deadline=None)
def test_whatever_is_recorded_of_a_call_nothing_it_asks_for_is_left_to_nobody(said: list[Said]) -> None:
    """T7: a record is left exactly where one that goes on asks for all it asks for; in one batch or one by one."""
    asyncio.run(_one_call(said))


async def _one_call(said: list[Said]) -> None:
    story = Story()
    going_on: list[tuple[Said, str]] = []
    recorded: list[str] = []
    expected: dict[str, str | None] = {}
    batch: list[Input] = []
    batches = [batch]
    for one in said:
        if not one.same_batch:
            batches.append(batch := [])
        if one.withdraws is not None:
            if one.withdraws >= len(recorded):
                continue
            name = recorded[one.withdraws]
            batch.append(WithdrawRequest(request_id=name))
            if any(known == name for _, known in going_on):
                expected[name] = "ComplaintWithdrawn"
                going_on = [known for known in going_on if known[1] != name]
            continue
        name = f"{one.kind}-{len(recorded)}"
        batch.append(_record_of(one, name))
        stands = any(
            first.kind is one.kind
            and (first.urgency is one.urgency or first.urgency is Urgency.TIMELY_24H)
            and (first.confidential or not one.confidential)
            for first, _ in going_on
        )
        recorded.append(name)
        if one.turned_away is not None or stands:
            expected[name] = "ComplaintTurnedAway"
        else:
            expected[name] = None
            going_on.append((one, name))
    offset = 0
    for told in batches:
        messages = [
            message(data, INTAKE_REQUESTS.name, at=eg.CALLED_AT, event_id=str(offset + n), offset=offset + n)
            for n, data in enumerate(told, start=1)
        ]
        offset += len(told)
        if messages:
            await story.comes(INTAKE_REQUESTS, *messages)
    assert {name: ended(story, name) for name in recorded} == expected
    for number, name in enumerate(recorded):
        link = linked(story, name)
        left = any(f.how is TurnedAway.RECORDED_TWICE for f in story.facts(ComplaintTurnedAway))  # type: ignore[attr-defined]
        assert (link is None) == (left or number == 0), "what is not left is linked, but for the first"
    story.holds()


def _record_of(one: Said, name: str) -> RecordRequest:
    away = {} if one.turned_away is None else {"turned_away": one.turned_away, **TURNED}
    return replace(
        eg.REQUEST,
        request_id=name,
        request_type=one.kind,
        urgency=one.urgency,
        confidential=one.confidential,
        **away,
    )
