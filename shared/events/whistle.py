"""Facts of a whistle (吹哨报到), which only dispatch may state: it hears what units say."""

from __future__ import annotations

from typing import ClassVar

from shared.events.base import DispatchFact, Instant, WhistleKind
from shared.ids import UnitId


class WhistleBlown(DispatchFact, frozen=True, kw_only=True):
    """The street that has the order called others to it (吹哨); each of them is called by a fact of its own."""

    TIME: ClassVar[str] = "blown_at"

    whistle: int
    """1, 2, 3 … within a complaint: one matter may be whistled for several times."""
    unit: UnitId
    """The street or town; it alone releases whom it called (T25)."""
    kind: WhistleKind
    lead: UnitId
    """Which of the called leads among them."""
    scene: str
    reason: str
    blown_at: Instant


class UnitCalled(DispatchFact, frozen=True, kw_only=True):
    """A unit must report to the street (报到)."""

    TIME: ClassVar[str] = "called_at"
    TELLS: ClassVar[tuple[str, ...]] = ("called",)

    whistle: int
    called: UnitId
    unit: UnitId
    kind: WhistleKind
    leads: bool
    scene: str
    reason: str
    subject: str
    title: str
    district: str
    arrive_by: Instant | None = None
    """The last instant in time; none where the kind has no such limit (G2)."""
    called_at: Instant


class WhistleAcknowledged(DispatchFact, frozen=True, kw_only=True):
    """A called unit knows of it and comes."""

    TIME: ClassVar[str] = "acknowledged_at"

    whistle: int
    called: UnitId
    unit: UnitId
    acknowledged_at: Instant


class WhistleArrived(DispatchFact, frozen=True, kw_only=True):
    """A called unit is there."""

    TIME: ClassVar[str] = "arrived_at"

    whistle: int
    called: UnitId
    unit: UnitId
    persons: int
    arrived_at: Instant


class WhistleMeasureRecorded(DispatchFact, frozen=True, kw_only=True):
    """A called unit recorded a measure."""

    TIME: ClassVar[str] = "recorded_at"

    whistle: int
    called: UnitId
    unit: UnitId
    measure: str
    recorded_at: Instant


class WhistleReleased(DispatchFact, frozen=True, kw_only=True):
    """The street lets a called unit go: 事不完,人不走 (T25)."""

    TIME: ClassVar[str] = "released_at"
    TELLS: ClassVar[tuple[str, ...]] = ("called",)

    whistle: int
    called: UnitId
    unit: UnitId
    reason: str
    released_at: Instant


class WhistleRated(DispatchFact, frozen=True, kw_only=True):
    """Street and called unit say what they think of each other (双考核, R16)."""

    TIME: ClassVar[str] = "rated_at"
    TELLS: ClassVar[tuple[str, ...]] = ("rated",)

    whistle: int
    rated_by: UnitId
    rated: UnitId
    stars: int
    """1 to 5."""
    comment: str
    rated_at: Instant
