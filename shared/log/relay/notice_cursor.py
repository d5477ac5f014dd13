"""How far the relay is with notices that stand in a table of their own beside the log, by the same snapshot difference.

A row may commit late, and then stands before what was sent already. So new is what an earlier snapshot did not see
(decision 0005). The owner of shard 0 sends them, however many relays share the log: they are rare, and nobody's limit
waits for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from shared.log.relay.cursor import RelayCursor, RelayFenced
from shared.topics import Topic

SHARD: Final = 0
"""The shard whose owner sends them."""
NOTICES_MAX: Final = 500
"""Rows read and sent at once."""

RowT = TypeVar("RowT")


class NoticeMessage(NamedTuple):
    """A notice on its way out."""

    line: Topic
    topic: str
    """The topic's full name."""
    key: bytes
    headers: list[tuple[str, bytes]]
    body: bytes


class NoticeSource(msgspec.Struct, Generic[RowT], frozen=True, kw_only=True):
    """A table of notices, and the messages that its rows are."""

    new: str
    """The rows visible in snapshot $2 and not in $1, at most $3 of them, behind the place $4 …, in order."""
    begins: tuple[Any, ...]
    """The place before all rows."""
    place: Callable[[RowT], tuple[Any, ...]]
    read: Callable[[Sequence[Any]], RowT]
    cursor: str
    """The table of one row that says which snapshot was sent."""
    messages: Callable[[RowT, str], Sequence[NoticeMessage]]
    """The messages of a row, to topics of a city with this prefix."""


class NoticeCursor(Generic[RowT]):
    """The relay's memory of the notices it has sent from one table; owned with shard 0."""

    def __init__(self, relay: RelayCursor, source: NoticeSource[RowT]) -> None:
        """`relay` owns the shard, and has the connection."""
        self._relay = relay
        self.source = source
        self._from = f"SELECT snap_a::text FROM {source.cursor}"  # noqa: S608 -- a name of ours
        self._sent = (
            f"UPDATE {source.cursor} SET snap_a = $1::text::pg_snapshot"  # noqa: S608 -- a name of ours
            " WHERE EXISTS (SELECT FROM es.relay WHERE shard = $2 AND epoch = $3) RETURNING true"
        )
        self._snap_a = ""
        self._snap_b = ""
        self._last: tuple[Any, ...] = ()
        self._idle_at: str | None = None
        """Where the relay was when this last looked."""

    async def new(self) -> list[RowT]:
        """The next rows that were not sent, in order; [] where there is none up to this moment."""
        connection = self._relay.connection
        if not self._snap_a:
            self._snap_a = await connection.fetchval(self._from)
        if not self._snap_b:
            # Where the relay looks and finds the snapshot of before, nobody has written anything.
            if self._relay.snap_a == self._idle_at:
                return []
            self._idle_at = self._relay.snap_a
            self._snap_b = await self._relay.look()
        behind = self._last or self.source.begins
        rows = await connection.fetch(self.source.new, self._snap_a, self._snap_b, NOTICES_MAX, *behind)
        if not rows and self._last:  # the last page was just full
            await self._done()
        elif not rows:
            # Not written down: who starts from the older snapshot finds nothing either.
            self._snap_a, self._snap_b = self._snap_b, ""
        return [self.source.read(row) for row in rows]

    async def sent(self, rows: list[RowT]) -> None:
        """All of these are acknowledged; who comes before the last page of them is sends the pages again."""
        if len(rows) == NOTICES_MAX:
            self._last = self.source.place(rows[-1])
        else:
            await self._done()

    async def _done(self) -> None:
        relay = self._relay
        if not await relay.connection.fetchval(self._sent, self._snap_b, SHARD, relay.epoch):
            message = f"relay shard {SHARD}: epoch {relay.epoch} is over"
            raise RelayFenced(message)
        self._snap_a, self._snap_b, self._last = self._snap_b, "", ()
