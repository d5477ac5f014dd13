"""Examples of feedback's facts."""

from __future__ import annotations

from typing import Final

from hotline.contract.examples.of_one_complaint import (
    CALLED_AT,
    DAY,
    HOUR,
    ID,
    STREET,
)
from shared import events
from shared.events.base import Outcome, VisitReason

VISIT_SCHEDULED: Final = events.VisitScheduled(
    complaint_id=ID,
    visit=1,
    attempt=1,
    round=1,
    reason=VisitReason.ANSWERED,
    unit=STREET,
    title="楼下消防通道被占",
    visit_at=CALLED_AT + DAY,
    scheduled_at=CALLED_AT + DAY,
)
VISIT_MADE: Final = events.VisitMade(
    complaint_id=ID,
    visit=1,
    attempt=1,
    round=1,
    solved=True,
    satisfied=True,
    reason="",
    channel="phone",
    visited_at=CALLED_AT + DAY + HOUR,
)
VISIT_UNREACHED: Final = events.VisitUnreached(
    complaint_id=ID,
    visit=1,
    attempt=1,
    round=1,
    cause="no_answer",
    channel="phone",
    attempted_at=CALLED_AT + DAY + HOUR,
)
REOPENED: Final = events.ComplaintReopened(
    complaint_id=ID, round=2, unit=STREET, reason="仍被占用", reopened_at=CALLED_AT + DAY + HOUR
)
CLOSED: Final = events.ComplaintClosed(
    complaint_id=ID, outcome=Outcome.SOLVED, visit=1, closed_at=CALLED_AT + DAY + HOUR
)
VISIT_ANSWER_REFUSED: Final = events.VisitAnswerRefused(
    complaint_id=ID,
    asked="record a visit",
    reason="no visit is under way",
    refused_at=CALLED_AT + DAY,
)
