"""Whether a decision is the decider's to take (T22): one guard before all that reviewers and councils say. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from services.dispatch.commands import (
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
from services.dispatch.orders import REVIEWERS, refused
from shared.complaint import Complaint
from shared.deciding import DECIDERS, Decision, concerned, may_decide, may_decide_together
from shared.events import ReplyRefused
from shared.ids import UnitId
from shared.policy.catalogue import Catalogue

_REVIEWED: Final[Mapping[type[Decision], str]] = {
    ReviewReturn: "return",
    ReviewExtension: "extension",
    ReviewPause: "pause",
    ReviewTermination: "termination",
    ReviewExclusion: "exclusion",
}
_DONE: Final[Mapping[type[Decision], str]] = {
    DecideCouncil: "decide as a council",
    AddCoUnit: "add a co-unit",
    ReclassifyComplaint: "reclassify",
    AmendCalendar: "amend the calendar",
    SendBackAnswer: "send the answer back",
}


def not_theirs_to_decide(command: Decision, case: Complaint, catalogue: Catalogue) -> Sequence[ReplyRefused]:
    """The refusal where the decider asked for it, gains by it, or is nobody; nothing where it may be looked at."""
    asked: list[tuple[UnitId, str]] = []
    unit = REVIEWERS if case.order is None else case.order.unit
    if isinstance(command, ReviewExclusion) and case.exclusion is not None:
        unit = case.exclusion.unit
        asked.append((unit, "asked for it"))
    if isinstance(command, AddCoUnit):
        unit = command.co_unit
        asked.append((unit, "would help"))
    those = concerned(case, catalogue, asked)
    for field in DECIDERS:
        who = getattr(command, field, None)
        if isinstance(who, str):
            why = may_decide(field, who, those, command.login)
        elif isinstance(who, tuple):
            why = may_decide_together(field, who, those, command.login)
        else:
            continue
        if why is not None:
            return [refused(unit, _asked(command), why, case, command)]
    return []


def _asked(command: Decision) -> str:
    noun = _REVIEWED.get(type(command))
    if noun is None:
        return _DONE[type(command)]
    return f"{'approve' if getattr(command, 'approved', False) else 'reject'} the {noun}"
