"""A rolling upgrade: what a newer system wrote is set aside with its complaint, and handled once the desk is newer."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from services.dispatch import rules as dispatch
from shared.complaint import STATE_SCHEMA
from shared.doors import process
from shared.doors.parking import one_by_one
from shared.doors.process import HeardTypes, from_log
from shared.events import ComplaintClassified, Fact, OrderSigned
from shared.log import Incoming
from shared.log.codec import ce_type_of, decoded
from shared.runtime.clock import ClockAt
from shared.work import Batch
from tests.examples import CALLED_AT, CATALOGUE
from tests.story import Story, _from_relay

NEWER = b"hotline.ComplaintClassified.v9"


@pytest.fixture
async def story() -> Story:
    """A complaint that dispatch has not heard of yet."""
    begun = Story()
    begun.desks["dispatch"]._decide = lambda _command, _case: ()
    await begun.records()
    begun.desks["dispatch"]._decide = lambda command, case: dispatch.decide(command, case, CATALOGUE)
    return begun


def _classified(story: Story, ce_type: bytes, offset: int) -> Incoming:
    (stored,) = [s for s in story.memory.facts if s.type == "ComplaintClassified"]
    message = _from_relay(stored)
    headers = tuple((name, ce_type if name == "ce_type" else value) for name, value in message.headers)
    return replace(message, headers=headers, offset=offset)


async def _hears(story: Story, *messages: Incoming) -> None:
    wanted = HeardTypes(dispatch.REACTS)
    fill = one_by_one(from_log(dispatch.react, ClockAt(CALLED_AT)))
    batch = Batch(unpark=[m.parked_id for m in messages if m.parked_id is not None])
    fill([m for m in messages if dict(m.headers)["ce_type"] in wanted], batch)
    await story.desks["dispatch"].obey(batch)


def test_a_desk_takes_what_it_reacts_to_and_what_is_newer_than_itself() -> None:
    heard = HeardTypes((ComplaintClassified,))
    assert ce_type_of("ComplaintClassified", 1) in heard
    assert NEWER in heard
    assert b"hotline.ComplaintBlessed.v1" in heard
    assert ce_type_of("OrderSigned", OrderSigned.SCHEMA) not in heard
    assert b"hotline.OrderSigned.v9" not in heard, "it would not act on the newer one either"
    for strange in (None, b"", b"?", b"hotline.order.sign.v1", b"hotline.\xff.v1", b"hotline.X.v0"):
        assert strange not in heard


@pytest.mark.parametrize("ce_type", [NEWER, b"hotline.ComplaintBlessed.v1"])
async def test_a_newer_fact_is_parked_with_its_complaint_and_what_follows_waits(
    story: Story, ce_type: bytes
) -> None:
    known = ce_type_of("ComplaintClassified", 1)
    await _hears(story, _classified(story, ce_type, 90), _classified(story, known, 91))
    await _hears(story, _classified(story, known, 92))
    parked = [kept.parked for kept in story.memory.parked.values()]
    assert [(p.message.offset, p.complaint_id) for p in parked] == [(n, story.id) for n in (90, 91, 92)]
    assert "is not known here" in parked[0].reason
    assert "ComplaintDispatched" not in story.told()


async def test_released_after_the_upgrade_it_is_handled_and_so_is_what_waited(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _hears(story, _classified(story, NEWER, 90), _classified(story, NEWER, 91))

    def upgraded(name: str, _: int, body: bytes) -> Fact:
        return decoded(name, 1, body)

    monkeypatch.setattr(process, "decoded", upgraded)
    for number in story.memory.parked:
        story.memory.release(number)
    await _hears(story, *await story.desks["dispatch"].log.released())
    assert story.memory.parked == {}
    assert story.told().count("ComplaintDispatched") == 1


async def test_a_head_a_newer_desk_wrote_is_refused_in_a_sentence_and_parked_with_the_complaint(
    story: Story,
) -> None:
    story.memory.state_schemas[story.id] = STATE_SCHEMA + 1
    await _hears(story, _classified(story, ce_type_of("ComplaintClassified", 1), 90))
    ((_, kept),) = story.memory.parked.items()
    assert kept.parked.complaint_id == story.id
    assert f"state schema {STATE_SCHEMA + 1}, expected at most {STATE_SCHEMA}" in kept.parked.reason
    assert "ComplaintDispatched" not in story.told()
