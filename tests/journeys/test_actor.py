"""A person who acts is named by an id: in the event's attribute, and in each fact that follows from it."""

from __future__ import annotations

import json
from typing import Final

import msgspec
import pytest
from msgspec import UNSET

from shared import inputs
from shared.cloudevents import event_of
from shared.events import OrderSigned, ReplyRefused
from shared.log import Incoming
from shared.log.codec import encoded
from shared.runtime.errors import BadInput
from shared.topics import DISPATCH_REPLIES
from tests.doors import message
from tests.spoilers import structured
from tests.story import Story

ACTOR: Final = "s3f9a0c12bd"


def said(story: Story, actor: bytes | None, event_id: str = "act-1") -> Incoming:
    order = story.order()
    told = message(
        inputs.SignOrder(complaint_id=story.id, assignment=order.assignment),
        DISPATCH_REPLIES.of(order.unit),
        at=story.clock.now(),
        event_id=event_id,
    )
    more = () if actor is None else (("ce_actorid", actor),)
    return msgspec.structs.replace(told, headers=(*told.headers, *more))


async def test_the_fact_and_the_refusal_keep_the_person(story: Story) -> None:
    await story.records()
    await story.comes(DISPATCH_REPLIES, said(story, ACTOR.encode()))
    await story.comes(DISPATCH_REPLIES, said(story, b"s0000000001", "act-2"))
    (signed,), (refused,) = story.facts(OrderSigned), story.facts(ReplyRefused)
    assert (signed.actorid, refused.actorid) == (ACTOR, "s0000000001")
    story.holds()


async def test_a_fact_without_a_person_has_the_bytes_it_always_had(story: Story) -> None:
    await story.records()
    await story.comes(DISPATCH_REPLIES, said(story, None))
    assert all(fact.actorid is UNSET and b"actorid" not in encoded(fact) for fact in story.facts())


async def test_in_structured_mode_it_is_an_attribute_of_the_event(story: Story) -> None:
    await story.records()
    plain = said(story, None)
    headers, value = structured(plain.headers, plain.value or b"", actorid=ACTOR)
    incoming = msgspec.structs.replace(plain, headers=headers, value=value)
    assert json.loads(value)["actorid"] == ACTOR
    assert event_of(incoming, DISPATCH_REPLIES.inputs).actor_id == ACTOR


@pytest.mark.parametrize("name", ["王芳", "Wang Fang", "", "a" * 65, "-s1"])
async def test_a_name_is_refused_at_the_attribute(story: Story, name: str) -> None:
    await story.records()
    with pytest.raises(BadInput, match="ce_actorid"):
        event_of(said(story, name.encode()), DISPATCH_REPLIES.inputs)


async def test_the_same_event_with_another_person_is_the_same_event(story: Story) -> None:
    await story.records()
    await story.comes(DISPATCH_REPLIES, said(story, ACTOR.encode()))
    before = story.told()
    await story.comes(DISPATCH_REPLIES, said(story, b"s0000000001"))
    assert story.told() == before
