"""How far a door is in each of its partitions: as stored in PostgreSQL, and as read."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from aiokafka import ConsumerRecord

from shared.cloudevents import header
from shared.doors.records import UnreadableRecord
from shared.doors.unread_records import incoming
from shared.log import Incoming, Moved, Place
from shared.runtime.telemetry import Telemetry

Partition = tuple[str, int]
"""A topic and the number of one of its partitions."""

_PARTITION: Final = attrgetter("topic", "partition")
_MARK: Final = re.compile(rb"([0-9]{1,18})\.([0-9]{1,18})")
"""Batch and position of the relay: whole numbers that PostgreSQL's bigint holds."""


@dataclass(slots=True)
class PartitionOffset:
    """How far a door is in one partition."""

    stored: Place
    """As PostgreSQL has it."""
    ahead: Place
    """As it was read: what lies between is not written yet."""
    told_kafka: int = -1


class Offsets:
    """How far a door is in the partitions it holds, and which of them moved since they were written."""

    def __init__(self, telemetry: Telemetry, wanted: Container[bytes] | None) -> None:
        """`wanted`, of a door that hears the relay: the types of facts it reacts to. Nothing is held yet."""
        self.held: dict[Partition, PartitionOffset] = {}
        self._telemetry = telemetry
        self._wanted = wanted
        self._unwritten: set[Partition] = set()

    def __bool__(self) -> bool:
        """Whether anything was read further than it is written."""
        return bool(self._unwritten)

    # -- partitions come and go

    def start(self, at: Partition, place: Place) -> None:
        """Hold this partition from here on."""
        self.held[at] = PartitionOffset(place, place)
        self._unwritten.discard(at)

    def forget(self, at: Partition) -> None:
        """Another process has this partition."""
        self.held.pop(at, None)
        self._unwritten.discard(at)

    def forget_all(self) -> None:
        """Move nothing any more: the process ends."""
        self.held.clear()
        self._unwritten.clear()

    # -- read

    def fresh(
        self, records: Sequence[ConsumerRecord[Any, Any]], before: dict[Partition, Place]
    ) -> list[Incoming]:
        """The messages not read before; moves past all of the records. `before` is told from where."""
        fresh: list[Incoming] = []
        for at, group in groupby(records, key=_PARTITION):
            offset = self.held.get(at)
            if offset is None:
                continue  # revoked meanwhile
            before.setdefault(at, offset.ahead)
            if self._wanted is None:
                _take_all(offset, group, fresh)
            else:
                self._take_wanted(self._wanted, offset, group, fresh)
        self._unwritten.update(before)
        return fresh

    def _take_wanted(
        self, wanted: Container[bytes], at: PartitionOffset, group: Iterable[Any], fresh: list[Incoming]
    ) -> None:
        """The facts of one partition that the desk reacts to, without the relay's repeats."""
        offset, batch, position = at.ahead
        repeats = 0
        for record in group:
            if record.offset < offset:
                continue
            if type(record) is UnreadableRecord:
                fresh.append(incoming(record))
                offset = fresh[-1].next_offset
                continue
            offset = record.offset + 1
            mark = mark_of(record.headers)
            if mark is not None:
                if mark <= (batch, position):
                    repeats += 1
                    continue
                batch, position = mark
            if header(record.headers, "ce_type") in wanted:
                fresh.append(incoming(record))
        at.ahead = Place(offset, batch, position)
        if repeats:
            self._telemetry.count("door.relay_repeats", repeats)

    def move(self, at: Partition, offset: int) -> None:
        """Go on at this offset without having read what lies before it. The relay's mark stays."""
        held = self.held[at]
        held.ahead = held.ahead._replace(offset=offset)
        self._unwritten.add(at)

    def touch(self, at: Partition) -> None:
        """Write this one with the next batch."""
        self._unwritten.add(at)

    def back_to(self, before: Mapping[Partition, Place]) -> None:
        """Stand in these partitions where we stood before."""
        for at, place in before.items():
            if (held := self.held.get(at)) is not None:
                held.ahead = place

    def back_to_stored(self) -> None:
        """Stand in every partition where PostgreSQL says we are."""
        for held in self.held.values():
            held.ahead = held.stored
        self._unwritten.clear()

    # -- written

    def moved(self) -> list[Moved]:
        """The offsets that moved, as a batch writes them."""
        moving = ((at, self.held[at]) for at in self._unwritten)
        return [
            Moved(*at, held.stored.offset, held.ahead) for at, held in moving if held.ahead != held.stored
        ]

    def written(self, moved: Iterable[Moved]) -> None:
        """These were written."""
        for topic, partition, _, place in moved:
            held = self.held.get((topic, partition))
            if held is not None:
                held.stored = place
                if held.ahead.offset == place.offset:
                    self._unwritten.discard((topic, partition))


def _take_all(at: PartitionOffset, group: Iterable[Any], fresh: list[Incoming]) -> None:
    """Everything of one partition not read before."""
    offset, *mark = at.ahead
    for record in group:
        if record.offset >= offset:  # else fetched before a seek
            fresh.append(incoming(record))
            offset = fresh[-1].next_offset
    at.ahead = Place(offset, *mark)


def mark_of(headers: Sequence[tuple[str, bytes | None]]) -> tuple[int, int] | None:
    """The relay's mark; None where there is none, or what stands there is none (then it is nothing of the relay's)."""
    mark = header(headers, "ce_relaymark")
    found = None if mark is None else _MARK.fullmatch(mark)
    return None if found is None else (int(found[1]), int(found[2]))
