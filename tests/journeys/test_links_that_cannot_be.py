"""A request names another complaint that cannot be meant: itself, one nobody recorded, one that came after it.

The citizen's own matter goes on record all the same; what is wrong with the link is a fact behind it.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest
from msgspec.structs import replace

from services.intake import rules as intake
from services.intake.inbound import requests
from services.intake.naming import first_things_first
from services.intake.settings import Settings
from shared import inputs
from shared.complaint import head_of
from shared.desk import Desk
from shared.events import IntakeRefused, MatterLinked, RequestRepeated, RetaliationReported
from shared.ids import ComplaintId, complaint_id
from shared.inputs import Input
from shared.log import Incoming
from shared.log.memory import MemoryLog
from shared.runtime.telemetry import Telemetry
from shared.topics import INTAKE_REQUESTS
from shared.work import Batch, Work
from tests import examples as eg
from tests.doors import message
from tests.story import ADDRESSES, Story

A, B, C, D = "a", "b", "c", "d"


def of(request_id: str, **fields: Any) -> inputs.RecordRequest:
    return replace(eg.REQUEST, request_id=request_id, call_id=None, channel="web", **fields)


def again(request_id: str, by: str) -> inputs.RepeatRequest:
    return inputs.RepeatRequest(request_id=request_id, repeat_id=by, another_citizen=True)


def refusals(story: Story, request_id: str) -> list[str]:
    story.id = complaint_id(request_id)
    return [fact.reason for fact in story.facts(IntakeRefused)]  # type: ignore[attr-defined]


def heat(story: Story, request_id: str) -> int:
    return head_of(story.memory.heads[complaint_id(request_id)][2]).heat


def first_of(story: Story, request_id: str) -> ComplaintId | None:
    return head_of(story.memory.heads[complaint_id(request_id)][2]).matter_of


async def tells(story: Story, *said: Input) -> None:
    for data in said:
        await story.tells(INTAKE_REQUESTS, data)


SELF: Final = complaint_id(A)
NOBODY: Final = complaint_id("nobody")


@pytest.mark.parametrize(
    ("fields", "because"),
    [
        ({"matter_of": A}, "matter_of: names this request itself"),
        ({"matter_of_complaint": SELF}, "matter_of_complaint: names this request itself"),
        ({"matter_of": "nobody"}, "matter_of: no request of this number is on record on the same topic"),
        ({"matter_of_complaint": NOBODY}, f"matter_of_complaint: complaint {NOBODY} is not on record"),
        (
            {"retaliation_by": eg.STREET, "retaliation_about": A},
            "retaliation_about: names this request itself",
        ),
        (
            {"retaliation_by": eg.STREET, "retaliation_about_complaint": NOBODY},
            f"retaliation_about_complaint: complaint {NOBODY} is not on record",
        ),
    ],
)
async def test_a_wrong_link_is_refused_by_a_fact_and_the_matter_goes_to_a_unit(
    story: Story, fields: dict[str, Any], because: str
) -> None:
    await tells(story, of(A, **fields))
    (why,) = refusals(story, A)
    assert why.startswith(because)
    assert "ComplaintDispatched" in story.told()
    assert story.facts(MatterLinked) == []
    assert [fact.about for fact in story.facts(RetaliationReported)] in ([], [None])  # type: ignore[attr-defined]
    said = len(story.facts())
    await tells(story, of(A, **fields))
    assert len(story.facts()) == said, "told again it is the same request"
    await tells(story, of(A, **{**fields, "title": "别的"}))
    assert len(story.memory.parked) == 1
    await story.signs()
    story.holds()


@pytest.mark.parametrize("way", ["an answer on the spot", "turned away"])
async def test_the_refusal_stands_behind_a_life_that_ends_at_once(story: Story, way: str) -> None:
    ends = (
        {"request_type": "CONSULT", "article_id": "KB-1"}
        if way == "an answer on the spot"
        else {"turned_away": "REJECTED", "turned_away_reason": "不在受理范围"}
    )
    await tells(story, of(A, matter_of="nobody", **ends))
    assert len(refusals(story, A)) == 1
    assert story.case().ended is not None
    story.holds()


@pytest.mark.parametrize(
    ("by", "because"),
    [
        ({"repeat_id": A}, "repeat_id: names this request itself"),
        ({"repeat_id": A, "another_citizen": True}, "repeat_id: names this request itself"),
        ({"repeat_complaint": SELF, "another_citizen": True}, "repeat_complaint: names this request itself"),
        ({"repeat_id": "call-of-a"}, "repeat_id: is the call in which it was recorded"),
        ({"repeat_id": "nobody", "another_citizen": True}, "repeat_id: no request of this number"),
        (
            {"repeat_complaint": NOBODY, "another_citizen": True},
            f"repeat_complaint: complaint {NOBODY} is not on record",
        ),
    ],
)
async def test_a_repeat_that_is_none_raises_no_heat_however_often_it_is_said(
    story: Story, by: dict[str, Any], because: str
) -> None:
    await tells(story, replace(of(A), call_id="call-of-a"))
    for _ in range(3):
        await tells(story, inputs.RepeatRequest(request_id=A, **by))
    assert heat(story, A) == 1
    whys = refusals(story, A)
    assert len(whys) == 3, "each is refused visibly"
    assert all(why.startswith(because) for why in whys)
    story.holds()


async def test_a_repeat_that_is_counted_says_so_where_another_note_comes_with_it(story: Story) -> None:
    """R11: what the citizen adds in it would else be lost without a word; the same word again is the same repeat."""
    said = inputs.RepeatRequest(request_id=A, repeat_id="call-9", note="夜里也是")
    by_complaint = replace(said, request_id=None, complaint_id=SELF)
    await tells(story, of(A), said, said, by_complaint, replace(said, recorded_by="agent-2"))
    assert (heat(story, A), refusals(story, A)) == (2, [])
    await tells(story, replace(said, note="周末也是"), replace(by_complaint, note=""))
    assert heat(story, A) == 2
    assert [why[:30] for why in refusals(story, A)] == ["repeat_id: is counted already,"] * 2
    story.holds()


async def test_a_repeat_refused_as_not_on_record_counts_once_that_record_is_there(story: Story) -> None:
    """A refusal claims nothing."""
    await tells(story, of(A), again(A, B), of(B), again(A, B), again(A, B))
    assert heat(story, A) == 2
    assert len(refusals(story, A)) == 1


async def test_two_do_not_name_each_other_as_first(story: Story) -> None:
    await tells(story, of(A, matter_of=B), of(B, matter_of=A))
    assert (first_of(story, A), first_of(story, B)) == (None, complaint_id(A))
    await tells(story, again(A, B), again(B, A), again(A, B), again(B, A))
    assert (heat(story, A), heat(story, B)) == (2, 1)
    (why, _) = refusals(story, B)
    assert "was on record before this one" in why
    story.holds()


async def test_no_ring_of_links_closes_however_long_and_by_whichever_kinds(story: Story) -> None:
    """By the order in which they came on record, so nothing has to be followed."""
    await tells(story, of(A, matter_of=D), of(B, matter_of=A), of(C), again(B, C), of(D, matter_of=C))
    await tells(story, again(D, A), again(C, A), again(D, B), again(A, D))
    edges = {(name, first) for name in (A, B, C, D) if (first := first_of(story, name)) is not None}
    assert edges == {(B, complaint_id(A)), (D, complaint_id(C))}
    assert [heat(story, name) for name in (A, B, C, D)] == [2, 2, 1, 1]


async def test_what_comes_in_one_batch_by_several_partitions_is_on_record_for_what_names_it(
    story: Story,
) -> None:
    """Fifty households at once, the first one last: each is linked and counted once."""
    households = [f"household-{number}" for number in range(2, 51)]
    own = [_at(of(one, matter_of=A), partition=n % 3, offset=n) for n, one in enumerate(reversed(households))]
    of_first = [of(A), *(again(A, one) for one in households)]
    told = [_at(data, partition=3, offset=n) for n, data in enumerate(of_first)]
    await story.comes(INTAKE_REQUESTS, *own, *told)
    assert heat(story, A) == 50
    assert {first_of(story, own) for own in households} == {complaint_id(A)}
    assert refusals(story, A) == []
    assert story.memory.parked == {}
    story.holds()


async def test_two_that_name_each_other_in_one_batch_close_no_ring(story: Story) -> None:
    told = [
        _at(of(A, matter_of=B), partition=0, offset=0),
        _at(of(B, matter_of=C), partition=1, offset=0),
        _at(of(C, matter_of=A), partition=2, offset=0),
    ]
    await story.comes(INTAKE_REQUESTS, *told)
    linked = [name for name in (A, B, C) if first_of(story, name) is not None]
    assert len(linked) == 2
    assert sum(len(refusals(story, name)) for name in (A, B, C)) == 1
    story.holds()


async def test_two_that_name_each_other_at_two_desks_at_once_close_no_ring(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither sees the other on record, so neither is linked; and a repeat counts in one direction alone."""
    story = Story()
    read = asyncio.Barrier(2)
    begun = MemoryLog.begun
    waits = {"left": 2}

    async def both_read(log: MemoryLog, asked: Any) -> dict[str, int]:
        known = await begun(log, asked)
        if waits["left"]:
            waits["left"] -= 1
            await read.wait()
        return known

    monkeypatch.setattr(MemoryLog, "begun", both_read)
    door = requests(Settings(**ADDRESSES), story.clock)

    async def takes(data: Input, partition: int) -> None:
        batch = Batch()
        door([_at(data, partition=partition, offset=0)], batch)
        desk = Desk("intake", intake.decide, MemoryLog(story.memory, "intake"), Telemetry("intake"))
        await desk.obey(batch)

    await asyncio.gather(takes(of(A, matter_of=B), 0), takes(of(B, matter_of=A), 1))
    assert [first_of(story, name) for name in (A, B)] == [None, None]
    await asyncio.gather(takes(again(A, B), 2), takes(again(B, A), 3))
    assert sorted(heat(story, name) for name in (A, B)) == [1, 2]


async def test_a_link_by_number_means_the_speakers_own_and_by_complaint_anybodys(story: Story) -> None:
    web = f"{INTAKE_REQUESTS.name}.web"
    await story.comes(INTAKE_REQUESTS, replace(_at(of(A), partition=0, offset=0), topic=web))
    await tells(story, of(B, matter_of=A))
    (why,) = refusals(story, B)
    assert "name what another speaker recorded by its complaint" in why
    await tells(story, of(C, matter_of_complaint=complaint_id(A, "web")))
    assert first_of(story, C) == complaint_id(A, "web")
    named = inputs.RepeatRequest(
        complaint_id=complaint_id(A, "web"), repeat_complaint=complaint_id(C), another_citizen=True
    )
    await tells(story, named)
    story.id = complaint_id(A, "web")
    (fact,) = story.facts(RequestRepeated)
    assert fact.by == complaint_id(C)  # type: ignore[attr-defined]
    story.holds()


def _at(data: Input, *, partition: int, offset: int) -> Incoming:
    told = message(data, INTAKE_REQUESTS.name, event_id=f"{partition}-{offset}", offset=offset)
    return replace(told, partition=partition)


def test_a_chain_as_long_as_a_batch_is_put_in_order_and_each_complaints_own_order_stays() -> None:
    last = 4000
    chain = [
        Work(f"record {n}", ComplaintId(str(n)), "c", beside=(ComplaintId(str(n + 1)),)) for n in range(last)
    ]
    behind = [Work(f"later {n}", ComplaintId(str(n)), "c") for n in range(last)]
    ordered = [work.command for work in first_things_first([*chain, *behind])]
    assert ordered[:last] == [f"record {n}" for n in reversed(range(last))]
    assert ordered[last:] == [f"later {n}" for n in range(last)]
