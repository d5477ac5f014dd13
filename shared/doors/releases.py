"""Handles parked messages again after a person has released them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from shared.doors.offsets import Offsets
from shared.doors.retry import Retry
from shared.log import EventLog, Incoming, Parked
from shared.runtime.errors import told
from shared.runtime.telemetry import Telemetry
from shared.work import Batch


class Releases:
    """Takes in again what was released and had come through one of a door's partitions."""

    def __init__(
        self,
        log: EventLog,
        offsets: Offsets,
        retry: Retry,
        *,
        fill: Callable[[Sequence[Incoming], Batch], Awaitable[None]],
        write: Callable[[Batch], Awaitable[Mapping[str, int]]],
        fail: Callable[[Exception], None],
    ) -> None:
        """`fill` puts the effects of messages into a batch; `fail` ends the process."""
        self._log = log
        self._offsets = offsets
        self._retry = retry
        self._fill = fill
        self._write = write
        self._fail = fail

    async def take(self, telemetry: Telemetry, door: str) -> int:
        """Handle what is released now; returns how many messages that were."""
        messages = await self._released()
        try:
            await self._handle(messages)
        except Exception as error:  # noqa: BLE001 -- one message must not keep the others parked
            telemetry.log.error(  # noqa: TRY400 -- the reason stands with each message parked
                "batch_failed", door=door, error=told(error)
            )
            await self._handle_each(len(messages))
        return len(messages)

    async def _released(self) -> list[Incoming]:
        messages: list[Incoming] = await self._retry(self._log.released)
        return [m for m in messages if (m.topic, m.partition) in self._offsets.held]

    async def _handle(self, messages: Sequence[Incoming]) -> None:
        if messages:
            batch = Batch(unpark=[m.parked_id for m in messages if m.parked_id is not None])
            await self._fill(messages, batch)
            await self._write(batch)

    async def _handle_each(self, most: int) -> None:
        """One at a time; the log is asked each time, for what stands behind one that failed is no longer released."""
        for _ in range(most):
            messages = await self._released()
            if not messages:
                return
            message = messages[0]
            try:
                await self._handle([message])
            except Exception as error:  # noqa: BLE001 -- this is the one
                reason = f"could not be handled: {told(error)}"
                try:
                    await self._write(Batch(parked=[Parked(message, message.parked_for, reason)]))
                except Exception as fatal:  # noqa: BLE001 -- it stays released: the next start finds it so
                    self._fail(fatal)
                    return
