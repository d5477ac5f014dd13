"""Intake's doors: the telephone, and the requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import msgspec

from services.intake.decisions.recording import AskedToRecord
from services.intake.decisions.repeats import AskedToRepeat
from services.intake.naming import first_things_first, links_named, named_by, repeated_by
from services.intake.numbers_in_texts import without_numbers
from services.intake.register import Kept, kept
from services.intake.settings import Settings
from shared.asked import Asked
from shared.cloudevents import Event, event_of
from shared.complaint import text_digest
from shared.contacts.details import ContactInvalid, sealing_key
from shared.contacts.sealing import SealingKey
from shared.contacts.texts import WHAT, written
from shared.doors.parking import one_by_one
from shared.doors.unread_records import Handle
from shared.events import TurnedAway
from shared.identity import taken_in
from shared.ids import ComplaintId, complaint_id, derived
from shared.inputs import (
    AboutRequest,
    CallAnswered,
    CallEnded,
    CallOffered,
    CorrectRequest,
    Input,
    RecordRequest,
    RepeatRequest,
)
from shared.log import Incoming, Parked
from shared.plausible import limits_near, timely
from shared.policy.ruleset import RuleSet, ruleset
from shared.runtime.clock import Clock
from shared.runtime.errors import BadInput, UserError
from shared.text import has_words
from shared.topic_names import speaker_of
from shared.topics import INTAKE_REQUESTS, TELEPHONY_CALLS
from shared.work import Batch, Claim, Work

_NOTE_CALLS: Final = "SELECT intake.note_calls($1, $2, $3, $4, $5)"
SAME_CALL_MAX: Final = 16
"""Records of one call, subject and place that later ones know; what comes after so many is not among them."""


def requests(settings: Settings, clock: Clock) -> Handle:
    """`intake.requests` and each login's own: record and withdraw.

    The complaint's id is derived from the request's and from who speaks. So the same request told twice, by whatever
    event id, is the same complaint, and the numbers of two speakers never meet. A request was received when its sender
    says so; what is said of it later counts from its arrival (decision 0008).
    """
    rules = ruleset(settings.ruleset)
    sealing = _sealing(settings)
    carried = INTAKE_REQUESTS.inputs

    def translate(message: Incoming) -> Work:
        event = event_of(message, carried)
        if sealing is None:
            return understood(event, event.data, message)
        command, numbers = without_numbers(event.data)
        work = understood(event, command, message)
        if not numbers:
            return work
        sealed = sealing.seal(work.complaint_id, written(numbers), WHAT)
        return msgspec.structs.replace(work, sealed=sealed)

    def understood(event: Event, command: Input, message: Incoming) -> Work:
        """The work that an event asks for; `command` is its data as the facts may hold it."""
        arrived = timely(event, message, clock)
        login = speaker_of(message.topic, settings.topic_prefix, INTAKE_REQUESTS)
        if isinstance(command, RecordRequest):
            named = links_named(command, login)
            _checked(command, event.time, rules)
            record = AskedToRecord(
                command=command,
                complaint_id=complaint_id(command.request_id, login),
                login=login,
                ruleset=settings.ruleset,
                calendar=settings.calendar,
                at=event.time,
            )
            return taken_in(record, event, message, settings.topic_prefix, claim=_claim(record), beside=named)
        assert isinstance(command, AboutRequest)  # noqa: S101 -- for the type checker
        named_by_it, at = named_by(command, login), clock.of_input(event.time, arrived)
        if isinstance(command, RepeatRequest):
            repeat = AskedToRepeat(command=command, complaint_id=named_by_it, login=login, at=at)
            again = repeated_by(command, login)
            claim, beside = _counted_once(repeat, again), (again,) if command.another_citizen else ()
            return taken_in(repeat, event, message, settings.topic_prefix, claim=claim, beside=beside)
        if isinstance(command, CorrectRequest):
            _one_street(command)
        asked = Asked(command=command, complaint_id=named_by_it, login=login, at=at)
        return taken_in(asked, event, message, settings.topic_prefix)

    one_after_another = one_by_one(translate)

    def fill(messages: Sequence[Incoming], batch: Batch) -> None:
        one_after_another(messages, batch)
        if any(work.beside for work in batch.work):
            batch.work = first_things_first(batch.work)

    return fill


def _sealing(settings: Settings) -> SealingKey | None:
    """The key that numbers of texts are sealed with; None where nobody named one."""
    try:
        return sealing_key(settings.contacts_public_key, settings.contacts_public_key_file)
    except (ContactInvalid, OSError) as error:
        raise UserError(f"The contacts' public key cannot be read ({error}): see docs/runbook.md.") from None


def _claim(asked: AskedToRecord) -> Claim | None:
    """T7: of one call, subject and place each record knows those before it; the agent may say it is another matter."""
    request = asked.command
    of_another = request.matter_of is not None or request.matter_of_complaint is not None
    if request.call_id is None or request.another_matter or of_another or request.retaliation_by is not None:
        return None
    first = claim_id(request.call_id, request.subject, request.district, request.street)
    return Claim(first, asked, places=SAME_CALL_MAX)


def claim_id(call_id: str, subject: str, district: str, street: str | None) -> str:
    """The inbox id that the first record of this call, subject and place claims."""
    return derived("recorded", call_id, subject, district, street or "")


def _counted_once(asked: AskedToRepeat, again: ComplaintId) -> Claim:
    """It is counted once (R11), however often it is said and by whichever of its names: what counts it is claimed.

    Another note beside it is new to us, and must not be lost without a word.
    """
    counted = replace(asked, counted=True)
    return Claim(
        derived("repeated", asked.complaint_id, again),
        counted,
        opens=False,
        says=text_digest(asked.command.note),
        contrary=replace(counted, noted_otherwise=True),
    )


def _one_street(correction: CorrectRequest) -> None:
    """`BadInput` where a record is to have a street and to have none."""
    if correction.no_street and correction.street is not None:
        text = "data: street, no_street: both given, expected at most one of them"
        raise BadInput(text)


def _checked(request: RecordRequest, received_at: datetime, rules: RuleSet) -> None:
    """`BadInput` where a request cannot be recorded as it is."""
    _complete(request, rules)
    limits_near(request, received_at, rules)
    _retaliation(request)
    _sent_before(request, received_at)


def _complete(request: RecordRequest, rules: RuleSet) -> None:
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


def _retaliation(request: RecordRequest) -> None:
    """`BadInput` where a report of retaliation would end without supervision (R9)."""
    if request.retaliation_by is not None and (request.article_id or request.turned_away):
        text = "data: retaliation_by: such a report is neither answered on the spot nor turned away (R9)"
        raise BadInput(text)
    about = request.retaliation_about or request.retaliation_about_complaint
    if about is not None and request.retaliation_by is None:
        text = "data: retaliation_by: missing, retaliation_about says for what and not by whom"
        raise BadInput(text)


def _sent_before(request: RecordRequest, received_at: datetime) -> None:
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
    carried = TELEPHONY_CALLS.inputs

    def fill(messages: Sequence[Incoming], batch: Batch) -> None:
        ids: list[str] = []
        rows: list[Kept] = []
        agents: list[str] = []
        callers: list[bytes | None] = []
        for message in messages:
            try:
                event = event_of(message, carried)
                timely(event, message, clock)
            except BadInput as error:
                batch.parked.append(Parked(message, None, str(error)))
            else:
                data = event.data
                assert isinstance(data, CallOffered | CallAnswered | CallEnded)  # noqa: S101 -- for the type checker
                ids.append(data.call_id)
                rows.append(kept(data, event.time))
                agents.append(data.agent.strip() if isinstance(data, CallAnswered) else "")
                callers.append(_caller(data))
        if rows:
            times, things = [row.at for row in rows], [row.what for row in rows]
            batch.effect = (_NOTE_CALLS, (ids, times, things, agents, callers))

    return fill


def _caller(data: CallOffered | CallAnswered | CallEnded) -> bytes | None:
    """Where the caller's complaints are found; None where it is not told."""
    return bytes.fromhex(data.caller) if isinstance(data, CallOffered) and data.caller else None
