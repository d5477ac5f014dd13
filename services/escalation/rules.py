"""The rules of escalation; pure. Each matter has a file in `decisions/`.

A decision is complete in time. A look long after a limit has passed states the same facts, with the same times, as a
timer that fired on the instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from services.escalation.decisions import arrivals, misses, supervision, warnings
from shared.aside import NoSuchComplaint
from shared.complaint import (
    Case,
    Complaint,
    Deadline,
    Missed,
    NotThere,
    Owed,
    Supervision,
    Warned,
    earliest_owed,
    evolve,
)
from shared.events import EscalationFact
from shared.ids import ComplaintId
from shared.policy.catalogue import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class FireDeadlines:
    """State what has become due before `until`; `until` is also when it was noticed."""

    complaint_id: ComplaintId
    until: datetime


EscalationCommand = FireDeadlines


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
    match owed:
        case Deadline():
            return misses.passed(case, owed, until, catalogue)
        case Missed():
            return misses.corrected(case, owed, until)
        case Warned():
            return [warnings.given(case, owed, until)]
        case Supervision():
            return [supervision.stated(case, owed, until)]
        case NotThere():
            return [arrivals.missed(case, owed, until, catalogue)]
        case _:
            assert_never(owed)
