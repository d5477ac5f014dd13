"""Identifiers, and how one is derived from its cause so that a repeat gives the same one."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final, NewType

ComplaintId = NewType("ComplaintId", str)
"""A complaint: the id of its stream in the log and the key of its messages. Lower-case UUID text."""

FactId = NewType("FactId", str)
"""A fact in the log. Lower-case UUID text, derived from what caused the fact."""

MessageId = NewType("MessageId", str)
"""An input from outside: derived from its topic and its CloudEvents `source` and `id`. Lower-case UUID text."""

CallId = NewType("CallId", str)
RequestId = NewType("RequestId", str)
UnitId = NewType("UnitId", str)

TOGETHER: Final = "desks"
"""The name of the one process of all desks, where there is one: in Kafka, in its logs, for its supervisor."""

_UUID: Final = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VARIANT: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def derived(*parts: str) -> str:
    """The UUID (version 8) that these parts always give; another order or split gives another."""
    digits = blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:]}"


def complaint_of_key(key: bytes | None) -> ComplaintId | None:
    """The complaint a message of the log is about, by its key; None where that is no complaint's id."""
    return ComplaintId(key.decode()) if key is not None and _UUID.fullmatch(key) else None


def complaint_id(request_id: str, speaker: str = "") -> ComplaintId:
    """The complaint that a request becomes: the same request told twice is the same complaint.

    `speaker` is the login on whose topic it came, "" on the plain one: the numbers of two speakers are not the same
    numbers (`shared.topics.speaker_of`).
    """
    return ComplaintId(
        derived("complaint of", speaker, request_id) if speaker else derived("complaint", request_id)
    )


def repeat_key(repeat_id: str, speaker: str) -> str:
    """By what a head knows a repeat: what two speakers call alike are two calls or messages."""
    return derived("repeat", speaker, repeat_id) if speaker else repeat_id


def message_id(topic: str, source: str, event_id: str) -> MessageId:
    """The identity of an input: equal `source` and `id` on one topic mean the same event.

    `topic` is the topic's name without the city's prefix. Another speaker's event on another topic is no
    repeat, whatever source and id it claims.
    """
    return MessageId(derived("message", topic, source, event_id))
