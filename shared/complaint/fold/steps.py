"""Applies every fact, and names those that change nothing. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from shared.complaint.fold import dispatch, end, escalation, feedback, intake, limit_steps, whistle
from shared.complaint.state import Case, Complaint
from shared.events import (
    ComplaintReceived,
    ConfidentialityRequired,
    Fact,
    ReplyRefused,
    SupervisionDecided,
    VisitAnswerRefused,
)

UNCHANGED: Final = (
    ComplaintReceived,
    ConfidentialityRequired,
    SupervisionDecided,
    ReplyRefused,
    VisitAnswerRefused,
)
"""The facts that change nothing of a complaint on record."""


def _unchanged(case: Complaint, _: Fact) -> Complaint:
    return case


STEPS: Final[dict[type[Fact], Callable[[Complaint, Any], Complaint]]] = {
    **intake.STEPS,
    **dispatch.STEPS,
    **limit_steps.STEPS,
    **whistle.STEPS,
    **escalation.STEPS,
    **feedback.STEPS,
    **end.STEPS,
    **dict.fromkeys(UNCHANGED, _unchanged),
}
"""The step of each fact; a test holds that none is forgotten."""


def evolve(case: Case, fact: Fact) -> Case:
    """Take one fact into account; a fact that cannot follow leaves the case as it is."""
    if not isinstance(case, Complaint):
        return intake.received(fact) if isinstance(fact, ComplaintReceived) else case
    return STEPS[type(fact)](case, fact)
