"""Applies the facts of feedback, but the end (`end`). Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import UNSET
from msgspec.structs import replace

from shared.complaint.limits import met
from shared.complaint.state import HOTLINE, Complaint, Deadline, Visit
from shared.events import ComplaintReopened, Fact, VisitMade, VisitScheduled, VisitUnreached
from shared.events.base import Limit


def _apply_visit_scheduled(case: Complaint, fact: VisitScheduled) -> Complaint:
    visit = Visit(
        visit=fact.visit,
        attempt=fact.attempt,
        round=fact.round,
        reason=fact.reason,
        visit_at=fact.visit_at,
    )
    deadlines = case.deadlines
    if fact.visit_by is not UNSET:
        limit = Deadline(
            limit=Limit.VISIT, due_at=fact.visit_by, unit=HOTLINE, since=fact.visit_at, number=fact.visit
        )
        deadlines = (*deadlines, limit)
    return replace(case, visit=visit, visits=fact.visit, visited_round=fact.round, deadlines=deadlines)


def _apply_visit_over(case: Complaint, fact: VisitMade | VisitUnreached) -> Complaint:
    at = fact.visited_at if isinstance(fact, VisitMade) else fact.attempted_at
    return replace(met(case, Limit.VISIT, fact.visit, at), visit=None, judged=case.visit)


def _apply_complaint_reopened(case: Complaint, _: ComplaintReopened) -> Complaint:
    return replace(case, reopened=True)


STEPS: Final[dict[type[Fact], Callable[[Complaint, Any], Complaint]]] = {
    VisitScheduled: _apply_visit_scheduled,
    VisitMade: _apply_visit_over,
    VisitUnreached: _apply_visit_over,
    ComplaintReopened: _apply_complaint_reopened,
}
