"""Intake's doors: the telephone, and the requests."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.intake.decisions.correction import CorrectRequest
from services.intake.decisions.rating import GiveRating
from services.intake.decisions.recording import RecordRequest
from services.intake.decisions.repeats import RepeatRequest
from services.intake.decisions.supplement import SupplementRequest
from services.intake.decisions.withdrawal import WithdrawRequest
from services.intake.naming import Named, first_things_first, links_named, named_by, repeated_by
from services.intake.register import Kept, kept
from services.intake.rules import IntakeCommand
from services.intake.settings import Settings
from shared import inputs
from shared.cloudevents import event_of
from shared.complaint import text_digest
from shared.doors.parking import one_by_one
from shared.doors.unread_records import Handle
from shared.events import TurnedAway
from shared.identity import taken_in
from shared.ids import ComplaintId, complaint_id, derived
from shared.inputs import CallAnswered, CallEnded, CallOffered, Input
from shared.log import Incoming, Parked
from shared.plausible import limits_near, timely
from shared.policy.ruleset import RuleSet, ruleset
from shared.runtime.clock import Clock
from shared.runtime.errors import BadInput
from shared.text import has_words
from shared.topic_names import speaker_of
from shared.topics import INTAKE_REQUESTS, TELEPHONY_CALLS
from shared.work import Batch, Claim, Work

_NOTE_CALLS: Final = "SELECT intake.note_calls($1, $2, $3)"
_REQUESTS: Final = (
    inputs.RecordRequest,
    inputs.WithdrawRequest,
    inputs.CorrectRequest,
    inputs.SupplementRequest,
    inputs.RepeatRequest,
    inputs.GiveRating,
)
SAME_CALL_MAX: Final = 16
"""Records of one call, subject and place that later ones know; what comes after so many is not among them."""
_CALLS: Final = (CallOffered, CallAnswered, CallEnded)

assert INTAKE_REQUESTS.carries == _REQUESTS  # noqa: S101 -- the table and this door must not part
assert TELEPHONY_CALLS.carries == _CALLS  # noqa: S101


def requests(settings: Settings, clock: Clock) -> Handle:
    """`intake.requests` and each login's own: record and withdraw.

    The complaint's id is derived from the request's and from who speaks. So the same request told twice, by whatever
    event id, is the same complaint, and the numbers of two speakers never meet. A request was received when its sender
    says so; what is said of it later counts from its arrival (decision 0008).
    """
    rules = ruleset(settings.ruleset)

    def translate(message: Incoming) -> Work | None:
        event = event_of(message, _REQUESTS)
        arrived = timely(event, message, clock)
        data = event.data
        assert isinstance(data, _REQUESTS)  # noqa: S101 -- for the type checker
        speaker = speaker_of(message.topic, settings.topic_prefix, INTAKE_REQUESTS)
        beside: tuple[ComplaintId, ...] = ()
        command: IntakeCommand
        claim: Claim | None = None
        if isinstance(data, inputs.RecordRequest):
            complaint = complaint_id(data.request_id, speaker)
            beside = links_named(data, speaker)
            _complete(data, rules)
            limits_near(data, event.time, rules)
            _retaliation(data)
            _sent_before(data, event.time)
            command = RecordRequest(
                complaint_id=complaint,
                request=data,
                ruleset=settings.ruleset,
                calendar=settings.calendar,
                speaker=speaker,
                at=event.time,
            )
            claim = _claim(command)
        else:
            named = named_by(data, speaker)
            complaint = named.complaint_id
            at = clock.of_input(event.time, arrived)
            if isinstance(data, inputs.RepeatRequest):
                command, claim = _repeated(data, named, speaker, at)
                beside = () if command.by is None else (command.by,)
            else:
                command = _about_one_on_record(data, named, at)
        return taken_in(command, complaint, event, message, settings.topic_prefix, claim=claim, beside=beside)

    one_after_another = one_by_one(translate)

    def fill(messages: Sequence[Incoming], batch: Batch) -> None:
        one_after_another(messages, batch)
        if any(work.beside for work in batch.work):
            batch.work = first_things_first(batch.work)

    return fill


def _claim(command: RecordRequest) -> Claim | None:
    """T7: of one call, subject and place each record knows those before it; the agent may say it is another matter."""
    request = command.request
    of_another = request.matter_of is not None or request.matter_of_complaint is not None
    if request.call_id is None or request.another_matter or of_another or request.retaliation_by is not None:
        return None
    first = claim_id(request.call_id, request.subject, request.district, request.street)
    return Claim(first, command, places=SAME_CALL_MAX)


def claim_id(call_id: str, subject: str, district: str, street: str | None) -> str:
    """What the first record of this call, of this subject and place, holds in the inbox."""
    return derived("recorded", call_id, subject, district, street or "")


def _repeated(
    data: inputs.RepeatRequest, named: Named, speaker: str, at: datetime
) -> tuple[RepeatRequest, Claim]:
    """It is counted once (R11), however often it is said and by whichever of its names: what counts it is claimed.

    Another note beside it is new to us, and must not be lost without a word.
    """
    again = repeated_by(data, speaker)
    by_number = data.repeat_id is not None
    command = RepeatRequest(
        complaint_id=named.complaint_id,
        by_request=named.by_request,
        repeat_id=data.repeat_id or again,
        by_number=by_number,
        speaker=speaker if by_number else "",
        by=again if data.another_citizen else None,
        note=data.note,
        recorded_by=data.recorded_by,
        at=at,
    )
    held = derived("repeated", named.complaint_id, again)
    counted = dataclasses.replace(command, counted=True)
    return command, Claim(
        held,
        counted,
        opens=False,
        says=text_digest(data.note),
        contrary=dataclasses.replace(counted, noted_otherwise=True),
    )


def _about_one_on_record(data: Input, named: Named, at: datetime) -> IntakeCommand:
    complaint, by_request = named
    match data:
        case inputs.WithdrawRequest():
            return WithdrawRequest(complaint_id=complaint, by_request=by_request, reason=data.reason, at=at)
        case inputs.CorrectRequest():
            return CorrectRequest(
                complaint_id=complaint,
                by_request=by_request,
                title=data.title,
                content=data.content,
                address=data.address,
                subject=data.subject,
                district=data.district,
                street=_street(data),
                corrected_by=data.corrected_by,
                at=at,
            )
        case inputs.SupplementRequest():
            return SupplementRequest(
                complaint_id=complaint,
                by_request=by_request,
                text=data.text,
                recorded_by=data.recorded_by,
                attachments=data.attachments,
                at=at,
            )
        case inputs.GiveRating():
            return GiveRating(
                complaint_id=complaint,
                by_request=by_request,
                satisfied=data.satisfied,
                comment=data.comment,
                channel=data.channel,
                at=at,
            )
        case _:
            raise AssertionError(data)


def _street(data: inputs.CorrectRequest) -> str | None:
    """The street a record is to have, "" where it is to have none; `BadInput` where both is said."""
    if data.no_street and data.street is not None:
        text = "data: street, no_street: both given, expected at most one of them"
        raise BadInput(text)
    return "" if data.no_street else data.street


def _complete(request: inputs.RecordRequest, rules: RuleSet) -> None:
    """`BadInput` names everything that is missing (Q1), or where an emergency cannot be handed to (R4)."""
    if rules.limits_given and request.given_due_at is None:
        text = f"data: given_due_at: missing, rule set {rules.version} needs the limit given"
        raise BadInput(text)
    blank = [name for name in rules.record_fields if not has_words(getattr(request, name) or "")]
    if blank:
        text = f"data: {', '.join(blank)}: missing, rule set {rules.version} lets no record be without (Q1)"
        raise BadInput(text)
    if request.turned_away is TurnedAway.RECORDED_TWICE:
        text = (
            "data: turned_away: RECORDED_TWICE is found out here, by what else was recorded of the call (T7)"
        )
        raise BadInput(text)
    if request.turned_away is TurnedAway.EMERGENCY and request.turned_away_to not in rules.emergency_services:
        text = f"data: turned_away_to: expected one of {', '.join(rules.emergency_services)} (R4)"
        raise BadInput(text)
    if request.turned_away is TurnedAway.REJECTED and not has_words(request.turned_away_reason):
        text = "data: turned_away_reason: missing, whoever is turned away is told why (R10)"
        raise BadInput(text)


def _retaliation(request: inputs.RecordRequest) -> None:
    """`BadInput` where a report of retaliation would end without supervision (R9)."""
    if request.retaliation_by is not None and (request.article_id or request.turned_away):
        text = "data: retaliation_by: such a report is neither answered on the spot nor turned away (R9)"
        raise BadInput(text)
    about = request.retaliation_about or request.retaliation_about_complaint
    if about is not None and request.retaliation_by is None:
        text = "data: retaliation_by: missing, retaliation_about says for what and not by whom"
        raise BadInput(text)


def _sent_before(request: inputs.RecordRequest, received_at: datetime) -> None:
    """`BadInput` where a message is answered before it was sent (A3), or a call was sent."""
    if request.sent_at is None:
        return
    if request.call_id is not None:
        text = "data: sent_at: a call is not sent; its own events say when it was answered"
        raise BadInput(text)
    if request.sent_at > received_at:
        text = f"data: sent_at: expected at most the event's time, {received_at.isoformat()} (A3)"
        raise BadInput(text)


def calls(clock: Clock) -> Handle:
    """`telephony.calls` into the register of calls: one statement a batch, the same in any order."""

    def fill(messages: Sequence[Incoming], batch: Batch) -> None:
        ids: list[str] = []
        rows: list[Kept] = []
        for message in messages:
            try:
                event = event_of(message, _CALLS)
                timely(event, message, clock)
            except BadInput as error:
                batch.parked.append(Parked(message, None, str(error)))
            else:
                data = event.data
                assert isinstance(data, _CALLS)  # noqa: S101 -- for the type checker
                ids.append(data.call_id)
                rows.append(kept(data, event.time))
        if rows:
            batch.effect = (_NOTE_CALLS, (ids, [row.at for row in rows], [row.what for row in rows]))

    return fill
