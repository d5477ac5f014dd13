"""The seed's own cases beside the title certificates, with their real dates: noise, parking, medicine, a surge (§1.1).

What the seed tells beyond one complaint, clusters that become projects and tasks: `test_a_monthly_topic.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from shared import inputs
from shared.complaint import head_of
from shared.events import (
    AnswerLimitMissed,
    ArrivalMissed,
    ComplaintEscalated,
    CoUnitAdded,
    CoUnitReported,
    Level,
    Outcome,
    ProgressReported,
    SupervisionClosed,
    SupervisionMissed,
    SupervisionOpened,
    Urgency,
    WhistleKind,
)
from shared.ids import UnitId
from shared.policy.catalogue import Catalogue, District, Subject, To, Unit
from shared.topics import CITIZEN_NOTICES, DISPATCH_ORDERS, DISPATCH_REPLIES, DISPATCH_REVIEWS
from tests import examples
from tests.examples import CATALOGUE, DAY, HOUR, MINUTE
from tests.story import Story

WEEK = timedelta(days=7)


def beijing(year: int, month: int, day: int, hour: int = 9) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC) - timedelta(hours=8)


def city_with(
    units: dict[str, tuple[str, Level]], district: str, street: str, subjects: dict[str, Subject]
) -> Catalogue:
    """The example's city with these units, the first a district's government and the second its street."""
    named = {UnitId(unit): Unit(name=name, level=level) for unit, (name, level) in units.items()}
    government, first = list(named)[:2]
    return replace(
        CATALOGUE,
        units={**CATALOGUE.units, **named},
        districts={**CATALOGUE.districts, district: District(unit=government, streets={street: first})},
        subjects={**CATALOGUE.subjects, **subjects},
    )


FIVE = ("housing-ministry", "metro-company", "metro-investor", "environment", "district-tongzhou")
TIANSHI = city_with(
    {
        "district-tongzhou": ("通州区人民政府", Level.DISTRICT),
        "street-yangzhuang": ("杨庄街道", Level.UNIT),
        "transport": ("市交通委", Level.MUNICIPAL),
        "housing-ministry": ("市住房和城乡建设委员会", Level.MUNICIPAL),
        "metro-company": ("北京地铁公司", Level.MUNICIPAL),
        "metro-investor": ("京投公司", Level.MUNICIPAL),
        "environment": ("市生态环境局", Level.MUNICIPAL),
    },
    "通州区",
    "杨庄街道",
    {},
)


async def test_trains_forty_metres_away_a_municipal_lead_five_that_help_and_nine_months() -> None:
    """通州 天时名苑: 2021-03 → 10-17 → 12-23, far beyond 15 days; told of every week, supervised, asked at the end."""
    story = Story(at=beijing(2021, 3, 8), catalogue=TIANSHI)
    await story.records(
        subject="停车", district="通州区", street="杨庄街道", title="地铁噪声扰民", content="23时仍有列车"
    )
    await story.gives_back(to=UnitId("transport"))
    council = inputs.DecideCouncil(
        complaint_id=story.id,
        assignment=1,
        to_unit="transport",
        participants=("市交通委", "通州区政府", "北京地铁公司"),
        co_units=FIVE,
        reason="噪声治理涉及六家单位",
    )
    await story.tells(DISPATCH_REVIEWS, council)
    assert story.order().unit == "transport"
    assert {fact.co_unit for fact in story.facts(CoUnitAdded) if isinstance(fact, CoUnitAdded)} == set(FIVE)
    await story.signs()
    await story.tells(DISPATCH_REVIEWS, replace(examples.RECLASSIFICATION, complaint_id=story.id))
    assert story.case().urgency is Urgency.COMPLEX_15D

    asked_before = 0
    while story.clock.now() < beijing(2021, 10, 17):
        await story.passes(WEEK)
        said = inputs.ReportProgress(
            complaint_id=story.id, assignment=story.order().assignment, text="每周报到", stage_feedback=True
        )
        await story.tells(DISPATCH_REPLIES, said, unit="transport")
        if story.case().visit is not None and asked_before < 3:  # asked at expiry: nobody picks up
            await story.nobody_answers()
            asked_before += 1
    weeks = story.facts(ProgressReported)
    assert len(weeks) > 30
    assert [fact for fact in story.sent(CITIZEN_NOTICES) if isinstance(fact, ProgressReported)] == weeks
    assert len(story.facts(AnswerLimitMissed)) == 1, (
        "one promise to one citizen is broken once (decision 0012)"
    )
    for kind in (ComplaintEscalated, SupervisionOpened, SupervisionMissed):
        assert story.facts(kind), f"{kind.__name__}: late, and everyone can see it"

    await story.passes(beijing(2021, 12, 23))
    for unit in FIVE:
        report = inputs.ReportAsCoUnit(complaint_id=story.id, result="隔音屏完工")
        await story.tells(DISPATCH_REPLIES, report, unit=unit)
    assert len(story.facts(CoUnitReported)) == 5
    await story.answers()
    await story.citizen_says(solved=True)
    await story.passes(MINUTE)
    (closed,) = story.facts(SupervisionClosed)
    assert isinstance(closed, SupervisionClosed)
    assert closed.outcome is Outcome.SOLVED
    story.holds()


XINGZHENG = city_with(
    {
        "district-daxing": ("大兴区人民政府", Level.DISTRICT),
        "street-linxiaolu": ("林校路街道", Level.UNIT),
        "traffic-daxing": ("大兴交通支队", Level.DISTRICT),
        "planning-daxing": ("规自委大兴分局", Level.DISTRICT),
    },
    "大兴区",
    "林校路街道",
    {"停车位": Subject(to=To.STREET)},
)


async def test_twenty_six_spaces_more_in_one_estate_the_street_calls_two_departments() -> None:
    """大兴 林校路街道 兴政东里北院: what the street cannot solve alone (KEY_WORK), within its fifteen days."""
    story = Story(at=beijing(2021, 5, 10), catalogue=XINGZHENG)
    await story.records(subject="停车位", district="大兴区", street="林校路街道", title="小区车位不足")
    await story.signs()
    await story.tells(DISPATCH_REVIEWS, replace(examples.RECLASSIFICATION, complaint_id=story.id))
    blown = inputs.BlowWhistle(
        complaint_id=story.id,
        assignment=1,
        whistle=1,
        kind=WhistleKind.KEY_WORK,
        called=("traffic-daxing", "planning-daxing"),
        scene="兴政东里北院",
        reason="需重新施划车位",
    )
    await story.tells(DISPATCH_REPLIES, blown, unit="street-linxiaolu")
    for unit in blown.called:
        there = inputs.ArriveAtWhistle(complaint_id=story.id, whistle=1, persons=2)
        await story.tells(DISPATCH_REPLIES, there, unit=unit)
    await story.passes(12 * DAY)
    released = inputs.ReleaseWhistle(complaint_id=story.id, whistle=1, reason="新增26个车位")
    await story.tells(DISPATCH_REPLIES, released, unit="street-linxiaolu")
    await story.answers()
    await story.citizen_says(solved=True)
    assert story.facts(AnswerLimitMissed) == []
    assert story.told()[-1] == "ComplaintClosed"
    story.holds()


LEHUOCHENG = city_with(
    {
        "district-fangshan": ("房山区人民政府", Level.DISTRICT),
        "town-yancun": ("阎村镇", Level.UNIT),
        "health-fangshan": ("房山区卫健委", Level.DISTRICT),
    },
    "房山区",
    "阎村镇",
    {"就医用药": Subject(to=To.STREET)},
)


async def test_one_day_of_medicine_left_in_a_lockdown_two_hours_and_a_whistle() -> None:
    """房山 阎村镇 乐活城, 2021-08: the call came to the town's command post, not to 12345; two hours."""
    story = Story(at=beijing(2021, 8, 14, 20), catalogue=LEHUOCHENG)
    await story.records(
        channel="town-command-post",
        call_id=None,
        subject="就医用药",
        urgency=Urgency.CRITICAL_2H,
        district="房山区",
        street="阎村镇",
        title="药只剩1天的量",
    )
    assert story.order().citizen_due_at == beijing(2021, 8, 14, 22)
    await story.signs()
    blown = inputs.BlowWhistle(
        complaint_id=story.id,
        assignment=1,
        whistle=1,
        kind=WhistleKind.EMERGENCY,
        called=("health-fangshan",),
        scene="乐活城",
        reason="封控区代购处方药",
    )
    await story.tells(DISPATCH_REPLIES, blown, unit="town-yancun")
    await story.passes(25 * MINUTE)
    there = inputs.ArriveAtWhistle(complaint_id=story.id, whistle=1, persons=1)
    await story.tells(DISPATCH_REPLIES, there, unit="health-fangshan")
    await story.passes(HOUR)
    await story.answers()
    await story.citizen_says(solved=True)
    assert story.facts(AnswerLimitMissed, ArrivalMissed) == []
    assert story.told()[-1] == "ComplaintClosed"
    story.holds()


SURGE = 60


async def test_a_surge_every_call_has_its_order_and_a_unit_that_helps() -> None:
    """丰台 西罗园第一社区, 昌平 宏福苑: what comes is driven by what happens; the neighbour street helps."""
    story = Story(at=beijing(2021, 10, 27, 7))
    for number in range(SURGE):
        await story.records(
            request_id=f"surge-{number:03}",
            title="封控期间缺菜",
            urgency=Urgency.TIMELY_24H,
        )
        helper = inputs.AddCoUnit(
            complaint_id=story.id, co_unit=examples.OTHER_STREET, reason="支援", added_by="reviewer-1"
        )
        await story.tells(DISPATCH_REVIEWS, helper)
        await story.passes(20 * timedelta(seconds=1))
    lives = list(story.memory.heads)
    assert len(lives) == SURGE
    for life in lives:
        story.id = life  # type: ignore[assignment]  # a complaint's id
        assert (
            len([f for f in story.sent(DISPATCH_ORDERS, examples.OTHER_STREET) if isinstance(f, CoUnitAdded)])
            == 1
        )
        await story.signs()
        await story.answers()
        await story.citizen_says(solved=True)
    assert {head_of(head).ended.outcome for _, _, head in story.memory.heads.values()} == {Outcome.SOLVED}  # type: ignore[union-attr]
    assert "AnswerLimitMissed" not in {fact.type for fact in story.memory.facts}
    story.holds()
