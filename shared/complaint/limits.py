"""Whether a limit runs, is met, is missed, was moved: the only place that asks or changes it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from msgspec.structs import replace

from shared.complaint.order import Answered, Order, Pause
from shared.complaint.state import (
    HOTLINES_OWN,
    Called,
    Case,
    Complaint,
    Deadline,
    Missed,
    Supervision,
    Whistle,
)
from shared.events.base import Colour, Level, Limit, Urgency
from shared.policy.limits import ClassLimits
from shared.policy.ruleset import RuleSetUnknown, ruleset


class Near(NamedTuple):
    """A warning that is to be given, and when."""

    colour: Colour
    at: datetime


class Warned(NamedTuple):
    """A limit that is near."""

    deadline: Deadline
    near: Near


class NotThere(NamedTuple):
    """A called unit that was not there in time."""

    whistle: Whistle
    called: Called
    due_at: datetime


Owed = Deadline | Missed | Supervision | Warned | NotThere
"""A thing that may have become due."""


def watched(case: Complaint, limit: Limit, number: int) -> Deadline | None:
    """The limit of this assignment or round that runs, or was not kept and is not stated as missed yet."""
    for deadline in case.deadlines:
        if deadline.limit is limit and deadline.number == number:
            return deadline
    return None


def running(case: Complaint, limit: Limit, number: int) -> Deadline | None:
    """The limit of this assignment or round whose act is still awaited; it may have passed, unstated."""
    deadline = watched(case, limit, number)
    return None if deadline is None or deadline.done_at is not None else deadline


def misses(case: Complaint, limit: Limit, number: int) -> list[Missed]:
    """The stated misses of this assignment or round whose act is still to come."""
    return [missed for missed in case.missed if missed.limit is limit and missed.number == number]


def answer_in_time(case: Complaint, order: Order, at: datetime) -> bool:
    """Whether the limit for the answer runs and has not passed then: no miss of it is stated or owed (T6)."""
    deadline = running(case, Limit.ANSWER, order.round)
    return deadline is not None and at <= deadline.due_at


def answer_overdue(case: Complaint, order: Order) -> bool:
    """Whether an answered order was answered late: the miss is stated, or owed."""
    number = order.round
    return watched(case, Limit.ANSWER, number) is not None or bool(misses(case, Limit.ANSWER, number))


def unanswered_beyond(order: Order, at: datetime) -> bool:
    """Whether its unit has not answered and the limit in force had passed then. A pause has moved that limit."""
    return not isinstance(order, Answered) and order.feedback_due_at < at


def standing_still(order: Order, at: datetime) -> Pause | None:
    """The pause by which its clock stands still then; None where it runs."""
    return order.pause if order.pause is not None and at <= order.pause.until else None


def earliest_owed(case: Complaint, until: datetime) -> Owed | None:
    """The first of all things that became due before `until`; None where there is none."""
    owed: list[tuple[datetime, Owed]] = [(d.due_at, d) for d in case.deadlines if d.due_at < until]
    owed += [(m.done_at, m) for m in case.missed if m.done_at is not None and m.done_at < until]
    for deadline in case.deadlines:
        near = next_warning(case, deadline) if deadline.limit is Limit.ANSWER else None
        if near is not None and near.at < until:
            owed.append((near.at, Warned(deadline, near)))
    supervised = supervision_due(case)
    if supervised is not None and supervised < until and case.supervision is not None:
        owed.append((supervised, case.supervision))
    for whistle in case.whistles:
        owed += [
            (called.due_at, NotThere(whistle, called, called.due_at))
            for called in whistle.called
            if called.due_at is not None and called.due_at < until
        ]
    return min(owed, key=lambda pair: pair[0])[1] if owed else None


def due_deadlines(case: Case) -> dict[Limit, datetime]:
    """The instants the clock has to watch: for each kind of limit the earliest instant still in time.

    A correction that is owed is due at once: it is filed under its limit at the act's own time.
    """
    if not isinstance(case, Complaint) or not (
        case.deadlines or case.missed or case.supervision or case.whistles
    ):
        return {}
    earliest: dict[Limit, datetime] = {}
    for deadline in case.deadlines:
        known = earliest.get(deadline.limit)
        if known is None or deadline.due_at < known:
            earliest[deadline.limit] = deadline.due_at
        if deadline.limit is Limit.ANSWER and (near := next_warning(case, deadline)) is not None:
            earliest[Limit.WARNING] = min(near.at, earliest.get(Limit.WARNING, near.at))
    for missed in case.missed:
        if missed.done_at is not None:
            known = earliest.get(missed.limit)
            if known is None or missed.done_at < known:
                earliest[missed.limit] = missed.done_at
    if (supervised := supervision_due(case)) is not None:
        earliest[Limit.SUPERVISION] = supervised
    awaited = [c.due_at for w in case.whistles for c in w.called if c.due_at is not None]
    if awaited:
        earliest[Limit.ARRIVAL] = min(awaited)
    return earliest


def urgency_at(case: Complaint, at: datetime) -> Urgency | None:
    """The class the complaint had then."""
    return next((before.urgency for before in case.classes_before if at < before.until), case.urgency)


def district_at(case: Complaint, at: datetime) -> str:
    """The district the record named then."""
    return next((before.district for before in case.districts_before if at < before.until), case.district)


COLOURS: Final = tuple(Colour)
"""Of warnings, in the order they are given."""


def next_warning(case: Complaint, deadline: Deadline) -> Near | None:
    """The next warning of a limit for the answer that still runs; one from before it began is passed over."""
    if deadline.done_at is not None or case.urgency is None:
        return None
    try:
        warnings = ruleset(case.ruleset).classes[case.urgency].warnings
    except RuleSetUnknown:
        return None
    for number in range(deadline.warned, len(warnings)):
        at = deadline.due_at - warnings[number]
        if at > deadline.since:
            return Near(COLOURS[number], at)
    return None


def supervision_due(case: Complaint) -> datetime | None:
    """When there is something to say of supervision: its limit, or the end of the complaint, whichever is first."""
    supervision, ended = case.supervision, case.ended
    if supervision is None:
        return None
    if ended is not None and (supervision.missed or ended.at <= supervision.due_at):
        return ended.at
    return None if supervision.missed else supervision.due_at


def off_the_ladder(case: Complaint, at: datetime) -> tuple[Deadline, ...]:
    """A new round has limits of its own: nobody is told any more what the round before missed (R18).

    Whom to tell before that instant stays owed, and the level that watches stays.
    """
    return tuple(
        d for d in case.deadlines if d.limit is not Limit.LADDER or d.done_at is not None or d.due_at < at
    )


class Exchanged(NamedTuple):
    """Another class, and since when."""

    at: datetime
    urgency: Urgency


def exchanges(case: Complaint) -> tuple[Exchanged, ...]:
    """Every class the complaint was given after its first, in order."""
    if not case.classes_before:
        return ()
    after = (*(before.urgency for before in case.classes_before[1:]), case.urgency)
    return tuple(
        Exchanged(before.until, urgency)
        for before, urgency in zip(case.classes_before, after, strict=True)
        if urgency is not None
    )


def rung(limits: ClassLimits) -> timedelta | None:
    """How long a level has before the next one is told."""
    return limits.ladder_step


def supervision_limit(limits: ClassLimits) -> timedelta | None:
    """How long supervision has."""
    return limits.supervision


def by_class(
    case: Complaint,
    due_at: datetime,
    since: datetime,
    limit: Callable[[ClassLimits], timedelta | None],
    exchanges: tuple[Exchanged, ...],
) -> datetime:
    """When a limit that began to run under one class ends under those that followed while it ran.

    A longer one counts from its own beginning, a shorter one from the exchange, and what had passed stays. So it does
    not matter whether the miss that set it was stated before or after the class was exchanged.
    """
    try:
        classes = ruleset(case.ruleset).classes
    except RuleSetUnknown:
        return due_at
    for at, urgency in exchanges:
        step = limit(classes[urgency])
        if step is None or not since < at <= due_at:
            continue
        whole = since + step
        due_at = whole if whole >= due_at else min(due_at, max(whole, at + step))
    return due_at


def moved(case: Complaint, number: int, due_at: datetime, since: datetime) -> tuple[Deadline, ...]:
    """The limit of this round ends at another time; it is warned of anew."""
    return tuple(
        replace(d, due_at=due_at, since=since, warned=0)
        if d.limit is Limit.ANSWER and d.number == number
        else d
        for d in case.deadlines
    )


def miss_stated(case: Complaint, limit: Limit, number: int) -> Complaint:
    """Take a stated miss in: the limit is watched no longer, but remembered until the act comes.

    If the act has already come, too late, the limit stays as a rung of the ladder. The escalation stated with the miss
    finds it there.
    """
    kept: list[Deadline] = []
    missed = case.missed
    for deadline in case.deadlines:
        if deadline.limit is limit and deadline.number == number:
            if deadline.done_at is None:
                missed = (
                    *missed,
                    Missed(
                        limit=limit,
                        due_at=deadline.due_at,
                        unit=deadline.unit,
                        number=number,
                        level=deadline.level,
                    ),
                )
            elif limit not in HOTLINES_OWN and case.level is not Level.MUNICIPAL:
                kept.append(replace(deadline, limit=Limit.LADDER, because=limit))
        else:
            kept.append(deadline)
    return replace(case, deadlines=tuple(kept), missed=missed)


def met(case: Complaint, limit: Limit, number: int, at: datetime) -> Complaint:
    """The awaited act came: drop what it met, keep as owed what it came too late for."""
    kept: list[Deadline] = []
    for deadline in case.deadlines:
        own = deadline.limit is limit and deadline.number <= number  # older: the order was replaced unsigned
        ladder = deadline.limit is Limit.LADDER and deadline.because is limit
        if (own or ladder) and deadline.done_at is None:
            if at > deadline.due_at:
                kept.append(replace(deadline, done_at=at))
        else:
            kept.append(deadline)
    missed = case.missed
    if missed:
        missed = tuple(
            m if not (m.limit is limit and m.number == number) else replace(m, done_at=at)
            for m in missed
            if not (m.limit is limit and m.number == number and at > m.due_at)
        )
    return replace(case, deadlines=tuple(kept), missed=missed)
