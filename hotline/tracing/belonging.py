"""To which stage each fact belongs, and who speaks by it: a table keyed by facts. Pure."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from hotline.tracing.span import LifeStage
from shared import events as e
from shared.events.base import Limit
from shared.runtime.span_names import ASSIGNMENT, DIALLER, QUESTION, ROUND, UNIT, VISIT, WHISTLE


class Belonging(NamedTuple):
    """The stages that may hold a fact, the best first; where none of them is there, the life does."""

    stages: tuple[tuple[LifeStage, tuple[tuple[str, str], ...]], ...] = ()
    """Each with the attributes that must agree, and the field of the fact that each must agree with."""
    speaker: str = ""
    """The field that names the unit whose word it is, or the dialler; empty where a desk decided."""
    missed: Limit | None = None
    """The limit that it says was missed."""


_ASSIGNED: Final = (LifeStage.ORDER, ((ASSIGNMENT, "assignment"),))
_OF_ROUND: Final = (LifeStage.ORDER, ((ROUND, "round"),))
_ORDER: Final = (LifeStage.ORDER, ())
_WITH_UNIT: Final = (LifeStage.ORDER, ((UNIT, "unit"),))
_CALL: Final = (LifeStage.CALL, ((WHISTLE, "whistle"), (UNIT, "called")))
_WHISTLE: Final = (LifeStage.WHISTLE, ((WHISTLE, "whistle"),))
_VISIT: Final = (LifeStage.VISIT, ((VISIT, "visit"),))
_ATTEMPT: Final = (LifeStage.ATTEMPT, ((VISIT, "visit"),))
_DISPATCH: Final = (LifeStage.DISPATCH, ())

_LIFE: Final = Belonging()
_DECIDED: Final = Belonging((_ASSIGNED,))
_SAID: Final = Belonging((_ASSIGNED,), "unit")
_ABOUT_ORDER: Final = Belonging((_WITH_UNIT, _ORDER))
_AT_CALL: Final = Belonging((_CALL, _WHISTLE), "called")
_AT_VISIT: Final = Belonging((_ATTEMPT, _VISIT), DIALLER)

EXCLUSION: Final = "exclusion"
"""The question that is about the score, not the order: the life may be over before it is decided."""

QUESTIONS: Final[dict[type[e.Fact], str]] = {
    e.ReturnRequested: "return",
    e.DisputeRaised: "dispute",
    e.ExtensionRequested: "extension",
    e.PauseRequested: "pause",
    e.TerminationRequested: "termination",
    e.ExclusionRequested: EXCLUSION,
}
"""The facts that begin a review, and its question."""

DECISIONS: Final[dict[type[e.Fact], tuple[str, ...]]] = {
    e.ReturnApproved: ("return",),
    e.ReturnRejected: ("return",),
    e.CouncilDecided: ("dispute", "return"),
    e.ExtensionApproved: ("extension",),
    e.ExtensionRejected: ("extension",),
    e.PauseApproved: ("pause",),
    e.PauseRejected: ("pause",),
    e.TerminationApproved: ("termination",),
    e.TerminationRejected: ("termination",),
    e.ExclusionApproved: (EXCLUSION,),
    e.ExclusionRejected: (EXCLUSION,),
}
"""The facts that end reviews, and the questions each decides."""

BELONGINGS: Final[dict[type[e.Fact], Belonging]] = {
    **dict.fromkeys(
        (
            e.ComplaintReceived,
            e.ComplaintClassified,
            e.ComplaintAnsweredDirectly,
            e.ComplaintTurnedAway,
            e.ComplaintWithdrawn,
            e.ComplaintClosed,
            e.ComplaintReopened,
            e.IdentityProtected,
            e.MatterLinked,
            e.RetaliationReported,
            e.RequestCorrected,
            e.RequestSupplemented,
            e.RequestRepeated,
            e.RatingGiven,
            e.IntakeRefused,
        ),
        _LIFE,
    ),
    e.ComplaintDispatched: Belonging((_DISPATCH, _ASSIGNED)),
    **dict.fromkeys((e.ConfidentialityRequired, e.OrderAmended, e.PauseEnded, e.AnswerSentBack), _DECIDED),
    **dict.fromkeys(
        (
            e.OrderSigned,
            e.OrderAnswered,
            e.OrderAssigned,
            e.CitizenContacted,
            e.ContactFailed,
            e.ProgressReported,
            *(kind for kind in QUESTIONS if kind is not e.ExclusionRequested),
        ),
        _SAID,
    ),
    e.OrderMoved: Belonging((_ASSIGNED, _DISPATCH)),
    e.ExclusionRequested: Belonging((_WITH_UNIT,), "unit"),
    **dict.fromkeys(DECISIONS, _DECIDED),
    **dict.fromkeys((e.ExclusionApproved, e.ExclusionRejected), _LIFE),
    **dict.fromkeys((e.CoUnitAdded, e.ComplaintReclassified, e.CalendarAmended), _ABOUT_ORDER),
    e.CoUnitReported: Belonging((_WITH_UNIT,), "co_unit"),
    e.ReplyRefused: Belonging((_WITH_UNIT,)),
    e.WhistleBlown: Belonging((_WHISTLE,), "unit"),
    e.UnitCalled: Belonging((_CALL,)),
    **dict.fromkeys((e.WhistleAcknowledged, e.WhistleArrived, e.WhistleMeasureRecorded), _AT_CALL),
    e.WhistleReleased: Belonging((_CALL, _WHISTLE), "unit"),
    e.WhistleRated: Belonging((_WHISTLE,), "rated_by"),
    e.SignLimitMissed: Belonging((_ASSIGNED,), missed=Limit.SIGN),
    e.DispatchLimitMissed: Belonging((_DISPATCH,), missed=Limit.DISPATCH),
    e.AnswerLimitMissed: Belonging((_OF_ROUND,), missed=Limit.ANSWER),
    e.VisitLimitMissed: Belonging((_VISIT,), missed=Limit.VISIT),
    e.ArrivalMissed: Belonging((_CALL, _WHISTLE), missed=Limit.ARRIVAL),
    e.WarningGiven: Belonging((_OF_ROUND,)),
    **dict.fromkeys((e.ComplaintEscalated, e.LimitMissCorrected), _ABOUT_ORDER),
    e.SupervisionOpened: Belonging(((LifeStage.SUPERVISION, ()),)),
    e.SupervisionMissed: Belonging(((LifeStage.SUPERVISION, ()),), missed=Limit.SUPERVISION),
    e.SupervisionClosed: Belonging(((LifeStage.SUPERVISION, ()),)),
    e.SupervisionDecided: Belonging(((LifeStage.SUPERVISION, ()), _WITH_UNIT)),
    e.VisitScheduled: Belonging((_ATTEMPT,)),
    e.VisitMade: _AT_VISIT,
    e.VisitUnreached: _AT_VISIT,
    e.VisitAnswerRefused: Belonging(((LifeStage.VISIT, ()),)),
}


def belongs(fact: e.Fact) -> list[tuple[LifeStage, dict[str, Any]]]:
    """The stages that may hold it, the best first, each with the attributes that it must have."""
    decides = DECISIONS.get(type(fact), ())
    found: list[tuple[LifeStage, dict[str, Any]]] = [(LifeStage.REVIEW, {QUESTION: one}) for one in decides]
    for stage, agreeing in BELONGINGS[type(fact)].stages:
        found.append((stage, {name: getattr(fact, field) for name, field in agreeing}))
    return found


def speaker_of(fact: e.Fact) -> str:
    """The unit whose word it is, or the dialler; empty where a desk decided."""
    field = BELONGINGS[type(fact)].speaker
    return field if field in {"", DIALLER} else str(getattr(fact, field))
