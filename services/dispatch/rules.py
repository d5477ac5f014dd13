"""The rules of dispatch; pure. Each matter has a file in `decisions/`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from services.dispatch.decisions.answers import AnswerOrder, SendBackAnswer, answer, send_back
from services.dispatch.decisions.assigning import AssignOrder, assign
from services.dispatch.decisions.calendar import AmendCalendar, amend_calendar
from services.dispatch.decisions.co_units import AddCoUnit, ReportAsCoUnit, add_co_unit, report_as_co_unit
from services.dispatch.decisions.corrections import FollowCorrection, follow_correction
from services.dispatch.decisions.dispatching import DispatchComplaint, dispatch
from services.dispatch.decisions.disputes import DecideCouncil, RaiseDispute, decide_council, raise_dispute
from services.dispatch.decisions.exclusions import (
    RequestExclusion,
    ReviewExclusion,
    request_exclusion,
    review_exclusion,
)
from services.dispatch.decisions.extensions import (
    RequestExtension,
    ReviewExtension,
    request_extension,
    review_extension,
)
from services.dispatch.decisions.first_contact import (
    RecordContact,
    RecordContactFailed,
    record_contact,
    record_contact_failed,
)
from services.dispatch.decisions.pauses import (
    EndPause,
    RequestPause,
    ReviewPause,
    end_pause,
    request_pause,
    review_pause,
)
from services.dispatch.decisions.progress import ReportProgress, report_progress
from services.dispatch.decisions.reclassification import ReclassifyComplaint, reclassify
from services.dispatch.decisions.returns import RequestReturn, ReviewReturn, request_return, review_return
from services.dispatch.decisions.signing import SignOrder, sign
from services.dispatch.decisions.terminations import (
    RequestTermination,
    ReviewTermination,
    request_termination,
    review_termination,
)
from services.dispatch.decisions.whistles import (
    AcknowledgeWhistle,
    ArriveAtWhistle,
    BlowWhistle,
    RateWhistle,
    RecordMeasure,
    ReleaseWhistle,
    acknowledge,
    arrive,
    blow,
    rate,
    record_measure,
    release,
)
from services.dispatch.guards import Refusal, Said, nobodys_decision, refused
from shared.aside import NoSuchComplaint
from shared.complaint import WHERE_AND_WHAT, Case, Complaint
from shared.events import (
    ComplaintClassified,
    ComplaintReopened,
    DispatchFact,
    RequestCorrected,
)
from shared.events.base import Fact
from shared.ids import UnitId
from shared.policy.catalogue import Catalogue

UnitCommand = (
    SignOrder
    | AnswerOrder
    | RequestReturn
    | AssignOrder
    | RequestExtension
    | RequestPause
    | EndPause
    | RequestTermination
    | RaiseDispute
    | ReportAsCoUnit
    | BlowWhistle
    | AcknowledgeWhistle
    | ArriveAtWhistle
    | RecordMeasure
    | ReleaseWhistle
    | RateWhistle
    | RequestExclusion
    | RecordContact
    | RecordContactFailed
    | ReportProgress
)
"""The commands of a unit."""

ReviewerCommand = (
    ReviewReturn
    | ReviewExtension
    | ReviewPause
    | ReviewTermination
    | ReviewExclusion
    | DecideCouncil
    | AddCoUnit
    | ReclassifyComplaint
    | AmendCalendar
    | SendBackAnswer
)
"""The commands of reviewers and councils."""

OwnCommand = DispatchComplaint | FollowCorrection
"""The commands that dispatch gives itself."""

DispatchCommand = OwnCommand | UnitCommand | ReviewerCommand

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
    """Say what must now be true; nothing, if it already is. What cannot be is refused by a fact."""
    if not isinstance(case, Complaint):
        raise NoSuchComplaint(command.complaint_id)
    if isinstance(command, OwnCommand):
        return _by_itself(command, case, catalogue)
    if isinstance(command, UnitCommand):
        said = _replied(command, case, catalogue)
    else:
        said = nobodys_decision(command, case, catalogue, _beside(command, case)) or _judged(
            command, case, catalogue
        )
    return [refused(command, said, case)] if isinstance(said, Refusal) else said


def _beside(command: ReviewerCommand, case: Complaint) -> tuple[UnitId, str] | None:
    """A unit that a decision concerns and the complaint does not name, with what it has to do with it."""
    if isinstance(command, ReviewExclusion) and case.exclusion is not None:
        return case.exclusion.unit, "asked for it"
    return (command.co_unit, "would help") if isinstance(command, AddCoUnit) else None


def _by_itself(command: OwnCommand, case: Complaint, catalogue: Catalogue) -> Sequence[DispatchFact]:
    match command:
        case DispatchComplaint():
            return dispatch(command, case, catalogue)
        case FollowCorrection():
            return follow_correction(command, case, catalogue)
        case _:
            assert_never(command)


def _replied(command: UnitCommand, case: Complaint, catalogue: Catalogue) -> Said:  # noqa: C901, PLR0911, PLR0912 -- a line a command
    match command:
        case SignOrder():
            return sign(command, case)
        case AnswerOrder():
            return answer(command, case)
        case AssignOrder():
            return assign(command, case, catalogue)
        case RequestReturn():
            return request_return(command, case)
        case RequestExtension():
            return request_extension(command, case)
        case RequestPause():
            return request_pause(command, case)
        case EndPause():
            return end_pause(command, case)
        case RequestTermination():
            return request_termination(command, case)
        case RaiseDispute():
            return raise_dispute(command, case)
        case ReportAsCoUnit():
            return report_as_co_unit(command, case)
        case BlowWhistle():
            return blow(command, case, catalogue)
        case AcknowledgeWhistle():
            return acknowledge(command, case)
        case ArriveAtWhistle():
            return arrive(command, case)
        case RecordMeasure():
            return record_measure(command, case)
        case ReleaseWhistle():
            return release(command, case)
        case RateWhistle():
            return rate(command, case)
        case RequestExclusion():
            return request_exclusion(command, case)
        case RecordContact():
            return record_contact(command, case)
        case RecordContactFailed():
            return record_contact_failed(command, case)
        case ReportProgress():
            return report_progress(command, case)
        case _:
            assert_never(command)


def _judged(command: ReviewerCommand, case: Complaint, catalogue: Catalogue) -> Said:  # noqa: C901, PLR0911 -- as above
    match command:
        case SendBackAnswer():
            return send_back(command, case)
        case ReviewReturn():
            return review_return(command, case, catalogue)
        case ReviewExtension():
            return review_extension(command, case)
        case ReviewPause():
            return review_pause(command, case)
        case ReviewTermination():
            return review_termination(command, case)
        case DecideCouncil():
            return decide_council(command, case, catalogue)
        case AddCoUnit():
            return add_co_unit(command, case, catalogue)
        case ReclassifyComplaint():
            return reclassify(command, case)
        case AmendCalendar():
            return amend_calendar(command, case)
        case ReviewExclusion():
            return review_exclusion(command, case)
        case _:
            assert_never(command)
