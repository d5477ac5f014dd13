"""What intake decides; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, assert_never

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from services.intake.commands import (
    CorrectRequest,
    GiveRating,
    IntakeCommand,
    RecordRequest,
    RepeatRequest,
    SupplementRequest,
    WithdrawRequest,
)
from services.intake.knowledge import NO_BASE, Articles, unusable
from services.intake.links import (
    about_whom,
    first_of_matter,
    links_refused,
    not_repeated,
)
from services.intake.told_again import says_otherwise
from services.intake.twice import first_of_call, recorded_already
from shared.aside import NoSuchComplaint, OnRecordOtherwise
from shared.complaint import (
    ANSWER,
    WHERE_AND_WHAT,
    Case,
    Complaint,
    goes_on,
    holder,
    whole_content,
)
from shared.events import (
    ComplaintAnsweredDirectly,
    ComplaintClassified,
    ComplaintReceived,
    ComplaintTurnedAway,
    ComplaintWithdrawn,
    Correction,
    Desk,
    IdentityProtected,
    IntakeFact,
    IntakeRefused,
    MatterLinked,
    RatingGiven,
    RequestCorrected,
    RequestRepeated,
    RequestSupplemented,
    RetaliationReported,
    TurnedAway,
)
from shared.events.base import RequestType
from shared.ids import CallId, RequestId, UnitId, repeat_key
from shared.inputs import RequestRecorded
from shared.policy.calendar import calendar
from shared.policy.deadlines import due_at
from shared.policy.ruleset import ruleset
from shared.times import stated, zone_of

ATTACHMENTS_MAX: Final = 100
"""Attachments of a complaint with all that were added: every head and order carries where they are."""
CONTENT_MAX: Final = 20_000
"""Characters of a complaint's content with all that was added: a head carries it, and every order."""
_TERMINATED: Final = "a review ended the order, and nobody acts on the complaint any more"
_CORRECTED: Final = ("title", "content", "address", *WHERE_AND_WHAT)


def decide(command: IntakeCommand, case: Case, known: Articles = NO_BASE) -> Sequence[IntakeFact]:
    """Say what must now be true; nothing, if it already is. `known`: the knowledge base, as intake knows it (B2)."""
    match command:
        case RecordRequest():
            return _record(command, case, known)
        case WithdrawRequest():
            return _withdraw(command, case)
        case CorrectRequest():
            return _correct(command, case)
        case SupplementRequest():
            return _supplement(command, case)
        case RepeatRequest():
            return _repeat(command, case)
        case GiveRating():
            return _rate(command, case)
        case _:
            assert_never(command)


def _record(command: RecordRequest, case: Case, known: Articles) -> Sequence[IntakeFact]:
    request = command.request
    if request.retaliation_by is not None:
        request = replace(request, confidential=True)
    if isinstance(case, Complaint):
        # Another citizen's matter is no part of this life: it is set aside by itself, and this one goes on untouched.
        if differing := says_otherwise(request, case, command.speaker):
            raise OnRecordOtherwise(differing)
        return []
    facts: list[IntakeFact] = [
        ComplaintReceived(
            complaint_id=command.complaint_id,
            request_id=RequestId(request.request_id),
            speaker=command.speaker or UNSET,
            call_id=None if request.call_id is None else CallId(request.call_id),
            channel=request.channel,
            district=request.district,
            street=request.street,
            address=request.address,
            title=request.title,
            content=request.content,
            ruleset=command.ruleset,
            calendar=command.calendar,
            given_due_at=request.given_due_at,
            attachments=request.attachments or UNSET,
            sent_at=UNSET if request.sent_at is None else request.sent_at,
            received_at=command.at,
        )
    ]
    answered = request.article_id is not None and request.turned_away is None
    why_not = _unanswered(command, known) if answered else None
    # What nobody can have answered from the base is a matter like any other: a unit gets it (B2).
    unit_acts = request.turned_away is None and (not answered or why_not is not None)
    twice = unit_acts and recorded_already(command)
    to_dispatch = unit_acts and not twice
    facts += _said_beside(command, request, twice=twice)
    facts.append(
        ComplaintClassified(
            complaint_id=command.complaint_id,
            request_type=request.request_type,
            subject=request.subject,
            urgency=request.urgency,
            classified_by=request.recorded_by,
            to_dispatch=to_dispatch,
            dispatch_due_at=_dispatch_due(command) if to_dispatch else UNSET,
            classified_at=command.at,
        )
    )
    if twice:
        facts.append(
            ComplaintTurnedAway(
                complaint_id=command.complaint_id,
                how=TurnedAway.RECORDED_TWICE,
                to=request.call_id or "",
                reason="another record of this call is of the same subject and place",
                turned_away_at=command.at,
            )
        )
    elif request.turned_away is not None:
        facts.append(
            ComplaintTurnedAway(
                complaint_id=command.complaint_id,
                how=request.turned_away,
                to=request.turned_away_to,
                reason=request.turned_away_reason,
                turned_away_at=command.at,
            )
        )
    elif why_not is not None:
        facts.append(
            IntakeRefused(
                complaint_id=command.complaint_id,
                asked=ANSWER,
                reason=why_not,
                article_id=request.article_id or UNSET,
                article_version=request.article_version,
                refused_at=command.at,
            )
        )
    elif request.article_id is not None:
        facts.append(
            ComplaintAnsweredDirectly(
                complaint_id=command.complaint_id,
                article_id=request.article_id,
                article_version=request.article_version,
                checked=True if known else UNSET,
                answered_at=command.at,
            )
        )
    return [*facts, *links_refused(command)]


def _said_beside(command: RecordRequest, request: RequestRecorded, *, twice: bool) -> list[IntakeFact]:
    """Who may know of it, whom it is about, and with whose it belongs; before anybody can be told of it."""
    facts: list[IntakeFact] = []
    if request.anonymous or request.confidential:
        facts.append(
            IdentityProtected(
                complaint_id=command.complaint_id,
                anonymous=request.anonymous,
                confidential=request.confidential,
                protected_at=command.at,
            )
        )
    if request.retaliation_by is not None:
        facts.append(
            RetaliationReported(
                complaint_id=command.complaint_id,
                accused=UnitId(request.retaliation_by),
                about=about_whom(command),
                reported_at=command.at,
            )
        )
    first, of_call = first_of_matter(command), first_of_call(command)
    if first is not None:
        facts.append(
            MatterLinked(
                complaint_id=command.complaint_id,
                matter_of=first,
                linked_by=request.recorded_by,
                linked_at=command.at,
            )
        )
    elif of_call is not None and not twice:
        facts.append(
            MatterLinked(
                complaint_id=command.complaint_id,
                matter_of=of_call.complaint_id,
                linked_by=Desk.INTAKE,
                same_call=True,
                linked_at=command.at,
            )
        )
    return facts


def _unanswered(command: RecordRequest, known: Articles) -> str | None:
    """Why the article it names is no answer (B2): only who asks is answered; for whoever wants an act a unit acts."""
    request = command.request
    if request.article_id is None:
        return None
    if request.request_type is not RequestType.CONSULT:
        kind = request.request_type
        return f"request_type: {kind}, expected CONSULT where an article is the answer; a unit acts and is asked about"
    return unusable(request.article_id, request.article_version, command.at, known, zone_of(command.ruleset))


def _dispatch_due(command: RecordRequest) -> datetime | UnsetType:
    """Until when the order must be written (C1), where the rule set has such a limit."""
    rules = ruleset(command.ruleset)
    limit = rules.classes[command.request.urgency].dispatch
    return UNSET if limit is None else due_at(command.at, limit, rules, calendar(command.calendar)).at


def _withdraw(command: WithdrawRequest, case: Case) -> Sequence[IntakeFact]:
    case = _on_record(command, case)
    if case.ended is not None:
        why = f"the life ended with {case.ended.how} at {stated(case.ended.at, case.ruleset)}"
        return [_refused("withdraw", why, case, command.at)]
    return [
        ComplaintWithdrawn(
            complaint_id=command.complaint_id,
            reason=command.reason,
            recalled_unit=holder(case),
            withdrawn_at=command.at,
        )
    ]


def _on_record(
    command: WithdrawRequest | CorrectRequest | SupplementRequest | RepeatRequest | GiveRating, case: Case
) -> Complaint:
    if not isinstance(case, Complaint):
        named = (
            "data: request_id: no request of this number came on this topic; " if command.by_request else ""
        )
        raise NoSuchComplaint(command.complaint_id, named)
    return case


def _correct(command: CorrectRequest, case: Case) -> Sequence[IntakeFact]:
    case = _on_record(command, case)
    corrections = tuple(
        Correction(field=field, old=old, new=new)
        for field in _CORRECTED
        if (new := getattr(command, field)) is not None and new != (old := getattr(case, field) or "")
    )
    if case.ended is not None:
        return [_refused("correct", f"the life ended with {case.ended.how}", case, command.at)]
    if not corrections:
        return [_refused("correct", "the record says that already", case, command.at)]
    return [
        RequestCorrected(
            complaint_id=case.complaint_id,
            corrections=corrections,
            corrected_by=command.corrected_by,
            unit=holder(case),
            corrected_at=command.at,
        )
    ]


def _supplement(command: SupplementRequest, case: Case) -> Sequence[IntakeFact]:
    case = _on_record(command, case)
    why: str | None = None
    if case.ended is not None:
        why = f"the life ended with {case.ended.how}: what is new is a new request"
    elif not goes_on(case):
        why = f"{_TERMINATED}: what is new is a new request"
    elif len(case.attachments) + len(command.attachments) > ATTACHMENTS_MAX:
        why = f"attachments: with what is on record more than {ATTACHMENTS_MAX}"
    elif len(whole_content(case)) + len(command.text) > CONTENT_MAX:
        why = f"text: with what is on record more than {CONTENT_MAX} characters"
    if why is not None:
        return [_refused("supplement", why, case, command.at)]
    return [
        RequestSupplemented(
            complaint_id=case.complaint_id,
            text=command.text,
            attachments=command.attachments or UNSET,
            recorded_by=command.recorded_by,
            unit=holder(case),
            supplemented_at=command.at,
        )
    ]


def _repeat(command: RepeatRequest, case: Case) -> Sequence[IntakeFact]:
    """R11: it is linked, its heat goes up and the unit is told; nobody is ever turned away for asking again.

    Each call, message or complaint that brings it up is counted once, however often it is said; with another note it is
    refused.
    """
    case = _on_record(command, case)
    if case.ended is not None:
        why = f"the life ended with {case.ended.how}: asked again it is a new request"
        return [_refused("repeat", why, case, command.at)]
    if not goes_on(case):
        why = f"{_TERMINATED}: asked again it is a new request"
        return [_refused("repeat", why, case, command.at)]
    if command.noted_otherwise:
        why = "repeat_id: is counted already, with another note; what is new is a supplement"
        return [_refused("repeat", why, case, command.at)]
    if command.counted or repeat_key(command.repeat_id, command.speaker) in case.repeats:
        return []
    cannot = not_repeated(command, case)
    if cannot is not None:
        return [_refused("repeat", cannot, case, command.at)]
    return [
        RequestRepeated(
            complaint_id=case.complaint_id,
            repeat_id=command.repeat_id,
            speaker=command.speaker or UNSET,
            heat=case.heat + 1,
            by=command.by,
            note=command.note,
            recorded_by=command.recorded_by,
            unit=holder(case),
            repeated_at=command.at,
        )
    ]


def _rate(command: GiveRating, case: Case) -> Sequence[IntakeFact]:
    """R7: the citizen may say what he thinks at any time; nothing follows from it but that it is on record."""
    case = _on_record(command, case)
    if case.rated_at is not None and command.at < case.rated_at:
        why = f"a later rating is on record, of {stated(case.rated_at, case.ruleset)}"
        return [_refused("rate", why, case, command.at)]
    return [
        RatingGiven(
            complaint_id=case.complaint_id,
            satisfied=command.satisfied,
            comment=command.comment,
            channel=command.channel,
            rated_at=command.at,
        )
    ]


def _refused(asked: str, reason: str, case: Complaint, at: datetime) -> IntakeRefused:
    return IntakeRefused(complaint_id=case.complaint_id, asked=asked, reason=reason, refused_at=at)
