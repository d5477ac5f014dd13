"""When an order's limits end, from everything that was decided about them. Pure; the only place that computes one.

A class may be exchanged, days may be granted, the calendar may be amended, a clock may stand still. Each act
adds its step to the order. Then the limit is computed anew from the first instant, all steps and the calendar
in force. So no act can forget an earlier decision, and two acts give the same limit in either order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from shared.complaint import Complaint, LimitStep, Order, Pause, dispatched_first, running
from shared.events import Urgency
from shared.events.base import Limit
from shared.policy.calendar import Calendar, calendar
from shared.policy.deadlines import Due, due_at
from shared.policy.limits import Days
from shared.policy.ruleset import RuleSet, ruleset


class AnswerLimits(NamedTuple):
    """The limits for the answer to an order."""

    citizen: Due
    """Of the first round, without granted days; a return never moves it (T10)."""
    unit: Due
    """The unit's own: counted from its assignment, in a later round from the beginning of the round."""
    in_force: Due
    """The one that is watched, with granted days."""
    granted: bool
    """Whether days were ever granted in this round: then the limit in force is told apart from the others."""


def answer_limits(
    case: Complaint, order: Order, *, step: LimitStep | None = None, days: Calendar | None = None
) -> AnswerLimits:
    """The limits after everything decided so far and after `step`, by the calendar in force or by `days`.

    A limit that came with the request stays what it is (`limits_given`).
    """
    rules = ruleset(case.ruleset)
    steps = order.steps if step is None else (*order.steps, step)
    known = calendar(case.calendar) if days is None else days
    first = dispatched_first(case) or order.dispatched_at
    granted = any(one.days for one in steps)
    if rules.limits_given:
        unmoved = Due(order.citizen_due_at, order.provisional), Due(order.unit_due_at, order.provisional)
        whole = unmoved[0] if order.round == 1 else unmoved[1]
        for one in steps:
            whole = _later(whole, (one.days,), rules, known)
        return AnswerLimits(*unmoved, whole, granted)
    began_as = _class_at_beginning(case, steps)
    start = first if order.round == 1 else order.round_since or order.dispatched_at
    classes = tuple(one for one in steps if one.urgency is not None)
    without_days = _ends(start, began_as, classes, rules, known)
    in_force = _ends(start, began_as, steps, rules, known) if granted else without_days
    if order.round > 1:
        citizen = Due(order.citizen_due_at, order.provisional)
        return AnswerLimits(citizen, without_days, in_force, granted)
    own_steps = tuple(one for one in classes if one.at >= order.dispatched_at)
    own = _ends(order.dispatched_at, _class_at_beginning(case, own_steps), own_steps, rules, known)
    return AnswerLimits(without_days, max(without_days, own), in_force, granted)


def _class_at_beginning(case: Complaint, steps: Sequence[LimitStep]) -> Urgency:
    """The class before the first of these steps that exchanged it."""
    before = next((one.urgency_before for one in steps if one.urgency_before is not None), None)
    return before or case.urgency or Urgency.GENERAL_7D


def _ends(
    start: datetime, began_as: Urgency, steps: Sequence[LimitStep], rules: RuleSet, days: Calendar
) -> Due:
    """The end of the limit of a round.

    A class counts from the beginning in all (15 days, not 7 + 15; T24). There is one exception: a complaint
    that was taken to be less urgent before counts from the step that showed its urgency. That never lengthens
    the limit in force. Granted days count in every class of days; in a class of hours none do.
    """
    urgency = next((one.urgency for one in reversed(steps) if one.urgency is not None), began_as)
    granted = tuple(one.days for one in steps if one.urgency is None)
    if not isinstance(rules.classes[urgency].feedback, Days):
        granted = ()
    whole = _of_class(start, urgency, rules, days)
    first = _first_as_urgent(whole, start, began_as, steps, rules, days)
    if first is None:
        return _later(whole, granted, rules, days)
    later_grants = [one for one in steps[first:] if one.urgency is None]
    in_force = _ends(start, began_as, (*steps[:first], *later_grants), rules, days)
    own = max(whole, _of_class(steps[first].at, urgency, rules, days))
    return min(in_force, _later(own, granted, rules, days))


def _first_as_urgent(
    whole: Due, start: datetime, began_as: Urgency, steps: Sequence[LimitStep], rules: RuleSet, days: Calendar
) -> int | None:
    """Which step showed it to be as urgent as it is now, and no step after it took that back; None: the beginning."""
    first: int | None = None
    for number in range(len(steps) - 1, -1, -1):
        urgency = steps[number].urgency
        if urgency is None:
            continue
        if _of_class(start, urgency, rules, days).at > whole.at:
            return first
        first = number
    return first if _of_class(start, began_as, rules, days).at > whole.at else None


def _of_class(start: datetime, urgency: Urgency, rules: RuleSet, days: Calendar) -> Due:
    limit = rules.classes[urgency].feedback
    if limit is None:
        message = f"rule set {rules.version} gives class {urgency} no limit for the answer"
        raise ValueError(message)
    return due_at(start, limit, rules, days)


def _later(end: Due, granted: Sequence[int], rules: RuleSet, days: Calendar) -> Due:
    for count in granted:
        if count:
            more = due_at(end.at, Days(count), rules, days)
            end = Due(more.at, end.provisional or more.provisional)
    return end


def sign_limit(case: Complaint, order: Order, urgency: Urgency, at: datetime) -> datetime | None:
    """The limit for signing under a new class, where it runs and moves; else None.

    A longer one counts from the assignment, a shorter one from now. A limit that has passed, stated or not,
    stays.
    """
    rules, days = ruleset(case.ruleset), calendar(case.calendar)
    limit = rules.classes[urgency].sign
    awaited = running(case, Limit.SIGN, order.assignment)
    if awaited is None or awaited.due_at < at or limit is None:
        return None
    present, whole = awaited.due_at, due_at(order.dispatched_at, limit, rules, days).at
    new = whole if whole >= present else min(present, max(whole, due_at(at, limit, rules, days).at))
    return None if new == present else new


def days_begun(case: Complaint, pause: Pause, at: datetime) -> int:
    """How many days of a pause were begun by then; a day of it ends at midnight as a limit's does (C3)."""
    rules, known = ruleset(case.ruleset), calendar(case.calendar)
    return next(
        (n for n in range(1, pause.days) if at <= due_at(pause.since, Days(n), rules, known).at), pause.days
    )
