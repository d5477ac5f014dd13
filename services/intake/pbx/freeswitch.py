"""Reads the events of a queue that FreeSWITCH sends. Pure.

After its sources, as of 2026: `mod_callcenter.c`, `mod_fifo.c`.
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
    ended,
    field_of,
    left,
    offered,
    told_at,
    with_caller,
)
from shared.contacts.callers import CallersKey


def from_freeswitch(event: Event, callers: CallersKey | None = None) -> list[CallInput]:
    """`callcenter::info`, `fifo::info` and hangups of channels; others give nothing.

    `callers`: the key with which an offer says where its caller's complaints are found.
    """
    if event.get("Event-Name") == "CHANNEL_HANGUP_COMPLETE":
        return _channel_ended(event)
    said = None
    if event.get("Event-Subclass") == "callcenter::info":
        said = _CALLCENTER.get(event.get("CC-Action", ""))
    elif event.get("Event-Subclass") == "fifo::info" and event.get("FIFO-Name") != _MANUAL:
        said = _FIFO.get(event.get("FIFO-Action", ""))
    number = event.get("CC-Member-CID-Number") or event.get("Caller-Caller-ID-Number", "")
    return [] if said is None else with_caller(said(event), number, callers)


def _at(event: Event) -> datetime:
    return at_of(event, "Event-Date-Timestamp", 1e6)


def _member(event: Event) -> str:
    return field_of(event, "CC-Member-Session-UUID")


def _queued(event: Event) -> list[CallInput]:
    """Also a caller who calls again and gets the old place back (`resume`): it is a call of its own."""
    queue = field_of(event, "CC-Queue")
    return [offered(_member(event), queue, _at(event))]


def _since(event: Event) -> list[CallInput]:
    """When it joined, in whole seconds."""
    joined_at = told_at(event, "CC-Member-Joined-Time")
    if joined_at is None:
        return []
    return [offered(_member(event), event.get("CC-Queue") or QUEUE, joined_at, reckoned=True)]


def _bridged(event: Event) -> list[CallInput]:
    agent = field_of(event, "CC-Agent")
    return [*_since(event), answered(_member(event), agent, _at(event))]


def _bridge_ended(event: Event) -> list[CallInput]:
    """An agent who was never bridged answered nobody: the member waits on, or had gone."""
    if event.get("CC-Agent-Bridged") == "false":
        return [left(_member(event), "unconnected", _at(event))]
    return _talk_ended(event)


def _talk_ended(event: Event) -> list[CallInput]:
    """There was one, told of or not; since when is told in whole seconds."""
    end = left(_member(event), "hangup", _at(event))
    answered_at = told_at(event, "CC-Agent-Answered-Time")
    if answered_at is None:
        return [*_since(event), end]
    agent = event.get("CC-Agent") or "agent"
    return [*_since(event), answered(_member(event), agent, answered_at, reckoned=True), end]


_CANCELLED: Final = {"TIMEOUT": "timeout", "NO_AGENT_TIMEOUT": "timeout"}
"""By CC-Cancel-Reason. All others (NONE, BREAK_OUT, EXIT_WITH_KEY) are the caller's own."""


def _member_left(event: Event) -> list[CallInput]:
    if field_of(event, "CC-Cause") == "Terminated":
        return _talk_ended(event)
    cause = _CANCELLED.get(event.get("CC-Cancel-Reason", ""), "abandoned")
    return [*_since(event), left(_member(event), cause, _at(event))]


_CALLCENTER: Final[dict[str, Callable[[Event], list[CallInput]]]] = {
    "member-queue-start": _queued,
    "member-queue-resume": _queued,
    "bridge-agent-start": _bridged,
    "bridge-agent-end": _bridge_ended,
    "member-queue-end": _member_left,
}
"""Nothing comes of agent-offering and bridge-agent-fail: an agent did not answer, and the member waits on."""

_MANUAL: Final = "manual_calls"
"""The name mod_fifo gives to calls that were in no queue of its."""


def _fifo(cause: str) -> Callable[[Event], list[CallInput]]:
    return lambda event: [left(field_of(event, "Unique-ID"), cause, _at(event))]


def _pushed(event: Event) -> list[CallInput]:
    return [offered(field_of(event, "Unique-ID"), field_of(event, "FIFO-Name"), _at(event))]


def _consumed(event: Event) -> list[CallInput]:
    agent = event.get("Other-Leg-Unique-ID") or field_of(event, "FIFO-Name")
    return [answered(field_of(event, "Unique-ID"), agent, _at(event))]


_FIFO: Final[dict[str, Callable[[Event], list[CallInput]]]] = {
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
"""The same causes as Asterisk's `_Q850`, by FreeSWITCH's names."""


def _channel_ended(event: Event) -> list[CallInput]:
    if event.get("Call-Direction", "inbound") != "inbound" or event.get("variable_cc_side") == "agent":
        return []
    cause = _HANGUP.get(event.get("Hangup-Cause", ""), "hangup")
    return [ended(field_of(event, "Unique-ID"), cause, _at(event))]
