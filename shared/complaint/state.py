"""The shapes of a complaint: what its facts add up to.

The desks decide what may be done, not this package.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Final

import msgspec

from shared.complaint.order import CoUnit, Matter, Order
from shared.complaint_number import number_of
from shared.events import ComplaintAnsweredDirectly, ComplaintClosed, ComplaintTurnedAway, ComplaintWithdrawn
from shared.events.base import (
    Attachment,
    ExclusionGround,
    Level,
    Limit,
    Outcome,
    RequestType,
    TurnedAway,
    Urgency,
    VisitReason,
    WhistleKind,
)
from shared.ids import CallId, ComplaintId, RequestId, UnitId

HOTLINE: Final = UnitId("")
"""Stands for the unit where no unit has the complaint yet: the limit is the hotline's own. No unit's id is empty."""


HOTLINES_OWN: Final = frozenset((Limit.DISPATCH, Limit.VISIT))
"""Limits of the hotline itself: where one is missed no unit is late and nothing climbs; supervision is told."""


ENDS: Final = (ComplaintAnsweredDirectly, ComplaintTurnedAway, ComplaintWithdrawn, ComplaintClosed)
"""The facts that end a life."""


ANSWER: Final = "answer directly"
"""Names the refused question where an article was no answer (B2)."""


LINK: Final = "link"
"""Names the refused question where a record names another complaint that cannot be meant; the record stands."""


RETALIATION_ABOUT: Final = "retaliation_about"
"""How the reason of a refused link begins where it was to be what a retaliation is about, by any of its fields."""


WHERE_AND_WHAT: Final = ("subject", "district", "street")
"""The fields of a record that say which unit answers, by the names that record, order and catalogue share."""


REPEATS_KEPT: Final = 100
"""So many repeats of one matter are known by name; beyond them the inbox tells one that is said again."""


class Visit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A visit the dialler has been asked for."""

    visit: int
    attempt: int
    round: int
    reason: VisitReason
    visit_at: datetime


class Deadline(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A limit that still has to be watched, or that has passed and is not stated yet."""

    limit: Limit
    due_at: datetime
    """The last instant in time."""
    unit: UnitId
    since: datetime
    """When it began to run; a limit set into the past is missed at its beginning."""
    number: int = 0
    """The assignment (SIGN) or round (ANSWER) it belongs to; of DISPATCH a life has one."""
    level: Level = Level.UNIT
    """The rung the unit itself stands on, by its order: a notice of its miss goes above it."""
    because: Limit | None = None
    """For LADDER: the miss that put the complaint on the ladder."""
    done_at: datetime | None = None
    """Set only when the act came too late: the miss is owed although nothing is awaited."""
    warned: int = 0
    """How many warnings of this limit have been given, or passed over."""


class Missed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stated miss whose act is still to come; should it prove to have been in time, we say so."""

    limit: Limit
    due_at: datetime
    unit: UnitId
    number: int
    level: Level = Level.UNIT
    done_at: datetime | None = None


class ClassBefore(msgspec.Struct, frozen=True, kw_only=True):
    """An urgency the complaint had before it was reclassified."""

    urgency: Urgency
    until: datetime


class DistrictBefore(msgspec.Struct, frozen=True, kw_only=True):
    """A district the complaint was recorded in before that was corrected."""

    district: str
    until: datetime


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """The request's own values of corrected fields: enough to tell whether it says them again."""

    field: str
    digest: str
    """Of what it said first, as `text_digest` has it."""


class Supervision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The top of the ladder has taken it up, and has not closed it yet."""

    told: UnitId
    leader: str
    due_at: datetime
    since: datetime | None = None
    missed: bool = False


class Called(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A unit that a street whistled for."""

    unit: UnitId
    due_at: datetime | None = None
    """Until when it, or the level that was told, has time; kept where it came too late and that is not stated yet."""
    level: Level = Level.UNIT
    """The level that has been told that it did not come."""
    acknowledged_at: datetime | None = None
    arrived_at: datetime | None = None
    released_at: datetime | None = None
    measure: str = ""
    """The last it recorded."""
    rated: bool = False
    """By the street."""
    has_rated: bool = False
    """The street."""

    @property
    def done_at(self) -> datetime | None:
        """When nobody waited for it any more: it was there, or was let go."""
        return self.arrived_at or self.released_at


class Whistle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call of a street to others."""

    number: int
    unit: UnitId
    """The street."""
    kind: WhistleKind
    called: tuple[Called, ...] = ()


class Exclusion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A unit wants the complaint left out of its score (F3)."""

    unit: UnitId
    ground: ExclusionGround
    approved: bool | None = None
    """None while a review is to decide."""


class Ended(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The life is over."""

    how: str
    """The name of the fact that ended it."""
    twice: bool = False
    """Turned away as the second record of one call (T7): no request said so, so nothing of the next three is kept."""
    turned_away: TurnedAway | None = None
    """In which way its request said that it is turned away."""
    to: str = ""
    """Where the citizen was sent then."""
    reason: str = ""
    """And why."""
    at: datetime
    outcome: Outcome | None = None


class Unopened(msgspec.Struct, frozen=True, tag="unopened"):
    """Nothing is known of this complaint."""


class Complaint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="complaint"):
    """The state of one complaint, folded from its facts.

    The order of the fields saves disk: fields that change stand first, fields that are set once stand last. A
    head is written anew with every fact, and PostgreSQL's WAL leaves out the end that did not change.
    """

    order: Order | None = None
    deadlines: tuple[Deadline, ...] = ()
    missed: tuple[Missed, ...] = ()
    visit: Visit | None = None
    judged: Visit | None = None
    """The last visit whose outcome is known and not yet drawn on."""
    ended: Ended | None = None
    exclusion: Exclusion | None = None
    """Asked for, with what a review made of it; the last unit's that asked."""
    visits: int = 0
    """Visits scheduled so far."""
    visited_round: int = 0
    """The round the last visit was about."""
    returns: int = 0
    """Returns asked for so far, whatever became of them (R12)."""
    extensions: int = 0
    """Extensions approved so far."""
    pauses: int = 0
    """Pauses approved so far."""
    answer_refused: bool = False
    """It was to be answered from an article that was none (B2)."""
    article_id: str = ""
    """The article it was answered from, or was to be; empty also where a refusal from before does not name it."""
    article_version: int = 0
    heat: int = 1
    """How often the matter was brought up (R11)."""
    repeats: tuple[str, ...] = ()
    """In which calls, messages or requests it was brought up again; the last `REPEATS_KEPT`."""
    classes_before: tuple[ClassBefore, ...] = ()
    """They judge whatever passed under them, at whatever time it is noticed."""
    districts_before: tuple[DistrictBefore, ...] = ()
    """The unit that a miss was told of while the record said so, at whatever time it is noticed."""
    supervision: Supervision | None = None
    whistles: tuple[Whistle, ...] = ()
    settled: bool = False
    """A council has named the unit; it is not returned any more."""
    co_units: tuple[CoUnit, ...] = ()
    """The units that must help the one that leads, in the order they were added."""
    first_dispatched_at: datetime | None = None
    """Set with the second assignment: until then it is the present order's."""
    reopened: bool = False
    """The citizen said no; the next dispatch begins a new round."""
    level: Level = Level.UNIT
    """The level that watches over it; never goes down again."""
    rated_at: datetime | None = None
    """When the citizen last said what he thinks of it."""
    request_type: RequestType | None = None
    subject: str = ""
    urgency: Urgency | None = None
    complaint_id: ComplaintId
    request_id: RequestId
    call_id: CallId | None = None
    ruleset: str
    calendar: str
    received_at: datetime
    given_due_at: datetime | None = None
    anonymous: bool = False
    """There is nobody to ask."""
    confidential: bool = False
    accused: UnitId | None = None
    """The unit that is said to retaliate, where that is what it is about."""
    retaliation_about: ComplaintId | None = None
    """The complaint for which it does."""
    about_refused: ComplaintId | None = None
    """The complaint its record named as that, and that could not be meant."""
    matter_of: ComplaintId | None = None
    """The complaint that brought the same matter up first."""
    linked_by_call: bool = False
    """That is another record of the same call, and the request itself named none."""
    matter_refused: ComplaintId | None = None
    """The complaint its record named as the first, and that could not be meant."""
    district: str
    street: str | None = None
    address: str
    title: str
    content: str
    """As it was recorded or corrected; `whole_content` is what a unit reads."""
    added: tuple[str, ...] = ()
    """The citizen's additions, in order; a correction of the record leaves them."""
    attachments: tuple[Attachment, ...] = ()
    attachments_added: int = 0
    """So many of them, the last ones, came with what was added."""
    recorded: tuple[Recorded, ...] = ()
    """The request's own value of each field that was corrected since."""

    @property
    def complaint_number(self) -> str:
        """The number that a person reads out and types."""
        return number_of(self.complaint_id, self.received_at, self.ruleset)


Case = Unopened | Complaint


UNOPENED: Final = Unopened()


def text_digest(text: str) -> str:
    """A text as 32 hexadecimal digits: BLAKE2b-128."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def whole_content(case: Complaint) -> str:
    """The recorded content, and below it everything the citizen added, a paragraph each."""
    return "\n".join(text for text in (case.content, *case.added) if text)


def helping(case: Complaint, unit: UnitId) -> CoUnit | None:
    """This unit as one that must help; None where it was not asked to."""
    return next((co_unit for co_unit in case.co_units if co_unit.unit == unit), None)


def dispatched_first(case: Complaint) -> datetime | None:
    """When the citizen's clock began (C3); None before the first dispatch."""
    return case.first_dispatched_at or (None if case.order is None else case.order.dispatched_at)


def matter(case: Complaint) -> Matter:
    """The recorded subject and place of the matter."""
    return Matter(subject=case.subject, district=case.district, street=case.street)
