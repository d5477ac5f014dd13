"""Facts only escalation may state."""

from __future__ import annotations

from typing import ClassVar

from shared.events.base import Colour, EscalationFact, Instant, Level, Limit, Outcome
from shared.ids import UnitId


class SignLimitMissed(EscalationFact, frozen=True, kw_only=True):
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


class DispatchLimitMissed(EscalationFact, frozen=True, kw_only=True):
    """The hotline itself had not dispatched in time (C1). It happened at its limit, whenever it was noticed.

    No unit is late and nothing climbs: supervision is told.
    """

    TIME: ClassVar[str] = "missed_at"

    told: UnitId
    due_at: Instant
    missed_at: Instant
    noticed_at: Instant

    @property
    def own_cause(self) -> str:
        """The limit; a life has one of it."""
        return f"limit/{Limit.DISPATCH}/{self.due_at.isoformat()}"


class VisitLimitMissed(EscalationFact, frozen=True, kw_only=True):
    """Nobody had asked the citizen in time. It happened at its limit, whenever it was noticed.

    No unit is late and nothing climbs: supervision is told.
    """

    TIME: ClassVar[str] = "missed_at"

    told: UnitId
    visit: int
    due_at: Instant
    missed_at: Instant
    noticed_at: Instant

    @property
    def own_cause(self) -> str:
        """The limit of one attempt of this visit."""
        return f"limit/{Limit.VISIT}/{self.visit}/{self.due_at.isoformat()}"


class AnswerLimitMissed(EscalationFact, frozen=True, kw_only=True):
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
        return f"limit/{Limit.ANSWER}/{self.round}/{self.due_at.isoformat()}"


class ComplaintEscalated(EscalationFact, frozen=True, kw_only=True):
    """The next level up now watches over it and was told (提级)."""

    TIME: ClassVar[str] = "escalated_at"

    to_level: Level
    told: UnitId
    """The unit that gets the notice."""
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


class LimitMissCorrected(EscalationFact, frozen=True, kw_only=True):
    """A miss was stated though the act had reached us in time; it does not count, nothing is erased."""

    TIME: ClassVar[str] = "corrected_at"

    limit: Limit
    unit: UnitId
    """The unit that missed it; empty where the hotline itself did."""
    due_at: Instant
    done_at: Instant
    corrected_at: Instant

    @property
    def own_cause(self) -> str:
        """The limit that was kept after all."""
        return f"limit/{self.limit}/{self.unit}/{self.due_at.isoformat()}"


class WarningGiven(EscalationFact, frozen=True, kw_only=True):
    """The limit for the answer is near (预警); how near is configuration."""

    TIME: ClassVar[str] = "warned_at"

    unit: UnitId
    round: int
    colour: Colour
    due_at: Instant
    warned_at: Instant
    noticed_at: Instant

    @property
    def own_cause(self) -> str:
        """The limit that is near, and how near."""
        return f"limit/{self.colour}/{self.round}/{self.due_at.isoformat()}"


class SupervisionOpened(EscalationFact, frozen=True, kw_only=True):
    """The top of the ladder takes it up (督办): a named person answers for bringing it to an end by a time."""

    TIME: ClassVar[str] = "opened_at"

    told: UnitId
    leader: str
    unit: UnitId
    """The unit that is late."""
    because: Limit
    due_at: Instant
    opened_at: Instant
    noticed_at: Instant

    @property
    def own_cause(self) -> str:
        """The miss it follows; a life is supervised once."""
        return f"limit/{Limit.SUPERVISION}/opened/{self.opened_at.isoformat()}"


class SupervisionMissed(EscalationFact, frozen=True, kw_only=True):
    """Supervision's own time was up and the complaint had not ended."""

    TIME: ClassVar[str] = "missed_at"

    told: UnitId
    leader: str
    due_at: Instant
    missed_at: Instant
    noticed_at: Instant

    @property
    def own_cause(self) -> str:
        """The limit of the one supervision of this life."""
        return f"limit/{Limit.SUPERVISION}/{self.due_at.isoformat()}"


class SupervisionClosed(EscalationFact, frozen=True, kw_only=True):
    """The complaint has ended, and supervision with it: never without the outcome (E3)."""

    TIME: ClassVar[str] = "closed_at"

    told: UnitId
    leader: str
    how: str
    """The name of the fact that ended the complaint."""
    outcome: Outcome | None = None
    """Of its closing; none where the citizen took it back."""
    closed_at: Instant
    noticed_at: Instant

    @property
    def own_cause(self) -> str:
        """The end it follows."""
        return f"limit/{Limit.SUPERVISION}/closed/{self.closed_at.isoformat()}"


class ArrivalMissed(EscalationFact, frozen=True, kw_only=True):
    """A unit a street whistled for was not there in time; the next level is told."""

    TIME: ClassVar[str] = "missed_at"
    TELLS: ClassVar[tuple[str, ...]] = ("called",)

    whistle: int
    called: UnitId
    unit: UnitId
    """The street that whistled."""
    to_level: Level
    told: UnitId
    due_at: Instant
    next_at: Instant | None = None
    """When the level after this one is told if it still is not there; none at the top."""
    missed_at: Instant
    noticed_at: Instant

    @property
    def own_cause(self) -> str:
        """The awaited unit, its whistle, and the level told."""
        return f"limit/{Limit.ARRIVAL}/{self.whistle}/{self.called}/{self.to_level}/{self.due_at.isoformat()}"
