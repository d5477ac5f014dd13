"""Whether the facts of escalation may follow. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hotline.audit.legality.orders import LADDER
from hotline.audit.legality.whistle import at_whistle
from shared.complaint import (
    HOTLINE,
    Complaint,
    Deadline,
    Missed,
    next_warning,
    supervision_due,
    urgency_at,
    watched,
)
from shared.events import (
    AnswerLimitMissed,
    ArrivalMissed,
    ComplaintEscalated,
    DispatchLimitMissed,
    Fact,
    LimitMissCorrected,
    SignLimitMissed,
    SupervisionClosed,
    SupervisionMissed,
    SupervisionOpened,
    VisitLimitMissed,
    WarningGiven,
)
from shared.events.base import Limit
from shared.ids import UnitId
from shared.policy.ruleset import ruleset
from shared.times import stated


def _judge_dispatch_limit_missed(case: Complaint, fact: DispatchLimitMissed, _: Fact) -> str | None:
    """C1: the hotline's own, so no unit is late and nobody climbs."""
    return _missed(case, watched(case, Limit.DISPATCH, 0), HOTLINE, fact)


def _judge_visit_limit_missed(case: Complaint, fact: VisitLimitMissed, _: Fact) -> str | None:
    """Invariant 4: nobody waits for ever to be asked; no unit is late and nobody climbs."""
    return _missed(case, watched(case, Limit.VISIT, fact.visit), HOTLINE, fact)


def _judge_sign_limit_missed(case: Complaint, fact: SignLimitMissed, _: Fact) -> str | None:
    return _missed(case, watched(case, Limit.SIGN, fact.assignment), fact.unit, fact)


def _judge_answer_limit_missed(case: Complaint, fact: AnswerLimitMissed, _: Fact) -> str | None:
    return _missed(case, watched(case, Limit.ANSWER, fact.round), fact.unit, fact)


def _missed(
    case: Complaint,
    deadline: Deadline | None,
    unit: UnitId,
    fact: DispatchLimitMissed | SignLimitMissed | AnswerLimitMissed | VisitLimitMissed,
) -> str | None:
    """A limit that was set, is not yet stated as missed, was not kept, and has passed."""
    if deadline is None:
        return "no such limit is running: never set, kept, or stated as missed before"
    if (unit, fact.due_at) != (deadline.unit, deadline.due_at):
        return f"the limit runs against {deadline.unit} until {stated(deadline.due_at, case.ruleset)}"
    if fact.missed_at != max(deadline.due_at, deadline.since):
        return "a miss happens at its limit, whenever it is noticed"
    return None if fact.noticed_at > fact.due_at else "it was stated before the limit had passed"


def _judge_complaint_escalated(case: Complaint, fact: ComplaintEscalated, before: Fact) -> str | None:
    watching = LADDER.index(case.level)
    if fact.to_level is case.level or LADDER.index(fact.to_level) < watching:
        return f"{case.level} watches already"
    owed = _owed(case, before)
    rung = min(max(watching, LADDER.index(LADDER[0] if owed is None else owed.level)) + 1, len(LADDER) - 1)
    if fact.to_level is not LADDER[rung]:
        return f"the next rung is {LADDER[rung]}, not {fact.to_level}"
    if (fact.next_at is None) != (fact.to_level is LADDER[-1]):
        return "every rung but the last has a time after which the next is told"
    urgency = urgency_at(case, fact.escalated_at)
    step = ruleset(case.ruleset).classes[urgency].ladder_step if urgency else None
    if fact.next_at is not None and (step is None or fact.next_at != fact.escalated_at + step):
        return f"a rung has {step}, not until {stated(fact.next_at, case.ruleset)}"
    return _no_ground(case, fact, before)


def _owed(case: Complaint, before: Fact) -> Missed | Deadline | None:
    """The limit whose miss was just stated; where none was, whoever watches stands above the unit already."""
    if isinstance(before, SignLimitMissed | AnswerLimitMissed):
        owing: tuple[Missed | Deadline, ...] = (*case.missed, *case.deadlines)
        for owed in owing:
            if (owed.unit, owed.due_at) == (before.unit, before.due_at):
                return owed
    return None


def _no_ground(case: Complaint, fact: ComplaintEscalated, before: Fact) -> str | None:
    """It climbs because of the miss just stated, or because the level before it has had its time."""
    if isinstance(before, SignLimitMissed | AnswerLimitMissed):
        because = Limit.SIGN if isinstance(before, SignLimitMissed) else Limit.ANSWER
        same = (fact.unit, fact.because, fact.escalated_at) == (before.unit, because, before.missed_at)
        return None if same else "it does not say whose miss it follows"
    for rung in case.deadlines:
        if rung.limit is Limit.LADDER and (rung.unit, rung.because) == (fact.unit, fact.because):
            if fact.escalated_at != rung.due_at:
                return f"{case.level} has time until {stated(rung.due_at, case.ruleset)}"
            return None if fact.noticed_at > rung.due_at else "it was stated before the level's time was up"
    return "nothing was missed that it could follow"


def _judge_limit_miss_corrected(case: Complaint, fact: LimitMissCorrected, _: Fact) -> str | None:
    for missed in case.missed:
        if (missed.limit, missed.unit, missed.due_at) == (fact.limit, fact.unit, fact.due_at):
            if missed.done_at is None:
                return "what was missed was never done"
            if missed.done_at != fact.done_at:
                done, said = (stated(at, case.ruleset) for at in (missed.done_at, fact.done_at))
                return f"what was missed was done at {done}, not at {said}"
            return None if fact.done_at <= fact.due_at else "it was done too late: the miss counts"
    return "no such miss was stated, or it is corrected already"


def _judge_warning_given(case: Complaint, fact: WarningGiven, _: Fact) -> str | None:
    """T5: only of a limit that still runs, in its order, at its time."""
    near_to = watched(case, Limit.ANSWER, fact.round)
    near = None if near_to is None else next_warning(case, near_to)
    if near_to is None or near is None:
        return "no such limit is near: never set, kept, or warned of before"
    if (fact.unit, fact.due_at) != (near_to.unit, near_to.due_at):
        return f"the limit runs against {near_to.unit} until {stated(near_to.due_at, case.ruleset)}"
    if (fact.colour, fact.warned_at) != near:
        return f"the next warning is {near.colour} at {stated(near.at, case.ruleset)}"
    return None if fact.noticed_at > fact.warned_at else "it was given before its time"


def _judge_supervision_opened(case: Complaint, fact: SupervisionOpened, before: Fact) -> str | None:
    if not isinstance(before, ComplaintEscalated) or before.to_level is not LADDER[-1]:
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


def _judge_supervision_over(
    case: Complaint, fact: SupervisionMissed | SupervisionClosed, _: Fact
) -> str | None:
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


def _judge_arrival_missed(case: Complaint, fact: ArrivalMissed, _: Fact) -> str | None:
    """G2: the one that was awaited, one level up each time."""
    whistle, called = at_whistle(case, fact.whistle, fact.called)
    if whistle is None or called is None or called.due_at is None or whistle.unit != fact.unit:
        return "nobody of that name was awaited there"
    if (fact.due_at, fact.missed_at) != (called.due_at, called.due_at):
        return f"it was awaited until {stated(called.due_at, case.ruleset)}"
    level = LADDER[min(LADDER.index(called.level) + 1, len(LADDER) - 1)]
    if fact.to_level is not level or (fact.next_at is None) != (level is LADDER[-1]):
        return f"the next rung is {level}"
    return None if fact.noticed_at > fact.due_at else "it was stated before its time had passed"


RULES: Final[dict[type[Fact], Callable[[Complaint, Any, Any], str | None]]] = {
    DispatchLimitMissed: _judge_dispatch_limit_missed,
    VisitLimitMissed: _judge_visit_limit_missed,
    SignLimitMissed: _judge_sign_limit_missed,
    AnswerLimitMissed: _judge_answer_limit_missed,
    ComplaintEscalated: _judge_complaint_escalated,
    LimitMissCorrected: _judge_limit_miss_corrected,
    WarningGiven: _judge_warning_given,
    SupervisionOpened: _judge_supervision_opened,
    SupervisionMissed: _judge_supervision_over,
    SupervisionClosed: _judge_supervision_over,
    ArrivalMissed: _judge_arrival_missed,
}
