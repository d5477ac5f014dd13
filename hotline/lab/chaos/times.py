"""Times that cannot be, wherever an input bears one: a driver's zero, an epoch's first instant, the last of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Final, NamedTuple

import msgspec

from hotline.lab.chaos.samples import sample
from shared.cloudevents import called, input_headers
from shared.inputs import Input
from shared.plausible import TIME_FIELDS
from shared.structured import CONTENT_TYPE

CANNOT_BE: Final = (
    "0001-01-01T00:00:00Z",
    "1900-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
)
"""Values that programs write for an unknown time: the zero of Go and .NET, a spreadsheet's, that of Unix, and
"for ever"."""


class EncodedInput(NamedTuple):
    """The value and the headers of a message."""

    value: bytes
    headers: list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """An input that is good but for one time, in one of CloudEvents' modes."""

    kind: type[Input]
    time: str
    field: str
    """Which time of its data is the one; "" for the event's own."""
    near: datetime
    """A time that can be, for the event where the wrong one stands in its data."""
    structured: bool

    @property
    def named(self) -> str:
        """The reason of parking must begin with this."""
        field = f"data: {self.field}" if self.field else called("time", structured=self.structured)
        return f"{field}: "

    def message(self, source: str, event_id: str) -> EncodedInput:
        """The message."""
        value = sample(self.kind, {self.field: self.time} if self.field else {})
        time = self.near.astimezone(UTC).isoformat() if self.field else self.time
        if not self.structured:
            headers = input_headers(self.kind, source, event_id, self.near)
            return EncodedInput(
                value, [(name, time.encode() if name == "ce_time" else held) for name, held in headers]
            )
        event: dict[str, Any] = {
            "specversion": "1.0",
            "type": self.kind.TYPE,
            "source": source,
            "id": event_id,
            "time": time,
            "datacontenttype": "application/json",
            "data": msgspec.Raw(value),
        }
        return EncodedInput(msgspec.json.encode(event), [("content-type", CONTENT_TYPE.encode())])


def inputs_with(
    time: str, kinds: Sequence[type[Input]], random: Random, *, near: datetime
) -> Iterator[Timed]:
    """This time as the event's own in a kind of chance, and in each time of the data of every kind."""
    places = [(random.choice(kinds), "")]
    places += [(kind, ".".join(steps)) for kind in kinds for steps, _ in TIME_FIELDS[kind]]
    for kind, field in places:
        yield Timed(kind=kind, time=time, field=field, near=near, structured=random.random() < 0.5)  # noqa: PLR2004 -- every other one
