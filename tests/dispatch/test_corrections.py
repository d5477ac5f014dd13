"""Subject or place were recorded wrongly (Q1, D1): whom the order goes to then, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from itertools import permutations

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from hotline.audit.legality.life import illegal
from services.dispatch import rules
from services.dispatch.contact_policy import Asker, Seen, may_see
from shared.complaint import UNOPENED, Answered, Case, Complaint, evolve
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
from shared.ids import complaint_id
from tests.examples import (
    AMENDED_ORDER,
    ANSWERED,
    ASSIGN,
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
    LINKED,
    MOVED,
    OTHER_STREET,
    PAUSE_APPROVED,
    PAUSE_REQUESTED,
    RECEIVED,
    REOPENED,
    RETALIATION,
    RETURN,
    RETURN_REJECTED,
    RETURN_REQUESTED,
    REVIEW,
    SIGN,
    SIGN_DUE_AT,
    SIGNED,
    STREET,
    VISIT_MADE,
    VISIT_SCHEDULED,
    WATER,
    WITHDRAWN,
)
from tests.examples import told as other
from tests.lives import Life, Step
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

AGAIN = other(DISPATCH, at=REOPENED.reopened_at)
NOT_SOLVED = (ANSWERED, VISIT_SCHEDULED, replace(VISIT_MADE, solved=False, satisfied=False), REOPENED)
SINCE = replace(CORRECTED_STREET, unit=None, corrected_at=REOPENED.reopened_at)
NEXT_MOVED = replace(MOVED, moved_at=REOPENED.reopened_at)
NEXT_ROUND = replace(
    SENT_ON,
    round=2,
    dispatched_at=REOPENED.reopened_at,
    sign_due_at=REOPENED.reopened_at + 8 * HOUR,
    unit_due_at=datetime(2021, 10, 2, 15, 59, 59, 999999, tzinfo=UTC),
)


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


# --- the next round


def test_the_next_round_goes_to_whom_the_correction_named_before_the_citizens_no() -> None:
    """T10: the citizen's limit stays; the limits for signing and answering begin anew, as in every new round."""
    life = (*AMENDED, *NOT_SOLVED)
    said = given(*life).when(AGAIN).then(NEXT_MOVED, NEXT_ROUND)
    said.when(AGAIN).then_nothing().when(other(FOLLOW, at=AGAIN.at)).then_nothing()
    assert (said.case.order.names, said.case.order.feedback_due_at) == (None, NEXT_ROUND.unit_due_at)


def test_the_next_round_goes_to_whom_a_correction_after_the_citizens_no_names() -> None:
    given(*AT_UNIT, SIGNED, *NOT_SOLVED, SINCE).when(other(FOLLOW, at=AGAIN.at)).then_nothing()
    given(*AT_UNIT, SIGNED, *NOT_SOLVED, SINCE).when(AGAIN).then(NEXT_MOVED, NEXT_ROUND)


def test_corrected_back_after_the_citizens_no_the_same_unit_has_it_and_no_other_is_named() -> None:
    back = replace(SINCE, corrections=corrected("street", "小关街道", "花园路街道").corrections)
    said = given(*AMENDED, *NOT_SOLVED, back).when(AGAIN).then_says(OrderAmended, ComplaintDispatched)
    assert (said.case.order.unit, said.case.order.names) == (STREET, None)


@pytest.mark.parametrize("late", [False, True], ids=["corrected before the no", "corrected after it"])
def test_the_unit_a_council_named_keeps_every_round_and_a_council_may_decide_again(late: bool) -> None:
    """R12: nobody forgets that the record names another since."""
    left = (*IN_REVIEW, replace(COUNCIL_DECIDED, to_unit=STREET))
    life = (*left, *NOT_SOLVED, SINCE) if late else (*left, CORRECTED_STREET, AMENDED_ORDER, *NOT_SOLVED)
    kinds = (OrderAmended, ComplaintDispatched) if late else (ComplaintDispatched,)
    said = given(*life).when(AGAIN).then_says(*kinds)
    order = said.case.order
    assert (order.unit, order.round, order.signed_at, order.names) == (STREET, 2, None, OTHER_STREET)
    again = other(COUNCIL, assignment=2, to_unit=OTHER_STREET, co_units=())
    said.when(again).then_says(CouncilDecided, ComplaintDispatched)


def test_what_a_reviewer_left_there_stays_until_the_record_names_yet_another() -> None:
    """Q2: the return was rejected with the corrected record in view."""
    rejected = replace(RETURN_REJECTED, rejected_at=RETURN.at + HOUR)
    life = (*AMENDED, replace(RETURN_REQUESTED, suggested_unit=None), rejected, *NOT_SOLVED)
    kept = given(*life).when(AGAIN).then_says(ComplaintDispatched).case.order
    assert (kept.unit, kept.names, kept.left) == (STREET, OTHER_STREET, True)
    water = replace(SINCE, corrections=corrected("subject", "停车", "供水").corrections)
    moved = given(*life, water).when(AGAIN).then_says(OrderMoved, ComplaintDispatched).case.order
    assert (moved.unit, moved.names, moved.left) == (WATER, None, False)
    before = given(*IN_REVIEW, rejected, SIGNED, CORRECTED_STREET, AMENDED_ORDER, *NOT_SOLVED)
    assert before.when(AGAIN).then_says(OrderMoved, ComplaintDispatched).case.order.unit == OTHER_STREET


def test_a_report_of_retaliation_stays_with_supervision_in_every_round() -> None:
    """R9."""
    life = (RECEIVED, RETALIATION, replace(CLASSIFIED, subject="打击报复"))
    (order, *_) = given(*life).when(DISPATCH).facts
    assert isinstance(order, ComplaintDispatched)
    no = (replace(one, unit=order.unit) if hasattr(one, "unit") else one for one in NOT_SOLVED)
    again = given(*life, order, *no, SINCE).when(AGAIN).then_says(ComplaintDispatched).case.order
    assert (again.unit, again.level, again.round) == (order.unit, Level.MUNICIPAL, 2)


def test_a_pause_in_force_ends_with_its_round() -> None:
    """D4: a new round has a limit of its own, wherever it lies."""
    begun = (*AT_UNIT, SIGNED, PAUSE_REQUESTED, PAUSE_APPROVED)
    order = given(*begun, *NOT_SOLVED, SINCE).when(AGAIN).then(NEXT_MOVED, NEXT_ROUND).case.order
    assert (order.pause, order.extended_due_at, order.steps) == (None, None, ())


def test_every_order_of_correction_signature_answer_no_and_hearing_ends_where_the_record_says() -> None:
    """D1, Q1: unsigned with whom the record names; signed or answered it says whom. Each life is a legal one."""
    ends = set()
    for acts in sorted(set(permutations(("correct", "sign", "sign", "answer", "unsolved", "hear", "hear")))):
        life = Life()
        for act in acts:
            if act == "hear":
                life.hears()
            else:
                life.lives(Step(wait=HOUR, what=act, heard=False))
        life.hears()
        case: Case = UNOPENED
        for fact, before in zip(life.facts, [None, *life.facts], strict=False):
            assert illegal(case, fact, before) is None, acts
            case = evolve(case, fact)
        assert isinstance(case, Complaint)
        order = case.order
        assert order is not None
        taken = order.signed_at is not None or isinstance(order, Answered)
        assert order.written_for is None, acts
        assert order.unit == OTHER_STREET or (taken and order.names == OTHER_STREET), acts
        ends.add((order.round, order.unit, taken))
    signed_later = {(1, OTHER_STREET, True), (2, OTHER_STREET, True), (2, OTHER_STREET, False)}
    assert ends >= {(1, STREET, True), (2, STREET, True), *signed_later}


# --- a return, a district's word and the first of the matter


def test_a_return_approved_before_dispatch_hears_of_the_correction_goes_to_whom_the_record_names() -> None:
    review = replace(RETURN_REQUESTED, suggested_unit=None)
    on = given(*AT_UNIT, review, CORRECTED_STREET).when(REVIEW).then_says(ReturnApproved, ComplaintDispatched)
    assert on.case.order.unit == OTHER_STREET
    on.when(FOLLOW).then_nothing()


def test_an_own_correction_goes_before_the_first_of_the_matter() -> None:
    """R12: a linked complaint moves by its own record; without a correction its return goes to the first's unit."""
    first = replace(given(*AT_UNIT).case, complaint_id=complaint_id("first"))
    first = replace(first, order=replace(first.order, unit=WATER))
    linked = replace(LINKED, matter_of=first.complaint_id)
    review = replace(RETURN_REQUESTED, suggested_unit=None)
    seen = other(REVIEW, seen={first.complaint_id: first})
    for correction, unit in (((), WATER), ((CORRECTED_STREET,), OTHER_STREET)):
        life = given(RECEIVED, linked, CLASSIFIED, DISPATCHED, review, *correction)
        assert life.when(seen).then_says(ReturnApproved, ComplaintDispatched).case.order.unit == unit


def test_a_district_that_did_not_hear_of_the_correction_gives_nothing_on() -> None:
    """D1: the order is on its way to whom the record names; what would be given on is no longer its own."""
    opened = (replace(RECEIVED, street=None), CLASSIFIED)
    at_district = replace(DISPATCHED, street=None, unit=DISTRICT, level=Level.DISTRICT)
    told = replace(corrected("street", "", "小关街道"), unit=DISTRICT)
    said = given(*opened, at_district, told).when(ASSIGN)
    said.then_refused("assign", because="the catalogue names street-xiaoguan now")
    said.given.when(FOLLOW).then_says(OrderMoved, ComplaintDispatched)


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
