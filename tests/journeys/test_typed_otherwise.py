"""Names typed on other keyboards and copied out of PDFs: the life goes its way, and how they were typed is kept."""

from __future__ import annotations

from msgspec import UNSET

from shared import inputs
from shared.events import ComplaintReceived, ComplaintTurnedAway, Fact, ReplyRefused, ReturnRequested
from shared.log.codec import encoded
from shared.topics import DISPATCH_REPLIES, INTAKE_REQUESTS
from tests import examples
from tests.examples import OTHER_STREET, STREET
from tests.story import Story

TYPED = {
    "subject": "停\u200b车 ",
    "district": "海淀区\u3000",
    "street": "\ufeff花园路街道\n",
    "channel": "ｐｈｏｎｅ",
}


async def test_the_street_gets_the_order_and_the_record_keeps_what_was_typed(story: Story) -> None:
    await story.records(**TYPED)
    (received,) = story.facts(ComplaintReceived)
    assert isinstance(received, ComplaintReceived)
    assert (received.district, received.street, received.channel) == ("海淀区", "花园路街道", "phone")
    assert received.typed == TYPED
    assert story.order().unit == STREET
    assert story.case().subject == "停车"
    story.holds()


async def test_the_same_request_typed_in_two_ways_is_one_record(story: Story) -> None:
    await story.records()
    before = story.told()
    await story.records(**TYPED)
    assert story.told() == before


async def test_the_same_call_recorded_by_two_agents_who_type_otherwise_makes_one_order(story: Story) -> None:
    await story.records()
    await story.tells(
        INTAKE_REQUESTS,
        inputs.RecordRequest(
            request_id="another",
            call_id=examples.REQUEST.call_id,
            request_type=examples.REQUEST.request_type,
            title="消防通道",
            **{**TYPED, "channel": "phone"},
        ),
    )
    story.id = story.memory.facts[-1].complaint_id  # type: ignore[assignment]  # the one that was recorded last
    assert ComplaintTurnedAway.__name__ in story.told()


async def test_what_is_typed_as_everybody_types_it_has_the_bytes_it_always_had(story: Story) -> None:
    await story.records()
    assert all(fact.typed is UNSET and b"typed" not in encoded(fact) for fact in story.facts())


async def test_a_unit_named_in_capitals_is_that_unit_and_a_refusal_keeps_what_was_typed_too(
    story: Story,
) -> None:
    await story.records()
    typed = " STREET-Xiaoguan"
    data = inputs.RequestReturn(
        complaint_id=story.id, assignment=1, reason="不属本单位", evidence="辖区图", suggested_unit=typed
    )
    await story.tells(DISPATCH_REPLIES, data, unit=STREET)
    (asked,) = story.facts(ReturnRequested)
    assert isinstance(asked, ReturnRequested)
    assert (asked.suggested_unit, asked.typed) == (OTHER_STREET, {"suggested_unit": typed})
    await story.tells(DISPATCH_REPLIES, data, unit=OTHER_STREET)
    (refused,) = story.facts(ReplyRefused)
    assert refused.typed == {"suggested_unit": typed}


async def test_free_words_are_never_changed(story: Story) -> None:
    words = "ＡＢＣ\u3000⼤门\u200b 堵\n了"
    await story.records(title=words, content=words, address=words)
    (received,) = story.facts(ComplaintReceived)
    assert isinstance(received, ComplaintReceived)
    assert received.title == received.content == received.address == words
    assert received.typed is UNSET


def test_every_fact_has_room_for_it() -> None:
    assert "typed" in Fact.__struct_fields__
