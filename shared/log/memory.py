"""The log in memory: the same promise for tests that need no database. One process, one thread.

`Memory` is what PostgreSQL would hold; each desk has a `MemoryLog` of its own on it, as it would have a
connection. `Memory.facts` stand in commit order, so a test can hand them on as the relay would, and
`Memory.due` says which timers a tick would find.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Final

from msgspec.structs import replace

from shared.complaint import STATE_SCHEMA, UnreadableHead, stored_head
from shared.ids import ComplaintId, FactId
from shared.log import Append, EventLog, Fenced, Head, HeadMoved, Incoming, Known, Parked, Place, SealedText
from shared.log.chain import Stored

RELEASED_MAX: Final = 500
"""As `es.released`: how many come back from parking at once."""


@dataclass(slots=True)
class ParkedRow:
    """One parked message."""

    consumer: str
    parked: Parked
    released: bool = False


@dataclass(slots=True)
class Memory:
    """Everything there is, for all desks together."""

    now: Callable[[], datetime]
    """When a fact counts as recorded."""
    facts: list[Stored] = field(default_factory=list)
    """Every fact in commit order; its position is its place here, counted from 1."""
    heads: dict[str, tuple[int, bytes, str]] = field(default_factory=dict)
    """Version, hash and stored text by complaint."""
    state_schemas: dict[str, int] = field(default_factory=dict)
    """Where a newer system wrote the head: the version of its form."""
    timers: dict[tuple[str, int], datetime] = field(default_factory=dict)
    """When what is watched is due, by complaint and kind."""
    looks: dict[tuple[str, int], datetime] = field(default_factory=dict)
    """As `es.timer.look_at`: where a timer is looked at at another time than when it is due."""
    inbox: dict[tuple[str, str], str | None] = field(default_factory=dict)
    """The content of each message that had its effect, by consumer and message; None where it was not
    kept."""
    places: dict[tuple[str, str, int], Place] = field(default_factory=dict)
    parked: dict[int, ParkedRow] = field(default_factory=dict)
    doors_stopped: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Why, by consumer, door and topic."""
    refused: dict[str, Incoming] = field(default_factory=dict)
    """The inputs that refusals answer, by their identity."""
    notices: list[tuple[str, Parked]] = field(default_factory=list)
    """The notices of parkings, in order: the desk and the message it set aside."""
    sealed: dict[tuple[str, str], SealedText] = field(default_factory=dict)
    """The numbers taken out of texts, by complaint and input."""
    effects: list[tuple[str, tuple[object, ...]]] = field(default_factory=list)
    """Statements of a desk's own, kept and not executed."""
    _parked_ids: int = 0

    def looked_at(self, until: datetime) -> list[tuple[datetime, ComplaintId, datetime]]:
        """As `es.due`: whose timers ran out before `until`, as they are looked at: when, whose, and its limit."""
        rows = [
            (self.looks.get((stream, kind), due_at), ComplaintId(stream), due_at)
            for (stream, kind), due_at in self.timers.items()
            if due_at < until
        ]
        return sorted(row for row in rows if row[0] <= until)

    def due(self, until: datetime) -> dict[ComplaintId, datetime]:
        """The complaints whose timers a tick would find, in the order they are looked at, each with its limit."""
        found: dict[ComplaintId, datetime] = {}
        for _, stream, due_at in self.looked_at(until):
            found.setdefault(stream, due_at)
        return found

    def pass_over(self, stream: str, due_at: datetime, look_at: datetime, seconds: float) -> None:
        """As `es.pass_over`: this timer is left alone for so long."""
        for watched, limit in self.timers.items():
            if (watched[0], limit, self.looks.get(watched, limit)) == (stream, due_at, look_at):
                self.looks[watched] = self.now() + timedelta(seconds=seconds)

    def release(self, parked_id: int) -> None:
        """A person lets a parked message go back to its desk."""
        self.parked[parked_id].released = True

    def keep(self, consumer: str, parked: Parked) -> str | None:
        """Set a message aside; one that was set aside before keeps its number and waits again.

        Returns the complaint it concerns, where that is known now or was before.
        """
        message = parked.message
        place = (message.topic, message.partition, message.offset, message.sent_at_ms)
        for kept in self.parked.values():
            known = kept.parked.message
            stands = (known.topic, known.partition, known.offset, known.sent_at_ms)
            if kept.consumer == consumer and stands == place:
                complaint_id = kept.parked.complaint_id or parked.complaint_id
                kept.parked = kept.parked._replace(reason=parked.reason, complaint_id=complaint_id)
                kept.released = False
                return complaint_id
        self._parked_ids += 1
        self.parked[self._parked_ids] = ParkedRow(consumer, parked)
        return parked.complaint_id


class MemoryLog:
    """See `EventLog`."""

    def __init__(self, memory: Memory, consumer: str) -> None:
        """`consumer` owns offsets and inbox and is the actor of the facts."""
        self.memory = memory
        self._consumer = consumer

    async def heads(self, streams: Sequence[str], inbox: Sequence[str]) -> Known:
        """See `EventLog.heads`."""
        memory = self.memory
        heads: dict[str, Head] = {}
        unreadable: dict[str, str] = {}
        for stream in streams:
            head = memory.heads.get(stream)
            if head is not None:
                version, head_hash, text = head
                try:
                    case = stored_head(stream, text, memory.state_schemas.get(stream, STATE_SCHEMA))
                except UnreadableHead as unread:
                    unreadable[stream] = str(unread)
                else:
                    heads[stream] = Head(version, head_hash, case)
        waiting = {
            kept.parked.complaint_id for kept in memory.parked.values() if kept.consumer == self._consumer
        }
        said = {
            message: memory.inbox[self._consumer, message]
            for message in inbox
            if (self._consumer, message) in memory.inbox
        }
        return Known(
            heads,
            frozenset(said),
            frozenset(stream for stream in streams if stream in waiting),
            unreadable,
            {message: content for message, content in said.items() if content is not None},
        )

    async def append(self, append: Append) -> None:
        """See `EventLog.append`. Everything is compared before anything is written."""
        self._check_places(append)
        self._check_heads(append)
        self._check_inbox(append)
        memory, consumer = self.memory, self._consumer
        for topic, partition, _, new in append.moved:
            memory.places[consumer, topic, partition] = new
        memory.heads |= {
            stream: (version, head_hash, text)
            for stream, version, head_hash, text in zip(
                append.head_stream, append.head_new, append.head_hash, append.head_state, strict=True
            )
        }
        memory.facts += self._stored(append)
        memory.inbox |= {
            (consumer, message): content for message, content in zip_longest(append.inbox, append.content)
        }
        for watched in zip(append.cancel_stream, append.cancel_kind, strict=True):
            memory.timers.pop(watched, None)
            memory.looks.pop(watched, None)
        for stream, kind, due_at in zip(
            append.timer_stream, append.timer_kind, append.timer_due, strict=True
        ):
            memory.timers[stream, kind] = due_at
            memory.looks.pop((stream, kind), None)
            if due_at < memory.now():
                memory.looks[stream, kind] = memory.now()  # known late
        memory.refused |= dict(append.refused)
        memory.notices += [
            (consumer, parked)
            for parked in append.parked
            if not any(_same(parked, told) for desk, told in memory.notices if desk == consumer)
        ]
        for kept in self._behind({memory.keep(consumer, parked) for parked in append.parked}):
            kept.released = False
        for parked_id in append.unpark:
            del memory.parked[parked_id]
        memory.sealed |= {(one.complaint_id, one.message_id): one for one in append.sealed}
        if append.effect is not None:
            memory.effects.append(append.effect)

    @asynccontextmanager
    async def holding(self, streams: Sequence[str]) -> AsyncIterator[EventLog]:
        """See `EventLog.holding`. Nothing here waits in between, so nobody can come first."""
        del streams
        yield self

    async def begun(self, streams: Sequence[str]) -> dict[str, int]:
        """See `EventLog.begun`."""
        asked = set(streams)
        return {
            str(fact.complaint_id): fact.position
            for fact in self.memory.facts
            if fact.version == 1 and fact.complaint_id in asked
        }

    async def places(self, partitions: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Place]:
        """See `EventLog.places`."""
        return {
            (topic, partition): self.memory.places.setdefault((self._consumer, topic, partition), Place(0))
            for topic, partition in partitions
        }

    async def released(self) -> list[Incoming]:
        """See `EventLog.released`."""
        found: list[Incoming] = []
        doors: dict[str, set[tuple[str, int]]] = {}
        for parked_id, kept in sorted(self.memory.parked.items()):
            if kept.consumer != self._consumer:
                continue
            message, complaint_id = kept.parked.message, kept.parked.complaint_id
            at = (message.topic, message.partition)
            before = set() if complaint_id is None else doors.setdefault(complaint_id, set())
            if kept.released and before <= {at}:
                found.append(replace(message, parked_id=parked_id, parked_for=complaint_id))
            before.add(at if kept.released else ("", 0))  # one that stays lets nothing by
        return found[:RELEASED_MAX]

    async def release_for(self, reasons: Sequence[str]) -> int:
        """See `EventLog.release_for`."""
        ours = [
            kept
            for kept in self.memory.parked.values()
            if kept.consumer == self._consumer and not kept.released
        ]
        known = [kept for kept in ours if kept.parked.reason in reasons]
        complaints = {kept.parked.complaint_id for kept in known} - {None}
        released = [kept for kept in ours if kept in known or kept.parked.complaint_id in complaints]
        for kept in released:
            kept.released = True
        return len(released)

    async def stop_door(self, door: str, topic: str, reason: str) -> None:
        """See `EventLog.stop_door`."""
        self.memory.doors_stopped.setdefault((self._consumer, door, topic), reason)

    async def door_stopped(self, door: str) -> Mapping[str, str]:
        """See `EventLog.door_stopped`."""
        stopped = self.memory.doors_stopped.items()
        return {topic: why for (*at, topic), why in stopped if at == [self._consumer, door]}

    def _behind(self, complaints: set[str | None]) -> list[ParkedRow]:
        """Released messages of these complaints that stand behind one that stays parked."""
        staying: set[str | None] = set()
        behind: list[ParkedRow] = []
        for _, kept in sorted(self.memory.parked.items()):
            complaint_id = kept.parked.complaint_id
            if kept.consumer != self._consumer or complaint_id is None or complaint_id not in complaints:
                continue
            if not kept.released:
                staying.add(complaint_id)
            elif complaint_id in staying:
                behind.append(kept)
        return behind

    def _check_places(self, append: Append) -> None:
        for topic, partition, old, _ in append.moved:
            place = self.memory.places.get((self._consumer, topic, partition))
            if place is None or place.offset != old:
                message = f"{self._consumer} has lost {topic} {partition} to another consumer"
                raise Fenced(message)
        if any(parked_id not in self.memory.parked for parked_id in append.unpark):
            message = "a released message was taken up or dropped meanwhile"
            raise Fenced(message)

    def _check_heads(self, append: Append) -> None:
        for stream, old in zip(append.head_stream, append.head_old, strict=True):
            version = self.memory.heads[stream][0] if stream in self.memory.heads else 0
            if version != old:
                message = f"head of {stream} moved from {old} to {version}"
                raise HeadMoved(message)

    def _check_inbox(self, append: Append) -> None:
        handled = {(self._consumer, message) for message in append.inbox}
        if len(handled) < len(append.inbox) or handled & self.memory.inbox.keys():
            message = "a message had its effect meanwhile"
            raise HeadMoved(message)

    def _stored(self, append: Append) -> list[Stored]:
        first = len(self.memory.facts) + 1
        recorded_at = self.memory.now()
        return [
            Stored(
                position=first + row,
                complaint_id=ComplaintId(stream),
                version=append.fact_version[row],
                fact_id=FactId(append.fact_id[row]),
                type=append.fact_type[row],
                schema_version=append.fact_schema[row],
                occurred_at=append.fact_at[row],
                recorded_at=recorded_at,
                caused_by=append.fact_cause[row],
                actor=self._consumer,
                body=append.fact_body[row],
                hash=append.fact_hash[row],
            )
            for row, stream in enumerate(append.fact_stream)
        ]


def _same(one: Parked, other: Parked) -> bool:
    """Whether this was told before: the same message, for the same reason."""
    return one.reason == other.reason and all(
        getattr(one.message, name) == getattr(other.message, name)
        for name in ("topic", "partition", "offset", "sent_at_ms")
    )
