"""What escalation can be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.ids import ComplaintId


@dataclass(frozen=True, slots=True, kw_only=True)
class FireDeadlines:
    """State what has become due before `until`; `until` is also when it was noticed."""

    complaint_id: ComplaintId
    until: datetime


EscalationCommand = FireDeadlines
