"""Another class (重新分类): how urgent a complaint is by the reviewers, and which limits that moves. Pure."""

from __future__ import annotations

from msgspec import UNSET

from services.dispatch.decision_table import decides
from services.dispatch.guards import Refusal, Said, dispatched, open_order, too_late
from services.dispatch.limits import answer_limits, days_begun, sign_limit
from services.dispatch.work_order import provisional
from shared.asked import Asked
from shared.complaint import Complaint, LimitStep, Order, pause_ended, standing_still
from shared.events import ComplaintReclassified
from shared.inputs import ReclassifyComplaint
from shared.policy.limits import Days
from shared.policy.ruleset import RuleSet, ruleset


@decides(ReclassifyComplaint, "reclassify")
def reclassify(command: ReclassifyComplaint, asked: Asked, case: Complaint) -> Said:
    """T24: only before the limit.

    A longer class counts from the first dispatch in all (15, not 7 + 15); a shorter one counts from now, and never
    lengthens. Every limit of the new class applies to what still runs: signing, the next rung, supervision.
    """
    order = dispatched(case)
    if isinstance(order, Refusal):
        return order
    why = _not_reclassified(command, asked, case, order, ruleset(case.ruleset))
    if why is not None or case.urgency is None:
        return Refusal(why or "it has no class yet")
    step = LimitStep(at=asked.at, urgency=command.urgency, urgency_before=case.urgency)
    begun = _ends_pause(command, asked, case, order)
    limits = answer_limits(case, order if begun is None else pause_ended(order, begun), step=step)
    sign = sign_limit(case, order, command.urgency, asked.at)
    return [
        ComplaintReclassified(
            complaint_id=case.complaint_id,
            unit=order.unit,
            old_urgency=case.urgency,
            urgency=command.urgency,
            reason=command.reason,
            reclassified_by=command.reclassified_by,
            old_due_at=order.feedback_due_at,
            citizen_due_at=limits.citizen.at,
            unit_due_at=limits.unit.at,
            new_due_at=limits.in_force.at if limits.granted or order.round > 1 else UNSET,
            sign_due_at=UNSET if sign is None else sign,
            pause_days=UNSET if begun is None else begun,
            provisional=provisional(limits.in_force.provisional),
            reclassified_at=asked.at,
        )
    ]


def _ends_pause(command: ReclassifyComplaint, asked: Asked, case: Complaint, order: Order) -> int | None:
    """How many days of its pause were begun, where the clock stands still and the new class is one of hours."""
    in_days = isinstance(ruleset(case.ruleset).classes[command.urgency].feedback, Days)
    pause = standing_still(order, asked.at)
    if in_days or pause is None:
        return None
    return days_begun(case, pause, asked.at)


def _not_reclassified(
    command: ReclassifyComplaint, asked: Asked, case: Complaint, order: Order, rules: RuleSet
) -> str | None:
    why: str | None = None
    if case.urgency is command.urgency:
        why = f"it is {case.urgency} already"
    elif rules.limits_given:
        why = "its limit came with the request"
    elif case.reopened:
        why = "the order of the next round is not written yet"
    elif order.round > 1 and not _more_urgent(command, case, rules):
        why = "in a later round the limit is the round's own, and only becomes shorter"
    elif isinstance(present := open_order(order), Refusal):
        why = present.why
    return why or too_late(case, order, asked.at)


def _more_urgent(command: ReclassifyComplaint, case: Complaint, rules: RuleSet) -> bool:
    """Whether the new class grants less time than the present one, each counted from the present order."""
    order, present = case.order, case.urgency
    if order is None or present is None:
        return False
    old, new = rules.classes[present].feedback, rules.classes[command.urgency].feedback
    return _length(new) < _length(old)


def _length(limit: object) -> float:
    """Seconds, near enough to compare classes: a limit in days is never shorter than one in hours of as many days."""
    if isinstance(limit, Days):
        return limit.n * 86_400.0
    return getattr(limit, "total_seconds", lambda: float("inf"))()
