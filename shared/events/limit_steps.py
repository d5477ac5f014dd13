"""Facts that move a limit, which only dispatch may state: extension, pause, another class, another calendar."""

from __future__ import annotations

from typing import ClassVar

from msgspec import UNSET, UnsetType

from shared.events.base import DispatchFact, Instant, PauseGround, Provisional, Urgency
from shared.ids import UnitId


class ExtensionRequested(DispatchFact, frozen=True, kw_only=True):
    """The unit needs longer and says why (延期, D4)."""

    TIME: ClassVar[str] = "requested_at"

    unit: UnitId
    assignment: int
    days: int
    """Beyond the limit in force, counted as the rule set counts days."""
    reason: str
    citizen_told: bool
    """Whether the unit has told the citizen."""
    requested_at: Instant


class ExtensionApproved(DispatchFact, frozen=True, kw_only=True):
    """The review gave the unit longer; a limit that had passed is never moved (T6)."""

    TIME: ClassVar[str] = "approved_at"

    unit: UnitId
    assignment: int
    round: int
    reviewer: str
    old_due_at: Instant
    new_due_at: Instant
    provisional: Provisional = UNSET
    approved_at: Instant


class ExtensionRejected(DispatchFact, frozen=True, kw_only=True):
    """The review found no ground for longer; the limit stays."""

    TIME: ClassVar[str] = "rejected_at"

    unit: UnitId
    assignment: int
    reviewer: str
    reason: str
    rejected_at: Instant


class PauseRequested(DispatchFact, frozen=True, kw_only=True):
    """The unit cannot act until something else has come, and shows it (暂停)."""

    TIME: ClassVar[str] = "requested_at"

    unit: UnitId
    assignment: int
    ground: PauseGround
    days: int
    """How long its clock is to stand still, counted as the rule set counts days."""
    evidence: str
    requested_at: Instant


class PauseApproved(DispatchFact, frozen=True, kw_only=True):
    """The review lets the clock stand still; a limit that had passed is never moved (T6)."""

    TIME: ClassVar[str] = "approved_at"

    unit: UnitId
    assignment: int
    round: int
    ground: PauseGround
    days: int
    reviewer: str
    until: Instant
    """The last instant at which it stands still."""
    old_due_at: Instant
    new_due_at: Instant
    """If it stands still to the end."""
    provisional: Provisional = UNSET
    approved_at: Instant


class PauseRejected(DispatchFact, frozen=True, kw_only=True):
    """The review found no ground; the clock runs on."""

    TIME: ClassVar[str] = "rejected_at"

    unit: UnitId
    assignment: int
    reviewer: str
    reason: str
    rejected_at: Instant


class PauseEnded(DispatchFact, frozen=True, kw_only=True):
    """The pause ended early: the clock runs again, days not begun are given back."""

    TIME: ClassVar[str] = "ended_at"

    unit: UnitId
    assignment: int
    round: int
    reason: str
    days: int | UnsetType = UNSET
    """How many of the days granted were begun, and count."""
    old_due_at: Instant
    new_due_at: Instant
    provisional: Provisional = UNSET
    ended_at: Instant


class ComplaintReclassified(DispatchFact, frozen=True, kw_only=True):
    """Its urgency is another (重新分类); only before the limit, and all of it counts from the first dispatch (T24)."""

    TIME: ClassVar[str] = "reclassified_at"

    unit: UnitId
    old_urgency: Urgency
    urgency: Urgency
    reason: str
    reclassified_by: str
    old_due_at: Instant
    """The limit in force before."""
    citizen_due_at: Instant
    unit_due_at: Instant
    new_due_at: Instant | UnsetType = UNSET
    """The limit in force from now on, where it is not the citizen's: days were granted, or it is a later round."""
    sign_due_at: Instant | UnsetType = UNSET
    """Until when to sign, where that has moved: every limit of the new class applies to what still runs."""
    pause_days: int | UnsetType = UNSET
    """How many days of a pause were begun, where this ends it: in a class of hours nothing is paused."""
    provisional: Provisional = UNSET
    reclassified_at: Instant

    @property
    def due_at(self) -> Instant:
        """The limit in force from now on."""
        return self.citizen_due_at if self.new_due_at is UNSET else self.new_due_at


class CalendarAmended(DispatchFact, frozen=True, kw_only=True):
    """Days off or worked were announced anew, and this open complaint goes by that from now on (T8, J1)."""

    TIME: ClassVar[str] = "amended_at"

    unit: UnitId
    old_calendar: str
    calendar: str
    reason: str
    amended_by: str
    old_due_at: Instant
    """The limit in force before; the same as after where it had passed, or counts no working days."""
    new_due_at: Instant
    citizen_due_at: Instant
    unit_due_at: Instant
    provisional: Provisional = UNSET
    amended_at: Instant
