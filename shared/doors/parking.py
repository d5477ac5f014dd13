"""Parks a message that cannot be taken in, with its reason, and goes on with the others of its batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from shared.cloudevents import BadInput
from shared.doors.offsets import Offsets, Partition, PartitionOffset
from shared.doors.stops import Stops, TooMuchParked
from shared.doors.unread_records import Handle
from shared.log import Incoming, Parked, Place
from shared.runtime.errors import told
from shared.work import Batch, Work

Translate = Callable[[Incoming], Work | None]
"""A message to what it asks of the desk; None where the desk has nothing to do with it. Raises `BadInput`."""


def one_by_one(translate: Translate) -> Handle:
    """Fill a batch message by message; what cannot be understood is parked with its reason."""

    def fill(messages: Sequence[Incoming], batch: Batch) -> None:
        for message in messages:
            try:
                work = translate(message)
            except BadInput as error:
                batch.parked.append(Parked(message, error.complaint_id, str(error)))
            else:
                if work is not None:
                    batch.work.append(work)

    return fill


class Parking:
    """Takes a batch that cannot be written as a whole message by message, and parks those that cannot be handled."""

    def __init__(
        self,
        offsets: Offsets,
        stops: Stops,
        *,
        handle: Callable[[Sequence[Incoming]], Awaitable[bool]],
        write: Callable[[Batch], Awaitable[Mapping[str, int]]],
        fill: Handle,
        stop_due: Callable[[], Awaitable[None]],
        fail: Callable[[Exception], None],
    ) -> None:
        """Takes the door's own functions: `handle` fills and writes, `stop_due` stops topics, `fail` ends all."""
        self._offsets = offsets
        self._stops = stops
        self._handle = handle
        self._write = write
        self._fill = fill
        self._stop_due = stop_due
        self._fail = fail

    async def each(self, messages: Sequence[Incoming], before: Mapping[Partition, Place]) -> None:
        """Message by message, from where the batch began. `before`: where its partitions stood."""
        held = self._offsets.held
        ends = {at: held[at].ahead for at in before if at in held}
        self._offsets.back_to(before)
        for message in messages:
            offset = held.get((message.topic, message.partition))
            if offset is None or message.offset < offset.ahead.offset:
                continue  # gone to another consumer meanwhile
            if not self._stops.hears(message.topic):
                continue  # since one of those before it
            if not await self._one(message, offset):
                return
        for at, place in ends.items():
            still = held.get(at)
            if still is not None and self._stops.hears(at[0]) and place.offset >= still.ahead.offset:
                still.ahead = place
                self._offsets.touch(at)

    async def _one(self, message: Incoming, offset: PartitionOffset) -> bool:
        """One message by itself; False where none of those behind it may be handled now."""
        at = (message.topic, message.partition)
        before = offset.ahead
        passed = Place(message.next_offset, *before[1:])
        # Each goes with its own offset: the write before this one has stored all that had moved by then.
        self._offsets.touch(at)
        try:
            offset.ahead = passed
            await self._handle([message])
        except TooMuchParked:
            offset.ahead = before
        except Exception as error:  # noqa: BLE001 -- this is the one
            parked = Parked(message, self._complaint_of(message), f"could not be handled: {told(error)}")
            must_stop = self._stops.must_stop([message], [parked])
            offset.ahead = before if must_stop else passed
            if not must_stop and not await self._park(parked):
                return False
        await self._stop_due()
        # Fenced: what is not written comes again from where the log says we are.
        return self._offsets.held.get(at) is offset

    async def _park(self, parked: Parked) -> bool:
        """Set one message aside; False where not even that can be done: the process stops before it is passed."""
        try:
            self._stops.add([parked.message], await self._write(Batch(parked=[parked])))
        except Exception as fatal:  # noqa: BLE001 -- neither handled nor parked
            self._offsets.forget_all()
            self._fail(fatal)
            return False
        return True

    def _complaint_of(self, message: Incoming) -> str | None:
        """The complaint a message is about, as far as that can be told."""
        batch = Batch()
        with suppress(Exception):
            self._fill([message], batch)
        about = [*(w.complaint_id for w in batch.work), *(p.complaint_id for p in batch.parked)]
        return next((one for one in about if one is not None), message.parked_for)
