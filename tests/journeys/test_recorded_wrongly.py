"""An agent wrote down the wrong subject or place; it is corrected before and after the unit signed (Q1, D1)."""

from __future__ import annotations

from typing import Any

from shared import inputs
from shared.desk import Obeyed
from shared.events import (
    ComplaintDispatched,
    IntakeRefused,
    OrderAmended,
    OrderMoved,
    RequestCorrected,
    VisitScheduled,
)
from shared.ids import UnitId
from shared.topics import DISPATCH_ORDERS, FEEDBACK_VISIT_RESULTS, INTAKE_REQUESTS
from tests.examples import CENTRE, DISTRICT, HOUR, OTHER_STREET, STREET
from tests.story import Story


async def corrects(story: Story, *, heard: bool = True, **right: Any) -> Obeyed:
    data = inputs.CorrectRequest(complaint_id=story.id, corrected_by="agent-8", **right)
    return await story.tells(INTAKE_REQUESTS, data, heard=heard)


async def test_a_district_that_is_none_goes_to_the_centre_and_corrected_to_its_street(story: Story) -> None:
    await story.records(district="海锭区")
    assert (story.order().unit, story.order().unlisted) == (CENTRE, ("district",))
    await story.passes(HOUR)
    limit = story.order().citizen_due_at
    await corrects(story, district="海淀区")
    order = story.order()
    assert (order.unit, order.assignment, order.citizen_due_at) == (STREET, 2, limit)
    assert [type(fact) for fact in story.sent(DISPATCH_ORDERS, CENTRE)][-2:] == [RequestCorrected, OrderMoved]
    assert order in story.sent(DISPATCH_ORDERS, STREET)
    (corrected,) = story.facts(RequestCorrected)
    assert isinstance(corrected, RequestCorrected)
    assert [(one.old, one.new) for one in corrected.corrections] == [("海锭区", "海淀区")]
    await story.signs()
    await story.answers()
    await story.citizen_says(solved=True)
    story.holds()


async def test_signed_it_stays_is_amended_and_goes_on_when_the_unit_returns_it(story: Story) -> None:
    await story.records()
    await story.signs()
    await corrects(story, street="小关街道")
    assert isinstance(story.facts()[-1], OrderAmended)
    assert story.facts()[-1] in story.sent(DISPATCH_ORDERS, STREET)
    assert story.order().unit == STREET
    await story.gives_back()
    await story.review(approves=True)
    assert (story.order().unit, story.order().street) == (OTHER_STREET, "小关街道")
    story.holds()


async def test_the_second_round_goes_to_whom_the_corrected_record_names(story: Story) -> None:
    """Nobody has signed it yet; who answered is told that it goes on without it."""
    await story.records()
    await story.signs()
    await story.answers()
    await corrects(story, street="小关街道")
    assert isinstance(story.facts()[-1], OrderAmended)
    await story.citizen_says(solved=False)
    assert (story.order().unit, story.order().round, story.order().street) == (OTHER_STREET, 2, "小关街道")
    assert isinstance(story.sent(DISPATCH_ORDERS, STREET)[-1], OrderMoved)
    await story.signs()
    await story.answers()
    await story.citizen_says(solved=True)
    story.holds()


async def test_a_correction_that_comes_after_the_citizens_no_reaches_the_second_round(story: Story) -> None:
    """Both are on record before dispatch hears of the first."""
    await story.records()
    await story.answers()
    visit = story.visit()
    no = inputs.RecordVisit(
        complaint_id=story.id, visit=visit.visit, attempt=visit.attempt, solved=False, satisfied=False
    )
    await story.tells(FEEDBACK_VISIT_RESULTS, no, heard=False)
    await corrects(story, street="小关街道")
    assert story.told()[-4:] == ["ComplaintReopened", "RequestCorrected", "OrderMoved", "ComplaintDispatched"]
    assert (story.order().unit, story.order().round, story.order().street) == (OTHER_STREET, 2, "小关街道")
    story.holds()


async def test_the_correction_that_is_heard_after_the_signature_moves_nothing(story: Story) -> None:
    """T4: both are on record, in this order, before dispatch hears of the first."""
    await story.records()
    await corrects(story, street="小关街道", heard=False)
    await story.signs()
    assert story.told()[-3:] == ["RequestCorrected", "OrderSigned", "OrderAmended"]
    story.holds()


async def test_no_street_is_a_correction_too_and_then_the_district_has_it(story: Story) -> None:
    await story.records()
    await corrects(story, no_street=True)
    assert (story.order().unit, story.order().street) == (DISTRICT, None)
    await corrects(story, no_street=True)
    (refused,) = story.facts(IntakeRefused)
    assert isinstance(refused, IntakeRefused)
    assert "the record says that already" in refused.reason
    story.holds()


async def test_a_street_and_none_at_once_are_set_aside(story: Story) -> None:
    await story.records()
    said = await corrects(story, street="小关街道", no_street=True)
    assert (said.facts, said.parked) == (0, 1)


async def test_a_name_typed_otherwise_is_corrected_to_the_one_form_and_kept_as_typed(story: Story) -> None:
    await story.records(street="小关街道")
    await corrects(story, street="花园路\u200b街道")
    assert story.order().unit == UnitId(STREET)
    (corrected,) = story.facts(RequestCorrected)
    assert corrected.typed == {"street": "花园路\u200b街道"}


async def test_after_the_end_nothing_is_corrected(story: Story) -> None:
    await story.records()
    await story.withdraws()
    await corrects(story, street="小关街道")
    assert story.facts(OrderMoved, OrderAmended) == []
    assert len(story.facts(ComplaintDispatched)) == 1
    assert len(story.facts(IntakeRefused)) == 1


async def test_a_late_correction_is_heard_when_the_citizen_is_being_asked(story: Story) -> None:
    await story.records()
    await story.answers()
    assert story.facts(VisitScheduled)
    await corrects(story, subject="供水")
    assert story.case().order is not None
    assert story.case().order.written_for is None
    await story.citizen_says(solved=True)
    story.holds()
