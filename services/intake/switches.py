"""What telephone switches say, as the events intake takes in: Asterisk (AMI) and FreeSWITCH (mod_callcenter). Pure.

Each event gives no, one or two inputs with their time. Sent twice or in any order they come to the same call, for the
register keeps the earliest of each instant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from shared.inputs import CallAnswered, CallEnded, CallOffered, Input

Event = Mapping[str, str]
"""The fields of one event as the switch sends them."""


class SwitchEventInvalid(ValueError):  # noqa: N818 -- reads as the sentence it reports
    """An event we know without a field it must have, or with one that cannot be; the text names it."""


class Told(NamedTuple):
    """One input, when it happened, and an identity that is the same each time the event is sent."""

    data: Input
    at: datetime
    event_id: str


def from_asterisk(event: Event) -> list[Told]:
    """Events of `app_queue` over AMI; others give nothing.

    HoldTime is a duration in seconds, whatever the manual says (T28): a call whose joining we missed was offered that
    long before.
    """
    kind = event.get("Event", "")
    said = _ASTERISK.get(kind)
    return [] if said is None else said(event)


def _asterisk_at(event: Event) -> datetime:
    return _at(event, "Timestamp", 1.0)


def _joined(event: Event) -> list[Told]:
    call = _field(event, "Linkedid")
    return [_told(CallOffered(call_id=call, queue=_field(event, "Queue")), _asterisk_at(event), "offered")]


def _held(event: Event, call: str) -> list[Told]:
    """When it was offered, by how long it was held."""
    if "HoldTime" not in event:
        return []
    held = _number(event, "HoldTime")
    offered = CallOffered(call_id=call, queue=event.get("Queue") or "12345")
    try:
        at = _asterisk_at(event) - timedelta(seconds=held)
    except OverflowError as error:
        raise SwitchEventInvalid(
            f"{_name_of(event)}: HoldTime: {event['HoldTime']!r} s, longer than any call"
        ) from error
    return [_told(offered, at, "offered-by-hold")]


def _connected(event: Event) -> list[Told]:
    call = _field(event, "Linkedid")
    agent = event.get("MemberName") or _field(event, "Interface")
    return [
        *_held(event, call),
        _told(CallAnswered(call_id=call, agent=agent), _asterisk_at(event), "answered"),
    ]


def _completed(event: Event) -> list[Told]:
    call = _field(event, "Linkedid")
    return [_told(CallEnded(call_id=call, cause="hangup"), _asterisk_at(event), "ended")]


def _abandoned(event: Event) -> list[Told]:
    call = _field(event, "Linkedid")
    return [
        *_held(event, call),
        _told(CallEnded(call_id=call, cause="abandoned"), _asterisk_at(event), "ended"),
    ]


_Q850: Final = {
    "17": "busy",
    "34": "system_fail",
    "38": "system_fail",
    "41": "system_fail",
    "42": "system_fail",
}
"""Hangup causes of a call nobody could have answered: busy; no circuit, out of order, failure, congestion."""


def _hung_up(event: Event) -> list[Told]:
    call = _field(event, "Linkedid")
    cause = _Q850.get(_field(event, "Cause"))
    if cause is None or event.get("Uniqueid", call) != call:  # an agent's leg, or an end told by the queue
        return []
    return [_told(CallEnded(call_id=call, cause=cause), _asterisk_at(event), "ended")]


_ASTERISK: Final[dict[str, Callable[[Event], list[Told]]]] = {
    "QueueCallerJoin": _joined,
    "AgentConnect": _connected,
    "AgentComplete": _completed,
    "AgentDump": _abandoned,
    "QueueCallerAbandon": _abandoned,
    "Hangup": _hung_up,
}


def from_freeswitch(event: Event) -> list[Told]:
    """`callcenter::info` and hangups of channels; others give nothing."""
    if event.get("Event-Name") == "CHANNEL_HANGUP_COMPLETE":
        return _channel_ended(event)
    if event.get("Event-Subclass") != "callcenter::info":
        return []
    said = _FREESWITCH.get(event.get("CC-Action", ""))
    return [] if said is None else said(event)


def _freeswitch_at(event: Event) -> datetime:
    return _at(event, "Event-Date-Timestamp", 1e6)


def _member(event: Event) -> str:
    return _field(event, "CC-Member-Session-UUID")


def _queued(event: Event) -> list[Told]:
    queue = _field(event, "CC-Queue")
    return [_told(CallOffered(call_id=_member(event), queue=queue), _freeswitch_at(event), "offered")]


def _bridged(event: Event) -> list[Told]:
    agent = _field(event, "CC-Agent")
    return [_told(CallAnswered(call_id=_member(event), agent=agent), _freeswitch_at(event), "answered")]


_CANCELLED: Final = {"TIMEOUT": "timeout", "NO_AGENT_TIMEOUT": "timeout"}
"""By CC-Cancel-Reason; all others are the caller's own."""


def _left(event: Event) -> list[Told]:
    if _field(event, "CC-Cause") == "Terminated":
        cause = "hangup"
    else:
        cause = _CANCELLED.get(event.get("CC-Cancel-Reason", ""), "abandoned")
    return [_told(CallEnded(call_id=_member(event), cause=cause), _freeswitch_at(event), "ended")]


_FREESWITCH: Final[dict[str, Callable[[Event], list[Told]]]] = {
    "member-queue-start": _queued,
    "bridge-agent-start": _bridged,
    "member-queue-end": _left,
}

_HANGUP: Final = {
    "USER_BUSY": "busy",
    "NORMAL_CIRCUIT_CONGESTION": "system_fail",
    "NETWORK_OUT_OF_ORDER": "system_fail",
    "NORMAL_TEMPORARY_FAILURE": "system_fail",
    "SWITCH_CONGESTION": "system_fail",
}


def _channel_ended(event: Event) -> list[Told]:
    cause = _HANGUP.get(event.get("Hangup-Cause", ""))
    if cause is None or event.get("Call-Direction", "inbound") != "inbound":
        return []
    call = _field(event, "Unique-ID")
    return [_told(CallEnded(call_id=call, cause=cause), _freeswitch_at(event), "ended")]


SWITCHES: Final[dict[str, Callable[[Event], list[Told]]]] = {
    "asterisk": from_asterisk,
    "freeswitch": from_freeswitch,
}
"""By the name a person gives."""


def _told(data: CallOffered | CallAnswered | CallEnded, at: datetime, what: str) -> Told:
    return Told(data, at, f"{data.call_id}/{what}/{at.timestamp():.6f}")


def _field(event: Event, name: str) -> str:
    value = event.get(name, "").strip()
    if not value:
        raise SwitchEventInvalid(f"{_name_of(event)}: {name}: missing")
    return value


def _number(event: Event, name: str) -> float:
    text = _field(event, name)
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise SwitchEventInvalid(
            f"{_name_of(event)}: {name}: {text!r}, expected a number that is not negative"
        )
    return number


def _at(event: Event, name: str, per_second: float) -> datetime:
    number = _number(event, name) / per_second
    try:
        return datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise SwitchEventInvalid(f"{_name_of(event)}: {name}: {event[name]!r} is no time") from error


def _name_of(event: Event) -> str:
    return event.get("Event") or event.get("CC-Action") or event.get("Event-Name") or "event"
