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
from shared.catalogue import Catalogue
from shared.complaint import Case, Complaint, Deadline, Missed, NoSuchComplaint, evolve
from shared.events import (
    ComplaintEscalated,
    EscalationFact,
    FeedbackLimitMissed,
    Level,
    LimitMissCorrected,
    SignLimitMissed,
    Urgency,
)
from shared.events.base import Limit
from shared.ids import UnitId
from shared.ruleset import ruleset


class _Late(NamedTuple):
    """Who was late with what, and since when."""

    unit: UnitId
    level: Level
    """The rung the unit itself stands on."""
    because: Limit
    at: datetime
    urgency: Urgency | None
    """The class when it passed, where that has changed since."""


def decide(command: EscalationCommand, case: Case, catalogue: Catalogue) -> Sequence[EscalationFact]:
    """Say everything that has become due, in order of time; nothing, if nothing has."""
    if not isinstance(case, Complaint):
        raise NoSuchComplaint(command.complaint_id)
    said: list[EscalationFact] = []
    while True:
        owed = _earliest_owed(case, command.until)
        if owed is None:
            return said
        for fact in _stated(case, owed, command.until, catalogue):
            said.append(fact)
            evolved = evolve(case, fact)
            assert isinstance(evolved, Complaint)  # noqa: S101 -- evolve never unopens a complaint
            case = evolved


def _earliest_owed(case: Complaint, until: datetime) -> Deadline | Missed | None:
    owed: list[tuple[datetime, Deadline | Missed]] = [
        (d.due_at, d) for d in case.deadlines if d.due_at < until
    ]
    owed += [(m.done_at, m) for m in case.missed if m.done_at is not None and m.done_at < until]
    return min(owed, key=lambda pair: pair[0])[1] if owed else None


def _stated(
    case: Complaint, owed: Deadline | Missed, until: datetime, catalogue: Catalogue
) -> list[EscalationFact]:
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
            _Late(owed.unit, owed.level, owed.because or Limit.FEEDBACK, at, owed.urgency),
            until,
            catalogue,
        )
    missed: EscalationFact
    if owed.limit is Limit.SIGN:
        missed = SignLimitMissed(
            complaint_id=case.complaint_id,
            unit=owed.unit,
            assignment=owed.number,
            due_at=owed.due_at,
            missed_at=at,
            noticed_at=until,
        )
    else:
        missed = FeedbackLimitMissed(
            complaint_id=case.complaint_id,
            unit=owed.unit,
            round=owed.number,
            due_at=owed.due_at,
            missed_at=at,
            noticed_at=until,
        )
    return [
        missed,
        *_escalated(case, _Late(owed.unit, owed.level, owed.limit, at, owed.urgency), until, catalogue),
    ]


def _escalated(case: Complaint, late: _Late, until: datetime, catalogue: Catalogue) -> list[EscalationFact]:
    level = next_level(case.level, late.level)
    if level is None:
        return []
    step = ruleset(case.ruleset).classes[late.urgency or case.urgency or Urgency.GENERAL_7D].ladder_step
    return [
        ComplaintEscalated(
            complaint_id=case.complaint_id,
            to_level=level,
            told=told_at(level, catalogue, case.district),
            unit=late.unit,
            because=late.because,
            next_at=None if level is TOP else late.at + step,
            escalated_at=late.at,
            noticed_at=until,
        )
    ]
