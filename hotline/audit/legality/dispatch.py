"""Whether the facts of dispatch may follow, but those that only move a limit. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hotline.audit.legality.orders import not_theirs
from shared.complaint import (
    Answered,
    Complaint,
    DisputeAsked,
    Held,
    Order,
    TerminationAsked,
    answer_overdue,
    helping,
    order_open,
    question,
    whole_content,
    whose_asked,
    whose_is_open,
)
from shared.events import (
    AnswerSentBack,
    CitizenContacted,
    ComplaintDispatched,
    ConfidentialityRequired,
    ContactFailed,
    CouncilDecided,
    CoUnitAdded,
    CoUnitReported,
    DisputeRaised,
    ExclusionApproved,
    ExclusionRejected,
    ExclusionRequested,
    Fact,
    Level,
    OrderAmended,
    OrderAnswered,
    OrderAssigned,
    OrderMoved,
    OrderSigned,
    Outcome,
    ProgressReported,
    ReturnApproved,
    ReturnRejected,
    ReturnRequested,
    TerminationApproved,
    TerminationRejected,
    TerminationRequested,
    VisitReason,
)
from shared.policy.ruleset import ruleset


def _judge_complaint_dispatched(  # noqa: PLR0911 -- a line a reason
    case: Complaint, fact: ComplaintDispatched, before: Fact
) -> str | None:
    if case.urgency is None:
        return "it is not classified"
    held = (case.request_type, case.subject, case.urgency, case.district, case.street)
    told = (fact.request_type, fact.subject, fact.urgency, fact.district, fact.street)
    if told != held or (fact.title, fact.content, fact.address) != (
        case.title,
        whole_content(case),
        case.address,
    ):
        return "the order does not say what the request says"
    if (fact.attachments or ()) != case.attachments:
        return "the order does not have what was sent with the request (R6)"
    if case.accused is not None and (fact.unit == case.accused or fact.level is not Level.MUNICIPAL):
        return "a report of retaliation is supervision's, never of the unit it is about (R9)"
    if fact.sign_due_at is not None and fact.sign_due_at <= fact.dispatched_at:
        return "the limit for signing ends before it begins"
    if case.order is None:
        return _first_order(case, fact)
    return _next_order(case, case.order, fact, before)


def _first_order(case: Complaint, fact: ComplaintDispatched) -> str | None:
    if (fact.assignment, fact.round) != (1, 1):
        return f"the first order is assignment 1 of round 1, not {fact.assignment} of {fact.round}"
    if ruleset(case.ruleset).limits_given:
        if fact.citizen_due_at != case.given_due_at:
            return "the citizen's limit is not the one that came with the request"
    elif min(fact.citizen_due_at, fact.unit_due_at) <= fact.dispatched_at:
        return "a limit for the answer ends before it begins"
    return None


def _next_order(case: Complaint, order: Order, fact: ComplaintDispatched, before: Fact) -> str | None:
    returned = isinstance(before, ReturnApproved)
    given_on = isinstance(before, OrderAssigned | OrderMoved | CouncilDecided)
    if not (returned or given_on or case.reopened):
        return "it is dispatched, and was neither returned nor given on nor reopened since"
    assignment, number = order.assignment + 1, order.round + case.reopened
    if (fact.assignment, fact.round) != (assignment, number):
        return f"assignment {assignment} of round {number} comes next, not {fact.assignment} of {fact.round}"
    if isinstance(before, OrderAssigned | OrderMoved | CouncilDecided) and fact.unit != before.to_unit:
        return f"it was given to {before.to_unit}"
    corrected = isinstance(before, OrderMoved)
    if case.reopened and not corrected and (fact.unit, fact.level) != (order.unit, order.level):
        return f"a reopened complaint goes to the same unit again, {order.unit}"
    return _moved_limit(case, order, fact)


def _moved_limit(case: Complaint, order: Order, fact: ComplaintDispatched) -> str | None:
    """T10: the citizen's limit never moves, and in a later round a return does not move the unit's either."""
    if fact.citizen_due_at != order.citizen_due_at:
        return "the citizen's limit has moved (T10)"
    if order.round > 1 and not case.reopened:
        return None if fact.unit_due_at == order.unit_due_at else "the round's limit has moved (T10)"
    return None if fact.unit_due_at > fact.dispatched_at else "the unit's limit ends before it begins"


def _judge_order_signed(case: Complaint, fact: OrderSigned, _: Fact) -> str | None:
    order = case.order
    why = not_theirs(case, fact)
    return why or ("the order is signed already" if order is not None and order.signed_at else None)


def _judge_order_answered(case: Complaint, fact: OrderAnswered, _: Fact) -> str | None:
    order = case.order
    why = not_theirs(case, fact)
    if why is None and order is not None and fact.round != order.round:
        return f"the order is of round {order.round}, not {fact.round}"
    return why


def _judge_return_requested(case: Complaint, fact: ReturnRequested, _: Fact) -> str | None:
    order = case.order
    why = not_theirs(case, fact)
    if why is None and order is not None and order.kept:
        return "a signed order is not returned (T4)"
    if why is None and (case.settled or case.accused is not None):
        return "a council has named the unit" if case.settled else "supervision keeps it (R9)"
    if why is None and case.returns >= ruleset(case.ruleset).returns_max:
        return f"a return was asked for {case.returns} times already (R12)"
    return why


def _judge_handling(
    case: Complaint, fact: CitizenContacted | ContactFailed | ProgressReported, _: Fact
) -> str | None:
    """A unit that has signed speaks to the citizen: for the first time once, in vain before, of progress always."""
    order = case.order
    why = not_theirs(case, fact)
    if why is not None or order is None:
        return why
    if order.signed_at is None:
        return "who speaks to the citizen has signed"
    if fact.round != order.round:
        return f"the order is of round {order.round}, not {fact.round}"
    if isinstance(fact, ProgressReported):
        return None
    if case.anonymous or order.contacted_at is not None:
        return "nobody knows who it was" if case.anonymous else "the first contact was made"
    return None


def _judge_answer_sent_back(case: Complaint, fact: AnswerSentBack, _: Fact) -> str | None:
    """Only what nobody has asked the citizen about yet, within the limit; and no more often than the rule set says."""
    order, most = case.order, ruleset(case.ruleset).answers_sent_back_max
    if not isinstance(order, Answered) or case.reopened:
        return "there is no answer to send back"
    if (fact.unit, fact.assignment, fact.round) != (order.unit, order.assignment, order.round):
        return f"the answer is to assignment {order.assignment} of round {order.round} with {order.unit}"
    if order.sent_back >= most:
        return f"it was sent back {order.sent_back} times already"
    if case.visit is not None and (case.visit.attempt, case.visit.reason) != (1, VisitReason.ANSWERED):
        return "the citizen is being asked already"
    in_time = order.answered_at <= fact.sent_back_at <= order.feedback_due_at
    if answer_overdue(case, order) or order.miss_corrected or not in_time:
        return "it is sent back between the answer and the limit"
    return None


def _judge_return_reviewed(case: Complaint, fact: ReturnApproved | ReturnRejected, _: Fact) -> str | None:
    order = case.order
    if not isinstance(order, Held) or whose_asked(order) is None or case.reopened:
        return "no return is under review"
    if (fact.unit, fact.assignment) != (order.unit, order.assignment):
        return f"the return under review is assignment {order.assignment} with {order.unit}"
    return "a council decides on what is disputed" if question(order, DisputeAsked) is not None else None


def _judge_order_assigned(case: Complaint, fact: OrderAssigned, _: Fact) -> str | None:
    order = case.order
    why = not_theirs(case, fact)
    if (
        why is None
        and order is not None
        and (order.signed_at is not None or order.level is not Level.DISTRICT)
    ):
        return "only a district's government gives its order on, before it signs"
    return why


def _judge_order_moved(case: Complaint, fact: OrderMoved, _: Fact) -> str | None:
    """Q1, D1: what nobody has signed, reviews or has settled moves by itself, only after a correction.

    After the citizen's no the order is over, whoever signed it: the next one is moved.
    """
    order = case.order
    why = _corrected_order(case, fact)
    if why is not None or order is None:
        return why
    taken = not order_open(case) or order.signed_at is not None or whose_asked(order) is not None
    if taken and not case.reopened:
        return "what is signed, answered or under review moves only by a return or a reviewer's act"
    if case.settled or case.accused is not None:
        return "a council has named the unit" if case.settled else "supervision keeps it (R9)"
    return f"it lies with {order.unit} already" if fact.to_unit == order.unit else None


def _judge_order_amended(case: Complaint, fact: OrderAmended, _: Fact) -> str | None:
    why = _corrected_order(case, fact)
    said = (fact.subject, fact.district, fact.street)
    if why is None and said != (case.subject, case.district, case.street):
        return "the order does not say what the record says"
    return f"it lies with {fact.unit}" if why is None and fact.names == fact.unit else why


def _corrected_order(case: Complaint, fact: OrderMoved | OrderAmended) -> str | None:
    """Of the present order, whose record was corrected since it was written."""
    order = case.order
    if not isinstance(order, Held | Answered):
        return "there is no order to bring to the record"
    if (fact.unit, fact.assignment) != (order.unit, order.assignment):
        return f"the order is assignment {order.assignment} with {order.unit}"
    if case.reopened and isinstance(fact, OrderMoved) and order.names == fact.to_unit:
        return None  # the correction was brought to the round before
    return "neither its subject nor its place was corrected" if order.written_for is None else None


def _judge_dispute_raised(case: Complaint, fact: DisputeRaised, _: Fact) -> str | None:
    order = case.order
    why = not_theirs(case, fact)
    if why is not None or order is None:
        return why
    if case.accused is not None:
        return "supervision keeps it (R9)"
    if case.settled or order.kept:
        return "a council has named the unit" if case.settled else "a signed order is not disputed"
    spent = case.returns >= ruleset(case.ruleset).returns_max
    return None if order.return_rejected or spent else "no return of it was rejected, and one is left"


def _judge_council_decided(case: Complaint, fact: CouncilDecided, _: Fact) -> str | None:
    order = case.order
    if order is None or case.reopened or not whose_is_open(case, order):
        return "nothing about whose order it is is under review"
    if (fact.unit, fact.assignment) != (order.unit, order.assignment):
        return f"what is under review is assignment {order.assignment} with {order.unit}"
    return None


def _judge_termination_requested(case: Complaint, fact: TerminationRequested, _: Fact) -> str | None:
    order = case.order
    why = not_theirs(case, fact)
    if why is not None or order is None:
        return why
    if order.signed_at is None:
        return "only a signed order is terminated"
    return None if question(order, TerminationAsked) is None else "a termination is under review"


def _judge_termination_reviewed(
    case: Complaint, fact: TerminationApproved | TerminationRejected, _: Fact
) -> str | None:
    order = case.order
    if not isinstance(order, Held) or (wanted := question(order, TerminationAsked)) is None or case.reopened:
        return "no termination is under review"
    if (fact.unit, fact.assignment) != (order.unit, order.assignment):
        return f"the order is assignment {order.assignment} with {order.unit}"
    if isinstance(fact, TerminationApproved) and (fact.ground, fact.round) != (wanted.ground, order.round):
        return f"under review is {wanted.ground} in round {order.round}"
    return None


def _judge_co_unit_added(case: Complaint, fact: CoUnitAdded, _: Fact) -> str | None:
    order = case.order
    if order is None:
        return "there is no order to help with"
    if fact.unit != order.unit or fact.co_unit == order.unit:
        return f"{order.unit} leads"
    if case.accused is not None:
        return "nobody helps with a report of retaliation (R9)"
    if helping(case, fact.co_unit) is not None:
        return f"{fact.co_unit} helps already"
    most = ruleset(case.ruleset).co_units_max
    return None if len(case.co_units) < most else f"{most} units are all that help"


def _judge_co_unit_reported(case: Complaint, fact: CoUnitReported, _: Fact) -> str | None:
    if case.order is None or fact.unit != case.order.unit:
        return f"the order lies with {None if case.order is None else case.order.unit}"
    co_unit = helping(case, fact.co_unit)
    if co_unit is None or co_unit.reported_at is not None:
        return f"{fact.co_unit} {'was not asked to help' if co_unit is None else 'has reported'}"
    return None


def _judge_confidentiality_required(
    case: Complaint, fact: ConfidentialityRequired, before: Fact
) -> str | None:
    if not case.confidential or not isinstance(before, ComplaintDispatched):
        return "only the order of a confidential complaint, as it is written"
    same = (fact.unit, fact.assignment) == (before.unit, before.assignment)
    return None if same else f"the order is assignment {before.assignment} with {before.unit}"


def _judge_exclusion_requested(case: Complaint, fact: ExclusionRequested, _: Fact) -> str | None:
    """F3: by the unit that has or had the order, of what would count, and once."""
    order, asked = case.order, case.exclusion
    if order is None or fact.unit != order.unit:
        return f"the order is with {None if order is None else order.unit}"
    if case.ended is not None and case.ended.outcome in {None, Outcome.EXCEPTION}:
        return "it counts in no score"
    if asked is not None and asked.unit == fact.unit:
        return "it is asked for already" if asked.approved is None else "a review has decided"
    return None


def _judge_exclusion_reviewed(
    case: Complaint, fact: ExclusionApproved | ExclusionRejected, _: Fact
) -> str | None:
    asked = case.exclusion
    if asked is None or asked.approved is not None or fact.unit != asked.unit:
        return "no exclusion is under review"
    if isinstance(fact, ExclusionApproved) and fact.ground is not asked.ground:
        return f"under review is {asked.ground}"
    return "no unit leaves out its own order (T22)" if fact.reviewer == asked.unit else None


RULES: Final[dict[type[Fact], Callable[[Complaint, Any, Any], str | None]]] = {
    ConfidentialityRequired: _judge_confidentiality_required,
    ComplaintDispatched: _judge_complaint_dispatched,
    OrderSigned: _judge_order_signed,
    OrderAnswered: _judge_order_answered,
    CitizenContacted: _judge_handling,
    ContactFailed: _judge_handling,
    ProgressReported: _judge_handling,
    AnswerSentBack: _judge_answer_sent_back,
    ReturnRequested: _judge_return_requested,
    ReturnApproved: _judge_return_reviewed,
    ReturnRejected: _judge_return_reviewed,
    OrderAssigned: _judge_order_assigned,
    OrderMoved: _judge_order_moved,
    OrderAmended: _judge_order_amended,
    TerminationRequested: _judge_termination_requested,
    TerminationApproved: _judge_termination_reviewed,
    TerminationRejected: _judge_termination_reviewed,
    DisputeRaised: _judge_dispute_raised,
    CouncilDecided: _judge_council_decided,
    CoUnitAdded: _judge_co_unit_added,
    CoUnitReported: _judge_co_unit_reported,
    ExclusionRequested: _judge_exclusion_requested,
    ExclusionApproved: _judge_exclusion_reviewed,
    ExclusionRejected: _judge_exclusion_reviewed,
}
