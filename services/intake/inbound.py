"""Intake's doors: the telephone, and the requests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.intake.commands import RecordRequest, WithdrawRequest
from services.intake.settings import Settings
from shared.broker import Handle, one_by_one
from shared.clock import Clock
from shared.cloudevents import BadInput, Event, event_of, not_ahead
from shared.desk import Batch, Work
from shared.ids import complaint_id, message_id
from shared.inputs import CallAnswered, CallEnded, CallOffered, RequestRecorded, RequestWithdrawn
from shared.log import Incoming, Parked
from shared.ruleset import ruleset
from shared.topics import INTAKE_REQUESTS, TELEPHONY_CALLS

_NOTE_CALLS: Final = "SELECT intake.note_calls($1, $2, $3, $4, $5)"
_REQUESTS: Final = (RequestRecorded, RequestWithdrawn)
_CALLS: Final = (CallOffered, CallAnswered, CallEnded)

assert INTAKE_REQUESTS.carries == _REQUESTS  # noqa: S101 -- the table and this door must not part
assert TELEPHONY_CALLS.carries == _CALLS  # noqa: S101


def requests(settings: Settings, clock: Clock) -> Handle:
    """`intake.requests`: record and withdraw.

    The complaint's id is derived from the request's, so the same request told twice, by whatever
    event id, is the same complaint.
    """
    given = ruleset(settings.ruleset).limits_given

    def translate(message: Incoming) -> Work | None:
        event = event_of(message, _REQUESTS)
        not_ahead(event, clock.latest_input())
        data = event.data
        if isinstance(data, RequestRecorded):
            if given and data.given_due_at is None:
                text = f"data: given_due_at: missing, rule set {settings.ruleset} needs the limit given"
                raise BadInput(text)
            complaint = complaint_id(data.request_id)
            command: RecordRequest | WithdrawRequest = RecordRequest(
                complaint_id=complaint,
                request=data,
                ruleset=settings.ruleset,
                calendar=settings.calendar,
                at=event.time,
            )
        else:
            assert isinstance(data, RequestWithdrawn)  # noqa: S101 -- for the type checker
            complaint = complaint_id(data.request_id)
            command = WithdrawRequest(complaint_id=complaint, reason=data.reason, at=event.time)
        identity = message_id(event.source, event.id)
        return Work(command, complaint, identity, message, identity)

    return one_by_one(translate)


def calls(clock: Clock) -> Handle:
    """`telephony.calls` into the register of calls: one statement a batch, the same in any order."""

    def fill(messages: Sequence[Incoming], batch: Batch) -> None:
        register: dict[str, list[datetime | str | None]] = {}
        for message in messages:
            try:
                event = event_of(message, _CALLS)
                not_ahead(event, clock.latest_input())
            except BadInput as error:
                batch.parked.append(Parked(message, None, str(error)))
            else:
                _merge(register, event)
        if register:
            rows = list(register.values())
            batch.effect = (
                _NOTE_CALLS,
                (list(register), *([row[column] for row in rows] for column in range(4))),
            )

    return fill


def _merge(register: dict[str, list[datetime | str | None]], event: Event) -> None:
    """One call event into its row of (offered, answered, ended, cause), as intake.note_calls merges."""
    data = event.data
    assert isinstance(data, _CALLS)  # noqa: S101 -- for the type checker
    row = register.setdefault(data.call_id, [None, None, None, None])
    column = _CALLS.index(type(data))
    known = row[column]
    if isinstance(data, CallEnded):
        if known is None or event.time < known or (event.time == known and data.cause < str(row[3])):  # type: ignore[operator] -- columns 0 to 2 are instants
            row[2], row[3] = event.time, data.cause
    elif known is None or event.time < known:  # type: ignore[operator] -- columns 0 to 2 are instants
        row[column] = event.time
