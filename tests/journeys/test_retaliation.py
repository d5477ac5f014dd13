"""A street makes a citizen pay for complaining; the citizen reports it, and the street never learns (R9)."""

import pytest
from msgspec.structs import replace

from services.intake.inbound import requests
from services.intake.settings import Settings
from shared import inputs
from shared.events import (
    ComplaintDispatched,
    ConfidentialityRequired,
    Level,
    ReplyRefused,
    RequestType,
    RetaliationReported,
)
from shared.ids import complaint_id
from shared.topics import (
    DISPATCH_ORDERS,
    DISPATCH_REPLIES,
    DISPATCH_REVIEWS,
    INTAKE_REQUESTS,
    SUPERVISION_REPORTS,
)
from tests import examples as eg
from tests.doors import clock, message, refused
from tests.examples import CENTRE, DISTRICT, STREET, SUPERVISION, WATER
from tests.story import Story

REPORT = {
    "request_id": "20210930-0099",
    "request_type": RequestType.REPORT,
    "subject": "停车",
    "title": "投诉后被停水",
    "retaliation_by": STREET,
    "retaliation_about": eg.REQUEST_ID,
}


async def test_a_report_of_retaliation_goes_to_supervision_and_to_nobody_else(story: Story) -> None:
    """R9: its subject would lead to the accused street; neither it nor its district hears a word."""
    first = await story.records()
    before = story.told()
    await story.records(**REPORT)
    assert story.case().confidential
    order = story.order()
    assert (order.unit, order.level) == (SUPERVISION, Level.MUNICIPAL)
    assert [type(f) for f in story.sent(DISPATCH_ORDERS, SUPERVISION)] == [
        ComplaintDispatched,
        ConfidentialityRequired,
    ]
    (reported,) = story.sent(SUPERVISION_REPORTS)
    assert isinstance(reported, RetaliationReported)
    assert (reported.accused, reported.about) == (STREET, first)
    for unit in (STREET, DISTRICT):
        assert story.sent(DISPATCH_ORDERS, unit) == []
    story.id = first
    assert story.told() == before, "nothing is written into the life it is about"


async def test_nobody_brings_it_to_the_unit_that_is_accused(story: Story) -> None:
    """R9: no return, no dispute, no helper; what the accused says about it is refused and sent to nobody."""
    await story.records(**REPORT)
    await story.gives_back(to=STREET)
    asked = inputs.AddCoUnit(complaint_id=story.id, co_unit=STREET, reason="了解情况", added_by="r")
    await story.tells(DISPATCH_REVIEWS, asked)
    disputed = inputs.RaiseDispute(complaint_id=story.id, assignment=1, reason="r", evidence="e")
    await story.tells(DISPATCH_REPLIES, disputed, unit=SUPERVISION)
    await story.signs(unit=STREET)
    assert [type(fact) for fact in story.facts()[-4:]] == [ReplyRefused] * 4
    assert story.sent(DISPATCH_ORDERS, STREET) == story.sent(DISPATCH_ORDERS, WATER) == []
    await story.signs()
    await story.answers()
    await story.citizen_says(solved=False)
    assert story.order().unit == SUPERVISION


async def test_supervision_does_not_judge_itself(story: Story) -> None:
    await story.records(**{**REPORT, "retaliation_by": SUPERVISION})
    assert story.order().unit == CENTRE


async def test_told_again_it_is_one_report_and_with_another_accused_it_is_set_aside(story: Story) -> None:
    """T7."""
    await story.records(**REPORT)
    said = len(story.facts())
    await story.records(**REPORT)
    assert len(story.facts()) == said
    await story.records(**{**REPORT, "retaliation_by": WATER})
    assert len(story.facts()) == said
    assert story.case().accused == STREET
    assert [kept.parked.complaint_id for kept in story.memory.parked.values()] == [None]


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"article_id": "KB-1"}, "neither answered on the spot nor turned away"),
        ({"retaliation_by": None}, "retaliation_by: missing"),
    ],
)
def test_a_report_that_would_not_reach_supervision_is_refused_by_name(
    changes: dict[str, object], because: str
) -> None:
    """R9: whoever records it cannot make it end before supervision has it."""
    door = requests(Settings(kafka="not asked", postgres="not asked"), clock())
    data = replace(eg.REQUEST, **{**REPORT, **changes})
    why = refused(door, message(data, INTAKE_REQUESTS.name))
    assert why.startswith("data: retaliation_by: ")
    assert because in why
    assert complaint_id(data.request_id) not in why
