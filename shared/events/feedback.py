"""Facts only feedback may state."""

from __future__ import annotations

from typing import ClassVar

from msgspec import UNSET, UnsetType

from shared.events.base import FeedbackFact, Instant, Level, Outcome, VisitReason
from shared.ids import UnitId


class VisitScheduled(FeedbackFact, frozen=True, kw_only=True):
    """The citizen is to be asked (回访): on an answer, or at expiry of the limit (R8)."""

    TIME: ClassVar[str] = "scheduled_at"

    visit: int
    """1, 2 …: one for each time the citizen is asked; its attempts share the number."""
    attempt: int
    round: int
    reason: VisitReason
    unit: UnitId
    title: str
    channel: str | UnsetType = UNSET
    """How to ask (R8, E1): sms, web; left out for the telephone."""
    visit_at: Instant
    """Not before; a second attempt keeps the rule set's spacing."""
    visit_by: Instant | UnsetType = UNSET
    """Until then, where the rule set has a limit for visits; a miss is told to supervision."""
    scheduled_at: Instant


class VisitMade(FeedbackFact, frozen=True, kw_only=True):
    """The citizen was reached and judged; nobody else may (E2)."""

    TIME: ClassVar[str] = "visited_at"

    visit: int
    attempt: int
    round: int
    solved: bool
    satisfied: bool
    reason: str
    channel: str
    visited_at: Instant


class VisitUnreached(FeedbackFact, frozen=True, kw_only=True):
    """An attempt did not reach the citizen; that is no judgement (T19)."""

    TIME: ClassVar[str] = "attempted_at"

    visit: int
    attempt: int
    round: int
    cause: str
    channel: str
    attempted_at: Instant


class ComplaintReopened(FeedbackFact, frozen=True, kw_only=True):
    """The citizen said it is not solved; the same unit must act again (重办), or whom a correction names."""

    TIME: ClassVar[str] = "reopened_at"

    round: int
    unit: UnitId
    reason: str
    reopened_at: Instant


class ComplaintClosed(FeedbackFact, frozen=True, kw_only=True):
    """The life ended with a visit's outcome or an approved exception, never without (E3)."""

    TIME: ClassVar[str] = "closed_at"
    TELLS: ClassVar[tuple[str, ...]] = ("recalled_unit",)

    outcome: Outcome
    visit: int
    """The visit it rests on; 0 for an exception."""
    approved_by: str | None = None
    reason: str = ""
    recalled_unit: UnitId | None = None
    """The unit whose order was still open and ends with it."""
    closed_at: Instant


class SupervisionDecided(FeedbackFact, frozen=True, kw_only=True):
    """A supervisor said what is to be done; the unit that has the order is told, and its limits stay (督办)."""

    TIME: ClassVar[str] = "decided_at"

    unit: UnitId
    level: Level
    """The level that watches over it."""
    decided_by: str
    decision: str
    decided_at: Instant


class VisitAnswerRefused(FeedbackFact, frozen=True, kw_only=True):
    """The dialler or a supervisor asked for something that cannot be done; why."""

    TIME: ClassVar[str] = "refused_at"
    TELLS: ClassVar[tuple[str, ...]] = ()
    """It goes to whoever asked (`shared.outward.results_of`), not to whom it names."""

    asked: str
    asked_by: str | UnsetType = UNSET
    """The supervisor who asked for it; left out where it was the dialler."""
    reason: str
    refused_at: Instant
