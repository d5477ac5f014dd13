"""The published language: everything that can happen to a complaint, in order of life."""

from __future__ import annotations

from typing import Final

from shared.events.base import (
    Desk,
    Fact,
    Level,
    Outcome,
    RequestType,
    TerminationGround,
    Urgency,
    VisitReason,
)
from shared.events.dispatch import (
    ComplaintDispatched,
    ComplaintReclassified,
    CouncilDecided,
    CoUnitAdded,
    CoUnitReported,
    DispatchFact,
    DisputeRaised,
    ExtensionApproved,
    ExtensionRejected,
    ExtensionRequested,
    OrderAnswered,
    OrderAssigned,
    OrderSigned,
    ReplyRefused,
    ReturnApproved,
    ReturnRejected,
    ReturnRequested,
    TerminationApproved,
    TerminationRejected,
    TerminationRequested,
)
from shared.events.escalation import (
    ComplaintEscalated,
    EscalationFact,
    FeedbackLimitMissed,
    LimitMissCorrected,
    SignLimitMissed,
)
from shared.events.feedback import (
    ComplaintClosed,
    ComplaintReopened,
    FeedbackFact,
    VisitAnswerRefused,
    VisitMade,
    VisitScheduled,
    VisitUnreached,
)
from shared.events.intake import (
    ComplaintAnsweredDirectly,
    ComplaintClassified,
    ComplaintReceived,
    ComplaintWithdrawn,
    IntakeFact,
    IntakeRefused,
)

ComplaintFact = IntakeFact | DispatchFact | EscalationFact | FeedbackFact
"""Every fact a complaint's life can hold."""

SPEAKERS: Final[dict[type[Fact], Desk]] = {
    **dict.fromkeys(
        (
            ComplaintReceived,
            ComplaintClassified,
            ComplaintAnsweredDirectly,
            ComplaintWithdrawn,
            IntakeRefused,
        ),
        Desk.INTAKE,
    ),
    **dict.fromkeys(
        (
            ComplaintDispatched,
            OrderSigned,
            OrderAnswered,
            ReturnRequested,
            ReturnApproved,
            ReturnRejected,
            OrderAssigned,
            ExtensionRequested,
            ExtensionApproved,
            ExtensionRejected,
            TerminationRequested,
            TerminationApproved,
            TerminationRejected,
            DisputeRaised,
            CouncilDecided,
            CoUnitAdded,
            CoUnitReported,
            ComplaintReclassified,
            ReplyRefused,
        ),
        Desk.DISPATCH,
    ),
    **dict.fromkeys(
        (SignLimitMissed, FeedbackLimitMissed, ComplaintEscalated, LimitMissCorrected),
        Desk.ESCALATION,
    ),
    **dict.fromkeys(
        (
            VisitScheduled,
            VisitMade,
            VisitUnreached,
            ComplaintReopened,
            ComplaintClosed,
            VisitAnswerRefused,
        ),
        Desk.FEEDBACK,
    ),
}
"""The one desk that may state each fact."""

__all__ = [
    "SPEAKERS",
    "CoUnitAdded",
    "CoUnitReported",
    "ComplaintAnsweredDirectly",
    "ComplaintClassified",
    "ComplaintClosed",
    "ComplaintDispatched",
    "ComplaintEscalated",
    "ComplaintFact",
    "ComplaintReceived",
    "ComplaintReclassified",
    "ComplaintReopened",
    "ComplaintWithdrawn",
    "CouncilDecided",
    "Desk",
    "DispatchFact",
    "DisputeRaised",
    "EscalationFact",
    "ExtensionApproved",
    "ExtensionRejected",
    "ExtensionRequested",
    "Fact",
    "FeedbackFact",
    "FeedbackLimitMissed",
    "IntakeFact",
    "IntakeRefused",
    "Level",
    "LimitMissCorrected",
    "OrderAnswered",
    "OrderAssigned",
    "OrderSigned",
    "Outcome",
    "ReplyRefused",
    "RequestType",
    "ReturnApproved",
    "ReturnRejected",
    "ReturnRequested",
    "SignLimitMissed",
    "TerminationApproved",
    "TerminationGround",
    "TerminationRejected",
    "TerminationRequested",
    "Urgency",
    "VisitAnswerRefused",
    "VisitMade",
    "VisitReason",
    "VisitScheduled",
    "VisitUnreached",
]
