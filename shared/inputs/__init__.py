"""What the outside may tell us: the payload of every CloudEvent a door takes in.

Field names are the published contract. A missing or malformed field is refused by name; an unknown
field is ignored, so a sender may be newer than we are. Contact details have no field here: they do
not travel on topics.
"""

from __future__ import annotations

from typing import Final

from shared.inputs.base import Input
from shared.inputs.replies import (
    AcknowledgeWhistle,
    AnswerOrder,
    ArriveAtWhistle,
    AssignOrder,
    BlowWhistle,
    EndPause,
    RaiseDispute,
    RateWhistle,
    RecordContact,
    RecordContactFailed,
    RecordMeasure,
    ReleaseWhistle,
    ReportAsCoUnit,
    ReportProgress,
    RequestExclusion,
    RequestExtension,
    RequestPause,
    RequestReturn,
    RequestTermination,
    SignOrder,
)
from shared.inputs.requests import (
    CorrectRequest,
    GiveRating,
    RecordRequest,
    RepeatRequest,
    SupplementRequest,
    WithdrawRequest,
)
from shared.inputs.reviews import (
    AddCoUnit,
    AmendCalendar,
    DecideCouncil,
    ReclassifyComplaint,
    ReviewExclusion,
    ReviewExtension,
    ReviewPause,
    ReviewReturn,
    ReviewTermination,
    SendBackAnswer,
)
from shared.inputs.telephony import CallAnswered, CallEnded, CallOffered
from shared.inputs.visits import CloseByException, RecordUnreached, RecordVisit

INPUTS: Final[dict[str, type[Input]]] = {kind.TYPE: kind for kind in Input.__subclasses__()}
"""Every input by its CloudEvents type."""

__all__ = [
    "INPUTS",
    "AcknowledgeWhistle",
    "AddCoUnit",
    "AmendCalendar",
    "AnswerOrder",
    "ArriveAtWhistle",
    "AssignOrder",
    "BlowWhistle",
    "CallAnswered",
    "CallEnded",
    "CallOffered",
    "CloseByException",
    "CorrectRequest",
    "DecideCouncil",
    "EndPause",
    "GiveRating",
    "Input",
    "RaiseDispute",
    "RateWhistle",
    "ReclassifyComplaint",
    "RecordContact",
    "RecordContactFailed",
    "RecordMeasure",
    "RecordRequest",
    "RecordUnreached",
    "RecordVisit",
    "ReleaseWhistle",
    "RepeatRequest",
    "ReportAsCoUnit",
    "ReportProgress",
    "RequestExclusion",
    "RequestExtension",
    "RequestPause",
    "RequestReturn",
    "RequestTermination",
    "ReviewExclusion",
    "ReviewExtension",
    "ReviewPause",
    "ReviewReturn",
    "ReviewTermination",
    "SendBackAnswer",
    "SignOrder",
    "SupplementRequest",
    "WithdrawRequest",
]
