"""The legs of a life, from its facts: how long each took until the fact that ended it. Pure.

Request, order, signature, answer, visit, end. A leg is stated by the fact that ends it, and then for good: no later
fact changes what came before. After the citizen's no, a life goes through some of them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from hotline.readside.leg_edges import bucket_of

_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


class Leg(StrEnum):
    """A leg by how it ends, in the order of a life."""

    ORDERED = "ordered"
    """From receipt until the first order went to a unit."""
    SIGNED = "signed"
    """From an order until its unit signed it."""
    ANSWERED = "answered"
    """From the signature until the answer; of an order that was never signed, from the order."""
    VISITED = "visited"
    """From the answer until the citizen was reached and judged."""
    CLOSED = "closed"
    """From the last attempt to reach the citizen until the end."""


class LegFact(NamedTuple):
    """A fact as far as legs go."""

    version: int
    type: str
    at: datetime
    unit: str = ""
    """The unit that an order went to; empty of any other fact."""


class LegRow(NamedTuple):
    """See `read.leg`."""

    stream_id: str
    version: int
    leg: str
    unit: str
    hour: datetime
    bucket: int


DISPATCHED: Final = "ComplaintDispatched"


class _Turn(NamedTuple):
    """A fact ends a leg, takes back those that nothing will end, and begins others."""

    ends: Leg | None = None
    drops: tuple[Leg, ...] = ()
    begins: tuple[Leg, ...] = ()


_TURNS: Final = {
    "ComplaintReceived": _Turn(begins=(Leg.ORDERED,)),
    DISPATCHED: _Turn(Leg.ORDERED, (Leg.VISITED,), (Leg.SIGNED, Leg.ANSWERED)),
    "OrderSigned": _Turn(Leg.SIGNED, begins=(Leg.ANSWERED,)),
    "OrderAnswered": _Turn(Leg.ANSWERED, (Leg.SIGNED,), (Leg.VISITED,)),
    "AnswerSentBack": _Turn(None, (Leg.VISITED,), (Leg.ANSWERED,)),
    "VisitMade": _Turn(Leg.VISITED, begins=(Leg.CLOSED,)),
    "VisitUnreached": _Turn(begins=(Leg.CLOSED,)),
    "ComplaintReopened": _Turn(None, tuple(Leg)),
    "ComplaintClosed": _Turn(Leg.CLOSED),
}
HEARD: Final = tuple(_TURNS)
"""The facts that legs follow from."""
ENDS: Final = tuple(name for name, turn in _TURNS.items() if turn.ends is not None)
"""Those that can end a leg."""


def legs_of(stream_id: str, facts: Iterable[LegFact]) -> list[LegRow]:
    """The rows of a life; `facts`: those of it that are `HEARD`, in order. More facts add rows and change none."""
    begun: dict[Leg, datetime] = {}
    unit = ""
    rows = []
    for fact in facts:
        turn = _TURNS[fact.type]
        unit = fact.unit or unit
        began = None if turn.ends is None else begun.pop(turn.ends, None)
        if began is not None and turn.ends is not None and unit:
            bucket = bucket_of(fact.at - began)
            rows.append(LegRow(stream_id, fact.version, turn.ends, unit, hour_of(fact.at), bucket))
        for leg in turn.drops:
            begun.pop(leg, None)
        for leg in turn.begins:
            begun[leg] = fact.at
    return rows


def hour_of(at: datetime) -> datetime:
    """The end of the hour of an instant: hours hold their end, as those of calls do."""
    return at + (_EPOCH - at) % _HOUR
