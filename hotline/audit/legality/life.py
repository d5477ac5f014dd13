"""Which fact may follow in which state, and which facts are stated together. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hotline.audit.legality import dispatch, escalation, feedback, intake, limit_steps, whistle
from hotline.audit.legality.orders import LADDER
from shared.complaint import Case, Complaint, order_open
from shared.events import (
    REFUSALS,
    AnswerLimitMissed,
    ArrivalMissed,
    ComplaintAnsweredDirectly,
    ComplaintClassified,
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintEscalated,
    ComplaintReceived,
    ComplaintReopened,
    ComplaintTurnedAway,
    ConfidentialityRequired,
    CouncilDecided,
    DispatchLimitMissed,
    ExclusionApproved,
    ExclusionRejected,
    ExclusionRequested,
    Fact,
    LimitMissCorrected,
    OrderAssigned,
    OrderMoved,
    RatingGiven,
    ReturnApproved,
    SignLimitMissed,
    SupervisionClosed,
    SupervisionMissed,
    SupervisionOpened,
    UnitCalled,
    VisitLimitMissed,
    VisitMade,
    VisitScheduled,
    VisitUnreached,
    WhistleBlown,
)
from shared.policy.ruleset import RuleSetUnknown, ruleset

_SCORED: Final = (ExclusionRequested, ExclusionApproved, ExclusionRejected)


_AFTER_THE_END: Final = frozenset(
    (
        *REFUSALS,
        DispatchLimitMissed,
        VisitLimitMissed,
        SignLimitMissed,
        AnswerLimitMissed,
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


def illegal(case: Case, fact: Fact, before: Fact | None) -> str | None:
    """The reason why this fact may not follow in this state; None where it may.

    `before` is the complaint's fact just before this one (None for the first). One decision states several
    facts together, and the case does not show that. For example, only the visit itself says that the citizen
    called it solved.
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
            return intake.judge_beginning(fact)
        return "nothing is on record yet: a life begins with ComplaintReceived"
    kind = type(fact)
    why = None if before is None else _must_follow(case, before, kind)
    if fact.complaint_id != case.complaint_id:
        why = f"it is about another complaint, {fact.complaint_id}"
    elif case.ended is not None and kind not in _AFTER_THE_END:
        why = f"the life ended with {case.ended.how}"
    return why or RULES[kind](case, fact, before)


def _must_follow(case: Case, before: Fact, kind: type[Fact] | None) -> str | None:
    """The fact that the one before wants stated at once, where that is not of this kind."""
    at_once = _AT_ONCE.get(type(before))
    if at_once is None or not isinstance(case, Complaint):
        return None
    wanted = at_once(case, before)
    if not wanted or kind in wanted:
        return None
    return f"{type(before).__name__} must be followed at once by {' or '.join(k.__name__ for k in wanted)}"


def _after_miss(case: Complaint, _: SignLimitMissed | AnswerLimitMissed) -> tuple[type[Fact], ...]:
    return () if case.level is LADDER[-1] else (ComplaintEscalated,)


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
    AnswerLimitMissed: _after_miss,
    VisitMade: _after_visit,
    VisitUnreached: _after_attempt,
}


def _judge_refusal(_: Complaint, __: Fact, ___: Fact) -> str | None:
    return None


RULES: Final[dict[type[Fact], Callable[[Complaint, Any, Any], str | None]]] = {
    **intake.RULES,
    **dispatch.RULES,
    **limit_steps.RULES,
    **whistle.RULES,
    **escalation.RULES,
    **feedback.RULES,
    **dict.fromkeys(REFUSALS, _judge_refusal),
}
"""Of each fact, on a complaint on record: the complaint, the fact, and the fact just before it."""
