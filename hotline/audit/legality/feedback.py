"""Whether the facts of feedback may follow. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import UNSET

from hotline.audit.legality.orders import with_another
from shared.complaint import Answered, Complaint, Order, Terminated, misses, order_open, watched
from shared.events import (
    ComplaintClosed,
    ComplaintReopened,
    Fact,
    Outcome,
    SupervisionDecided,
    VisitMade,
    VisitReason,
    VisitScheduled,
    VisitUnreached,
)
from shared.events.base import Level, Limit
from shared.policy.ruleset import ruleset
from shared.times import stated


def _judge_visit_scheduled(  # noqa: PLR0911 -- a line a reason
    case: Complaint, fact: VisitScheduled, before: Fact
) -> str | None:
    order = case.order
    if order is None or case.reopened or isinstance(order, Terminated) or case.anonymous:
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
    late = [missed.unit for missed in misses(case, Limit.ANSWER, order.round)]
    # A late answer has settled the miss, and nothing says any more whose it was.
    return fact.reason is VisitReason.EXPIRED and (fact.unit in late or isinstance(order, Answered))


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
    if watched(case, Limit.ANSWER, order.round) is not None:
        return "the limit was not kept, and the miss is not stated yet"
    if fact.reason is VisitReason.ANSWERED:
        return None if isinstance(order, Answered) else "nothing is answered"
    if case.visited_round == order.round:
        return "the citizen was asked at expiry before"
    if not isinstance(order, Answered) and not misses(case, Limit.ANSWER, order.round):
        return "no limit has expired"
    return None


def _judge_visit_over(case: Complaint, fact: VisitMade | VisitUnreached, _: Fact) -> str | None:
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


def _judge_complaint_reopened(case: Complaint, fact: ComplaintReopened, before: Fact) -> str | None:
    order, rounds_max = case.order, ruleset(case.ruleset).rounds_max
    if not isinstance(before, VisitMade) or before.solved or order is None:
        return "only a citizen who says it is not solved reopens it"
    if (fact.round, fact.unit) != (order.round + 1, order.unit):
        return f"round {order.round + 1} with {order.unit} comes next"
    return None if fact.round <= rounds_max else f"{rounds_max} rounds are all there are"


def _judge_complaint_closed(case: Complaint, fact: ComplaintClosed, before: Fact) -> str | None:
    """E3: closed only with a visit's outcome or an approved exception."""
    if fact.outcome is Outcome.EXCEPTION:
        if not fact.approved_by or fact.visit != 0:
            return "an exception is approved by somebody and rests on no visit (E3)"
        return with_another(case, fact.recalled_unit)
    if not isinstance(before, VisitMade | VisitUnreached) or fact.visit != before.visit:
        return "it does not rest on the visit just judged (E3)"
    return _not_the_outcome(case, fact, before) or with_another(case, fact.recalled_unit)


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


def _judge_supervision_decided(case: Complaint, fact: SupervisionDecided, _: Fact) -> str | None:
    if case.level is Level.UNIT or fact.level is not case.level:
        return f"{case.level} watches over it, not {fact.level}"
    if case.order is None or fact.unit != case.order.unit:
        return "the order is with another unit"
    return None if fact.decided_by and fact.decision else "somebody decides something"


RULES: Final[dict[type[Fact], Callable[[Complaint, Any, Any], str | None]]] = {
    VisitScheduled: _judge_visit_scheduled,
    VisitMade: _judge_visit_over,
    VisitUnreached: _judge_visit_over,
    ComplaintReopened: _judge_complaint_reopened,
    ComplaintClosed: _judge_complaint_closed,
    SupervisionDecided: _judge_supervision_decided,
}
