"""What telephone switches say, as the events intake takes in: Asterisk (AMI) and FreeSWITCH (mod_callcenter, mod_fifo).

Pure. Each event gives no or several inputs with their time, and none looks at another event: sent twice or in any order
they come to the same call. `docs/calls.md` shows what each sequence comes to. Read of the switches' own sources, as of
2026: `app_queue.c`, `mod_callcenter.c`, `mod_fifo.c`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from shared.inputs import CallAnswered, CallEnded, CallOffered

Event = Mapping[str, str]
"""The fields of one event as the switch sends them."""


class SwitchEventInvalid(ValueError):  # noqa: N818 -- reads as the sentence it reports
    """An event we know without a field it must have, or with one that cannot be; the text names it."""


class Told(NamedTuple):
    """One input, when it happened, and an identity that is the same each time the event is sent."""

    data: CallOffered | CallAnswered | CallEnded
    at: datetime
    event_id: str


def from_asterisk(event: Event) -> list[Told]:
    """Events of `app_queue` over AMI, hangups of callers, and how a queue was left (`VarSet`); others give nothing.

    Nothing comes of AgentCalled, AgentRingNoAnswer and AgentDump: the caller waits on. Nothing comes of transfers and
    parking either: AgentComplete says when the agent's talk ended, and Hangup when the call did.
    """
    kind = event.get("Event", "")
    said = _ASTERISK.get(kind)
    return [] if said is None else said(event)


def _asterisk_at(event: Event) -> datetime:
    return _at(event, "Timestamp", 1.0)


def _joined(event: Event) -> list[Told]:
    call = _field(event, "Linkedid")
    return [_offered(call, _field(event, "Queue"), _asterisk_at(event))]


def _held(event: Event, call: str, answered_at: datetime) -> list[Told]:
    """When it was offered, by how long it was held: a duration in whole seconds, whatever the manual says (T28)."""
    held = _duration(event, "HoldTime")
    if held is None:
        return []
    return [
        _offered(
            call, event.get("Queue") or _QUEUE, _before(event, "HoldTime", answered_at, held), reckoned=True
        )
    ]


def _connected(event: Event) -> list[Told]:
    call, at = _field(event, "Linkedid"), _asterisk_at(event)
    return [*_held(event, call, at), _answered(call, _agent(event), at)]


def _completed(event: Event) -> list[Told]:
    """The agent's talk is over, by hanging up or by a transfer. So there was one, told of or not."""
    call, at = _field(event, "Linkedid"), _asterisk_at(event)
    end = _left(call, "hangup", at)
    talked = _duration(event, "TalkTime")
    if talked is None:
        return [end]
    answered_at = _before(event, "TalkTime", at, talked)
    return [*_held(event, call, answered_at), _answered(call, _agent(event), answered_at, reckoned=True), end]


def _agent(event: Event) -> str:
    return event.get("MemberName") or _field(event, "Interface")


def _abandoned(event: Event) -> list[Told]:
    """Asterisk says so of everybody who leaves unanswered but by a key; why, QUEUESTATUS says."""
    call, at = _field(event, "Linkedid"), _asterisk_at(event)
    return [*_held(event, call, at), _left(call, "abandoned", at)]


def _out_of_the_queue(event: Event) -> list[Told]:
    """By a key, by an agent who answers, in any way: it ends no talk, and says nothing of why."""
    return [_left(_field(event, "Linkedid"), "left", _asterisk_at(event))]


_STATUS: Final = {
    "TIMEOUT": "timeout",
    "LEAVEEMPTY": "timeout",
    "LEAVEUNAVAIL": "timeout",
    "FULL": "busy",
    "JOINEMPTY": "busy",
    "JOINUNAVAIL": "busy",
}
"""How Queue() ended, by QUEUESTATUS: sent away after a while; a full or closed queue. Other events tell of the rest."""


def _status(event: Event) -> list[Told]:
    """Nobody joins a full or closed queue: its caller was offered at that instant."""
    cause = _STATUS.get(event.get("Value", ""))
    if event.get("Variable") != "QUEUESTATUS" or cause is None:
        return []
    call, at = _field(event, "Linkedid"), _asterisk_at(event)
    offered = [_offered(call, _QUEUE, at)] if cause == "busy" else []
    return [*offered, _left(call, cause, at)]


_Q850: Final = {
    **dict.fromkeys(("17", "21"), "busy"),
    **dict.fromkeys(("18", "19"), "timeout"),
    **dict.fromkeys(("27", "34", "38", "41", "42", "44"), "system_fail"),
}
"""Hangup causes that say why nobody answered: busy, rejected; nobody responds, no answer; out of order, no circuit,
network, failure, congestion, no channel. All others are the caller's own."""


def _hung_up(event: Event) -> list[Told]:
    """The caller's channel, which gives the call its id; an agent's leg or a Local channel's half ends no call."""
    call = _field(event, "Linkedid")
    cause = _Q850.get(_field(event, "Cause"), "hangup")
    if event.get("Uniqueid", call) != call or event.get("Channel", "").startswith("Local/"):
        return []
    return [_ended(call, cause, _asterisk_at(event))]


_ASTERISK: Final[dict[str, Callable[[Event], list[Told]]]] = {
    "QueueCallerJoin": _joined,
    "AgentConnect": _connected,
    "AgentComplete": _completed,
    "QueueCallerAbandon": _abandoned,
    "QueueCallerLeave": _out_of_the_queue,
    "VarSet": _status,
    "Hangup": _hung_up,
}


def from_freeswitch(event: Event) -> list[Told]:
    """`callcenter::info`, `fifo::info` and hangups of channels; others give nothing."""
    if event.get("Event-Name") == "CHANNEL_HANGUP_COMPLETE":
        return _channel_ended(event)
    said = None
    if event.get("Event-Subclass") == "callcenter::info":
        said = _CALLCENTER.get(event.get("CC-Action", ""))
    elif event.get("Event-Subclass") == "fifo::info" and event.get("FIFO-Name") != _MANUAL:
        said = _FIFO.get(event.get("FIFO-Action", ""))
    return [] if said is None else said(event)


def _freeswitch_at(event: Event) -> datetime:
    return _at(event, "Event-Date-Timestamp", 1e6)


def _member(event: Event) -> str:
    return _field(event, "CC-Member-Session-UUID")


def _queued(event: Event) -> list[Told]:
    """Also a caller who calls again and gets the old place back (`resume`): it is a call of its own."""
    queue = _field(event, "CC-Queue")
    return [_offered(_member(event), queue, _freeswitch_at(event))]


def _since(event: Event) -> list[Told]:
    """When it joined, in whole seconds."""
    joined_at = _told_at(event, "CC-Member-Joined-Time")
    if joined_at is None:
        return []
    return [_offered(_member(event), event.get("CC-Queue") or _QUEUE, joined_at, reckoned=True)]


def _bridged(event: Event) -> list[Told]:
    agent = _field(event, "CC-Agent")
    return [*_since(event), _answered(_member(event), agent, _freeswitch_at(event))]


def _bridge_ended(event: Event) -> list[Told]:
    """An agent who was never bridged answered nobody: the member waits on, or had gone."""
    if event.get("CC-Agent-Bridged") == "false":
        return [_left(_member(event), "unconnected", _freeswitch_at(event))]
    return _talk_ended(event)


def _talk_ended(event: Event) -> list[Told]:
    """There was one, told of or not; since when is told in whole seconds."""
    end = _left(_member(event), "hangup", _freeswitch_at(event))
    answered_at = _told_at(event, "CC-Agent-Answered-Time")
    if answered_at is None:
        return [*_since(event), end]
    agent = event.get("CC-Agent") or "agent"
    return [*_since(event), _answered(_member(event), agent, answered_at, reckoned=True), end]


_CANCELLED: Final = {"TIMEOUT": "timeout", "NO_AGENT_TIMEOUT": "timeout"}
"""By CC-Cancel-Reason. All others (NONE, BREAK_OUT, EXIT_WITH_KEY) are the caller's own."""


def _member_left(event: Event) -> list[Told]:
    if _field(event, "CC-Cause") == "Terminated":
        return _talk_ended(event)
    cause = _CANCELLED.get(event.get("CC-Cancel-Reason", ""), "abandoned")
    return [*_since(event), _left(_member(event), cause, _freeswitch_at(event))]


_CALLCENTER: Final[dict[str, Callable[[Event], list[Told]]]] = {
    "member-queue-start": _queued,
    "member-queue-resume": _queued,
    "bridge-agent-start": _bridged,
    "bridge-agent-end": _bridge_ended,
    "member-queue-end": _member_left,
}
"""Nothing comes of agent-offering and bridge-agent-fail: an agent did not answer, and the member waits on."""

_MANUAL: Final = "manual_calls"
"""The name mod_fifo gives to calls that were in no queue of its."""


def _fifo(cause: str) -> Callable[[Event], list[Told]]:
    return lambda event: [_left(_field(event, "Unique-ID"), cause, _freeswitch_at(event))]


def _pushed(event: Event) -> list[Told]:
    return [_offered(_field(event, "Unique-ID"), _field(event, "FIFO-Name"), _freeswitch_at(event))]


def _consumed(event: Event) -> list[Told]:
    agent = event.get("Other-Leg-Unique-ID") or _field(event, "FIFO-Name")
    return [_answered(_field(event, "Unique-ID"), agent, _freeswitch_at(event))]


_FIFO: Final[dict[str, Callable[[Event], list[Told]]]] = {
    "push": _pushed,
    "bridge-caller-start": _consumed,
    "bridge-caller-stop": _fifo("hangup"),
    "abort": _fifo("abandoned"),
    "timeout": _fifo("timeout"),
}

_HANGUP: Final = {
    **dict.fromkeys(("USER_BUSY", "CALL_REJECTED"), "busy"),
    **dict.fromkeys(("NO_USER_RESPONSE", "NO_ANSWER"), "timeout"),
    **dict.fromkeys(
        (
            "DESTINATION_OUT_OF_ORDER",
            "NORMAL_CIRCUIT_CONGESTION",
            "NETWORK_OUT_OF_ORDER",
            "NORMAL_TEMPORARY_FAILURE",
            "SWITCH_CONGESTION",
            "REQUESTED_CHAN_UNAVAIL",
        ),
        "system_fail",
    ),
}
"""The same causes as `_Q850`, by FreeSWITCH's names."""


def _channel_ended(event: Event) -> list[Told]:
    if event.get("Call-Direction", "inbound") != "inbound" or event.get("variable_cc_side") == "agent":
        return []
    cause = _HANGUP.get(event.get("Hangup-Cause", ""), "hangup")
    return [_ended(_field(event, "Unique-ID"), cause, _freeswitch_at(event))]


SWITCHES: Final[dict[str, Callable[[Event], list[Told]]]] = {
    "asterisk": from_asterisk,
    "freeswitch": from_freeswitch,
}
"""By the name a person gives."""


_QUEUE: Final = "12345"
"""The queue where the switch names none."""


def _offered(call: str, queue: str, at: datetime, *, reckoned: bool = False) -> Told:
    data = CallOffered(call_id=call, queue=queue, reckoned=reckoned)
    return _told(data, at, "offered-by-hold" if reckoned else "offered")


def _answered(call: str, agent: str, at: datetime, *, reckoned: bool = False) -> Told:
    data = CallAnswered(call_id=call, agent=agent, reckoned=reckoned)
    return _told(data, at, "answered-by-talk" if reckoned else "answered")


def _left(call: str, cause: str, at: datetime) -> Told:
    return _told(CallEnded(call_id=call, cause=cause, left_queue=True), at, f"left-{cause}")


def _ended(call: str, cause: str, at: datetime) -> Told:
    return _told(CallEnded(call_id=call, cause=cause), at, f"ended-{cause}")


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
        number = float("nan")
    if not float("-inf") < number < float("inf"):
        raise SwitchEventInvalid(f"{_name_of(event)}: {name}: {text!r}, expected a number")
    return number


def _duration(event: Event, name: str) -> float | None:
    """Seconds; None where it is not told, or negative: the switch's clock was set back meanwhile."""
    number = _number(event, name) if event.get(name, "").strip() else -1.0
    return None if number < 0 else number


def _told_at(event: Event, name: str) -> datetime | None:
    """An instant in whole seconds; None where it is not told, or 0."""
    return None if event.get(name, "").strip() in ("", "0") else _at(event, name, 1.0)


def _before(event: Event, name: str, at: datetime, seconds: float) -> datetime:
    try:
        return at - timedelta(seconds=seconds)
    except OverflowError as error:
        raise SwitchEventInvalid(f"{_name_of(event)}: {name}: {event[name]!r} is too long a time") from error


def _at(event: Event, name: str, per_second: float) -> datetime:
    number = _number(event, name) / per_second
    try:
        if number >= 0:
            return datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise SwitchEventInvalid(f"{_name_of(event)}: {name}: {event[name]!r} is no time") from error
    raise SwitchEventInvalid(f"{_name_of(event)}: {name}: {event[name]!r} is no time")


def _name_of(event: Event) -> str:
    names = ("Event", "CC-Action", "FIFO-Action", "Event-Name")
    return next((event[name] for name in names if event.get(name)), "event")
