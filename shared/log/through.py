"""Base class for logs that wrap another log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from shared.log import Append, EventLog, Incoming, Known, Place


class Through:
    """See `EventLog`: everything is done by the log inside."""

    def __init__(self, log: EventLog) -> None:
        """The log that does it."""
        self._log = log

    async def heads(self, streams: Sequence[str], inbox: Sequence[str]) -> Known:
        """See `EventLog.heads`."""
        return await self._log.heads(streams, inbox)

    async def append(self, append: Append) -> None:
        """See `EventLog.append`."""
        await self._log.append(append)

    def holding(self, streams: Sequence[str]) -> AbstractAsyncContextManager[EventLog]:
        """See `EventLog.holding`: what is decided in there goes to the log inside."""
        return self._log.holding(streams)

    async def begun(self, streams: Sequence[str]) -> dict[str, int]:
        """See `EventLog.begun`."""
        return await self._log.begun(streams)

    async def places(self, partitions: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Place]:
        """See `EventLog.places`."""
        return await self._log.places(partitions)

    async def released(self) -> list[Incoming]:
        """See `EventLog.released`."""
        return await self._log.released()

    async def release_for(self, reasons: Sequence[str]) -> int:
        """See `EventLog.release_for`."""
        return await self._log.release_for(reasons)

    async def stop_door(self, door: str, topic: str, reason: str) -> None:
        """See `EventLog.stop_door`."""
        await self._log.stop_door(door, topic, reason)

    async def door_stopped(self, door: str) -> Mapping[str, str]:
        """See `EventLog.door_stopped`."""
        return await self._log.door_stopped(door)
