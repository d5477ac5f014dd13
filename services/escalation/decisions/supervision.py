"""Supervision (督办): a limit of its own, and its end with the complaint's outcome (E3). Pure."""

from __future__ import annotations

from datetime import datetime

from shared.complaint import Complaint, Supervision, supervision_due
from shared.events import SupervisionClosed, SupervisionMissed


def stated(
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
