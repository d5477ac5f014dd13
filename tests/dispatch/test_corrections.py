"""Subject or place were recorded wrongly (Q1, D1): whom the order goes to then, and what it says."""

from __future__ import annotations

from dataclasses import replace as other
from functools import partial

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from services.dispatch import rules
from services.dispatch.contact_policy import Asker, Seen, may_see
from shared.events import (
    ComplaintDispatched,
    Correction,
    CouncilDecided,
    CoUnitAdded,
    DisputeRaised,
    Fact,
    Level,
    OrderAmended,
    OrderMoved,
    RequestCorrected,
    ReturnApproved,
    ReturnRequested,
)
from tests.examples import (
    AMENDED_ORDER,
    ANSWERED,
    ASSIGNED,
    CALLED_AT,
    CATALOGUE,
    CENTRE,
    CLASSIFIED,
    CORRECTED_STREET,
    COUNCIL,
    COUNCIL_DECIDED,
    DAY,
    DISPATCH,
    DISPATCHED,
    DISPUTE,
    DISTRICT,
    DUE_AT,
    EXTENSION_APPROVED,
    EXTENSION_REQUESTED,
    FOLLOW,
    HOUR,
    MOVED,
    OTHER_STREET,
    RECEIVED,
    RETALIATION,
    RETURN,
    RETURN_REJECTED,
    RETURN_REQUESTED,
    REVIEW,
    SIGN,
    SIGN_DUE_AT,
    SIGNED,
    STREET,
    WATER,
    WITHDRAWN,
)
from tests.spec import spec

given = spec(partial(rules.decide, catalogue=CATALOGUE))

OPENED = (RECEIVED, CLASSIFIED)
AT_UNIT = (*OPENED, DISPATCHED)
IN_REVIEW = (*AT_UNIT, RETURN_REQUESTED)
SENT_ON = replace(
    DISPATCHED,
    unit=OTHER_STREET,
    assignment=2,
    street="小关街道",
    dispatched_at=FOLLOW.at,
    sign_due_at=SIGN_DUE_AT + HOUR,
)
"""The order after the street was corrected; the limit for the answer is the one it was (T10)."""
AMENDED = (*AT_UNIT, SIGNED, CORRECTED_STREET, AMENDED_ORDER)


def corrected(field: str, old: str, new: str) -> RequestCorrected:
    return replace(CORRECTED_STREET, corrections=(Correction(field=field, old=old, new=new),))


def test_before_it_is_signed_the_order_moves_and_its_limit_stays() -> None:
    """T10: the clock for the answer runs on, the new unit has its own time to sign."""
    given(*AT_UNIT, CORRECTED_STREET).when(FOLLOW).then(MOVED, SENT_ON).when(FOLLOW).then_nothing()


def test_whom_it_moved_away_from_reads_no_contact_any_more() -> None:
    """T29, R9: and whom it lies with does."""
    case = given(*AT_UNIT, CORRECTED_STREET, MOVED, SENT_ON).case
    seen = [may_see(Asker(unit), case, "agent-7").seen for unit in (STREET, OTHER_STREET)]
    assert seen == [Seen.REFUSED, Seen.FULL]


def test_from_the_signature_on_it_stays_and_the_unit_is_told_what_it_says_now() -> None:
    given(*AT_UNIT, SIGNED, CORRECTED_STREET).when(FOLLOW).then(AMENDED_ORDER).when(FOLLOW).then_nothing()


def test_the_signature_that_comes_first_wins_and_the_one_that_comes_later_is_refused() -> None:
    """T4, T2: correction and signature race."""
    late = replace(CORRECTED_STREET, corrected_at=SIGNED.signed_at)
    given(*AT_UNIT, late, SIGNED).when(FOLLOW).then(AMENDED_ORDER)
    given(*AT_UNIT, CORRECTED_STREET).when(FOLLOW).then(MOVED, SENT_ON).when(SIGN).then_refused(
        "sign", because="the order lies with street-xiaoguan now"
    )


def test_before_it_is_dispatched_the_order_is_written_by_the_corrected_record() -> None:
    early = replace(CORRECTED_STREET, unit=None)
    order = replace(DISPATCHED, unit=OTHER_STREET, street="小关街道")
    given(*OPENED, early).when(FOLLOW).then_nothing().when(DISPATCH).then(order)


def test_a_correction_after_which_the_same_unit_answers_moves_nothing() -> None:
    address = replace(CORRECTED_STREET, corrections=(Correction(field="title", old="x", new="y"),))
    given(*AT_UNIT, address).when(FOLLOW).then_nothing()
    water = (RECEIVED, replace(CLASSIFIED, subject="供水"), replace(DISPATCHED, subject="供水", unit=WATER))
    told = replace(CORRECTED_STREET, unit=WATER)
    amended = replace(AMENDED_ORDER, unit=WATER, subject="供水", names=UNSET)
    given(*water, told).when(FOLLOW).then(amended)


def test_corrected_and_corrected_back_it_stays_where_it_is() -> None:
    back = corrected("street", "小关街道", "花园路街道")
    said = replace(AMENDED_ORDER, street="花园路街道", names=UNSET)
    given(*AT_UNIT, CORRECTED_STREET, back).when(FOLLOW).then(said)


def test_what_a_district_gave_on_stays_unless_the_catalogue_names_another() -> None:
    """D1: a person has decided; another street of the same subject and district is no reason to take it back."""
    opened = (replace(RECEIVED, street=None), CLASSIFIED)
    at_district = replace(DISPATCHED, street=None, unit=DISTRICT, level=Level.DISTRICT)
    given_on = replace(DISPATCHED, street=None, assignment=2, dispatched_at=ASSIGNED.assigned_at)
    life = (*opened, at_district, ASSIGNED, given_on)
    unknown = corrected("street", "", "某街道")
    said = given(*life, unknown).when(FOLLOW)
    said.then(replace(AMENDED_ORDER, assignment=2, street="某街道", unlisted=("street",), names=UNSET))
    given(*life, corrected("street", "", "小关街道")).when(FOLLOW).then_says(OrderMoved, ComplaintDispatched)


def test_under_review_a_reviewer_decides_and_the_catalogues_unit_is_the_next_wish() -> None:
    review = replace(RETURN_REQUESTED, suggested_unit=None)
    said = given(*AT_UNIT, review, CORRECTED_STREET).when(FOLLOW).then(AMENDED_ORDER).when(REVIEW)
    said.then_says(ReturnApproved, ComplaintDispatched)
    (order,) = (fact for fact in said.facts if isinstance(fact, ComplaintDispatched))
    assert (order.unit, order.street) == (OTHER_STREET, "小关街道")


def test_what_a_review_or_a_council_left_there_stays() -> None:
    """Q2: whoever decided later than the record was written has looked at it; the unit may still return it."""
    rejected = (*IN_REVIEW, CORRECTED_STREET, AMENDED_ORDER, RETURN_REJECTED)
    given(*rejected).when(FOLLOW).then_nothing()
    left = (*IN_REVIEW, replace(COUNCIL_DECIDED, to_unit=STREET), CORRECTED_STREET)
    given(*left).when(FOLLOW).then(AMENDED_ORDER)


def test_a_report_of_retaliation_stays_with_supervision() -> None:
    """R9: and whatever it is called, nothing of it is to be corrected."""
    life = (RECEIVED, RETALIATION, replace(CLASSIFIED, subject="打击报复"))
    (order, *_) = given(*life).when(DISPATCH).facts
    assert isinstance(order, ComplaintDispatched)
    assert order.unlisted is UNSET
    told = replace(CORRECTED_STREET, unit=order.unit)
    (amended,) = given(*life, order, told).when(FOLLOW).facts
    assert isinstance(amended, OrderAmended)
    assert (amended.unit, amended.names, amended.unlisted) == (order.unit, UNSET, UNSET)


@pytest.mark.parametrize(
    "end", [WITHDRAWN, replace(COUNCIL_DECIDED, to_unit=WATER)], ids=["ended", "recalled"]
)
def test_an_order_that_is_over_is_not_brought_to_the_record(end: Fact) -> None:
    given(*IN_REVIEW, CORRECTED_STREET, end).when(FOLLOW).then_nothing()


def test_an_answered_order_is_amended_for_the_round_that_may_come() -> None:
    told = replace(CORRECTED_STREET, unit=None, corrected_at=CALLED_AT + DAY)
    said = given(*AT_UNIT, SIGNED, ANSWERED, told).when(other(FOLLOW, at=CALLED_AT + DAY))
    said.then(replace(AMENDED_ORDER, amended_at=CALLED_AT + DAY))


def test_a_signed_order_of_which_the_catalogue_names_another_since_is_returned_disputed_and_decided_on() -> (
    None
):
    """T4 holds for what was signed as it is: only a correction opens it again, and a review or a council decides."""
    back = other(RETURN, suggested_unit=None)
    given(*AT_UNIT, SIGNED).when(back).then_refused("return", because="the order is signed")
    asked = given(*AMENDED).when(back).then_says(ReturnRequested)
    sent = asked.when(REVIEW)
    sent.then_says(ReturnApproved, ComplaintDispatched)
    assert isinstance(sent.facts[1], ComplaintDispatched)
    assert sent.facts[1].unit == OTHER_STREET
    rejected = replace(RETURN_REJECTED, rejected_at=RETURN.at + HOUR)
    asked_again = given(*AMENDED, replace(RETURN_REQUESTED, suggested_unit=None), rejected).when(DISPUTE)
    asked_again.then_says(DisputeRaised)
    given(*AMENDED).when(COUNCIL).then_says(CouncilDecided, ComplaintDispatched, CoUnitAdded)
    given(*AT_UNIT, SIGNED).when(COUNCIL).then_refused("decide as a council", because="is under review")


def test_days_that_were_granted_go_with_the_order() -> None:
    """T10, D4: the limit in force is the citizen's, whoever has the order."""
    back = replace(RETURN_REQUESTED, suggested_unit=None, requested_at=CALLED_AT + 4 * DAY)
    approved = ReturnApproved(
        complaint_id=back.complaint_id, unit=STREET, assignment=1, reviewer="r", approved_at=back.requested_at
    )
    told = replace(CORRECTED_STREET, corrected_at=EXTENSION_APPROVED.approved_at)
    amended = replace(AMENDED_ORDER, amended_at=EXTENSION_APPROVED.approved_at)
    life = (*AT_UNIT, SIGNED, EXTENSION_REQUESTED, EXTENSION_APPROVED, told, amended, back, approved)
    on = replace(SENT_ON, dispatched_at=back.requested_at)
    order = given(*life, on).case.order
    assert (order.unit, order.citizen_due_at, order.feedback_due_at) == (
        OTHER_STREET,
        DUE_AT,
        DUE_AT + 5 * DAY,
    )
    (limit,) = (d for d in given(*life, on).case.deadlines if d.number == 1 and d.unit == OTHER_STREET)
    assert limit.due_at == DUE_AT + 5 * DAY


# --- what the catalogue does not know


@pytest.mark.parametrize(
    ("record", "unit", "unlisted"),
    [
        ({"district": "海锭区"}, CENTRE, ("district",)),
        ({"street": "某街道"}, DISTRICT, ("street",)),
        ({"subject": "挺车"}, DISTRICT, ("subject",)),
        ({"subject": "挺车", "district": "海锭区"}, CENTRE, ("subject", "district")),
        ({"street": None}, DISTRICT, ()),
    ],
    ids=["district", "street", "subject", "both", "no street is none to correct"],
)
def test_it_is_taken_in_marked_and_goes_to_the_district_or_the_centre(
    record: dict[str, str | None], unit: str, unlisted: tuple[str, ...]
) -> None:
    """D1: nothing is guessed, nothing is refused; the head says it too, for the list of what is to be corrected."""
    places = {name: value for name, value in record.items() if name != "subject"}
    subject = record.get("subject") or "停车"
    said = given(replace(RECEIVED, **places), replace(CLASSIFIED, subject=subject)).when(DISPATCH)
    (order,) = said.facts
    assert isinstance(order, ComplaintDispatched)
    assert (order.unit, order.unlisted or ()) == (unit, unlisted)
    case = said.then(order).case
    assert case.order.unlisted == unlisted


def test_corrected_it_goes_to_its_unit_and_is_on_the_list_no_more() -> None:
    at_centre = replace(
        DISPATCHED, unit=CENTRE, level=Level.MUNICIPAL, district="海锭区", unlisted=("district",)
    )
    told = replace(corrected("district", "海锭区", "海淀区"), unit=CENTRE)
    said = given(replace(RECEIVED, district="海锭区"), CLASSIFIED, at_centre, told).when(FOLLOW)
    moved, order = said.facts
    assert isinstance(moved, OrderMoved)
    assert isinstance(order, ComplaintDispatched)
    assert (moved.to_unit, order.unit, order.unlisted) == (STREET, STREET, UNSET)
    assert said.then(*said.facts).case.order.unlisted == ()
