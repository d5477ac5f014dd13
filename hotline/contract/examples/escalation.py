"""Examples of escalation's facts."""

from __future__ import annotations

from typing import Final

from hotline.contract.examples.of_one_complaint import (
    CALLED_AT,
    DAY,
    DISPATCH_DUE_AT,
    DISTRICT,
    DUE_AT,
    HOUR,
    ID,
    INSTANT,
    MINUTE,
    SIGN_DUE_AT,
    STREET,
    SUPERVISION,
    VISIT_DUE_AT,
    WATER,
)
from shared import events
from shared.events.base import Colour, Level, Limit, Outcome

DISPATCH_MISSED: Final = events.DispatchLimitMissed(
    complaint_id=ID,
    told=SUPERVISION,
    due_at=DISPATCH_DUE_AT,
    missed_at=DISPATCH_DUE_AT,
    noticed_at=DISPATCH_DUE_AT + INSTANT,
)
VISIT_MISSED: Final = events.VisitLimitMissed(
    complaint_id=ID,
    told=SUPERVISION,
    visit=1,
    due_at=VISIT_DUE_AT,
    missed_at=VISIT_DUE_AT,
    noticed_at=VISIT_DUE_AT + INSTANT,
)
SIGN_MISSED: Final = events.SignLimitMissed(
    complaint_id=ID,
    unit=STREET,
    assignment=1,
    due_at=SIGN_DUE_AT,
    missed_at=SIGN_DUE_AT,
    noticed_at=SIGN_DUE_AT + INSTANT,
)
FEEDBACK_MISSED: Final = events.AnswerLimitMissed(
    complaint_id=ID,
    unit=STREET,
    round=1,
    due_at=DUE_AT,
    missed_at=DUE_AT,
    noticed_at=DUE_AT + INSTANT,
)
ESCALATED: Final = events.ComplaintEscalated(
    complaint_id=ID,
    to_level=Level.DISTRICT,
    told=DISTRICT,
    unit=STREET,
    because=Limit.SIGN,
    next_at=SIGN_DUE_AT + DAY,
    escalated_at=SIGN_DUE_AT,
    noticed_at=SIGN_DUE_AT + INSTANT,
)
CORRECTED: Final = events.LimitMissCorrected(
    complaint_id=ID,
    limit=Limit.SIGN,
    unit=STREET,
    due_at=SIGN_DUE_AT,
    done_at=SIGN_DUE_AT - MINUTE,
    corrected_at=SIGN_DUE_AT + MINUTE,
)
WARNED: Final = events.WarningGiven(
    complaint_id=ID,
    unit=STREET,
    round=1,
    colour=Colour.YELLOW,
    due_at=DUE_AT,
    warned_at=DUE_AT - 48 * HOUR,
    noticed_at=DUE_AT - 48 * HOUR + INSTANT,
)
SUPERVISED: Final = events.SupervisionOpened(
    complaint_id=ID,
    told=SUPERVISION,
    leader="市督查室",
    unit=STREET,
    because=Limit.SIGN,
    due_at=SIGN_DUE_AT + 4 * DAY,
    opened_at=SIGN_DUE_AT + DAY,
    noticed_at=SIGN_DUE_AT + DAY + INSTANT,
)
SUPERVISION_DECIDED: Final = events.SupervisionDecided(
    complaint_id=ID,
    unit=STREET,
    level=Level.DISTRICT,
    decided_by="supervisor-1",
    decision="今日内到现场并回复诉求人",
    decided_at=CALLED_AT + DAY,
)
SUPERVISION_MISSED: Final = events.SupervisionMissed(
    complaint_id=ID,
    told=SUPERVISION,
    leader="市督查室",
    due_at=SIGN_DUE_AT + 4 * DAY,
    missed_at=SIGN_DUE_AT + 4 * DAY,
    noticed_at=SIGN_DUE_AT + 4 * DAY + INSTANT,
)
SUPERVISION_CLOSED: Final = events.SupervisionClosed(
    complaint_id=ID,
    told=SUPERVISION,
    leader="市督查室",
    how="ComplaintClosed",
    outcome=Outcome.SOLVED,
    closed_at=CALLED_AT + 3 * DAY,
    noticed_at=CALLED_AT + 3 * DAY + INSTANT,
)
NOT_THERE: Final = events.ArrivalMissed(
    complaint_id=ID,
    whistle=1,
    called=WATER,
    unit=STREET,
    to_level=Level.DISTRICT,
    told=DISTRICT,
    due_at=CALLED_AT + 2 * HOUR + 30 * MINUTE,
    next_at=CALLED_AT + 3 * HOUR,
    missed_at=CALLED_AT + 2 * HOUR + 30 * MINUTE,
    noticed_at=CALLED_AT + 2 * HOUR + 30 * MINUTE + INSTANT,
)
