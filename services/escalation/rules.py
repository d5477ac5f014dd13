"""What escalation decides; pure.

A decision is complete in time: whoever looks after a limit has passed states the same facts, with the
times they had, as a timer that fired on the instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.escalation.commands import EscalationCommand
from services.escalation.ladder import TOP, next_level, told_at
from shared.aside import NoSuchComplaint
from shared.complaint import (
    HOTLINES_OWN,
    Case,
    Complaint,
    Deadline,
    Missed,
    NotThere,
    Owed,
    Supervision,
    Warned,
    district_at,
    earliest_owed,
    evolve,
    supervision_due,
    urgency_at,
)
from shared.events import (
    ArrivalMissed,
    ComplaintEscalated,
    DispatchLimitMissed,
    EscalationFact,
    FeedbackLimitMissed,
    Level,
    LimitMissCorrected,
    SignLimitMissed,
    SupervisionClosed,
    SupervisionMissed,
    SupervisionOpened,
    Urgency,
    VisitLimitMissed,
    WarningGiven,
)
from shared.events.base import Limit
from shared.ids import UnitId
from shared.policy.catalogue import Catalogue
from shared.policy.ruleset import ruleset


class _Late(NamedTuple):
    """Who was late with what, and since when."""

    unit: UnitId
    level: Level
    """The rung the unit itself stands on."""
    because: Limit
    at: datetime


def decide(command: EscalationCommand, case: Case, catalogue: Catalogue) -> Sequence[EscalationFact]:
    """Say everything that has become due, in order of time; nothing, if nothing has."""
    if not isinstance(case, Complaint):
        raise NoSuchComplaint(command.complaint_id)
    said: list[EscalationFact] = []
    while True:
        owed = earliest_owed(case, command.until)
        if owed is None:
            return said
        for fact in _stated(case, owed, command.until, catalogue):
            said.append(fact)
            evolved = evolve(case, fact)
            assert isinstance(evolved, Complaint)  # noqa: S101 -- evolve never unopens a complaint
            case = evolved


def _stated(case: Complaint, owed: Owed, until: datetime, catalogue: Catalogue) -> list[EscalationFact]:
    if isinstance(owed, Warned):
        return [_warning(case, owed, until)]
    if isinstance(owed, Supervision):
        return [_supervision(case, owed, until)]
    if isinstance(owed, NotThere):
        return [_not_there(case, owed, until, catalogue)]
    if isinstance(owed, Missed):
        done_at = owed.done_at
        assert done_at is not None  # noqa: S101 -- only those are owed
        return [
            LimitMissCorrected(
                complaint_id=case.complaint_id,
                limit=owed.limit,
                unit=owed.unit,
                due_at=owed.due_at,
                done_at=done_at,
                corrected_at=until,
            )
        ]
    at = max(owed.due_at, owed.since)
    if owed.limit is Limit.LADDER:
        return _escalated(
            case,
            _Late(owed.unit, owed.level, owed.because or Limit.FEEDBACK, at),
            until,
            catalogue,
        )
    missed = _miss(case, owed, until, catalogue)
    said: list[EscalationFact] = [missed]
    if owed.limit not in HOTLINES_OWN:  # no unit is late, no ladder to climb
        said += _escalated(case, _Late(owed.unit, owed.level, owed.limit, at), until, catalogue)
    return said


def _miss(
    case: Complaint, owed: Deadline, until: datetime, catalogue: Catalogue
) -> DispatchLimitMissed | SignLimitMissed | FeedbackLimitMissed | VisitLimitMissed:
    at = max(owed.due_at, owed.since)
    if owed.limit is Limit.DISPATCH:
        return DispatchLimitMissed(
            complaint_id=case.complaint_id,
            told=catalogue.supervision,
            due_at=owed.due_at,
            missed_at=at,
            noticed_at=until,
        )
    if owed.limit is Limit.VISIT:
        return VisitLimitMissed(
            complaint_id=case.complaint_id,
            told=catalogue.supervision,
            visit=owed.number,
            due_at=owed.due_at,
            missed_at=at,
            noticed_at=until,
        )
    if owed.limit is Limit.SIGN:
        return SignLimitMissed(
            complaint_id=case.complaint_id,
            unit=owed.unit,
            assignment=owed.number,
            due_at=owed.due_at,
            missed_at=at,
            noticed_at=until,
        )
    return FeedbackLimitMissed(
        complaint_id=case.complaint_id,
        unit=owed.unit,
        round=owed.number,
        due_at=owed.due_at,
        missed_at=at,
        noticed_at=until,
    )


def _escalated(case: Complaint, late: _Late, until: datetime, catalogue: Catalogue) -> list[EscalationFact]:
    level = next_level(case.level, late.level)
    if level is None:
        return []
    limits = ruleset(case.ruleset).classes[urgency_at(case, late.at) or Urgency.GENERAL_7D]
    told = told_at(level, catalogue, district_at(case, late.at))
    said: list[EscalationFact] = [
        ComplaintEscalated(
            complaint_id=case.complaint_id,
            to_level=level,
            told=told,
            unit=late.unit,
            because=late.because,
            next_at=None if level is TOP else late.at + limits.ladder_step,
            escalated_at=late.at,
            noticed_at=until,
        )
    ]
    if level is TOP and limits.supervision is not None:
        said.append(
            SupervisionOpened(
                complaint_id=case.complaint_id,
                told=told,
                leader=catalogue.leader_of(told),
                unit=late.unit,
                because=late.because,
                due_at=late.at + limits.supervision,
                opened_at=late.at,
                noticed_at=until,
            )
        )
    return said


def _warning(case: Complaint, warned: Warned, until: datetime) -> WarningGiven:
    return WarningGiven(
        complaint_id=case.complaint_id,
        unit=warned.deadline.unit,
        round=warned.deadline.number,
        colour=warned.near.colour,
        due_at=warned.deadline.due_at,
        warned_at=warned.near.at,
        noticed_at=until,
    )


def _supervision(
    case: Complaint, supervision: Supervision, until: datetime
) -> SupervisionMissed | SupervisionClosed:
    """Its own limit, if that came first; else the end of the complaint, with the outcome (E3)."""
    ended = case.ended
    if ended is not None and supervision_due(case) == ended.at:
        return SupervisionClosed(
            complaint_id=case.complaint_id,
            told=supervision.told,
            leader=supervision.leader,
            how=ended.how,
            outcome=ended.outcome,
            closed_at=ended.at,
            noticed_at=until,
        )
    return SupervisionMissed(
        complaint_id=case.complaint_id,
        told=supervision.told,
        leader=supervision.leader,
        due_at=supervision.due_at,
        missed_at=supervision.due_at,
        noticed_at=until,
    )


def _not_there(case: Complaint, missing: NotThere, until: datetime, catalogue: Catalogue) -> ArrivalMissed:
    """G2, R18: the district is told first, then, after its step, the municipality."""
    called, due_at = missing.called, missing.due_at
    level = next_level(called.level, Level.UNIT) or TOP
    step = ruleset(case.ruleset).whistle[missing.whistle.kind].step
    return ArrivalMissed(
        complaint_id=case.complaint_id,
        whistle=missing.whistle.number,
        called=called.unit,
        unit=missing.whistle.unit,
        to_level=level,
        told=told_at(level, catalogue, district_at(case, due_at)),
        due_at=due_at,
        next_at=None if level is TOP else due_at + step,
        missed_at=due_at,
        noticed_at=until,
    )
