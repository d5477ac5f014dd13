"""Reads the events of a queue that Asterisk sends over AMI. Pure.

After its source, as of 2026: `app_queue.c`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from services.intake.pbx.event import (
    QUEUE,
    CallInput,
    Event,
    answered,
    at_of,
    before,
    duration,
    ended,
    field_of,
    left,
    offered,
    with_caller,
)
from shared.contacts.callers import CallersKey


def from_asterisk(event: Event, callers: CallersKey | None = None) -> list[CallInput]:
    """Events of `app_queue` over AMI, hangups of callers, and how a queue was left (`VarSet`); others give nothing.

    Nothing comes of AgentCalled, AgentRingNoAnswer and AgentDump: the caller waits on. Nothing comes of transfers and
    parking either: AgentComplete says when the agent's talk ended, and Hangup when the call did.

    `callers`: the key with which an offer says where its caller's complaints are found.
    """
    kind = event.get("Event", "")
    said = _ASTERISK.get(kind)
    return [] if said is None else with_caller(said(event), event.get("CallerIDNum", ""), callers)


def _at(event: Event) -> datetime:
    return at_of(event, "Timestamp", 1.0)


def _joined(event: Event) -> list[CallInput]:
    call = field_of(event, "Linkedid")
    return [offered(call, field_of(event, "Queue"), _at(event))]


def _held(event: Event, call: str, answered_at: datetime) -> list[CallInput]:
    """When it was offered, by how long it was held: a duration in whole seconds, whatever the manual says (T28)."""
    held = duration(event, "HoldTime")
    if held is None:
        return []
    return [
        offered(
            call, event.get("Queue") or QUEUE, before(event, "HoldTime", answered_at, held), reckoned=True
        )
    ]


def _connected(event: Event) -> list[CallInput]:
    call, at = field_of(event, "Linkedid"), _at(event)
    return [*_held(event, call, at), answered(call, _agent(event), at)]


def _completed(event: Event) -> list[CallInput]:
    """The agent's talk is over, by hanging up or by a transfer. So there was one, told of or not."""
    call, at = field_of(event, "Linkedid"), _at(event)
    end = left(call, "hangup", at)
    talked = duration(event, "TalkTime")
    if talked is None:
        return [end]
    answered_at = before(event, "TalkTime", at, talked)
    return [*_held(event, call, answered_at), answered(call, _agent(event), answered_at, reckoned=True), end]


def _agent(event: Event) -> str:
    return event.get("MemberName") or field_of(event, "Interface")


def _abandoned(event: Event) -> list[CallInput]:
    """Asterisk says so of everybody who leaves unanswered but by a key; why, QUEUESTATUS says."""
    call, at = field_of(event, "Linkedid"), _at(event)
    return [*_held(event, call, at), left(call, "abandoned", at)]


def _out_of_the_queue(event: Event) -> list[CallInput]:
    """By a key, by an agent who answers, in any way: it ends no talk, and says nothing of why."""
    return [left(field_of(event, "Linkedid"), "left", _at(event))]


_STATUS: Final = {
    "TIMEOUT": "timeout",
    "LEAVEEMPTY": "timeout",
    "LEAVEUNAVAIL": "timeout",
    "FULL": "busy",
    "JOINEMPTY": "busy",
    "JOINUNAVAIL": "busy",
}
"""How Queue() ended, by QUEUESTATUS: sent away after a while; a full or closed queue. Other events tell of the rest."""


def _status(event: Event) -> list[CallInput]:
    """Nobody joins a full or closed queue: its caller was offered at that instant."""
    cause = _STATUS.get(event.get("Value", ""))
    if event.get("Variable") != "QUEUESTATUS" or cause is None:
        return []
    call, at = field_of(event, "Linkedid"), _at(event)
    joined = [offered(call, QUEUE, at)] if cause == "busy" else []
    return [*joined, left(call, cause, at)]


_Q850: Final = {
    **dict.fromkeys(("17", "21"), "busy"),
    **dict.fromkeys(("18", "19"), "timeout"),
    **dict.fromkeys(("27", "34", "38", "41", "42", "44"), "system_fail"),
}
"""Hangup causes that say why nobody answered: busy, rejected; nobody responds, no answer; out of order, no circuit,
network, failure, congestion, no channel. All others are the caller's own."""


def _hung_up(event: Event) -> list[CallInput]:
    """The caller's channel, which gives the call its id; an agent's leg or a Local channel's half ends no call."""
    call = field_of(event, "Linkedid")
    cause = _Q850.get(field_of(event, "Cause"), "hangup")
    if event.get("Uniqueid", call) != call or event.get("Channel", "").startswith("Local/"):
        return []
    return [ended(call, cause, _at(event))]


_ASTERISK: Final[dict[str, Callable[[Event], list[CallInput]]]] = {
    "QueueCallerJoin": _joined,
    "AgentConnect": _connected,
    "AgentComplete": _completed,
    "QueueCallerAbandon": _abandoned,
    "QueueCallerLeave": _out_of_the_queue,
    "VarSet": _status,
    "Hangup": _hung_up,
}
