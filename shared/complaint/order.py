"""The order: the present assignment of a complaint, what became of it, and what is asked about it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, TypeVar

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
    """Subject and place of a matter: by these the catalogue names the unit that answers for it."""

    subject: str
    district: str
    street: str | None = None


class ReturnAsked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="return"):
    """The unit says the order is not its own; a reviewer decides."""

    suggested_unit: UnitId | None = None


class DisputeAsked(msgspec.Struct, frozen=True, kw_only=True, tag="dispute"):
    """The unit disputes that the order is its own; a council decides."""


class ExtensionAsked(msgspec.Struct, frozen=True, kw_only=True, tag="extension"):
    """The unit asks for more days."""

    days: int


class PauseAsked(msgspec.Struct, frozen=True, kw_only=True, tag="pause"):
    """The unit asks that its clock stands still."""

    days: int
    ground: PauseGround


class TerminationAsked(msgspec.Struct, frozen=True, kw_only=True, tag="termination"):
    """The unit asks to end the order unanswered."""

    ground: TerminationGround


Question = ReturnAsked | DisputeAsked | ExtensionAsked | PauseAsked | TerminationAsked
"""A question of a unit about its order that nobody has decided."""


class Assignment(msgspec.Struct, frozen=True, omit_defaults=True):
    """One sending of the order: who must act, by when, and what it has done so far."""

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
    return_rejected: bool = False
    extended_due_at: datetime | None = None
    """By an extension or a pause."""
    pause: Pause | None = None
    provisional: bool = False
    """The limit in force rests on days of a year that is not announced yet (T16)."""
    miss_corrected: bool = False
    """The miss of this round was stated and corrected: it is not stated a second time."""
    contacted_at: datetime | None = None
    """When the unit first spoke to the citizen about this order."""
    tried_at: datetime | None = None
    """When it last tried to in vain."""
    progress_at: datetime | None = None
    """When it last said how far it is."""
    sent_back: int = 0
    """How many of its answers the review sent back."""
    steps: tuple[LimitStep, ...] = ()
    """The decisions about the limits of this round, in order."""
    round_since: datetime | None = None
    """When a later round began, where this is not its first order."""
    unlisted: tuple[str, ...] = ()
    """Which of subject, district and street the catalogue does not know; they are to be corrected."""
    names: UnitId | None = None
    """The unit that the catalogue names since the record was corrected, where it is another and the order stayed."""
    left: bool = False
    """A reviewer rejected the return although the catalogue names another."""
    written_for: Matter | None = None
    """Subject and place in the order, where the record was corrected since and the order is not brought to it yet."""

    @property
    def kept(self) -> bool:
        """Whether the unit has taken it on for good: signed, and by the record that it signed it is still its own."""
        return self.signed_at is not None and self.names is None

    @property
    def feedback_due_at(self) -> datetime:
        """The limit in force: an extended one, else the citizen's in the first round, the unit's in a later one."""
        return self.extended_due_at or (self.citizen_due_at if self.round == 1 else self.unit_due_at)


class Held(Assignment, frozen=True, kw_only=True, omit_defaults=True, tag="held"):
    """The unit has the order and has not answered it."""

    asked: tuple[Question, ...] = ()
    """In the order it was asked. At most one of them is about whose the order is (a return or a dispute). At
    most one is about its limit (an extension or a pause), and one about its end (a termination). So three may
    wait side by side."""


class Answered(Assignment, frozen=True, kw_only=True, omit_defaults=True, tag="answered"):
    """The unit has said what it did."""

    answered_at: datetime


class Terminated(Assignment, frozen=True, kw_only=True, omit_defaults=True, tag="terminated"):
    """A review ended the order unanswered; what is left is to close the complaint."""


class Recalled(Assignment, frozen=True, kw_only=True, omit_defaults=True, tag="recalled"):
    """The order was taken back or given on; the next dispatch replaces it."""


Order = Held | Answered | Terminated | Recalled
"""The present assignment, by its outcome."""

QuestionT = TypeVar("QuestionT", bound=Question)
OrderT = TypeVar("OrderT", bound=Order)

common: Final[Callable[[Order], tuple[Any, ...]]] = attrgetter(*Assignment.__struct_fields__)
"""The fields that an order keeps in every shape, in their order, to make the next shape from.

By place and not by name: by name it took four times as long, and the fold is a hot path.
"""


def question(order: Order, kind: type[QuestionT]) -> QuestionT | None:
    """The open question of this kind; None where there is none."""
    if isinstance(order, Held):
        for one in order.asked:
            if isinstance(one, kind):
                return one
    return None


def whose_asked(order: Order) -> ReturnAsked | DisputeAsked | None:
    """The return or the dispute that waits for a decision: meanwhile the unit does nothing else."""
    return question(order, ReturnAsked) or question(order, DisputeAsked)


def limit_asked(order: Order) -> ExtensionAsked | PauseAsked | None:
    """The extension or the pause that waits for a decision."""
    return question(order, ExtensionAsked) or question(order, PauseAsked)


def asking(order: Held, one: Question) -> Held:
    """The order once the unit has asked this too; of each kind the last counts."""
    return replace(order, asked=(*without(order, type(one)), one))


def without(order: Held, *kinds: type[Question]) -> tuple[Question, ...]:
    """The questions that stay open once these kinds are decided."""
    return tuple(one for one in order.asked if not isinstance(one, kinds))


class CoUnit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A unit that must help the one that leads."""

    unit: UnitId
    reported_at: datetime | None = None


def pause_ended(order: OrderT, begun: int) -> OrderT:
    """The order without its pause, of which so many days were begun and count."""
    pause = order.pause
    if pause is None:
        return order
    steps = tuple(
        replace(one, days=begun) if one.paused and one.at == pause.since else one for one in order.steps
    )
    return replace(order, pause=None, steps=steps)
