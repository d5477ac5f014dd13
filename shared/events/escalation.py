"""Facts only escalation may state."""

from __future__ import annotations

from typing import ClassVar

from shared.events.base import Fact, Instant, Level, Limit
from shared.ids import UnitId


class SignLimitMissed(Fact, frozen=True, kw_only=True):
    """Nobody took the order on in time. It happened at its limit, whenever it was noticed."""

    TIME: ClassVar[str] = "missed_at"

    unit: UnitId
    assignment: int
    due_at: Instant
    missed_at: Instant
    noticed_at: Instant

    @property
    def own_cause(self) -> str:
        """The limit of this assignment."""
        return f"limit/{Limit.SIGN}/{self.assignment}/{self.due_at.isoformat()}"


class FeedbackLimitMissed(Fact, frozen=True, kw_only=True):
    """No answer came within the limit. It happened at its limit, whenever it was noticed."""

    TIME: ClassVar[str] = "missed_at"

    unit: UnitId
    round: int
    due_at: Instant
    missed_at: Instant
    noticed_at: Instant

    @property
    def own_cause(self) -> str:
        """The limit of this round."""
        return f"limit/{Limit.FEEDBACK}/{self.round}/{self.due_at.isoformat()}"


class ComplaintEscalated(Fact, frozen=True, kw_only=True):
    """The next level up now watches over it and was told (提级)."""

    TIME: ClassVar[str] = "escalated_at"

    to_level: Level
    told: UnitId
    """Whose desk the notice lands on."""
    unit: UnitId
    """The unit that is late."""
    because: Limit
    next_at: Instant | None = None
    """When the level after this one is told if nothing has moved; none at the top."""
    escalated_at: Instant
    noticed_at: Instant

    @property
    def own_cause(self) -> str:
        """The miss it climbs for and the rung it reaches; a life reaches each rung once."""
        return f"limit/{self.because}/{self.to_level}/{self.escalated_at.isoformat()}"


class LimitMissCorrected(Fact, frozen=True, kw_only=True):
    """A miss was stated though the act had reached us in time; it does not count, nothing is erased."""

    TIME: ClassVar[str] = "corrected_at"

    limit: Limit
    unit: UnitId
    due_at: Instant
    done_at: Instant
    corrected_at: Instant

    @property
    def own_cause(self) -> str:
        """The limit that was kept after all."""
        return f"limit/{self.limit}/{self.unit}/{self.due_at.isoformat()}"


EscalationFact = SignLimitMissed | FeedbackLimitMissed | ComplaintEscalated | LimitMissCorrected
