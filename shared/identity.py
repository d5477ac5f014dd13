"""The identity and the content of an input: one helper for every door, so that all know the same repeats."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from typing import Final, NamedTuple, get_args

import msgspec
from msgspec.structs import FieldInfo, replace

from shared.asked import Asked
from shared.cloudevents import Event
from shared.ids import ComplaintId, message_id
from shared.inputs import Input
from shared.log import Incoming
from shared.work import Claim, Work

_CANONICAL: Final = msgspec.json.Encoder(order="sorted")


class _Fields(NamedTuple):
    """The fields of an input that can say the same in two ways."""

    words: tuple[tuple[str, str], ...]
    """A word that stands for itself where nothing is said: msgspec leaves out that very object, not an equal one."""
    times: tuple[str, ...]
    """An instant is the same one in every zone."""


@cache
def _fields_of(kind: type[Input]) -> _Fields:
    fields = msgspec.structs.fields(kind)
    words = [(one.name, one.default) for one in fields if isinstance(one.default, str) and one.default]
    return _Fields(tuple(words), tuple(one.name for one in fields if _holds_time(one)))


def _holds_time(field: FieldInfo) -> bool:
    kinds = {one for kind in (field.type, *get_args(field.type)) for one in (kind, *get_args(kind))}
    return datetime in kinds


def content_of(data: Input) -> str:
    """The content of an input as 32 hexadecimal digits: BLAKE2b-128 over its type and its data as we write them.

    These make no difference: mode, order of keys, zones, fields nobody reads, and fields that equal their
    absence. So a field that comes later changes nobody's content. The event's time is no part of it: a sender
    that says something again may put the time of that on it.
    """
    words, times = _fields_of(type(data))
    same: dict[str, object] = {}
    for name, unsaid in words:
        said = getattr(data, name)
        if said is not unsaid and said == unsaid:
            same[name] = unsaid
    for name in times:
        at = getattr(data, name)
        if at is not None:
            same[name] = _in_utc(at)
    digest = blake2b(data.TYPE.encode(), digest_size=16)
    digest.update(b"\n")
    digest.update(_CANONICAL.encode(replace(data, **same) if same else data))
    return digest.hexdigest()


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:  # at the ends of all time; it is itself then
        return at


def taken_in(
    asked: Asked,
    event: Event,
    message: Incoming,
    prefix: str,
    *,
    claim: Claim | None = None,
    beside: tuple[ComplaintId, ...] = (),
) -> Work:
    """The work that an input gives its desk, with its identity: the topic it really came on, its `source` and its `id`.

    `prefix` is the city's. `claim` and `beside` are those of `Work`.
    """
    identity = message_id(message.topic.removeprefix(prefix), event.source, event.id)
    return Work(
        asked,
        asked.complaint_id,
        identity,
        message,
        identity,
        claim=claim,
        content=content_of(event.data),
        typed=event.typed,
        actor_id=event.actor_id,
        beside=beside,
    )
