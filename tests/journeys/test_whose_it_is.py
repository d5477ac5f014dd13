"""Two units, neither of which wants it: a review says no, the street disputes, a council names the unit (Q2, R12)."""

from msgspec.structs import replace

from shared import inputs
from shared.events import CoUnitAdded, CoUnitReported
from shared.topics import DISPATCH_ORDERS, DISPATCH_REPLIES, DISPATCH_REVIEWS
from tests import examples
from tests.examples import DAY, DISTRICT, DUE_AT, HOUR, OTHER_STREET, STREET, WATER
from tests.story import Story


async def disputes(story: Story) -> None:
    data = replace(examples.DISPUTE_REPLY, complaint_id=story.id, assignment=story.order().assignment)
    await story.tells(DISPATCH_REPLIES, data, unit=story.order().unit)


async def council(story: Story, to: str, co_units: tuple[str, ...] = ()) -> None:
    data = inputs.DecideCouncil(
        complaint_id=story.id,
        assignment=story.order().assignment,
        to_unit=to,
        participants=("市水务局", STREET, WATER),
        co_units=co_units,
        reason="管线权属",
    )
    await story.tells(DISPATCH_REVIEWS, data)


async def test_a_council_names_the_utility_the_street_helps_and_the_utility_answers_for_both(
    story: Story,
) -> None:
    await story.records()
    await story.gives_back(to=WATER)
    await story.review(approves=False)
    await disputes(story)
    await story.passes(DAY)
    await council(story, WATER, (STREET,))
    order = story.order()
    assert (order.unit, order.assignment, order.citizen_due_at) == (WATER, 2, DUE_AT)
    assert type(story.sent(DISPATCH_ORDERS, STREET)[-1]) is CoUnitAdded

    await story.gives_back()
    assert story.told()[-1] == "ReplyRefused", "what a council decided is not returned"
    report = inputs.ReportAsCoUnit(complaint_id=story.id, result="已围挡")
    await story.tells(DISPATCH_REPLIES, report, unit=STREET)
    assert type(story.sent(DISPATCH_ORDERS, WATER)[-1]) is CoUnitReported
    await story.tells(DISPATCH_REPLIES, report, unit=OTHER_STREET)
    assert story.told()[-1] == "ReplyRefused", "it was not asked"

    await story.answers(unit=STREET)
    assert story.told()[-1] == "ReplyRefused", "who helps does not answer"
    await story.answers()
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "ComplaintClosed"


async def test_after_two_returns_the_third_unit_can_still_ask_for_a_council(story: Story) -> None:
    await story.records()
    await story.gives_back(to=OTHER_STREET)
    await story.review(approves=True)
    await story.gives_back()
    await story.review(approves=True)
    assert story.order().unit == DISTRICT
    await story.gives_back(to=STREET)
    assert story.told()[-1] == "ReplyRefused"
    await disputes(story)
    await council(story, STREET)
    assert (story.order().unit, story.order().assignment) == (STREET, 4)
    await disputes(story)
    assert story.told()[-1] == "ReplyRefused", "a council meets once"


async def test_what_fell_to_the_district_goes_to_its_street(story: Story) -> None:
    """D1: 派单至诉求所属行政区域的区人民政府, which assigns."""
    await story.records(street=None)
    assert story.order().unit == DISTRICT
    await story.passes(HOUR)
    assign = replace(examples.ASSIGN_REPLY, complaint_id=story.id)
    await story.tells(DISPATCH_REPLIES, assign, unit=DISTRICT)
    assert (story.order().unit, story.order().assignment) == (STREET, 2)
    assert story.order().citizen_due_at == DUE_AT
    await story.answers(unit=DISTRICT, assignment=1)
    assert story.told()[-1] == "ReplyRefused", "it lies with the street now (T2)"
    await story.signs()
    await story.answers()
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "ComplaintClosed"


async def test_a_signature_and_the_districts_assignment_racing(story: Story) -> None:
    """T4: one wins, the other is refused and recorded."""
    await story.records(street=None)
    await story.signs()
    assign = replace(examples.ASSIGN_REPLY, complaint_id=story.id)
    await story.tells(DISPATCH_REPLIES, assign, unit=DISTRICT)
    assert story.told()[-2:] == ["OrderSigned", "ReplyRefused"]


async def test_a_new_class_gives_the_whole_fifteen_days_and_no_more(story: Story) -> None:
    """T24."""
    await story.records()
    await story.passes(5 * DAY)
    await story.tells(DISPATCH_REVIEWS, replace(examples.RECLASSIFICATION, complaint_id=story.id))
    await story.passes(DUE_AT + 7 * DAY)
    assert "AnswerLimitMissed" not in story.told()
    await story.passes(DUE_AT + 8 * DAY + HOUR)
    assert "AnswerLimitMissed" in story.told()
