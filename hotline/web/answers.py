"""The bodies of answers: shapes of the contract `docs/openapi.json`."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from shared.events import Attachment


class HttpAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A body that is answered."""


class AcceptedEvent(HttpAnswer, frozen=True, kw_only=True):
    """An event that Kafka has."""

    source: str
    """Its CloudEvents source."""
    id: str
    """Its CloudEvents id."""
    topic: str
    """The topic it lies on, without the city's prefix."""
    partition: int
    """Its partition within the topic."""
    offset: int
    """Its offset within the partition."""
    outcome: str | UnsetType = UNSET
    """Where to ask what came of it; left out of a call, which nobody decides on."""


class AcceptedEvents(HttpAnswer, frozen=True, kw_only=True):
    """All events of the request are in Kafka, on all its replicas."""

    events: list[AcceptedEvent]
    """Each event, in the order of the request."""


class StatedFact(HttpAnswer, frozen=True, kw_only=True):
    """A fact that the log states, as the topic `complaints.log` tells it."""

    type: str
    """Its CloudEvents type."""
    id: str
    """Its CloudEvents id."""
    sequence: int
    """Its version in its complaint."""
    time: datetime
    """When it happened, in city time."""
    data: msgspec.Raw
    """The fact; `docs/asyncapi.json` has the schema of its type."""


class PlacedOrder(HttpAnswer, frozen=True, kw_only=True):
    """The order that a request led to, and its limits."""

    unit: str
    """The unit that has it."""
    assignment: int
    """The number of the assignment."""
    round: int
    """The round."""
    rule: str
    """The rule of the catalogue that named the unit."""
    sign_due_at: datetime | None
    """Until when it must be signed; none where there is no such limit."""
    due_at: datetime
    """Until when it must be answered."""


class ActOutcome(HttpAnswer, frozen=True, kw_only=True):
    """The outcome of an act."""

    source: str
    """The CloudEvents source of the act."""
    id: str
    """Its CloudEvents id: the `Idempotency-Key`, or one that was made."""
    complaint_id: str
    """The complaint it is about, or which it became."""
    complaint_number: str | UnsetType = UNSET
    """The number that is read out and typed; left out where nothing was stated."""
    facts: list[StatedFact]
    """The facts it led to; none where it was so already."""
    order: PlacedOrder | UnsetType = UNSET
    """Of a request that was recorded: the order, once it is dispatched."""
    citizen_link: str | UnsetType = UNSET
    """Of a request that was recorded, and came by no telephone: the path of the citizen's own page, with its secret.

    It is for the citizen alone, and shown this once. The same request again gives a new one, and voids this one."""


class UndecidedAct(HttpAnswer, frozen=True, kw_only=True):
    """Kafka has the act, and what came of it is not known yet."""

    source: str
    """The CloudEvents source of the act."""
    id: str
    """Its CloudEvents id."""
    outcome: str
    """Where to ask again."""


class SealedContact(HttpAnswer, frozen=True, kw_only=True):
    """The contact lies in the vault, sealed; nobody reads it back over this listener."""

    complaint_id: str
    """The complaint that the request becomes, or is."""


class TextNumberSeen(HttpAnswer, frozen=True, kw_only=True):
    """A number that stood in a text of the citizen, where a mark stands now."""

    field: str
    """The field of the message that held it."""
    mark: str
    """The mark that stands there: 〔电话1〕."""
    number: str
    """The number as it was typed; MASKED: its last two digits."""


class ContactSeen(HttpAnswer, frozen=True, kw_only=True, omit_defaults=False):
    """The contact of a complaint, as much of it as the unit may see."""

    complaint_id: str
    """The complaint's own id."""
    seen: str
    """FULL, or MASKED: the first character of a field, the last two digits of a number."""
    name: str
    """The citizen's name; empty where nobody gave it."""
    phone: str
    """How the citizen is reached; empty where nobody gave it."""
    callback: str | None
    """Where the citizen wants to be called back, if elsewhere."""
    email: str | None
    """The citizen's address of e-mail."""
    address: str | None
    """Where the citizen lives."""
    texts: list[TextNumberSeen]
    """The numbers that stood in the citizen's texts, in the order in which they came."""


class ComplaintSeen(HttpAnswer, frozen=True, kw_only=True):
    """A complaint as a list shows it."""

    complaint_id: str
    """The complaint's own id."""
    complaint_number: str
    """The number that is read out and typed."""
    stage: str
    """Where it lies."""
    ended: str
    """The fact that ended it; empty while it goes on."""
    role: str
    """Of an order the unit's part in it: lead, help, called; of a review what is asked; else empty."""
    unit: str
    """The unit that has the order; empty where there is none."""
    assignment: int
    """The number of the assignment."""
    round: int
    """The round."""
    state: str
    """Of the order: new, signed, in review, disputed, answered; empty where there is none."""
    due_at: datetime
    """Until when somebody must act."""
    overdue: bool
    """Whether that has passed and nobody has answered."""
    provisional: bool
    """Whether the limit may still move."""
    paused_until: datetime | None
    """Until when the unit's clock stands still."""
    sign_by: datetime | None
    """Until when the order must be signed, where nobody has reacted to it."""
    received_at: datetime
    """When the request was received."""
    urgency: str
    """The class of its limits."""
    heat: int
    """How often the matter was brought up."""
    subject: str
    """The subject by its name in the dispatch catalogue."""
    district: str
    """The district by its name."""
    street: str
    """The street by its name; empty where nobody knows it."""
    address: str
    """The place within the district, in words."""
    title: str
    """The request in one line."""
    content: str
    """The request in the citizen's words."""
    attachments: list[Attachment]
    """The pictures and papers that were sent with it, by their addresses."""
    unlisted: list[str]
    """Which of subject, district and street the catalogue does not know."""
    ruleset: str
    """The rule set it was born under; it names the time zone of its limits."""
    number: int
    """Of a unit that is called: the whistle; else 0."""
    whistles: int | UnsetType = UNSET
    """The whistles that were blown for it; left out of a list."""
    at: datetime
    """The city's present when it was read."""


class ListAsOf(HttpAnswer, frozen=True, kw_only=True):
    """How far the lists are."""

    position: int
    """The last position of the log in them."""
    behind_seconds: float
    """How old the oldest fact is that is not in them."""


class ComplaintPage(HttpAnswer, frozen=True, kw_only=True):
    """A page of a list, the earliest due first."""

    complaints: list[ComplaintSeen]
    """The rows."""
    at: datetime
    """The city's present when they were read."""
    as_of: ListAsOf
    """How far the list is."""
    next: str | UnsetType = UNSET
    """The address of the next page; left out where there is none."""


class TimelineEntry(HttpAnswer, frozen=True, kw_only=True):
    """One fact of a life, in words."""

    version: int
    """Its version in the complaint."""
    at: datetime
    """When it happened, in city time."""
    fact: str
    """The name of the fact."""
    who: str
    """The party that did it."""
    what: str
    """The thing that was done, in words."""
    why: str
    """Its cause: a message, an earlier fact, or the clock; empty for a unit."""
    weight: str
    """plain, missed, refused or ended."""


class ComplaintTimeline(HttpAnswer, frozen=True, kw_only=True):
    """The life of a complaint, the oldest fact first."""

    complaint_id: str
    """The complaint's own id."""
    complaint_number: str
    """The number that is read out and typed."""
    entries: list[TimelineEntry]
    """Its facts; for a unit those that it is told of and those it led to."""


class KeySeen(HttpAnswer, frozen=True, kw_only=True):
    """The key of a request, as its owner sees it."""

    key_id: str
    """The part before the dot; no secret."""
    role: str
    """The role it speaks as."""
    name: str
    """Of a unit's key the unit; else the name of its login, empty where it has none."""
    topic: str
    """The topic on which it speaks, without the city's prefix."""
    scopes: list[str]
    """The things it may do."""
    sources: list[str]
    """The CloudEvents sources it may speak for; the first is that of its acts."""
    rate: int
    """Events and requests a second."""
    ruleset: str
    """The rule set that new complaints are born under."""


class KnownUnit(HttpAnswer, frozen=True, kw_only=True):
    """A unit of the dispatch catalogue."""

    unit: str
    """Its id."""
    names: list[str]
    """The names it goes by, its own first."""
    level: str
    """UNIT, DISTRICT or MUNICIPAL."""


class KnownUnits(HttpAnswer, frozen=True, kw_only=True):
    """The units that there are."""

    catalogue: str
    """The version of the dispatch catalogue."""
    units: list[KnownUnit]
    """Each unit, in the order of the catalogue."""


class WaitingOrder(HttpAnswer, frozen=True, kw_only=True):
    """An order that waits for an answer."""

    complaint_id: str
    """The complaint's own id."""
    complaint_number: str
    """The number that is read out and typed."""
    assignment: int
    """The number of the assignment."""


class OfferedAnswer(HttpAnswer, frozen=True, kw_only=True):
    """An answer that a programme offers for complaints in the position of another."""

    programme_id: str
    """The programme's id."""
    programme: str
    """Its title."""
    offer: int
    """The number of the offer within the programme."""
    answer: str
    """The answer."""
    waiting: list[WaitingOrder]
    """The orders of this unit that it is for and that are not answered."""


class OfferedAnswers(HttpAnswer, frozen=True, kw_only=True):
    """The answers that are offered to a unit."""

    offers: list[OfferedAnswer]
    """Each offer, by programme."""
