"""Two replies at the same moment: one wins, the other is decided again on the longer past and refused (T4)."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.inputs import RequestReturn, SignOrder, WithdrawRequest
from shared.log import Known
from shared.log.memory import Memory, MemoryLog
from shared.topics import DISPATCH_REPLIES, INTAKE_REQUESTS
from tests.examples import ID, REQUEST_ID, STREET
from tests.story import Story

SIGNS = SignOrder(complaint_id=ID, assignment=1)
RETURNS = RequestReturn(complaint_id=ID, assignment=1, reason="r", evidence="e")


class BothHaveRead(MemoryLog):
    """A log in which two desks read the same heads before either writes, as two connections may."""

    def __init__(self, memory: Memory, consumer: str, barrier: asyncio.Barrier) -> None:
        super().__init__(memory, consumer)
        self._barrier = barrier
        self.read = 0

    async def heads(self, streams: Sequence[str], inbox: Sequence[str]) -> Known:
        known = await super().heads(streams, inbox)
        self.read += 1
        if self.read == 1:
            await self._barrier.wait()
        return known


def raced(story: Story, first: str, second: str) -> tuple[BothHaveRead, BothHaveRead]:
    """Two desks of a story, each with a log that lets the other read first."""
    barrier = asyncio.Barrier(2)
    return BothHaveRead(story.memory, first, barrier), BothHaveRead(story.memory, second, barrier)


@pytest.mark.parametrize("sign_first", [True, False])
async def test_sign_against_return(story: Story, sign_first: bool) -> None:
    """T4: two processes of dispatch hold a reply each about one order."""
    await story.records()
    other = Story()
    other.memory, other.clock = story.memory, story.clock
    one, two = raced(story, "dispatch", "dispatch")
    story.desks["dispatch"].log, other.desks["dispatch"].log = one, two
    replies = [SIGNS, RETURNS] if sign_first else [RETURNS, SIGNS]
    await asyncio.gather(
        story.tells(DISPATCH_REPLIES, replies[0], unit=STREET, event_id="one", heard=False),
        other.tells(DISPATCH_REPLIES, replies[1], unit=STREET, event_id="two", heard=False),
    )
    assert {one.read, two.read} == {1, 2}, "the loser decided again on the fresh head"
    won, lost = story.told()[-2:]
    assert won in {"OrderSigned", "ReturnRequested"}
    assert lost == "ReplyRefused"


async def test_the_same_reply_delivered_to_two_processes_at_once_has_one_effect(story: Story) -> None:
    """A rebalance in between: the loser finds the message in the inbox and says nothing at all."""
    await story.records()
    other = Story()
    other.memory, other.clock = story.memory, story.clock
    one, two = raced(story, "dispatch", "dispatch")
    story.desks["dispatch"].log, other.desks["dispatch"].log = one, two
    said = await asyncio.gather(
        story.tells(DISPATCH_REPLIES, SIGNS, unit=STREET, event_id="same", heard=False),
        other.tells(DISPATCH_REPLIES, SIGNS, unit=STREET, event_id="same", heard=False),
    )
    assert sorted((each.facts, each.repeats) for each in said) == [(0, 1), (1, 0)]
    assert story.told()[-1] == "OrderSigned"


async def test_a_withdrawal_against_a_signature_at_two_desks(story: Story) -> None:
    """Two desks, one head: whoever comes second sees what the first one said."""
    await story.records()
    intake, dispatch = raced(story, "intake", "dispatch")
    story.desks["intake"].log, story.desks["dispatch"].log = intake, dispatch
    await asyncio.gather(
        story.tells(INTAKE_REQUESTS, WithdrawRequest(request_id=REQUEST_ID), heard=False),
        story.tells(DISPATCH_REPLIES, SIGNS, unit=STREET, heard=False),
    )
    assert story.told()[3:] in (
        ["ComplaintWithdrawn", "ReplyRefused"],
        ["OrderSigned", "ComplaintWithdrawn"],
    )
    await story.hears()
