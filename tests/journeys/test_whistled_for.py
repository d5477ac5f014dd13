"""花园路街道 whistles for five units, several times, for one matter: the title certificates (the seed, 2021-04-12)."""

from datetime import UTC, datetime

from msgspec.structs import replace

from shared import inputs
from shared.events import ArrivalMissed, Level, UnitCalled, WhistleBlown, WhistleKind
from shared.ids import UnitId
from shared.policy.catalogue import Unit
from shared.topics import DISPATCH_ORDERS, DISPATCH_REPLIES, DISPATCH_REVIEWS, ESCALATION_NOTICES
from tests import examples
from tests.examples import CATALOGUE, DAY, HOUR, MINUTE, STREET, WATER
from tests.story import Story

FIVE = {
    "planning-haidian": "规自委海淀分局",
    "housing-haidian": "海淀区房管局",
    "assets-haidian": "区国资委",
    "registry-haidian": "区不动产登记中心",
    "owner-xiaoguan-5": "产权单位",
}
NAMED = {UnitId(unit): Unit(name=name, level=Level.DISTRICT) for unit, name in FIVE.items()}


def whistle(story: Story, number: int, kind: WhistleKind, called: tuple[str, ...]) -> inputs.BlowWhistle:
    return inputs.BlowWhistle(
        complaint_id=story.id,
        assignment=story.order().assignment,
        whistle=number,
        kind=kind,
        called=called,
        scene="花园路街道办事处",
        reason="25年未办不动产登记",
    )


async def test_five_units_are_called_three_times_and_released_by_the_street_alone() -> None:
    story = Story(
        at=datetime(2021, 4, 12, 1, 30, tzinfo=UTC),
        catalogue=replace(CATALOGUE, units={**CATALOGUE.units, **NAMED}),
    )
    await story.records(title="办不下房产证", content="50户住了25年")
    await story.signs()
    await story.tells(DISPATCH_REVIEWS, replace(examples.RECLASSIFICATION, complaint_id=story.id))
    for number in (1, 2, 3):
        await story.passes(3 * DAY)
        blown = whistle(story, number, WhistleKind.KEY_WORK, tuple(FIVE))
        await story.tells(DISPATCH_REPLIES, blown, unit=STREET)
        for unit in FIVE:
            (*_, called) = story.sent(DISPATCH_ORDERS, unit)
            assert isinstance(called, UnitCalled)
            assert (called.whistle, called.leads, called.arrive_by) == (
                number,
                unit == "planning-haidian",
                None,
            )
            there = inputs.ArriveAtWhistle(complaint_id=story.id, whistle=number, persons=2)
            await story.tells(DISPATCH_REPLIES, there, unit=unit)
            does = inputs.RecordMeasure(complaint_id=story.id, whistle=number, measure=f"第{number}次会商")
            await story.tells(DISPATCH_REPLIES, does, unit=unit)
        leaves = inputs.ReleaseWhistle(complaint_id=story.id, whistle=number)
        await story.tells(DISPATCH_REPLIES, leaves, unit="housing-haidian")
        assert story.told()[-1] == "ReplyRefused", "事不完,人不走 (T25)"
        await story.tells(DISPATCH_REPLIES, leaves, unit=STREET)
        assert story.told()[-5:] == ["WhistleReleased"] * 5
    assert len(story.facts(WhistleBlown)) == 3
    assert story.facts(ArrivalMissed) == [], "no minutes stand for this kind (T31)"
    await story.answers()
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "ComplaintClosed"
    story.holds()


async def test_a_burst_pipe_the_utility_does_not_come_and_is_told_of_upward(story: Story) -> None:
    """G1, G2: EMERGENCY, 30 minutes by configuration."""
    await story.records()
    await story.signs()
    await story.tells(DISPATCH_REPLIES, whistle(story, 1, WhistleKind.EMERGENCY, (WATER,)), unit=STREET)
    await story.passes(31 * MINUTE)
    (missed,) = story.facts(ArrivalMissed)
    assert missed in story.sent(ESCALATION_NOTICES)
    assert story.sent(DISPATCH_ORDERS, WATER)[-1] == missed
    there = inputs.ArriveAtWhistle(complaint_id=story.id, whistle=1, persons=6)
    await story.tells(DISPATCH_REPLIES, there, unit=WATER)
    await story.passes(HOUR)
    assert len(story.facts(ArrivalMissed)) == 1, "it is there: the municipality need not be told"
    rating = inputs.RateWhistle(complaint_id=story.id, whistle=1, rated=WATER, stars=2, comment="迟到")
    await story.tells(DISPATCH_REPLIES, rating, unit=STREET)
    assert story.sent(DISPATCH_ORDERS, WATER)[-1] == story.facts()[-1]
    await story.answers()
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "ComplaintClosed"
