"""A request goes on record, once (R1, T7): what it asks for, what kind it is, whether it ends on the spot. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from services.intake.decision_table import decides_knowing
from services.intake.knowledge.rule import Articles, unusable
from services.intake.links import about_whom, first_of_matter, links_refused
from services.intake.told_again import says_otherwise
from services.intake.twice import first_of_call, recorded_already
from shared.aside import OnRecordOtherwise
from shared.asked import Asked
from shared.complaint import ANSWER, Case, Complaint
from shared.events import (
    ComplaintAnsweredDirectly,
    ComplaintClassified,
    ComplaintReceived,
    ComplaintTurnedAway,
    DeskName,
    IdentityProtected,
    IntakeFact,
    IntakeRefused,
    MatterLinked,
    RetaliationReported,
    TurnedAway,
)
from shared.events.base import RequestType
from shared.ids import CallId, RequestId, UnitId
from shared.inputs import RecordRequest
from shared.policy.calendar import calendar
from shared.policy.deadlines import due_at
from shared.policy.ruleset import ruleset
from shared.times import zone_of


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedToRecord(Asked):
    """A request to record, and by which rule set and calendar its complaint is to live.

    `seen` are the other records of its call, of its subject and place, as they stand; the first one first (T7).
    """

    command: RecordRequest
    ruleset: str
    calendar: str


@decides_knowing(RecordRequest)
def record(command: RecordRequest, asked: AskedToRecord, case: Case, known: Articles) -> Sequence[IntakeFact]:
    """The facts of a new complaint; nothing where it is on record. `known`: the knowledge base (B2)."""
    request = command
    if request.retaliation_by is not None:
        request = replace(request, confidential=True)
    if isinstance(case, Complaint):
        # Another citizen's matter is no part of this life: it is set aside by itself, and this one goes on untouched.
        if differing := says_otherwise(request, case, asked.login):
            raise OnRecordOtherwise(differing)
        return []
    answered = request.article_id is not None and request.turned_away is None
    why_not = _unanswered(asked, known) if answered else None
    # The base has no such article, so nobody can have answered from it: a unit gets the matter (B2).
    unit_acts = request.turned_away is None and (not answered or why_not is not None)
    twice = unit_acts and recorded_already(asked)
    facts: list[IntakeFact] = [_received(asked, request), *_said_beside(asked, request, twice=twice)]
    facts.append(_classified(asked, request, to_dispatch=unit_acts and not twice))
    if twice:
        facts.append(_twice(asked, request))
    elif request.turned_away is not None:
        facts.append(_turned_away(asked, request, request.turned_away))
    elif request.article_id is not None:
        facts.append(_answered(asked, request, request.article_id, why_not, checked=bool(known)))
    return [*facts, *links_refused(asked)]


def _received(asked: AskedToRecord, request: RecordRequest) -> ComplaintReceived:
    return ComplaintReceived(
        complaint_id=asked.complaint_id,
        request_id=RequestId(request.request_id),
        speaker=asked.login or UNSET,
        call_id=None if request.call_id is None else CallId(request.call_id),
        channel=request.channel,
        district=request.district,
        street=request.street,
        address=request.address,
        title=request.title,
        content=request.content,
        ruleset=asked.ruleset,
        calendar=asked.calendar,
        given_due_at=request.given_due_at,
        attachments=request.attachments or UNSET,
        sent_at=UNSET if request.sent_at is None else request.sent_at,
        received_at=asked.at,
    )


def _classified(asked: AskedToRecord, request: RecordRequest, *, to_dispatch: bool) -> ComplaintClassified:
    return ComplaintClassified(
        complaint_id=asked.complaint_id,
        request_type=request.request_type,
        subject=request.subject,
        urgency=request.urgency,
        classified_by=request.recorded_by,
        to_dispatch=to_dispatch,
        dispatch_due_at=_dispatch_due(asked) if to_dispatch else UNSET,
        classified_at=asked.at,
    )


def _twice(asked: AskedToRecord, request: RecordRequest) -> ComplaintTurnedAway:
    return ComplaintTurnedAway(
        complaint_id=asked.complaint_id,
        how=TurnedAway.RECORDED_TWICE,
        to=request.call_id or "",
        reason="another record of this call is of the same subject and place",
        turned_away_at=asked.at,
    )


def _turned_away(asked: AskedToRecord, request: RecordRequest, how: TurnedAway) -> ComplaintTurnedAway:
    return ComplaintTurnedAway(
        complaint_id=asked.complaint_id,
        how=how,
        to=request.turned_away_to,
        reason=request.turned_away_reason,
        turned_away_at=asked.at,
    )


def _answered(
    asked: AskedToRecord,
    request: RecordRequest,
    article_id: str,
    why_not: str | None,
    *,
    checked: bool,
) -> IntakeRefused | ComplaintAnsweredDirectly:
    if why_not is not None:
        return IntakeRefused(
            complaint_id=asked.complaint_id,
            asked=ANSWER,
            reason=why_not,
            article_id=article_id or UNSET,
            article_version=request.article_version,
            refused_at=asked.at,
        )
    return ComplaintAnsweredDirectly(
        complaint_id=asked.complaint_id,
        article_id=article_id,
        article_version=request.article_version,
        checked=True if checked else UNSET,
        answered_at=asked.at,
    )


def _said_beside(asked: AskedToRecord, request: RecordRequest, *, twice: bool) -> list[IntakeFact]:
    """Protection, the accused unit and the link; stated before anybody can be told of the request."""
    facts: list[IntakeFact] = []
    if request.anonymous or request.confidential:
        facts.append(
            IdentityProtected(
                complaint_id=asked.complaint_id,
                anonymous=request.anonymous,
                confidential=request.confidential,
                protected_at=asked.at,
            )
        )
    if request.retaliation_by is not None:
        facts.append(
            RetaliationReported(
                complaint_id=asked.complaint_id,
                accused=UnitId(request.retaliation_by),
                about=about_whom(asked),
                reported_at=asked.at,
            )
        )
    first, of_call = first_of_matter(asked), first_of_call(asked)
    if first is not None:
        facts.append(
            MatterLinked(
                complaint_id=asked.complaint_id,
                matter_of=first,
                linked_by=request.recorded_by,
                linked_at=asked.at,
            )
        )
    elif of_call is not None and not twice:
        facts.append(
            MatterLinked(
                complaint_id=asked.complaint_id,
                matter_of=of_call.complaint_id,
                linked_by=DeskName.INTAKE,
                same_call=True,
                linked_at=asked.at,
            )
        )
    return facts


def _unanswered(asked: AskedToRecord, known: Articles) -> str | None:
    """Why the article it names is no answer (B2): only who asks is answered; for whoever wants an act a unit acts."""
    request = asked.command
    if request.article_id is None:
        return None
    if request.request_type is not RequestType.CONSULT:
        kind = request.request_type
        return f"request_type: {kind}, expected CONSULT where an article is the answer; a unit acts and is asked about"
    return unusable(request.article_id, request.article_version, asked.at, known, zone_of(asked.ruleset))


def _dispatch_due(asked: AskedToRecord) -> datetime | UnsetType:
    """Until when the order must be written (C1), where the rule set has such a limit."""
    rules = ruleset(asked.ruleset)
    limit = rules.classes[asked.command.urgency].dispatch
    return UNSET if limit is None else due_at(asked.at, limit, rules, calendar(asked.calendar)).at
