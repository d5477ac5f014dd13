"""The counts of one life in the score (考评). Pure, from facts alone.

A dispatched complaint counts once it has ended, for the unit which the decisive visit was about. It counts in
the month in which that visit closes; the rule set says so, for Beijing's own month is unknown. The citizen
judges (E2): the unit's own claim is not looked at (T18).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from shared.events import (
    AnswerLimitMissed,
    CitizenContacted,
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintReceived,
    ComplaintTurnedAway,
    ComplaintWithdrawn,
    ExclusionApproved,
    Fact,
    LimitMissCorrected,
    Outcome,
    RequestCorrected,
    TerminationApproved,
    UnitCalled,
    VisitMade,
    VisitScheduled,
    WhistleArrived,
    WhistleRated,
)
from shared.events.base import ExclusionGround, Limit, TurnedAway
from shared.ids import UnitId
from shared.policy.scoring import Counting, CountsIn, RespondsBy

AS_SHIPPED: Final = Counting()

KINDS: Final = (
    CitizenContacted,
    ComplaintReceived,
    ComplaintTurnedAway,
    RequestCorrected,
    ComplaintDispatched,
    AnswerLimitMissed,
    LimitMissCorrected,
    TerminationApproved,
    VisitScheduled,
    VisitMade,
    ComplaintClosed,
    ComplaintWithdrawn,
    ExclusionApproved,
    UnitCalled,
    WhistleArrived,
    WhistleRated,
)
"""The facts a score is made of; all others change nothing in it."""

WITHDRAWN: Final = "withdrawn"
TERMINATED: Final = "terminated"
EXCEPTION: Final = "exception"
LEFT_OUT: Final = (WITHDRAWN, TERMINATED, EXCEPTION, *(ground.lower() for ground in ExclusionGround))
"""Why a complaint counts for nothing (F3); each number is published."""


class CallCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of one call of a whistle: for the unit that was called, and for the street (R16, G3)."""

    unit: UnitId
    street: UnitId
    has_limit: bool
    """Whether it had to be there by an instant (G2)."""
    in_time: bool
    """It was there by then."""
    stars: int | None = None
    """The street's rating of it, 1 to 5."""
    stars_of_street: int | None = None
    """Its rating of the street."""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """The counts that one life adds; `unit` and what follows are None until it counts."""

    requested: date | None
    """First day of the month in which it was received; None for the second record of a call: no request more (T7)."""
    district: str
    street: str | None
    month: date | None = None
    """First day of the month it counts in."""
    unit: UnitId | None = None
    left_out: str | None = None
    """One of `LEFT_OUT`: then it is in none of the rates."""
    responded: bool = False
    """The unit answered each of its rounds within the limit, or had spoken to the citizen by then."""
    visited: bool = False
    """The citizen was reached and judged; whoever was not is in no judgement (T19)."""
    solved: bool = False
    satisfied: bool = False
    whistled: bool = False
    """The unit called others to it."""
    calls: tuple[CallCounts, ...] = ()
    """Of all its whistles; they count in its month whether it is left out or not."""


@dataclass(slots=True)
class LifeScore:
    """One complaint while its facts are read, in their order."""

    received: ComplaintReceived | None = None
    twice: bool = False
    """It is the second record of a call, whose first goes on."""
    district: str = ""
    street: str | None = None
    """Where it happened, by the record as it was corrected last: there its request counts (F5)."""
    unit: UnitId | None = None
    dispatched_at: datetime | None = None
    """For the first time."""
    asked: dict[int, UnitId] = field(default_factory=dict)
    """The unit that each visit was about: its first attempt follows that unit's answer or limit."""
    judged: VisitMade | None = None
    missed: dict[tuple[UnitId, datetime], int] = field(default_factory=dict)
    """Limits for an answer, with their round."""
    contacted: dict[tuple[UnitId, int], datetime] = field(default_factory=dict)
    """When a unit first spoke to the citizen in a round."""
    terminated: bool = False
    excluded: dict[UnitId, ExclusionGround] = field(default_factory=dict)
    """From whose score a review has left it out."""
    blown_by: set[UnitId] = field(default_factory=set)
    calls: dict[tuple[int, UnitId], CallCounts] = field(default_factory=dict)
    """By the whistle and whom it called."""
    arrive_by: dict[tuple[int, UnitId], datetime | None] = field(default_factory=dict)
    ended: ComplaintClosed | ComplaintWithdrawn | None = None

    def takes(self, fact: Fact) -> None:
        """Take the next fact in; those not in `KINDS` may be left out."""
        match fact:
            case ComplaintReceived():
                self.received = fact
                self.district, self.street = fact.district, fact.street
            case ComplaintDispatched():
                self.unit = fact.unit
                self.dispatched_at = self.dispatched_at or fact.dispatched_at
            case AnswerLimitMissed():
                self.missed[fact.unit, fact.due_at] = fact.round
            case LimitMissCorrected() if fact.limit is Limit.ANSWER:
                self.missed.pop((fact.unit, fact.due_at), None)
            case TerminationApproved():
                self.terminated = True
            case ExclusionApproved():
                self.excluded[fact.unit] = fact.ground
            case VisitScheduled() if fact.attempt == 1:
                self.asked[fact.visit] = fact.unit
            case VisitMade():
                self.judged = fact
            case ComplaintClosed() | ComplaintWithdrawn():
                self.ended = fact
            case _:
                self._takes_beside(fact)

    def _corrected(self, fact: RequestCorrected) -> None:
        for one in fact.corrections:
            if one.field == "district":
                self.district = one.new
            elif one.field == "street":
                self.street = one.new or None

    def _takes_beside(self, fact: Fact) -> None:
        match fact:
            case ComplaintTurnedAway():
                self.twice = fact.how is TurnedAway.RECORDED_TWICE
            case RequestCorrected():
                self._corrected(fact)
            case CitizenContacted():
                self.contacted.setdefault((fact.unit, fact.round), fact.contacted_at)
            case UnitCalled():
                self.blown_by.add(fact.unit)
                has_limit = fact.arrive_by is not None
                call = CallCounts(unit=fact.called, street=fact.unit, has_limit=has_limit, in_time=False)
                self.calls[fact.whistle, fact.called] = call
                self.arrive_by[fact.whistle, fact.called] = fact.arrive_by
            case WhistleArrived():
                which = (fact.whistle, fact.called)
                by = self.arrive_by.get(which)
                if by is not None:
                    self.calls[which] = replace(self.calls[which], in_time=fact.arrived_at <= by)
            case WhistleRated():
                # The street rates a unit that was called, or that unit rates the street.
                by_street = (fact.whistle, fact.rated) in self.calls
                which = (fact.whistle, fact.rated if by_street else fact.rated_by)
                if which in self.calls:
                    stars = {"stars" if by_street else "stars_of_street": fact.stars}
                    self.calls[which] = replace(self.calls[which], **stars)
            case _:
                pass

    def counted(self, zone: ZoneInfo, how: Counting = AS_SHIPPED) -> Counted | None:
        """The counts it adds as far as it is read; None before it is on record."""
        if self.received is None:
            return None
        told = self.received
        requested = None if self.twice else month_of(told.received_at, zone)
        at = Counted(requested=requested, district=self.district, street=self.street)
        end = self.ended
        if end is None or self.unit is None or self.dispatched_at is None:
            return at
        ended_at: datetime = getattr(end, end.TIME)
        month = month_of(ended_at if how.counts_in is CountsIn.VISIT else self.dispatched_at, zone)
        at = replace(at, calls=tuple(self.calls.values()))
        left_out = self._left_out(end)
        if left_out is not None or isinstance(end, ComplaintWithdrawn):
            return replace(at, month=month, unit=self.unit, left_out=left_out)
        unit = self.asked.get(end.visit, self.unit)
        if unit in self.excluded:
            return replace(at, month=month, unit=unit, left_out=self.excluded[unit].lower())
        judged = self.judged if end.outcome is not Outcome.UNREACHED else None
        return replace(
            at,
            month=month,
            unit=unit,
            responded=not any(self._silent(*late, how) for late in self.missed.items() if late[0][0] == unit),
            visited=judged is not None,
            solved=judged is not None and judged.solved,
            satisfied=judged is not None and judged.satisfied,
            whistled=unit in self.blown_by,
        )

    def _silent(self, limit: tuple[UnitId, datetime], number: int, how: Counting) -> bool:
        """The limit passed, and nothing that counts as a response had come."""
        unit, due_at = limit
        at = self.contacted.get((unit, number))
        return how.responds_by is RespondsBy.ANSWER or at is None or at > due_at

    def _left_out(self, end: ComplaintClosed | ComplaintWithdrawn) -> str | None:
        if isinstance(end, ComplaintWithdrawn):
            return WITHDRAWN
        if end.outcome is Outcome.EXCEPTION:
            return TERMINATED if self.terminated else EXCEPTION
        return None


def within(one: Counted | None, month: date) -> Counted | None:
    """The part of it that belongs to this month alone; None where nothing does."""
    if one is None or month not in (one.month, one.requested):
        return None
    if one.month == month:
        return one
    # It counts in another month, or not yet; here it is only a request.
    return Counted(requested=one.requested, district=one.district, street=one.street)


def counted(facts: Iterable[Fact], zone: ZoneInfo, how: Counting = AS_SHIPPED) -> Counted | None:
    """The counts that a life of these facts adds."""
    life = LifeScore()
    for fact in facts:
        life.takes(fact)
    return life.counted(zone, how)


def month_of(at: datetime, zone: ZoneInfo) -> date:
    """The first day of the city's month in which this instant lies (T15: midnight belongs to the new day)."""
    return at.astimezone(zone).date().replace(day=1)


def month_after(month: date) -> date:
    """The first day of the next month."""
    return (month + timedelta(days=31)).replace(day=1)


def month_before(month: date) -> date:
    """The first day of the month before."""
    return (month - timedelta(days=1)).replace(day=1)
