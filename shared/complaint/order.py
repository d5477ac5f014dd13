"""The order: the present assignment of a complaint, and what hangs on it."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from shared.events.base import Level, PauseGround, TerminationGround, Urgency
from shared.ids import UnitId


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """The unit's clock stands still."""

    days: int
    since: datetime
    until: datetime
    """The last instant of it; after that it runs again by itself."""


class LimitStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision that a limit of the present round depends on: another class, or days that were granted."""

    at: datetime
    urgency: Urgency | None = None
    """The class from then on; None where days were granted."""
    urgency_before: Urgency | None = None
    days: int = 0
    """By an extension, or by a pause."""
    paused: bool = False


class Matter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a matter is about and where: by this the catalogue says who answers for it."""

    subject: str
    district: str
    street: str | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The present assignment: who must act, by when, and what it has done so far."""

    unit: UnitId
    level: Level
    assignment: int
    round: int
    dispatched_at: datetime
    citizen_due_at: datetime
    unit_due_at: datetime
    reacted_at: datetime | None = None
    """First sign of life: signed, asked to return, or answered. It meets the sign limit."""
    signed_at: datetime | None = None
    review_since: datetime | None = None
    suggested_unit: UnitId | None = None
    answered_at: datetime | None = None
    recalled: bool = False
    """It was taken back or given on; the next dispatch replaces it."""
    return_rejected: bool = False
    disputed: bool = False
    """Under review not by a reviewer but by a council."""
    extension_days: int = 0
    """Asked for and not decided; 0 where none is."""
    extended_due_at: datetime | None = None
    """By an extension or a pause."""
    pause_days: int = 0
    """Asked for and not decided; 0 where none is."""
    pause_ground: PauseGround | None = None
    pause: Pause | None = None
    provisional: bool = False
    """The limit in force rests on days of a year that is not announced yet (T16)."""
    termination: TerminationGround | None = None
    """Asked for and not decided."""
    miss_corrected: bool = False
    """The miss of this round was stated and corrected: it is not stated a second time."""
    terminated: bool = False
    """The review ended it unanswered; what is left is to close the complaint."""
    contacted_at: datetime | None = None
    """When the unit first spoke to the citizen about this order."""
    tried_at: datetime | None = None
    """When it last tried to in vain."""
    progress_at: datetime | None = None
    """When it last said how far it is."""
    sent_back: int = 0
    """How many of its answers the review sent back."""
    steps: tuple[LimitStep, ...] = ()
    """What was decided about the limits of this round, in order."""
    round_since: datetime | None = None
    """When a later round began, where this is not its first order."""
    unlisted: tuple[str, ...] = ()
    """Which of subject, district and street the catalogue does not know; they are to be corrected."""
    names: UnitId | None = None
    """Whom the catalogue names since the record was corrected, where that is another and the order stayed."""
    left: bool = False
    """A reviewer rejected the return although the catalogue names another."""
    written_for: Matter | None = None
    """What the order says, where the record was corrected since and dispatch has not brought the order to it."""

    @property
    def kept(self) -> bool:
        """Whether the unit has taken it on for good: signed, and by the record that it signed it is still its own."""
        return self.signed_at is not None and self.names is None

    @property
    def feedback_due_at(self) -> datetime:
        """The limit in force: an extended one, else the citizen's in the first round, the unit's in a later one."""
        return self.extended_due_at or (self.citizen_due_at if self.round == 1 else self.unit_due_at)


class CoUnit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A unit that must help the one that leads."""

    unit: UnitId
    reported_at: datetime | None = None


def pause_ended(order: Order, begun: int) -> Order:
    """The order without its pause, of which so many days were begun and count."""
    pause = order.pause
    if pause is None:
        return order
    steps = tuple(
        replace(one, days=begun) if one.paused and one.at == pause.since else one for one in order.steps
    )
    return replace(order, pause=None, steps=steps)
