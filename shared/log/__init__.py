"""The log: the promise, and the columns a batch brings to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

import msgspec

from shared.complaint import Case, Complaint, due_deadlines
from shared.events.base import Limit

TIMER_KINDS: Final[dict[Limit, int]] = {
    Limit.SIGN: 1,
    Limit.DISPATCH: 1,  # in the row of the limit that begins where this one ends
    Limit.ANSWER: 2,
    Limit.LADDER: 3,
    Limit.WARNING: 2,  # in the row of the limit it warns of: it always comes before it
    Limit.SUPERVISION: 4,
    Limit.ARRIVAL: 5,
    Limit.VISIT: 6,
}
"""How a limit is stored in `es.timer.kind`."""

TIMER_SHARDS: Final = 4
"""Over how many owners timers can be spread. Changing it means rewriting es.timer.shard."""


class HeadMoved(Exception):  # noqa: N818 -- a race, not an error
    """Someone else appended first, or the message had its effect meanwhile; decide again."""


class Fenced(Exception):  # noqa: N818 -- a rebalance, not an error
    """The offsets, or a released message, are no longer ours; read them again or stop."""


class Head(msgspec.Struct, frozen=True, gc=False):
    """Where a complaint stands in the log."""

    version: int
    hash: bytes
    case: Complaint


class Place(NamedTuple):
    """How far a consumer has come in one partition, and the relay's mark of the last message."""

    offset: int
    mark_batch: int = 0
    mark_position: int = 0


class Moved(NamedTuple):
    """One partition's compare-and-set."""

    topic: str
    partition: int
    old: int
    new: Place


class Known(NamedTuple):
    """The log's answer about the complaints and messages of a batch."""

    heads: dict[str, Head]
    done: frozenset[str]
    """Messages that already had their effect."""
    parked: frozenset[str]
    """Complaints with something parked at this consumer."""
    unreadable: Mapping[str, str] = MappingProxyType({})
    """Complaints whose head this code must not decide on, and why."""
    content: Mapping[str, str] = MappingProxyType({})
    """The content of the handled messages, as `Append.content`, where that was kept."""


class Unread(msgspec.Struct, frozen=True, gc=False):
    """Why something in Kafka could not be read, and the last offset that this holds for."""

    why: str
    last_offset: int


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """A message as it came; `parked_id` and `parked_for`, its complaint, where it comes back from parking.

    With `unread` it is none, or only as far as it could be read: see `shared.doors.records`.
    """

    topic: str
    partition: int
    offset: int
    sent_at_ms: int
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None
    parked_id: int | None = None
    parked_for: str | None = None
    unread: Unread | None = None

    @property
    def next_offset(self) -> int:
        """The first offset behind it."""
        return (self.offset if self.unread is None else self.unread.last_offset) + 1


class Parked(NamedTuple):
    """A message to set aside, with the complaint it concerns where that is known."""

    message: Incoming
    complaint_id: str | None
    reason: str


class RefusedInput(NamedTuple):
    """An input that a refusal answers: its speaker is told."""

    message_id: str
    """Its identity, which is the cause of the refusal."""
    message: Incoming


class SealedText(NamedTuple):
    """The numbers taken out of a text of an input, sealed (`shared.contacts.sealing.Sealed`)."""

    complaint_id: str
    message_id: str
    sealed: bytes
    key: bytes
    master: bytes


@dataclass(slots=True)
class Append:
    """One transaction's worth, column by column as the log takes it."""

    moved: list[Moved] = field(default_factory=list)
    inbox: list[str] = field(default_factory=list)
    content: list[str | None] = field(default_factory=list)
    """The content of each message of `inbox` (`shared.identity.content_of`). For a claim it is the complaint
    that holds it (`shared.seeing.held_for`). A shorter list says nothing of the rest."""
    parked: list[Parked] = field(default_factory=list)
    unpark: list[int] = field(default_factory=list)
    refused: list[RefusedInput] = field(default_factory=list)

    head_stream: list[str] = field(default_factory=list)
    head_old: list[int] = field(default_factory=list)
    head_new: list[int] = field(default_factory=list)
    """The same as `head_old` for a complaint that others were decided on: it gets no fact, and must not have moved."""
    head_hash: list[bytes] = field(default_factory=list)
    head_state: list[str] = field(default_factory=list)

    fact_stream: list[str] = field(default_factory=list)
    fact_version: list[int] = field(default_factory=list)
    fact_id: list[str] = field(default_factory=list)
    fact_type: list[str] = field(default_factory=list)
    fact_schema: list[int] = field(default_factory=list)
    fact_at: list[datetime] = field(default_factory=list)
    fact_cause: list[str] = field(default_factory=list)
    fact_body: list[bytes] = field(default_factory=list)
    fact_hash: list[bytes] = field(default_factory=list)

    timer_stream: list[str] = field(default_factory=list)
    timer_kind: list[int] = field(default_factory=list)
    timer_shard: list[int] = field(default_factory=list)
    timer_due: list[datetime] = field(default_factory=list)
    cancel_stream: list[str] = field(default_factory=list)
    cancel_kind: list[int] = field(default_factory=list)

    sealed: list[SealedText] = field(default_factory=list)
    """The numbers taken out of citizens' texts, of inputs whose facts are in here."""
    effect: tuple[str, tuple[object, ...]] | None = None
    """One more statement of the desk's own for this transaction (intake's register of calls)."""

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.moved or self.inbox or self.parked or self.unpark or self.head_stream or self.effect)


class EventLog(Protocol):
    """The promise every log keeps."""

    async def heads(self, streams: Sequence[str], inbox: Sequence[str]) -> Known:
        """The present heads of these complaints, and which of these messages were handled before."""
        ...

    async def append(self, append: Append) -> None:
        """Write all of it or nothing; raises `HeadMoved` or `Fenced`, and then nothing was written."""
        ...

    def holding(self, streams: Sequence[str]) -> AbstractAsyncContextManager[EventLog]:
        """This log while nobody else can append to these complaints: what is decided in here stands."""
        ...

    async def begun(self, streams: Sequence[str]) -> dict[str, int]:
        """Where in the log these complaints were put on record, so that earlier is less; none that is not there."""
        ...

    async def places(self, partitions: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Place]:
        """Where this consumer goes on in each (topic, partition)."""
        ...

    async def released(self) -> list[Incoming]:
        """Messages a person has released from parking, oldest first.

        None before which one of its complaint is still parked, or comes back by another partition.
        """
        ...

    async def release_for(self, reasons: Sequence[str]) -> int:
        """Release what this consumer parked for one of these reasons, and what of the same complaints waits there.

        Returns how many messages that were.
        """
        ...

    async def stop_door(self, door: str, topic: str, reason: str) -> None:
        """This door takes in nothing from this topic until a person resumes it; one that is stopped stays as it is."""
        ...

    async def door_stopped(self, door: str) -> Mapping[str, str]:
        """The topics this door takes nothing in from, and why; an empty name stands for the whole door."""
        ...


def timers_of(case: Case) -> dict[int, datetime]:
    """The rows of `es.timer` for a complaint: for each kind the earliest instant it must be looked at."""
    timers: dict[int, datetime] = {}
    for limit, due_at in due_deadlines(case).items():
        kind = TIMER_KINDS[limit]
        known = timers.get(kind)
        if known is None or due_at < known:
            timers[kind] = due_at
    return timers


def timer_shard(complaint_id: str) -> int:
    """The timer shard of a complaint."""
    return int(complaint_id[-1], 16) % TIMER_SHARDS
