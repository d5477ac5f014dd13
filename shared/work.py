"""A door hands its desk a batch of work, each piece with its origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from shared.ids import ComplaintId, derived
from shared.log import Incoming, Moved, Parked
from shared.wording import Typed

if TYPE_CHECKING:  # desks that seal nothing do without what seals
    from shared.contacts.sealing import Sealed


class Claim(NamedTuple):
    """A thing that only one complaint may be the first to say; held from the moment that one is on record."""

    id: str
    otherwise: Any
    """The command where another was first: its complaint is on record then, or goes onto it in this very batch."""
    opens: bool = True
    """Only a complaint that is not on record yet claims it; else whatever is said and not refused."""
    places: int = 1
    """So many stand in a row, and where the first is held the next free one is; where none is free, nothing is held.
    With more than one, `otherwise` has a field `seen`, and finds there who holds one, the first one first."""

    says: str | None = None
    """A value kept beside the claim, as 32 hexadecimal digits; with several places it names the complaint
    that holds it."""
    contrary: Any = None
    """The command where who was first said something else; without one it is `otherwise`."""

    def further(self) -> tuple[str, ...]:
        """The places behind `id`."""
        return tuple(derived(self.id, str(number)) for number in range(1, self.places))


class Work(msgspec.Struct, frozen=True, gc=False):
    """One command, what it is about and where it came from."""

    command: Any
    complaint_id: ComplaintId
    caused_by: str
    """The message or fact that led to it; facts' ids are derived from it, but for those with a cause of their own."""
    message: Incoming | None = None
    """The message it came in, so that it can be parked whole."""
    message_id: str | None = None
    """Identity of an input from outside, remembered once it had its effect."""
    parent: tuple[str, str] | None = None
    """The decision that led here, (caused_by, desk), for the trace."""
    claim: Claim | None = None
    content: str | None = None
    """The content of the input (`shared.identity.content_of`): its id with other content is no repeat."""
    beside: tuple[ComplaintId, ...] = ()
    """Other complaints that the command names; its `begun` says of them, and of its own, where in the log they were
    put on record."""
    sealed: Sealed | None = None
    """The numbers taken out of the citizen's text, sealed: kept in the transaction that states the facts."""
    typed: Typed = {}
    """How names in the command were typed, where it has them in another form; the first fact keeps it."""
    actor_id: str = ""
    """The person who said it, by id; each fact that is stated of it keeps it."""


@dataclass(slots=True)
class Batch:
    """The work a door hands over at once; its offsets move with its effects."""

    work: list[Work] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    unpark: list[int] = field(default_factory=list)
    effect: tuple[str, tuple[object, ...]] | None = None
