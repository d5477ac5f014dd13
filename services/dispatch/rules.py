"""The rules of dispatch; pure. Each matter has a file in `decisions/`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from services.dispatch import decisions
from services.dispatch.decision_table import DECISIONS, asked_for
from services.dispatch.decisions.corrections import FollowCorrection, follow_correction
from services.dispatch.decisions.dispatching import DispatchComplaint, dispatch
from services.dispatch.guards import Refusal, nobodys_decision, refused
from shared.aside import NoSuchComplaint
from shared.asked import Asked
from shared.complaint import WHERE_AND_WHAT, Case, Complaint
from shared.events import (
    ComplaintClassified,
    ComplaintReopened,
    DispatchFact,
    RequestCorrected,
)
from shared.events.base import Fact
from shared.ids import UnitId
from shared.inputs import AddCoUnit, Input, ReviewExclusion
from shared.policy.catalogue import Catalogue
from shared.topics import DISPATCH_REPLIES, DISPATCH_REVIEWS

DECISIONS.read(decisions, DISPATCH_REPLIES, DISPATCH_REVIEWS)

OwnCommand = DispatchComplaint | FollowCorrection
"""The commands that dispatch gives itself."""

DispatchCommand = OwnCommand | Asked
"""A unit, a reviewer or a council asks for everything else."""

REACTS = (ComplaintClassified, ComplaintReopened, RequestCorrected)
"""The facts dispatch acts on."""


def react(fact: Fact, at: datetime) -> OwnCommand | None:
    """Whenever this fact, do that."""
    if isinstance(fact, ComplaintClassified) and not fact.to_dispatch:
        return None
    if isinstance(fact, ComplaintClassified | ComplaintReopened):
        return DispatchComplaint(complaint_id=fact.complaint_id, at=at)
    if isinstance(fact, RequestCorrected) and any(one.field in WHERE_AND_WHAT for one in fact.corrections):
        return FollowCorrection(complaint_id=fact.complaint_id, at=at)
    return None


def decide(command: DispatchCommand, case: Case, catalogue: Catalogue) -> Sequence[DispatchFact]:
    """Return the facts that must follow; none, if they hold already. A forbidden command gives a refusal."""
    if not isinstance(case, Complaint):
        raise NoSuchComplaint(command.complaint_id)
    if isinstance(command, OwnCommand):
        return _by_itself(command, case, catalogue)
    said = nobodys_decision(command, case, catalogue, _beside(command.command, case)) or DECISIONS.decide(
        command, case, catalogue
    )
    return [refused(command, asked_for(command.command), said, case)] if isinstance(said, Refusal) else said


def _beside(command: Input, case: Complaint) -> tuple[UnitId, str] | None:
    """A unit that a decision concerns and the complaint does not name, with what it has to do with it."""
    if isinstance(command, ReviewExclusion) and case.exclusion is not None:
        return case.exclusion.unit, "asked for it"
    return (UnitId(command.co_unit), "would help") if isinstance(command, AddCoUnit) else None


def _by_itself(command: OwnCommand, case: Complaint, catalogue: Catalogue) -> Sequence[DispatchFact]:
    match command:
        case DispatchComplaint():
            return dispatch(command, case, catalogue)
        case FollowCorrection():
            return follow_correction(command, case, catalogue)
        case _:
            assert_never(command)
