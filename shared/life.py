"""The life of a complaint as a state machine: which fact may follow in which state, and who must act next.

It is written from the rules of the domain and knows nothing of how the desks decide, so that it can judge
what they said. `evolve` never refuses; this does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import UNSET

from shared.complaint import (
    HOTLINE,
    WHERE_AND_WHAT,
    Called,
    Case,
    Complaint,
    Deadline,
    Missed,
    Order,
    Whistle,
    due_deadlines,
    helping,
    next_warning,
    order_open,
    supervision_due,
    urgency_at,
    whole_content,
    whose_is_open,
)
from shared.events import (
    REFUSALS,
    AnswerSentBack,
    ArrivalMissed,
    CalendarAmended,
    CitizenContacted,
    ComplaintAnsweredDirectly,
    ComplaintClassified,
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintEscalated,
    ComplaintReceived,
    ComplaintReclassified,
    ComplaintReopened,
    ComplaintTurnedAway,
    ComplaintWithdrawn,
    ConfidentialityRequired,
    ContactFailed,
    CouncilDecided,
    CoUnitAdded,
    CoUnitReported,
    Desk,
    DispatchLimitMissed,
    DisputeRaised,
    ExclusionApproved,
    ExclusionRejected,
    ExclusionRequested,
    ExtensionApproved,
    ExtensionRejected,
    ExtensionRequested,
    Fact,
    FeedbackLimitMissed,
    IdentityProtected,
    Level,
    LimitMissCorrected,
    MatterLinked,
    OrderAmended,
    OrderAnswered,
    OrderAssigned,
    OrderMoved,
    OrderSigned,
    Outcome,
    PauseApproved,
    PauseEnded,
    PauseRejected,
    PauseRequested,
    ProgressReported,
    RatingGiven,
    RequestCorrected,
    RequestRepeated,
    RequestSupplemented,
    RetaliationReported,
    ReturnApproved,
    ReturnRejected,
    ReturnRequested,
    SignLimitMissed,
    SupervisionClosed,
    SupervisionMissed,
    SupervisionOpened,
    TerminationApproved,
    TerminationRejected,
    TerminationRequested,
    UnitCalled,
    VisitLimitMissed,
    VisitMade,
    VisitReason,
    VisitScheduled,
    VisitUnreached,
    WarningGiven,
    WhistleAcknowledged,
    WhistleArrived,
    WhistleBlown,
    WhistleMeasureRecorded,
    WhistleRated,
    WhistleReleased,
)
from shared.events.base import Limit, RequestType, TurnedAway
from shared.ids import UnitId, complaint_id, repeat_key
from shared.policy.ruleset import RuleSetUnknown, ruleset
from shared.times import stated

_LADDER: Final = tuple(Level)
_CORRECTED: Final = frozenset(("title", "content", "address", *WHERE_AND_WHAT))
_SCORED: Final = (ExclusionRequested, ExclusionApproved, ExclusionRejected)
_AFTER_THE_END: Final = frozenset(
    (
        *REFUSALS,
        DispatchLimitMissed,
        VisitLimitMissed,
        SignLimitMissed,
        FeedbackLimitMissed,
        ComplaintEscalated,
        LimitMissCorrected,
        SupervisionOpened,
        SupervisionMissed,
        SupervisionClosed,
        ArrivalMissed,
        *_SCORED,
        RatingGiven,
    )
)


class Stage(StrEnum):
    """Where in its life a complaint stands."""

    UNOPENED = "UNOPENED"
    RECEIVED = "RECEIVED"
    """On record, not yet classified."""
    TO_DISPATCH = "TO_DISPATCH"
    """Classified or reopened: the order is still to be written."""
    AT_UNIT = "AT_UNIT"
    """With a unit that has not taken it on."""
    SIGNED = "SIGNED"
    IN_REVIEW = "IN_REVIEW"
    """The unit wants to give it back, or disputes that it is its own."""
    TERMINATED = "TERMINATED"
    """A review ended the order unanswered: the complaint is still to be closed."""
    ANSWERED = "ANSWERED"
    """The unit has said what it did; the citizen is still to be asked."""
    ASKING = "ASKING"
    """The citizen is being asked."""
    ENDED = "ENDED"


class Awaited(StrEnum):
    """What kind of party must act next."""

    UNIT = "UNIT"
    REVIEWER = "REVIEWER"
    DIALLER = "DIALLER"
    SUPERVISOR = "SUPERVISOR"
    DESK = "DESK"
    """One of ours: it needs no person, only that the desk takes in what is in the log."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Who must act next."""

    kind: Awaited
    name: str
    """The unit's id, the desk's name, `reviewers` or `dialler`."""
    what: str
    """What is awaited, to be read after "to"."""
    by: datetime | None
    """The complaint's next deadline; none where nothing is being watched any more."""


def stage(case: Case) -> Stage:  # noqa: PLR0911 -- a line a stage
    """Where the complaint stands."""
    if not isinstance(case, Complaint):
        return Stage.UNOPENED
    order = case.order
    if case.ended is not None:
        return Stage.ENDED
    if case.urgency is None:
        return Stage.RECEIVED
    if order is None or order.recalled or case.reopened:
        return Stage.TO_DISPATCH
    if order.terminated:
        return Stage.TERMINATED
    if case.visit is not None:
        return Stage.ASKING
    if order.answered_at is not None:
        return Stage.ANSWERED
    if order.review_since is not None:
        return Stage.IN_REVIEW
    return Stage.AT_UNIT if order.signed_at is None else Stage.SIGNED


def waits_for(case: Case) -> Waiting | None:
    """Who must act next; None where nobody must, because nothing has begun or all is said."""
    by = min((at for limit, at in due_deadlines(case).items() if limit is not Limit.WARNING), default=None)
    awaited = _awaited(case)
    if awaited is None or (by is None and isinstance(case, Complaint) and case.ended is not None):
        return None
    kind, name, what = awaited
    return Waiting(kind=kind, name=name, what=what, by=by)


def _awaited(case: Case) -> tuple[Awaited, str, str] | None:
    standing = stage(case)
    if not isinstance(case, Complaint) or case.order is None or standing in _BY_STAGE:
        return _BY_STAGE.get(standing)
    order = case.order
    if order.written_for is not None:
        return Awaited.DESK, Desk.DISPATCH, "bring the order to what the record says now"
    overdue = _pending(case, Limit.FEEDBACK, order.round)
    if standing is Stage.ANSWERED:
        return _after_answer(case, late=overdue is not None)
    expired = overdue is None and _is_missed(case, Limit.FEEDBACK, order.round)
    if expired and case.visited_round != order.round and not case.anonymous:
        return Awaited.DESK, Desk.FEEDBACK, "have the citizen asked, the limit expired (R8)"
    if standing is Stage.IN_REVIEW:
        what = "decide as a council whose it is" if order.disputed else "decide on the return"
        return Awaited.REVIEWER, "reviewers", what
    what = "sign or answer the order" if standing is Stage.AT_UNIT else "answer the order"
    return Awaited.UNIT, order.unit, what


def _after_answer(case: Complaint, *, late: bool) -> tuple[Awaited, str, str]:
    if late:
        return Awaited.DESK, Desk.ESCALATION, "state that the answer came late"
    if case.anonymous:
        return Awaited.SUPERVISOR, "supervisors", "let it close: nobody knows whom to ask (E3)"
    return Awaited.DESK, Desk.FEEDBACK, "have the citizen asked about the answer"


_BY_STAGE: Final[dict[Stage, tuple[Awaited, str, str]]] = {
    Stage.RECEIVED: (Awaited.DESK, Desk.INTAKE, "classify it"),
    Stage.TO_DISPATCH: (Awaited.DESK, Desk.DISPATCH, "write the order"),
    Stage.TERMINATED: (Awaited.DESK, Desk.FEEDBACK, "close it as the exception that was approved"),
    Stage.ASKING: (Awaited.DIALLER, "dialler", "ask the citizen"),
    Stage.ENDED: (Awaited.DESK, Desk.ESCALATION, "state what is still owed"),
}


def illegal(case: Case, fact: Fact, before: Fact | None) -> str | None:
    """Why this fact may not follow in this state; None where it may.

    `before` is the complaint's fact just before this one (None for the first). It is needed because what
    one decision states together leaves no trace in the case: that the citizen said it was solved, for
    example, is known only from the visit itself.
    """
    try:
        return _illegal(case, fact, before)
    except RuleSetUnknown as unknown:
        return str(unknown)


def unfinished(case: Case, last: Fact) -> str | None:
    """Why a life may not stop after this fact; None where it may.

    Some facts are stated together, in one transaction: after the first of them there is never a rest.
    """
    try:
        return _must_follow(case, last, None)
    except RuleSetUnknown as unknown:
        return str(unknown)


def _illegal(case: Case, fact: Fact, before: Fact | None) -> str | None:
    if not isinstance(case, Complaint):
        if isinstance(fact, ComplaintReceived):
            return _received(fact)
        return "nothing is on record yet: a life begins with ComplaintReceived"
    kind = type(fact)
    why = None if before is None else _must_follow(case, before, kind)
    if fact.complaint_id != case.complaint_id:
        why = f"it is about another complaint, {fact.complaint_id}"
    elif case.ended is not None and kind not in _AFTER_THE_END:
        why = f"the life ended with {case.ended.how}"
    return why or _RULES[kind](case, fact, before)


def _must_follow(case: Case, before: Fact, kind: type[Fact] | None) -> str | None:
    """What the fact before wants stated at once, where that is not of this kind."""
    at_once = _AT_ONCE.get(type(before))
    if at_once is None or not isinstance(case, Complaint):
        return None
    wanted = at_once(case, before)
    if not wanted or kind in wanted:
        return None
    return f"{type(before).__name__} must be followed at once by {' or '.join(k.__name__ for k in wanted)}"


def _after_miss(case: Complaint, _: SignLimitMissed | FeedbackLimitMissed) -> tuple[type[Fact], ...]:
    return () if case.level is _LADDER[-1] else (ComplaintEscalated,)


def _after_visit(_: Complaint, before: VisitMade) -> tuple[type[Fact], ...]:
    return (ComplaintClosed,) if before.solved else (ComplaintReopened, ComplaintClosed)


def _after_attempt(case: Complaint, before: VisitUnreached) -> tuple[type[Fact], ...]:
    if before.attempt < ruleset(case.ruleset).visit_attempts_max:
        return (VisitScheduled,)
    return () if order_open(case) or case.ended is not None else (ComplaintClosed,)


_AT_ONCE: Final[dict[type[Fact], Callable[[Complaint, Any], tuple[type[Fact], ...]]]] = {
    ComplaintClassified: lambda _, before: (
        () if before.to_dispatch else (ComplaintAnsweredDirectly, ComplaintTurnedAway)
    ),
    ComplaintDispatched: lambda case, _: (ConfidentialityRequired,) if case.confidential else (),
    ReturnApproved: lambda _case, _before: (ComplaintDispatched,),
    OrderAssigned: lambda _case, _before: (ComplaintDispatched,),
    OrderMoved: lambda _case, _before: (ComplaintDispatched,),
    WhistleBlown: lambda _case, _before: (UnitCalled,),
    CouncilDecided: lambda _case, before: () if before.to_unit == before.unit else (ComplaintDispatched,),
    SignLimitMissed: _after_miss,
    FeedbackLimitMissed: _after_miss,
    VisitMade: _after_visit,
    VisitUnreached: _after_attempt,
}


# -- intake


def _received(fact: ComplaintReceived) -> str | None:
    rules = ruleset(fact.ruleset)
    if fact.complaint_id != complaint_id(fact.request_id, fact.speaker or ""):
        return f"its id does not follow from request {fact.request_id}"
    if rules.limits_given and fact.given_due_at is None:
        return f"rule set {fact.ruleset} needs the limit given, and none came"
    return None


def _received_before(_: Complaint, __: ComplaintReceived, ___: Fact) -> str | None:
    return "the complaint is on record already"


def _classified(case: Complaint, fact: ComplaintClassified, _: Fact) -> str | None:
    if case.urgency is not None:
        return "it is classified already"
    limit = ruleset(case.ruleset).classes[fact.urgency].dispatch
    if (fact.dispatch_due_at is not UNSET) and (limit is None or not fact.to_dispatch):
        return "nothing is to be dispatched by then (C1)"
    if fact.dispatch_due_at is not UNSET and fact.dispatch_due_at <= fact.classified_at:
        return "the limit for dispatch ends before it begins (C1)"
    return None


def _on_the_spot(
    case: Complaint, fact: ComplaintAnsweredDirectly | ComplaintTurnedAway, before: Fact
) -> str | None:
    if not isinstance(before, ComplaintClassified) or before.to_dispatch:
        return "only a request classified as not to be dispatched is answered on the spot"
    if isinstance(fact, ComplaintAnsweredDirectly):
        asked = before.request_type is RequestType.CONSULT
        return None if asked else f"a {before.request_type} is acted on and asked about (B2, E3)"
    if fact.how is TurnedAway.RECORDED_TWICE and (case.call_id is None or fact.to != case.call_id):
        return "only what came in a call is recorded twice, and points to that call (T7)"
    return None


def _at_recording(case: Complaint, fact: IdentityProtected | MatterLinked, _: Fact) -> str | None:
    if isinstance(fact, MatterLinked) and fact.same_call is True and case.call_id is None:
        return "it came in no call"
    return None if case.urgency is None else "that is said when it is recorded"


def _accused(case: Complaint, _: RetaliationReported, before: Fact) -> str | None:
    if not isinstance(before, IdentityProtected) or not case.confidential:
        return "a report of retaliation is confidential, and that is said just before"
    return None


def _rated(case: Complaint, fact: RatingGiven, _: Fact) -> str | None:
    """At any time, the last word is the one that counts."""
    if case.rated_at is None or fact.rated_at >= case.rated_at:
        return None
    return f"a rating of {stated(case.rated_at, case.ruleset)} is on record"


def _corrected_record(case: Complaint, fact: RequestCorrected, _: Fact) -> str | None:
    if not fact.corrections:
        return "it corrects nothing"
    for correction in fact.corrections:
        if correction.field not in _CORRECTED:
            return f"{correction.field} is not corrected"
        if not correction.new and correction.field in {"subject", "district"}:
            return f"no record is without a {correction.field}"
        known = getattr(case, correction.field) or ""
        if correction.old != known or correction.old == correction.new:
            return f"{correction.field} is on record otherwise"
    return _told(case, fact.unit)


def _supplemented(case: Complaint, fact: RequestSupplemented, _: Fact) -> str | None:
    return _told(case, fact.unit)


def _repeated(case: Complaint, fact: RequestRepeated, _: Fact) -> str | None:
    if fact.heat != case.heat + 1 or repeat_key(fact.repeat_id, fact.speaker or "") in case.repeats:
        return f"it was brought up {case.heat} times, by {', '.join(case.repeats) or 'nobody again'}"
    return _told(case, fact.unit)


def _told(case: Complaint, unit: UnitId | None) -> str | None:
    """Who has the open order is told, and nobody else."""
    holder = case.order.unit if case.order is not None and order_open(case) else None
    return None if unit == holder else f"the open order is with {holder}, not with {unit}"


def _withdrawn(case: Complaint, fact: ComplaintWithdrawn, _: Fact) -> str | None:
    return _recalled(case, fact.recalled_unit)


def _recalled(case: Complaint, unit: UnitId | None) -> str | None:
    """The end of the life also ends the order that is still open, and only that."""
    return _told(case, unit)


# -- dispatch


def _dispatched(  # noqa: PLR0911 -- a line a reason
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


def _signed(case: Complaint, fact: OrderSigned, _: Fact) -> str | None:
    order = case.order
    why = _not_theirs(case, fact)
    return why or ("the order is signed already" if order is not None and order.signed_at else None)


def _answered(case: Complaint, fact: OrderAnswered, _: Fact) -> str | None:
    order = case.order
    why = _not_theirs(case, fact)
    if why is None and order is not None and fact.round != order.round:
        return f"the order is of round {order.round}, not {fact.round}"
    return why


def _return_requested(case: Complaint, fact: ReturnRequested, _: Fact) -> str | None:
    order = case.order
    why = _not_theirs(case, fact)
    if why is None and order is not None and order.kept:
        return "a signed order is not returned (T4)"
    if why is None and (case.settled or case.accused is not None):
        return "a council has named the unit" if case.settled else "supervision keeps it (R9)"
    if why is None and case.returns >= ruleset(case.ruleset).returns_max:
        return f"a return was asked for {case.returns} times already (R12)"
    return why


_OfUnit = (
    OrderSigned
    | OrderAnswered
    | ReturnRequested
    | OrderAssigned
    | ExtensionRequested
    | PauseRequested
    | PauseEnded
    | TerminationRequested
    | DisputeRaised
    | CitizenContacted
    | ContactFailed
    | ProgressReported
)


def _not_theirs(case: Complaint, fact: _OfUnit) -> str | None:
    """Only the present unit speaks, about its present order, while that is neither answered nor reviewed."""
    order = case.order
    if order is None or case.reopened:
        return "it is not dispatched" if order is None else "the next order is not written yet"
    if (fact.unit, fact.assignment) != (order.unit, order.assignment):
        return (
            f"the order is assignment {order.assignment} with {order.unit}, "
            f"not {fact.assignment} with {fact.unit} (T2)"
        )
    if order.answered_at is not None or order.terminated:
        return "the order is answered already" if order.answered_at is not None else "the order is terminated"
    return "a return of the order is under review" if order.review_since is not None else None


def _handled(
    case: Complaint, fact: CitizenContacted | ContactFailed | ProgressReported, _: Fact
) -> str | None:
    """Who has signed speaks to the citizen: once for the first time, in vain before that, of progress at any time."""
    order = case.order
    why = _not_theirs(case, fact)
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


def _sent_back(case: Complaint, fact: AnswerSentBack, _: Fact) -> str | None:
    """Only what nobody has asked the citizen about yet, within the limit; and no more often than the rule set says."""
    order, most = case.order, ruleset(case.ruleset).answers_sent_back_max
    if order is None or order.answered_at is None or case.reopened:
        return "there is no answer to send back"
    if (fact.unit, fact.assignment, fact.round) != (order.unit, order.assignment, order.round):
        return f"the answer is to assignment {order.assignment} of round {order.round} with {order.unit}"
    if order.sent_back >= most:
        return f"it was sent back {order.sent_back} times already"
    if case.visit is not None and (case.visit.attempt, case.visit.reason) != (1, VisitReason.ANSWERED):
        return "the citizen is being asked already"
    late = _is_missed(case, Limit.FEEDBACK, order.round) or _pending(case, Limit.FEEDBACK, order.round)
    if late or order.miss_corrected or not order.answered_at <= fact.sent_back_at <= order.feedback_due_at:
        return "it is sent back between the answer and the limit"
    return None


def _reviewed(case: Complaint, fact: ReturnApproved | ReturnRejected, _: Fact) -> str | None:
    order = case.order
    if order is None or order.review_since is None or case.reopened:
        return "no return is under review"
    if (fact.unit, fact.assignment) != (order.unit, order.assignment):
        return f"the return under review is assignment {order.assignment} with {order.unit}"
    return "a council decides on what is disputed" if order.disputed else None


def _assigned(case: Complaint, fact: OrderAssigned, _: Fact) -> str | None:
    order = case.order
    why = _not_theirs(case, fact)
    if (
        why is None
        and order is not None
        and (order.signed_at is not None or order.level is not Level.DISTRICT)
    ):
        return "only a district's government gives its order on, before it signs"
    return why


def _moved(case: Complaint, fact: OrderMoved, _: Fact) -> str | None:
    """Q1, D1: what nobody has signed, reviews or has settled moves by itself, only after a correction.

    After the citizen's no the order is over, whoever signed it: the next one is moved.
    """
    order = case.order
    why = _corrected_order(case, fact)
    if why is not None or order is None:
        return why
    taken = not order_open(case) or order.signed_at is not None or order.review_since is not None
    if taken and not case.reopened:
        return "what is signed, answered or under review moves only by a return or a reviewer's act"
    if case.settled or case.accused is not None:
        return "a council has named the unit" if case.settled else "supervision keeps it (R9)"
    return f"it lies with {order.unit} already" if fact.to_unit == order.unit else None


def _amended_order(case: Complaint, fact: OrderAmended, _: Fact) -> str | None:
    why = _corrected_order(case, fact)
    said = (fact.subject, fact.district, fact.street)
    if why is None and said != (case.subject, case.district, case.street):
        return "the order does not say what the record says"
    return f"it lies with {fact.unit}" if why is None and fact.names == fact.unit else why


def _corrected_order(case: Complaint, fact: OrderMoved | OrderAmended) -> str | None:
    """Of the present order, whose record was corrected since it was written."""
    order = case.order
    if order is None or order.recalled or order.terminated:
        return "there is no order to bring to the record"
    if (fact.unit, fact.assignment) != (order.unit, order.assignment):
        return f"the order is assignment {order.assignment} with {order.unit}"
    if case.reopened and isinstance(fact, OrderMoved) and order.names == fact.to_unit:
        return None  # the correction was brought to the round before
    return "neither its subject nor its place was corrected" if order.written_for is None else None


def _disputed(case: Complaint, fact: DisputeRaised, _: Fact) -> str | None:
    order = case.order
    why = _not_theirs(case, fact)
    if why is not None or order is None:
        return why
    if case.accused is not None:
        return "supervision keeps it (R9)"
    if case.settled or order.kept:
        return "a council has named the unit" if case.settled else "a signed order is not disputed"
    spent = case.returns >= ruleset(case.ruleset).returns_max
    return None if order.return_rejected or spent else "no return of it was rejected, and one is left"


def _council_decided(case: Complaint, fact: CouncilDecided, _: Fact) -> str | None:
    order = case.order
    if order is None or case.reopened or not whose_is_open(case, order):
        return "nothing about whose order it is is under review"
    if (fact.unit, fact.assignment) != (order.unit, order.assignment):
        return f"what is under review is assignment {order.assignment} with {order.unit}"
    return None


def _extension_requested(case: Complaint, fact: ExtensionRequested, _: Fact) -> str | None:
    order, rules = case.order, ruleset(case.ruleset)
    why = _not_theirs(case, fact)
    if why is not None or order is None:
        return why
    if order.signed_at is None or order.extension_days:
        return "an order is extended once it is signed" if order.signed_at is None else "one is under review"
    if _paused_or_asked(order, fact.requested_at):
        return "its clock stands still, or that is under review"
    if case.extensions >= rules.extensions_max or fact.days > rules.extension_days_max:
        return f"at most {rules.extensions_max} of at most {rules.extension_days_max} days (D4)"
    return _too_late(case, order, fact.requested_at)


def _extension_reviewed(case: Complaint, fact: ExtensionApproved | ExtensionRejected, _: Fact) -> str | None:
    order = case.order
    if order is None or not order.extension_days or case.reopened:
        return "no extension is under review"
    if (fact.unit, fact.assignment) != (order.unit, order.assignment):
        return f"the order is assignment {order.assignment} with {order.unit}"
    if isinstance(fact, ExtensionRejected):
        return None
    if fact.round != order.round or fact.old_due_at != order.feedback_due_at:
        return f"the limit of round {order.round} ends at {stated(order.feedback_due_at, case.ruleset)}"
    if fact.new_due_at <= fact.old_due_at:
        return "an extension lengthens the limit"
    return _too_late(case, order, fact.approved_at)


def _paused_or_asked(order: Order, at: datetime) -> bool:
    return bool(order.pause_days) or (order.pause is not None and at <= order.pause.until)


def _pause_requested(case: Complaint, fact: PauseRequested, _: Fact) -> str | None:
    order, rules = case.order, ruleset(case.ruleset)
    why = _not_theirs(case, fact)
    if why is not None or order is None:
        return why
    if order.signed_at is None:
        return "an order is paused once it is signed"
    if order.extension_days or order.termination is not None or _paused_or_asked(order, fact.requested_at):
        return "something is under review, or its clock stands still"
    if case.pauses >= rules.pauses_max or not 0 < fact.days <= rules.pause_days_max:
        return f"at most {rules.pauses_max} of at most {rules.pause_days_max} days"
    return _too_late(case, order, fact.requested_at)


def _pause_reviewed(case: Complaint, fact: PauseApproved | PauseRejected, _: Fact) -> str | None:
    order = case.order
    if order is None or not order.pause_days or case.reopened:
        return "no pause is under review"
    if (fact.unit, fact.assignment) != (order.unit, order.assignment):
        return f"the order is assignment {order.assignment} with {order.unit}"
    return _pause_granted(case, order, fact) if isinstance(fact, PauseApproved) else None


def _pause_granted(case: Complaint, order: Order, fact: PauseApproved) -> str | None:
    if (fact.ground, fact.days) != (order.pause_ground, order.pause_days):
        return f"under review are {order.pause_days} days, {order.pause_ground}"
    if fact.round != order.round or fact.old_due_at != order.feedback_due_at:
        return f"the limit of round {order.round} ends at {stated(order.feedback_due_at, case.ruleset)}"
    if not fact.approved_at < fact.until <= fact.new_due_at or fact.new_due_at <= fact.old_due_at:
        return "a pause lengthens the limit, and ends before it"
    return _too_late(case, order, fact.approved_at)


def _pause_ended(case: Complaint, fact: PauseEnded, _: Fact) -> str | None:
    order = case.order
    why = _not_theirs(case, fact)
    if why is not None or order is None:
        return why
    pause = order.pause
    if pause is None or not pause.since <= fact.ended_at <= pause.until:
        return "its clock does not stand still"
    if fact.round != order.round or fact.old_due_at != order.feedback_due_at:
        return f"the limit of round {order.round} ends at {stated(order.feedback_due_at, case.ruleset)}"
    begun = fact.days is UNSET or 0 < fact.days <= pause.days
    kept = fact.new_due_at <= fact.old_due_at and fact.ended_at <= fact.new_due_at
    return None if begun and kept else "the days begun count, the others do not"


def _too_late(case: Complaint, order: Order, at: datetime) -> str | None:
    """T6, T24: a limit that has passed, or whose miss is stated or owed, is not moved."""
    running = _pending(case, Limit.FEEDBACK, order.round)
    if running is None or running.done_at is not None or at > running.due_at:
        return f"the limit ended at {stated(order.feedback_due_at, case.ruleset)}, and stays missed (T6)"
    return None


def _termination_requested(case: Complaint, fact: TerminationRequested, _: Fact) -> str | None:
    order = case.order
    why = _not_theirs(case, fact)
    if why is not None or order is None:
        return why
    if order.signed_at is None:
        return "only a signed order is terminated"
    return None if order.termination is None else "a termination is under review"


def _termination_reviewed(
    case: Complaint, fact: TerminationApproved | TerminationRejected, _: Fact
) -> str | None:
    order = case.order
    if order is None or order.termination is None or case.reopened:
        return "no termination is under review"
    if (fact.unit, fact.assignment) != (order.unit, order.assignment):
        return f"the order is assignment {order.assignment} with {order.unit}"
    if isinstance(fact, TerminationApproved) and (fact.ground, fact.round) != (
        order.termination,
        order.round,
    ):
        return f"under review is {order.termination} in round {order.round}"
    return None


def _co_unit_added(case: Complaint, fact: CoUnitAdded, _: Fact) -> str | None:
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


def _co_unit_reported(case: Complaint, fact: CoUnitReported, _: Fact) -> str | None:
    if case.order is None or fact.unit != case.order.unit:
        return f"the order lies with {None if case.order is None else case.order.unit}"
    co_unit = helping(case, fact.co_unit)
    if co_unit is None or co_unit.reported_at is not None:
        return f"{fact.co_unit} {'was not asked to help' if co_unit is None else 'has reported'}"
    return None


def _amended(case: Complaint, fact: CalendarAmended, _: Fact) -> str | None:
    """T8: the limit in force is named before and after, and moves only while it runs."""
    order = case.order
    if order is None or fact.unit != order.unit:
        return "there is no order whose limit it could move"
    if fact.old_calendar != case.calendar or fact.calendar == case.calendar:
        return f"it goes by calendar {case.calendar}"
    if fact.old_due_at != order.feedback_due_at:
        return f"the limit is {stated(order.feedback_due_at, case.ruleset)}"
    if fact.new_due_at == fact.old_due_at:
        return None
    if fact.new_due_at < fact.amended_at:
        return "no limit moves behind the present"
    return _too_late(case, order, fact.amended_at)


def _confidential(case: Complaint, fact: ConfidentialityRequired, before: Fact) -> str | None:
    if not case.confidential or not isinstance(before, ComplaintDispatched):
        return "only the order of a confidential complaint, as it is written"
    same = (fact.unit, fact.assignment) == (before.unit, before.assignment)
    return None if same else f"the order is assignment {before.assignment} with {before.unit}"


def _reclassified(case: Complaint, fact: ComplaintReclassified, _: Fact) -> str | None:
    order = case.order
    if order is None or case.reopened or ruleset(case.ruleset).limits_given:
        return "a class moves the limit of an order, where it comes from the class"
    if order.answered_at is not None or order.terminated:
        return "the order is answered or terminated"
    if (fact.unit, fact.old_urgency) != (order.unit, case.urgency) or fact.urgency is case.urgency:
        return f"it is {case.urgency} with {order.unit}"
    new = fact.due_at
    if fact.old_due_at != order.feedback_due_at or new <= fact.reclassified_at:
        return f"the limit is {stated(order.feedback_due_at, case.ruleset)}, and the new one must lie ahead"
    if order.round > 1 and (fact.citizen_due_at != order.citizen_due_at or new > order.feedback_due_at):
        return "in a later round the citizen's limit stays, and the round's only becomes shorter"
    return _too_late(case, order, fact.reclassified_at) or _moved_with_class(case, order, fact)


def _moved_with_class(case: Complaint, order: Order, fact: ComplaintReclassified) -> str | None:
    """Only a limit that still runs moves with the class, and never behind the present."""
    at = fact.reclassified_at
    sign = _pending(case, Limit.SIGN, order.assignment)
    if fact.sign_due_at is not UNSET and (
        sign is None or sign.done_at is not None or sign.due_at < at or fact.sign_due_at < at
    ):
        return "no limit for signing runs that could move"
    if fact.pause_days is not UNSET and (
        order.pause is None or at > order.pause.until or not 0 < fact.pause_days <= order.pause.days
    ):
        return "its clock does not stand still"
    return None


def _exclusion_requested(case: Complaint, fact: ExclusionRequested, _: Fact) -> str | None:
    """F3: by the unit that has or had the order, of what would count, and once."""
    order, asked = case.order, case.exclusion
    if order is None or fact.unit != order.unit:
        return f"the order is with {None if order is None else order.unit}"
    if case.ended is not None and case.ended.outcome in {None, Outcome.EXCEPTION}:
        return "it counts in no score"
    if asked is not None and asked.unit == fact.unit:
        return "it is asked for already" if asked.approved is None else "a review has decided"
    return None


def _exclusion_reviewed(case: Complaint, fact: ExclusionApproved | ExclusionRejected, _: Fact) -> str | None:
    asked = case.exclusion
    if asked is None or asked.approved is not None or fact.unit != asked.unit:
        return "no exclusion is under review"
    if isinstance(fact, ExclusionApproved) and fact.ground is not asked.ground:
        return f"under review is {asked.ground}"
    return "no unit leaves out its own order (T22)" if fact.reviewer == asked.unit else None


# -- escalation


def _dispatch_missed(case: Complaint, fact: DispatchLimitMissed, _: Fact) -> str | None:
    """C1: the hotline's own, so no unit is late and nobody climbs."""
    return _missed(case, _pending(case, Limit.DISPATCH, 0), HOTLINE, fact)


def _visit_missed(case: Complaint, fact: VisitLimitMissed, _: Fact) -> str | None:
    """Invariant 4: nobody waits for ever to be asked; no unit is late and nobody climbs."""
    return _missed(case, _pending(case, Limit.VISIT, fact.visit), HOTLINE, fact)


def _sign_missed(case: Complaint, fact: SignLimitMissed, _: Fact) -> str | None:
    return _missed(case, _pending(case, Limit.SIGN, fact.assignment), fact.unit, fact)


def _feedback_missed(case: Complaint, fact: FeedbackLimitMissed, _: Fact) -> str | None:
    return _missed(case, _pending(case, Limit.FEEDBACK, fact.round), fact.unit, fact)


def _missed(
    case: Complaint,
    deadline: Deadline | None,
    unit: UnitId,
    fact: DispatchLimitMissed | SignLimitMissed | FeedbackLimitMissed | VisitLimitMissed,
) -> str | None:
    """A limit that was set, is not yet stated as missed, was not kept, and has passed."""
    if deadline is None:
        return "no such limit is running: never set, kept, or stated as missed before"
    if (unit, fact.due_at) != (deadline.unit, deadline.due_at):
        return f"the limit runs against {deadline.unit} until {stated(deadline.due_at, case.ruleset)}"
    if fact.missed_at != max(deadline.due_at, deadline.since):
        return "a miss happens at its limit, whenever it is noticed"
    return None if fact.noticed_at > fact.due_at else "it was stated before the limit had passed"


def _escalated(case: Complaint, fact: ComplaintEscalated, before: Fact) -> str | None:
    watching = _LADDER.index(case.level)
    if fact.to_level is case.level or _LADDER.index(fact.to_level) < watching:
        return f"{case.level} watches already"
    owed = _owed(case, before)
    rung = min(max(watching, _LADDER.index(_LADDER[0] if owed is None else owed.level)) + 1, len(_LADDER) - 1)
    if fact.to_level is not _LADDER[rung]:
        return f"the next rung is {_LADDER[rung]}, not {fact.to_level}"
    if (fact.next_at is None) != (fact.to_level is _LADDER[-1]):
        return "every rung but the last has a time after which the next is told"
    urgency = urgency_at(case, fact.escalated_at)
    step = ruleset(case.ruleset).classes[urgency].ladder_step if urgency else None
    if fact.next_at is not None and (step is None or fact.next_at != fact.escalated_at + step):
        return f"a rung has {step}, not until {stated(fact.next_at, case.ruleset)}"
    return _no_ground(case, fact, before)


def _owed(case: Complaint, before: Fact) -> Missed | Deadline | None:
    """The limit whose miss was just stated; where none was, whoever watches stands above the unit already."""
    if isinstance(before, SignLimitMissed | FeedbackLimitMissed):
        owing: tuple[Missed | Deadline, ...] = (*case.missed, *case.deadlines)
        for owed in owing:
            if (owed.unit, owed.due_at) == (before.unit, before.due_at):
                return owed
    return None


def _no_ground(case: Complaint, fact: ComplaintEscalated, before: Fact) -> str | None:
    """It climbs because of the miss just stated, or because the level before it has had its time."""
    if isinstance(before, SignLimitMissed | FeedbackLimitMissed):
        because = Limit.SIGN if isinstance(before, SignLimitMissed) else Limit.FEEDBACK
        same = (fact.unit, fact.because, fact.escalated_at) == (before.unit, because, before.missed_at)
        return None if same else "it does not say whose miss it follows"
    for rung in case.deadlines:
        if rung.limit is Limit.LADDER and (rung.unit, rung.because) == (fact.unit, fact.because):
            if fact.escalated_at != rung.due_at:
                return f"{case.level} has time until {stated(rung.due_at, case.ruleset)}"
            return None if fact.noticed_at > rung.due_at else "it was stated before the level's time was up"
    return "nothing was missed that it could follow"


def _corrected(case: Complaint, fact: LimitMissCorrected, _: Fact) -> str | None:
    for missed in case.missed:
        if (missed.limit, missed.unit, missed.due_at) == (fact.limit, fact.unit, fact.due_at):
            if missed.done_at is None:
                return "what was missed was never done"
            if missed.done_at != fact.done_at:
                done, said = (stated(at, case.ruleset) for at in (missed.done_at, fact.done_at))
                return f"what was missed was done at {done}, not at {said}"
            return None if fact.done_at <= fact.due_at else "it was done too late: the miss counts"
    return "no such miss was stated, or it is corrected already"


def _warned(case: Complaint, fact: WarningGiven, _: Fact) -> str | None:
    """T5: only of a limit that still runs, in its order, at its time."""
    running = _pending(case, Limit.FEEDBACK, fact.round)
    near = None if running is None else next_warning(case, running)
    if running is None or near is None:
        return "no such limit is near: never set, kept, or warned of before"
    if (fact.unit, fact.due_at) != (running.unit, running.due_at):
        return f"the limit runs against {running.unit} until {stated(running.due_at, case.ruleset)}"
    if (fact.colour, fact.warned_at) != near:
        return f"the next warning is {near.colour} at {stated(near.at, case.ruleset)}"
    return None if fact.noticed_at > fact.warned_at else "it was given before its time"


def _supervised(case: Complaint, fact: SupervisionOpened, before: Fact) -> str | None:
    if not isinstance(before, ComplaintEscalated) or before.to_level is not _LADDER[-1]:
        return "supervision is opened as the top of the ladder is told"
    same = (fact.told, fact.unit, fact.because, fact.opened_at) == (
        before.told,
        before.unit,
        before.because,
        before.escalated_at,
    )
    if not same or case.supervision is not None:
        return "it does not say what it follows" if case.supervision is None else "it is supervised already"
    return None if fact.due_at > fact.opened_at and fact.leader else "it has a leader and a time of its own"


def _supervision_over(case: Complaint, fact: SupervisionMissed | SupervisionClosed, _: Fact) -> str | None:
    supervision = case.supervision
    if supervision is None or (fact.told, fact.leader) != (supervision.told, supervision.leader):
        return "no such supervision is open"
    at = supervision_due(case)
    if isinstance(fact, SupervisionClosed):
        if case.ended is None:
            return "supervision closes with the outcome of the complaint, never before (E3)"
        if (fact.how, fact.outcome, fact.closed_at) != (case.ended.how, case.ended.outcome, at):
            return f"the complaint ended with {case.ended.how} at {stated(case.ended.at, case.ruleset)}"
        return None
    if supervision.missed or (fact.due_at, fact.missed_at) != (supervision.due_at, at):
        return f"its limit is {stated(supervision.due_at, case.ruleset)}"
    return None if fact.noticed_at > fact.due_at else "it was stated before the limit had passed"


def _not_there(case: Complaint, fact: ArrivalMissed, _: Fact) -> str | None:
    """G2: the one that was awaited, one level up each time."""
    whistle, called = _at_whistle(case, fact.whistle, fact.called)
    if whistle is None or called is None or called.due_at is None or whistle.unit != fact.unit:
        return "nobody of that name was awaited there"
    if (fact.due_at, fact.missed_at) != (called.due_at, called.due_at):
        return f"it was awaited until {stated(called.due_at, case.ruleset)}"
    level = _LADDER[min(_LADDER.index(called.level) + 1, len(_LADDER) - 1)]
    if fact.to_level is not level or (fact.next_at is None) != (level is _LADDER[-1]):
        return f"the next rung is {level}"
    return None if fact.noticed_at > fact.due_at else "it was stated before its time had passed"


# -- the whistle


def _at_whistle(case: Complaint, number: int, unit: UnitId) -> tuple[Whistle | None, Called | None]:
    for whistle in case.whistles:
        if whistle.number == number:
            return whistle, next((called for called in whistle.called if called.unit == unit), None)
    return None, None


def _blown(case: Complaint, fact: WhistleBlown, _: Fact) -> str | None:
    order = case.order
    if order is None or not order_open(case) or case.reopened or fact.unit != order.unit:
        return "only who has the order whistles"
    if order.level is not Level.UNIT:
        return "only a street or town whistles (G1)"
    if fact.whistle != len(case.whistles) + 1:
        return f"whistle {len(case.whistles) + 1} comes next"
    most = ruleset(case.ruleset).whistles_max
    return None if fact.whistle <= most else f"{most} whistles are all there are"


def _called_to(case: Complaint, fact: UnitCalled, before: Fact) -> str | None:
    if not isinstance(before, WhistleBlown | UnitCalled) or before.whistle != fact.whistle:
        return "units are called as the whistle is blown"
    whistle, known = _at_whistle(case, fact.whistle, fact.called)
    if whistle is None or known is not None or (fact.unit, fact.kind) != (whistle.unit, whistle.kind):
        return "it does not say whose whistle it is" if known is None else f"{fact.called} is called already"
    if fact.leads != (not whistle.called) or fact.called == whistle.unit:
        return "the first one called leads, and the street is not called"
    limits = ruleset(case.ruleset).whistle[fact.kind]
    arrival = limits.arrival_in.get(case.district, limits.arrival)
    expected = None if arrival is None else fact.called_at + arrival
    if fact.arrive_by != expected:
        return f"it must be there by {expected}"
    return None if len(whistle.called) < ruleset(case.ruleset).called_max else "so many are not called"


def _reports(
    case: Complaint, fact: WhistleAcknowledged | WhistleArrived | WhistleMeasureRecorded, _: Fact
) -> str | None:
    whistle, called = _at_whistle(case, fact.whistle, fact.called)
    if whistle is None or called is None or whistle.unit != fact.unit:
        return f"{fact.called} was not called by whistle {fact.whistle} of {fact.unit}"
    if called.released_at is not None:
        return f"{whistle.unit} has let it go"
    if isinstance(fact, WhistleAcknowledged) and called.acknowledged_at is not None:
        return "it is acknowledged already"
    return "it is there already" if isinstance(fact, WhistleArrived) and called.arrived_at else None


def _let_go(case: Complaint, fact: WhistleReleased, _: Fact) -> str | None:
    whistle, called = _at_whistle(case, fact.whistle, fact.called)
    if whistle is None or called is None:
        return f"{fact.called} was not called by whistle {fact.whistle}"
    if fact.unit != whistle.unit:
        return f"only {whistle.unit} releases (T25)"
    return "it is let go already" if called.released_at is not None else None


def _whistle_rated(case: Complaint, fact: WhistleRated, _: Fact) -> str | None:
    for by_street, unit in ((True, fact.rated), (False, fact.rated_by)):
        whistle, called = _at_whistle(case, fact.whistle, unit)
        street = fact.rated_by if by_street else fact.rated
        if whistle is None or called is None or whistle.unit != street:
            continue
        if called.done_at is None or (called.rated if by_street else called.has_rated):
            return "it has neither come nor been let go" if called.done_at is None else "it is rated already"
        return None if fact.stars in range(1, 6) else "one to five stars"
    return "street and called unit rate each other, nobody else"


# -- feedback


def _visit_scheduled(  # noqa: PLR0911 -- a line a reason
    case: Complaint, fact: VisitScheduled, before: Fact
) -> str | None:
    order = case.order
    if order is None or case.reopened or order.terminated or case.anonymous:
        return "nobody knows whom to ask" if case.anonymous else "there is no order to ask about"
    if case.visit is not None:
        return f"visit {case.visit.visit} is under way"
    if not _is_about(case, order, fact):
        return f"the order is of round {order.round} with {order.unit}"
    if fact.visit_at < fact.scheduled_at:
        return "it lies before it was asked for"
    within = ruleset(case.ruleset).visit_within
    if fact.visit_by != (UNSET if within is None else fact.visit_at + within):
        return "the limit for the visit is not the rule set's"
    asked_by = ruleset(case.ruleset).visit_channel(fact.attempt)
    if fact.channel not in {UNSET, asked_by}:
        return f"attempt {fact.attempt} goes by {asked_by} (E1)"
    if isinstance(before, VisitUnreached):
        return _attempt(case, fact, before)
    return _no_reason(case, order, fact)


def _is_about(case: Complaint, order: Order, fact: VisitScheduled) -> bool:
    """It names the unit that holds the order, or at expiry the one that let the limit pass."""
    if fact.round != order.round or fact.unit == order.unit:
        return fact.round == order.round
    late = [m.unit for m in case.missed if m.limit is Limit.FEEDBACK and m.number == order.round]
    # A late answer has settled the miss, and nothing says any more whose it was.
    return fact.reason is VisitReason.EXPIRED and (fact.unit in late or order.answered_at is not None)


def _attempt(case: Complaint, fact: VisitScheduled, before: VisitUnreached) -> str | None:
    rules = ruleset(case.ruleset)
    if fact.attempt > rules.visit_attempts_max:
        return f"{rules.visit_attempts_max} attempts are all there are"
    if (fact.visit, fact.attempt) != (before.visit, before.attempt + 1):
        return f"visit {fact.visit} attempt {fact.attempt} follows {before.visit} attempt {before.attempt}"
    if case.judged is None or fact.reason is not case.judged.reason:
        return "a further attempt has the reason of the first"
    soon = fact.visit_at < before.attempted_at + rules.visit_spacing
    return "it comes too soon after the one before" if soon else None


def _no_reason(case: Complaint, order: Order, fact: VisitScheduled) -> str | None:
    """R8: on the answer, or at expiry of the limit, whichever is first."""
    if (fact.visit, fact.attempt) != (case.visits + 1, 1):
        return f"visit {fact.visit} attempt {fact.attempt} follows visit {case.visits}"
    if _pending(case, Limit.FEEDBACK, order.round) is not None:
        return "the limit was not kept, and the miss is not stated yet"
    if fact.reason is VisitReason.ANSWERED:
        return None if order.answered_at is not None else "nothing is answered"
    if case.visited_round == order.round:
        return "the citizen was asked at expiry before"
    if order.answered_at is None and not _is_missed(case, Limit.FEEDBACK, order.round):
        return "no limit has expired"
    return None


def _visited(case: Complaint, fact: VisitMade | VisitUnreached, _: Fact) -> str | None:
    visit = case.visit
    if visit is None:
        return "no visit is under way"
    if (fact.visit, fact.attempt, fact.round) != (visit.visit, visit.attempt, visit.round):
        return f"visit {visit.visit} attempt {visit.attempt} of round {visit.round} is under way"
    at = fact.visited_at if isinstance(fact, VisitMade) else fact.attempted_at
    return (
        f"it was not to be made before {stated(visit.visit_at, case.ruleset)}"
        if at < visit.visit_at
        else None
    )


def _reopened(case: Complaint, fact: ComplaintReopened, before: Fact) -> str | None:
    order, rounds_max = case.order, ruleset(case.ruleset).rounds_max
    if not isinstance(before, VisitMade) or before.solved or order is None:
        return "only a citizen who says it is not solved reopens it"
    if (fact.round, fact.unit) != (order.round + 1, order.unit):
        return f"round {order.round + 1} with {order.unit} comes next"
    return None if fact.round <= rounds_max else f"{rounds_max} rounds are all there are"


def _closed(case: Complaint, fact: ComplaintClosed, before: Fact) -> str | None:
    """E3: closed only with a visit's outcome or an approved exception."""
    if fact.outcome is Outcome.EXCEPTION:
        if not fact.approved_by or fact.visit != 0:
            return "an exception is approved by somebody and rests on no visit (E3)"
        return _recalled(case, fact.recalled_unit)
    if not isinstance(before, VisitMade | VisitUnreached) or fact.visit != before.visit:
        return "it does not rest on the visit just judged (E3)"
    return _not_the_outcome(case, fact, before) or _recalled(case, fact.recalled_unit)


def _not_the_outcome(
    case: Complaint, fact: ComplaintClosed, before: VisitMade | VisitUnreached
) -> str | None:
    rules = ruleset(case.ruleset)
    if isinstance(before, VisitUnreached):
        said = Outcome.UNREACHED
        if order_open(case):
            return "the unit still owes its answer; the citizen is asked about that"
    else:
        said = Outcome.SOLVED if before.solved else Outcome.UNSOLVED
    if fact.outcome is not said:
        return f"the visit's outcome is {said}, not {fact.outcome}"
    if said is Outcome.UNSOLVED and (case.order is None or case.order.round < rules.rounds_max):
        return "the citizen said no and there are rounds left"
    return None


# -- what several ask


def _pending(case: Complaint, limit: Limit, number: int) -> Deadline | None:
    """The limit of this assignment or round that runs, or was not kept and is not stated as missed yet."""
    for deadline in case.deadlines:
        if deadline.limit is limit and deadline.number == number:
            return deadline
    return None


def _is_missed(case: Complaint, limit: Limit, number: int) -> bool:
    return any(missed.limit is limit and missed.number == number for missed in case.missed)


def _refused(_: Complaint, __: Fact, ___: Fact) -> str | None:
    return None


_RULES: Final[dict[type[Fact], Callable[[Complaint, Any, Any], str | None]]] = {
    ComplaintReceived: _received_before,
    ComplaintClassified: _classified,
    IdentityProtected: _at_recording,
    MatterLinked: _at_recording,
    RetaliationReported: _accused,
    RatingGiven: _rated,
    ComplaintAnsweredDirectly: _on_the_spot,
    ComplaintTurnedAway: _on_the_spot,
    RequestCorrected: _corrected_record,
    RequestSupplemented: _supplemented,
    RequestRepeated: _repeated,
    ConfidentialityRequired: _confidential,
    ComplaintWithdrawn: _withdrawn,
    ComplaintDispatched: _dispatched,
    OrderSigned: _signed,
    OrderAnswered: _answered,
    CitizenContacted: _handled,
    ContactFailed: _handled,
    ProgressReported: _handled,
    AnswerSentBack: _sent_back,
    ReturnRequested: _return_requested,
    ReturnApproved: _reviewed,
    ReturnRejected: _reviewed,
    OrderAssigned: _assigned,
    OrderMoved: _moved,
    OrderAmended: _amended_order,
    ExtensionRequested: _extension_requested,
    ExtensionApproved: _extension_reviewed,
    ExtensionRejected: _extension_reviewed,
    PauseRequested: _pause_requested,
    PauseApproved: _pause_reviewed,
    PauseRejected: _pause_reviewed,
    PauseEnded: _pause_ended,
    TerminationRequested: _termination_requested,
    TerminationApproved: _termination_reviewed,
    TerminationRejected: _termination_reviewed,
    DisputeRaised: _disputed,
    CouncilDecided: _council_decided,
    CoUnitAdded: _co_unit_added,
    CoUnitReported: _co_unit_reported,
    ComplaintReclassified: _reclassified,
    CalendarAmended: _amended,
    ExclusionRequested: _exclusion_requested,
    ExclusionApproved: _exclusion_reviewed,
    ExclusionRejected: _exclusion_reviewed,
    DispatchLimitMissed: _dispatch_missed,
    VisitLimitMissed: _visit_missed,
    SignLimitMissed: _sign_missed,
    FeedbackLimitMissed: _feedback_missed,
    ComplaintEscalated: _escalated,
    LimitMissCorrected: _corrected,
    WarningGiven: _warned,
    SupervisionOpened: _supervised,
    SupervisionMissed: _supervision_over,
    SupervisionClosed: _supervision_over,
    ArrivalMissed: _not_there,
    WhistleBlown: _blown,
    UnitCalled: _called_to,
    WhistleAcknowledged: _reports,
    WhistleArrived: _reports,
    WhistleMeasureRecorded: _reports,
    WhistleReleased: _let_go,
    WhistleRated: _whistle_rated,
    VisitScheduled: _visit_scheduled,
    VisitMade: _visited,
    VisitUnreached: _visited,
    ComplaintReopened: _reopened,
    ComplaintClosed: _closed,
    **dict.fromkeys(REFUSALS, _refused),
}
