"""Who an input is and what it says: one helper for every door, so that no two of them tell a repeat apart otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final, get_args

import msgspec
from msgspec.structs import FieldInfo, replace

from shared.cloudevents import Event
from shared.desk import Claim, Work
from shared.ids import ComplaintId, message_id
from shared.inputs import INPUTS, Input
from shared.log import Incoming

_CANONICAL: Final = msgspec.json.Encoder(order="sorted")


def _holds_time(field: FieldInfo) -> bool:
    return any(
        kind is datetime for one in (field.type, *get_args(field.type)) for kind in (one, *get_args(one))
    )


_TIMES: Final[dict[type[Input], tuple[str, ...]]] = {
    kind: tuple(field.name for field in msgspec.structs.fields(kind) if _holds_time(field))
    for kind in INPUTS.values()
}
"""The fields of an input that hold an instant: it is the same one in whatever zone it is written."""


def content_of(data: Input) -> str:
    """What an input says, as 32 hexadecimal digits: BLAKE2b-128 over its type and its data as we write them.

    Mode, order of keys, fields nobody reads and fields that say what their absence says make no difference. The
    event's time is no content: a sender that says something again may put the time of that on it.
    """
    times = _TIMES[type(data)]
    if times:
        data = _in_utc(data, times)
    said = blake2b(type(data).TYPE.encode(), digest_size=16)
    said.update(b"\n")
    said.update(_CANONICAL.encode(data))
    return said.hexdigest()


def _in_utc(data: Input, times: tuple[str, ...]) -> Input:
    told = {name: at for name in times if (at := getattr(data, name)) is not None}
    try:
        return replace(data, **{name: at.astimezone(UTC) for name, at in told.items()}) if told else data
    except OverflowError:  # at the ends of all time; it is itself then
        return data


def taken_in(
    command: Any,
    complaint_id: ComplaintId,
    event: Event,
    message: Incoming,
    prefix: str,
    *,
    claim: Claim | None = None,
    beside: tuple[ComplaintId, ...] = (),
) -> Work:
    """What an input asks of its desk, with its identity: the topic it really came on, its `source` and its `id`.

    `prefix` is the city's. `claim` and `beside` are those of `Work`.
    """
    identity = message_id(message.topic.removeprefix(prefix), event.source, event.id)
    return Work(
        command,
        complaint_id,
        identity,
        message,
        identity,
        claim=claim,
        content=content_of(event.data),
        beside=beside,
    )
