"""What the facts of one complaint add up to: the head that every desk decides on.

`evolve` takes every fact into account and never refuses; `due_deadlines` reads off what the clock has to
watch. The head row in the log is `head_text(evolve(...))` and can always be rebuilt from the facts.
Whether something may be done is decided by the desks, not here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from shared.events import (
    AnswerSentBack,
    ArrivalMissed,
    CalendarAmended,
    CitizenContacted,
    ComplaintAnsweredDirectly,
    ComplaintClassified,
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintEscalated,
    ComplaintReceived,
    ComplaintReclassified,
    ComplaintReopened,
    ComplaintTurnedAway,
    ComplaintWithdrawn,
    ContactFailed,
    CouncilDecided,
    CoUnitAdded,
    CoUnitReported,
    DispatchLimitMissed,
    DisputeRaised,
    ExclusionApproved,
    ExclusionRejected,
    ExclusionRequested,
    ExtensionApproved,
    ExtensionRejected,
    ExtensionRequested,
    Fact,
    FeedbackLimitMissed,
    IdentityProtected,
    IntakeRefused,
    LimitMissCorrected,
    MatterLinked,
    OrderAmended,
    OrderAnswered,
    OrderAssigned,
    OrderMoved,
    OrderSigned,
    PauseApproved,
    PauseEnded,
    PauseRejected,
    PauseRequested,
    ProgressReported,
    RatingGiven,
    RequestCorrected,
    RequestRepeated,
    RequestSupplemented,
    RetaliationReported,
    ReturnApproved,
    ReturnRejected,
    ReturnRequested,
    SignLimitMissed,
    SupervisionClosed,
    SupervisionMissed,
    SupervisionOpened,
    TerminationApproved,
    TerminationRejected,
    TerminationRequested,
    UnitCalled,
    VisitLimitMissed,
    VisitMade,
    VisitScheduled,
    VisitUnreached,
    WarningGiven,
    WhistleAcknowledged,
    WhistleArrived,
    WhistleBlown,
    WhistleMeasureRecorded,
    WhistleRated,
    WhistleReleased,
)
from shared.events.base import (
    Attachment,
    Colour,
    ExclusionGround,
    Level,
    Limit,
    Outcome,
    PauseGround,
    RequestType,
    TerminationGround,
    TurnedAway,
    Urgency,
    VisitReason,
    WhistleKind,
)
from shared.ids import CallId, ComplaintId, RequestId, UnitId, repeat_key
from shared.policy.ruleset import ClassLimits, RuleSetUnknown, ruleset

HOTLINE: Final = UnitId("")
"""Whose limit it is where no unit has the complaint yet: the hotline's own; no unit's id is empty."""

HOTLINES_OWN: Final = frozenset((Limit.DISPATCH, Limit.VISIT))
"""Limits of the hotline itself: where one is missed no unit is late and nothing climbs; supervision is told."""

STATE_SCHEMA: Final = 9
"""Version of the stored head; a change means rebuilding the heads, never editing them."""


ENDS: Final = (ComplaintAnsweredDirectly, ComplaintTurnedAway, ComplaintWithdrawn, ComplaintClosed)
"""The facts that end a life."""

ANSWER: Final = "answer directly"
"""What intake was asked for where an article was no answer (B2)."""

LINK: Final = "link"
"""What intake was asked for where a record names another complaint that cannot be meant; the record stands."""

RETALIATION_ABOUT: Final = "retaliation_about"
"""How the reason of a refused link begins where it was to be what a retaliation is about, by any of its fields."""

WHERE_AND_WHAT: Final = ("subject", "district", "street")
"""What of a record says who answers for it, by the names that record, order and catalogue share."""

REPEATS_KEPT: Final = 100
"""So many repeats of one matter are known by name; beyond them the inbox tells one that is said again."""


class UnreadableHead(Exception):  # noqa: N818 -- a complaint to leave alone, not our failure
    """A stored head this code must not decide on."""


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
    """The assignment (SIGN) or round (FEEDBACK) it belongs to; of DISPATCH a life has one."""
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
    """What a request said where its record was corrected since: enough to tell whether it says so again."""

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
    """Who has been told that it did not come."""
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
    """One complaint as it stands.

    What moves stands first, what was said once stands last: a head is written anew with every fact, and PostgreSQL's
    WAL leaves out the end that did not change.
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
    """What passed under them is judged by them, whoever notices when."""
    districts_before: tuple[DistrictBefore, ...] = ()
    """Whom a miss was told to while the record said so, whoever notices when."""
    supervision: Supervision | None = None
    whistles: tuple[Whistle, ...] = ()
    settled: bool = False
    """A council has named the unit; it is not returned any more."""
    co_units: tuple[CoUnit, ...] = ()
    """Who must help the unit that leads, in the order they were added."""
    first_dispatched_at: datetime | None = None
    """Set with the second assignment: until then it is the present order's."""
    reopened: bool = False
    """The citizen said no; the next dispatch begins a new round."""
    level: Level = Level.UNIT
    """Who watches over it; never goes down again."""
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
    """What the citizen added since, in order; a correction of the record leaves it."""
    attachments: tuple[Attachment, ...] = ()
    attachments_added: int = 0
    """So many of them, the last ones, came with what was added."""
    recorded: tuple[Recorded, ...] = ()
    """What the request said of each field that was corrected since."""


Case = Unopened | Complaint

UNOPENED: Final = Unopened()

_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Complaint)


def head_text(case: Complaint) -> str:
    """The head as it is stored: the same case always gives the same text."""
    return _encoder.encode(case).decode()


def head_of(text: str | bytes) -> Complaint:
    """The case a stored head holds."""
    return _decoder.decode(text)


def stored_head(complaint_id: str, text: str, state_schema: int) -> Complaint:
    """The case a stored head holds; `UnreadableHead` where a newer system wrote it, or it holds none."""
    if state_schema > STATE_SCHEMA:
        message = (
            f"complaint {complaint_id}: its head has state schema {state_schema}, "
            f"expected at most {STATE_SCHEMA}: a newer desk wrote it"
        )
        raise UnreadableHead(message)
    try:
        return head_of(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"complaint {complaint_id}: its head cannot be read, `hotline verify` says more"
        raise UnreadableHead(message) from error


def text_digest(text: str) -> str:
    """A text as 32 hexadecimal digits: BLAKE2b-128."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def is_open(case: Case) -> bool:
    """Whether the life goes on."""
    return isinstance(case, Complaint) and case.ended is None


def goes_on(case: Complaint) -> bool:
    """Whether somebody still acts for the citizen: its life is not over, nor is its order ended unanswered."""
    return case.ended is None and not (case.order is not None and case.order.terminated)


def order_open(case: Complaint) -> bool:
    """Whether a unit holds an order it has not answered."""
    order = case.order
    if order is None or case.ended is not None:
        return False
    return order.answered_at is None and not order.recalled and not order.terminated


def whose_is_open(case: Complaint, order: Order) -> bool:
    """Whether a council may say whose it is: somebody asked, or a correction of the record did."""
    return order.review_since is not None or (order.names is not None and order_open(case))


def whole_content(case: Complaint) -> str:
    """What was recorded, and below it everything the citizen added, a paragraph each."""
    return "\n".join(text for text in (case.content, *case.added) if text)


def helping(case: Complaint, unit: UnitId) -> CoUnit | None:
    """This unit as one that must help; None where it was not asked to."""
    return next((co_unit for co_unit in case.co_units if co_unit.unit == unit), None)


def dispatched_first(case: Complaint) -> datetime | None:
    """When the citizen's clock began (C3); None before the first dispatch."""
    return case.first_dispatched_at or (None if case.order is None else case.order.dispatched_at)


def due_deadlines(case: Case) -> dict[Limit, datetime]:
    """What the clock has to watch: for each kind of limit the earliest instant still in time.

    A correction that is owed is due at once: it is filed under its limit at the act's own time.
    """
    if not isinstance(case, Complaint) or not (
        case.deadlines or case.missed or case.supervision or case.whistles
    ):
        return {}
    earliest: dict[Limit, datetime] = {}
    for deadline in case.deadlines:
        known = earliest.get(deadline.limit)
        if known is None or deadline.due_at < known:
            earliest[deadline.limit] = deadline.due_at
        if deadline.limit is Limit.FEEDBACK and (near := next_warning(case, deadline)) is not None:
            earliest[Limit.WARNING] = min(near.at, earliest.get(Limit.WARNING, near.at))
    for missed in case.missed:
        if missed.done_at is not None:
            known = earliest.get(missed.limit)
            if known is None or missed.done_at < known:
                earliest[missed.limit] = missed.done_at
    if (supervised := supervision_due(case)) is not None:
        earliest[Limit.SUPERVISION] = supervised
    awaited = [c.due_at for w in case.whistles for c in w.called if c.due_at is not None]
    if awaited:
        earliest[Limit.ARRIVAL] = min(awaited)
    return earliest


def urgency_at(case: Complaint, at: datetime) -> Urgency | None:
    """The class the complaint had then."""
    return next((before.urgency for before in case.classes_before if at < before.until), case.urgency)


def district_at(case: Complaint, at: datetime) -> str:
    """The district the record named then."""
    return next((before.district for before in case.districts_before if at < before.until), case.district)


class Near(NamedTuple):
    """A warning that is to be given, and when."""

    colour: Colour
    at: datetime


_COLOURS: Final = tuple(Colour)


def next_warning(case: Complaint, deadline: Deadline) -> Near | None:
    """The next warning of a limit for the answer that still runs; one from before it began is passed over."""
    if deadline.done_at is not None or case.urgency is None:
        return None
    try:
        warnings = ruleset(case.ruleset).classes[case.urgency].warnings
    except RuleSetUnknown:
        return None
    for number in range(deadline.warned, len(warnings)):
        at = deadline.due_at - warnings[number]
        if at > deadline.since:
            return Near(_COLOURS[number], at)
    return None


def supervision_due(case: Complaint) -> datetime | None:
    """When there is something to say of supervision: its limit, or the end of the complaint, whichever is first."""
    supervision, ended = case.supervision, case.ended
    if supervision is None:
        return None
    if ended is not None and (supervision.missed or ended.at <= supervision.due_at):
        return ended.at
    return None if supervision.missed else supervision.due_at


def evolve(case: Case, fact: Fact) -> Case:
    """Take one fact into account; a fact that cannot follow leaves the case as it is."""
    if isinstance(fact, ComplaintReceived) and not isinstance(case, Complaint):
        return Complaint(
            complaint_id=fact.complaint_id,
            request_id=fact.request_id,
            call_id=fact.call_id,
            ruleset=fact.ruleset,
            calendar=fact.calendar,
            received_at=fact.received_at,
            district=fact.district,
            street=fact.street,
            address=fact.address,
            title=fact.title,
            content=fact.content,
            given_due_at=fact.given_due_at,
            attachments=fact.attachments or (),
        )
    if not isinstance(case, Complaint):
        return case
    step = _STEPS.get(type(fact))
    return case if step is None else step(case, fact)


def _refused(case: Complaint, fact: IntakeRefused) -> Complaint:
    if fact.link is not UNSET:
        if fact.reason.startswith(RETALIATION_ABOUT):
            return replace(case, about_refused=fact.link)
        return replace(case, matter_refused=fact.link)
    if fact.asked != ANSWER:
        return case
    return replace(
        case, answer_refused=True, article_id=fact.article_id or "", article_version=fact.article_version or 0
    )


def _protected(case: Complaint, fact: IdentityProtected) -> Complaint:
    return replace(case, anonymous=fact.anonymous, confidential=fact.confidential)


def _linked(case: Complaint, fact: MatterLinked) -> Complaint:
    return replace(case, matter_of=fact.matter_of, linked_by_call=fact.same_call is True)


def _accused(case: Complaint, fact: RetaliationReported) -> Complaint:
    return replace(case, accused=fact.accused, retaliation_about=fact.about)


def _rated(case: Complaint, fact: RatingGiven) -> Complaint:
    return replace(case, rated_at=fact.rated_at)


def matter(case: Complaint) -> Matter:
    """What the record says the matter is about and where."""
    return Matter(subject=case.subject, district=case.district, street=case.street)


def _request_corrected(case: Complaint, fact: RequestCorrected) -> Complaint:
    said: dict[str, str | None] = {one.field: one.new for one in fact.corrections}
    if "street" in said:
        said["street"] = said["street"] or None
    order = case.order
    if order is not None and order.written_for is None and not said.keys().isdisjoint(WHERE_AND_WHAT):
        order = replace(order, written_for=matter(case))
    before = case.districts_before
    if "district" in said:
        before = (*before, DistrictBefore(district=case.district, until=fact.corrected_at))
    return replace(case, order=order, districts_before=before, recorded=_as_recorded(case, fact), **said)


def _as_recorded(case: Complaint, fact: RequestCorrected) -> tuple[Recorded, ...]:
    """What the request said of every field that was ever corrected: what the first correction of each found."""
    known = {one.field for one in case.recorded}
    return (
        *case.recorded,
        *(
            Recorded(field=one.field, digest=text_digest(one.old))
            for one in fact.corrections
            if one.field not in known
        ),
    )


def _supplemented(case: Complaint, fact: RequestSupplemented) -> Complaint:
    new = tuple(kept for kept in fact.attachments or () if kept not in case.attachments)
    return replace(
        case,
        added=(*case.added, fact.text),
        attachments=(*case.attachments, *new),
        attachments_added=case.attachments_added + len(new),
    )


def _repeated(case: Complaint, fact: RequestRepeated) -> Complaint:
    known = repeat_key(fact.repeat_id, fact.speaker or "")
    return replace(case, heat=fact.heat, repeats=(*case.repeats, known)[-REPEATS_KEPT:])


def _classified(case: Complaint, fact: ComplaintClassified) -> Complaint:
    deadlines = case.deadlines
    if fact.dispatch_due_at is not UNSET:
        own = Deadline(
            limit=Limit.DISPATCH, due_at=fact.dispatch_due_at, unit=HOTLINE, since=fact.classified_at
        )
        deadlines = (*deadlines, own)
    return replace(
        case,
        request_type=fact.request_type,
        subject=fact.subject,
        urgency=fact.urgency,
        deadlines=deadlines,
    )


def _dispatched(case: Complaint, fact: ComplaintDispatched) -> Complaint:
    order = Order(
        unit=fact.unit,
        level=fact.level,
        assignment=fact.assignment,
        round=fact.round,
        dispatched_at=fact.dispatched_at,
        citizen_due_at=fact.citizen_due_at,
        unit_due_at=fact.unit_due_at,
        provisional=fact.provisional is True,
        unlisted=fact.unlisted or (),
    )
    before = case.order
    new_round = before is None or fact.round > before.round
    if before is None:
        case = _settled(case, Limit.DISPATCH, 0, fact.dispatched_at)
    elif not new_round:
        since = None if fact.round == 1 else before.round_since or before.dispatched_at
        order = replace(order, steps=before.steps, round_since=since, extended_due_at=before.extended_due_at)
    elif fact.unit == before.unit:  # the same unit again: whom the record names stays as open as it was
        order = replace(order, names=before.names, left=before.left)
    deadlines = _off_the_ladder(case, fact.dispatched_at) if new_round else case.deadlines
    if deadlines:  # nobody can sign the order this one replaces; what had passed before stays owed
        deadlines = tuple(
            d
            for d in deadlines
            if d.limit is not Limit.SIGN or d.done_at is not None or d.due_at < fact.dispatched_at
        )
    if fact.sign_due_at is not None:
        deadlines = (
            *deadlines,
            Deadline(
                limit=Limit.SIGN,
                due_at=fact.sign_due_at,
                unit=fact.unit,
                since=fact.dispatched_at,
                number=fact.assignment,
                level=fact.level,
            ),
        )
    if new_round:
        deadlines = (
            *deadlines,
            Deadline(
                limit=Limit.FEEDBACK,
                due_at=order.feedback_due_at,
                unit=fact.unit,
                since=fact.dispatched_at,
                number=fact.round,
                level=fact.level,
            ),
        )
    else:  # a re-dispatch: the same limit now runs against the new unit (T10), unless it had passed before
        deadlines = tuple(
            replace(d, unit=fact.unit, level=fact.level)
            if d.limit is Limit.FEEDBACK and d.number == fact.round and fact.dispatched_at <= d.due_at
            else d
            for d in deadlines
        )
    return replace(
        case,
        order=order,
        deadlines=deadlines,
        reopened=False,
        judged=None,
        first_dispatched_at=dispatched_first(case),
    )


def _off_the_ladder(case: Complaint, at: datetime) -> tuple[Deadline, ...]:
    """A new round has limits of its own: nobody is told any more what the round before missed (R18).

    Whom to tell before that instant stays owed, and the level that watches stays.
    """
    return tuple(
        d for d in case.deadlines if d.limit is not Limit.LADDER or d.done_at is not None or d.due_at < at
    )


def _reacted(case: Complaint, at: datetime) -> Complaint:
    """The unit showed a sign of life: its sign limit is settled, in time or late."""
    order = case.order
    if order is None or order.reacted_at is not None:
        return case
    settled = _settled(case, Limit.SIGN, order.assignment, at)
    return replace(settled, order=replace(order, reacted_at=at))


def _signed(case: Complaint, fact: OrderSigned) -> Complaint:
    case = _reacted(case, fact.signed_at)
    return (
        replace(case, order=replace(case.order, signed_at=fact.signed_at, names=None)) if case.order else case
    )


def _answered(case: Complaint, fact: OrderAnswered) -> Complaint:
    case = _reacted(case, fact.answered_at)
    case = _settled(case, Limit.FEEDBACK, fact.round, fact.answered_at)
    if case.order is None:
        return case
    order = replace(
        case.order,
        answered_at=fact.answered_at,
        review_since=None,
        extension_days=0,
        pause_days=0,
        pause_ground=None,
        termination=None,
    )
    return replace(case, order=order)


def _contacted(case: Complaint, fact: CitizenContacted) -> Complaint:
    return replace(case, order=replace(case.order, contacted_at=fact.contacted_at)) if case.order else case


def _contact_failed(case: Complaint, fact: ContactFailed) -> Complaint:
    return replace(case, order=replace(case.order, tried_at=fact.tried_at)) if case.order else case


def _progress(case: Complaint, fact: ProgressReported) -> Complaint:
    return replace(case, order=replace(case.order, progress_at=fact.reported_at)) if case.order else case


def _sent_back(case: Complaint, fact: AnswerSentBack) -> Complaint:
    """As if it had not answered: the same limit runs again, nobody is asked. Who has answered has taken it on."""
    order = case.order
    if order is None:
        return case
    limit = Deadline(
        limit=Limit.FEEDBACK,
        due_at=order.feedback_due_at,
        unit=order.unit,
        since=fact.sent_back_at,
        number=order.round,
        level=order.level,
    )
    signed_at = order.signed_at or order.answered_at
    case = _not_visited(case, fact.sent_back_at)
    return replace(
        case,
        order=replace(order, answered_at=None, signed_at=signed_at, sent_back=order.sent_back + 1),
        deadlines=(*case.deadlines, limit),
        visited_round=min(case.visited_round, order.round - 1),
    )


def _return_requested(case: Complaint, fact: ReturnRequested) -> Complaint:
    case = _reacted(case, fact.requested_at)
    if case.order is None:
        return case
    return replace(
        case,
        order=replace(case.order, review_since=fact.requested_at, suggested_unit=fact.suggested_unit),
        returns=case.returns + 1,
    )


def _return_approved(case: Complaint, _: ReturnApproved) -> Complaint:
    if case.order is None:
        return case
    order = replace(case.order, review_since=None, recalled=True)
    return replace(case, order=order)


def _return_rejected(case: Complaint, _: ReturnRejected) -> Complaint:
    if case.order is None:
        return case
    left = case.order.names is not None
    order = replace(case.order, review_since=None, suggested_unit=None, return_rejected=True, left=left)
    return replace(case, order=order)


def _assigned(case: Complaint, fact: OrderAssigned) -> Complaint:
    case = _reacted(case, fact.assigned_at)
    return replace(case, order=replace(case.order, recalled=True)) if case.order else case


def _order_moved(case: Complaint, fact: OrderMoved) -> Complaint:
    """Nobody waits for its signature any more; that it did not come in time while it could stays owed."""
    case = _settled(case, Limit.SIGN, fact.assignment, fact.moved_at)
    return replace(case, order=replace(case.order, recalled=True)) if case.order else case


def _order_amended(case: Complaint, fact: OrderAmended) -> Complaint:
    if case.order is None:
        return case
    names = fact.names or None
    left = case.order.left and names == case.order.names
    order = replace(case.order, written_for=None, unlisted=fact.unlisted or (), names=names, left=left)
    return replace(case, order=order)


def _disputed(case: Complaint, fact: DisputeRaised) -> Complaint:
    case = _reacted(case, fact.raised_at)
    if case.order is None:
        return case
    return replace(case, order=replace(case.order, review_since=fact.raised_at, disputed=True))


def _council_decided(case: Complaint, fact: CouncilDecided) -> Complaint:
    if case.order is None:
        return case
    moves = fact.to_unit != case.order.unit
    order = replace(
        case.order, review_since=None, suggested_unit=None, disputed=False, recalled=moves, names=None
    )
    return replace(case, order=order, settled=True)


def _extension_requested(case: Complaint, fact: ExtensionRequested) -> Complaint:
    return replace(case, order=replace(case.order, extension_days=fact.days)) if case.order else case


def _extended(case: Complaint, fact: ExtensionApproved) -> Complaint:
    if case.order is None:
        return case
    return replace(
        case,
        order=replace(
            case.order,
            extension_days=0,
            extended_due_at=fact.new_due_at,
            provisional=fact.provisional is True,
            steps=(
                *case.order.steps,
                LimitStep(at=fact.approved_at, days=case.order.extension_days),
            ),
        ),
        deadlines=_moved(case, fact.round, fact.new_due_at, fact.approved_at),
        extensions=case.extensions + 1,
    )


def _extension_rejected(case: Complaint, _: ExtensionRejected) -> Complaint:
    return replace(case, order=replace(case.order, extension_days=0)) if case.order else case


def _pause_requested(case: Complaint, fact: PauseRequested) -> Complaint:
    if case.order is None:
        return case
    return replace(case, order=replace(case.order, pause_days=fact.days, pause_ground=fact.ground))


def _paused(case: Complaint, fact: PauseApproved) -> Complaint:
    """Nothing is warned of while the clock stands still: the limit runs on from the end of it."""
    if case.order is None:
        return case
    pause = Pause(days=fact.days, since=fact.approved_at, until=fact.until)
    order = replace(
        case.order,
        pause_days=0,
        pause_ground=None,
        pause=pause,
        extended_due_at=fact.new_due_at,
        provisional=fact.provisional is True,
        steps=(*case.order.steps, LimitStep(at=fact.approved_at, days=fact.days, paused=True)),
    )
    deadlines = _moved(case, fact.round, fact.new_due_at, fact.until)
    return replace(case, order=order, deadlines=deadlines, pauses=case.pauses + 1)


def _pause_rejected(case: Complaint, _: PauseRejected) -> Complaint:
    return replace(case, order=replace(case.order, pause_days=0, pause_ground=None)) if case.order else case


def pause_ended(order: Order, begun: int) -> Order:
    """The order without its pause, of which so many days were begun and count."""
    pause = order.pause
    if pause is None:
        return order
    steps = tuple(
        replace(one, days=begun) if one.paused and one.at == pause.since else one for one in order.steps
    )
    return replace(order, pause=None, steps=steps)


def _pause_ended(case: Complaint, fact: PauseEnded) -> Complaint:
    if case.order is None:
        return case
    order = case.order if fact.days is UNSET else pause_ended(case.order, fact.days)
    order = replace(order, pause=None, extended_due_at=fact.new_due_at, provisional=fact.provisional is True)
    return replace(case, order=order, deadlines=_moved(case, fact.round, fact.new_due_at, fact.ended_at))


def _termination_requested(case: Complaint, fact: TerminationRequested) -> Complaint:
    return replace(case, order=replace(case.order, termination=fact.ground)) if case.order else case


def _terminated(case: Complaint, fact: TerminationApproved) -> Complaint:
    case = _settled(case, Limit.FEEDBACK, fact.round, fact.approved_at)
    if case.order is None:
        return case
    order = replace(
        case.order, termination=None, extension_days=0, pause_days=0, pause_ground=None, terminated=True
    )
    return _not_visited(replace(case, order=order), fact.approved_at)


def _termination_rejected(case: Complaint, _: TerminationRejected) -> Complaint:
    return replace(case, order=replace(case.order, termination=None)) if case.order else case


def _co_unit_added(case: Complaint, fact: CoUnitAdded) -> Complaint:
    return replace(case, co_units=(*case.co_units, CoUnit(unit=fact.co_unit)))


def _co_unit_reported(case: Complaint, fact: CoUnitReported) -> Complaint:
    return replace(
        case,
        co_units=tuple(
            replace(c, reported_at=fact.reported_at) if c.unit == fact.co_unit else c for c in case.co_units
        ),
    )


def _exclusion_requested(case: Complaint, fact: ExclusionRequested) -> Complaint:
    return replace(case, exclusion=Exclusion(unit=fact.unit, ground=fact.ground))


def _exclusion_reviewed(case: Complaint, fact: ExclusionApproved | ExclusionRejected) -> Complaint:
    if case.exclusion is None:
        return case
    return replace(case, exclusion=replace(case.exclusion, approved=isinstance(fact, ExclusionApproved)))


def _reclassified(case: Complaint, fact: ComplaintReclassified) -> Complaint:
    order = case.order
    if order is None:
        return case
    step = LimitStep(at=fact.reclassified_at, urgency=fact.urgency, urgency_before=fact.old_urgency)
    new = fact.due_at
    if fact.pause_days is not UNSET:
        order = pause_ended(order, fact.pause_days)
    order = replace(
        order,
        citizen_due_at=fact.citizen_due_at,
        unit_due_at=fact.unit_due_at,
        extended_due_at=None if order.extended_due_at is None else new,
        provisional=fact.provisional is True,
        steps=(*order.steps, step),
    )
    deadlines = _moved(case, order.round, new, fact.reclassified_at)
    if fact.sign_due_at is not UNSET:
        deadlines = tuple(
            replace(d, due_at=fact.sign_due_at, since=fact.reclassified_at)
            if d.limit is Limit.SIGN and d.number == order.assignment and d.done_at is None
            else d
            for d in deadlines
        )
    exchanged = _Exchanged(fact.reclassified_at, fact.urgency)
    deadlines = tuple(
        replace(d, due_at=_by_class(case, d.due_at, d.since, _rung, (exchanged,)))
        if d.limit is Limit.LADDER and d.done_at is None
        else d
        for d in deadlines
    )
    supervision = case.supervision
    if supervision is not None and supervision.since is not None and not supervision.missed:
        due_at = _by_class(case, supervision.due_at, supervision.since, _supervision_limit, (exchanged,))
        supervision = replace(supervision, due_at=due_at)
    return replace(
        case,
        urgency=fact.urgency,
        order=order,
        deadlines=deadlines,
        supervision=supervision,
        classes_before=(
            *case.classes_before,
            ClassBefore(urgency=fact.old_urgency, until=fact.reclassified_at),
        ),
    )


class _Exchanged(NamedTuple):
    """Another class, and since when."""

    at: datetime
    urgency: Urgency


def _exchanges(case: Complaint) -> tuple[_Exchanged, ...]:
    """Every class the complaint was given after its first, in order."""
    if not case.classes_before:
        return ()
    after = (*(before.urgency for before in case.classes_before[1:]), case.urgency)
    return tuple(
        _Exchanged(before.until, urgency)
        for before, urgency in zip(case.classes_before, after, strict=True)
        if urgency is not None
    )


def _rung(limits: ClassLimits) -> timedelta | None:
    return limits.ladder_step


def _supervision_limit(limits: ClassLimits) -> timedelta | None:
    return limits.supervision


def _by_class(
    case: Complaint,
    due_at: datetime,
    since: datetime,
    limit: Callable[[ClassLimits], timedelta | None],
    exchanges: tuple[_Exchanged, ...],
) -> datetime:
    """When a limit that began to run under one class ends under those that followed while it ran.

    A longer one counts from its own beginning, a shorter one from the exchange, and what had passed stays. So it does
    not matter whether the miss that set it was stated before or after the class was exchanged.
    """
    try:
        classes = ruleset(case.ruleset).classes
    except RuleSetUnknown:
        return due_at
    for at, urgency in exchanges:
        step = limit(classes[urgency])
        if step is None or not since < at <= due_at:
            continue
        whole = since + step
        due_at = whole if whole >= due_at else min(due_at, max(whole, at + step))
    return due_at


def _amended(case: Complaint, fact: CalendarAmended) -> Complaint:
    if case.order is None:
        return replace(case, calendar=fact.calendar)
    order = replace(
        case.order,
        citizen_due_at=fact.citizen_due_at,
        unit_due_at=fact.unit_due_at,
        extended_due_at=None if case.order.extended_due_at is None else fact.new_due_at,
        provisional=fact.provisional is True,
    )
    deadlines = case.deadlines
    if fact.new_due_at != fact.old_due_at:
        deadlines = _moved(case, order.round, fact.new_due_at, fact.amended_at)
    return replace(case, calendar=fact.calendar, order=order, deadlines=deadlines)


def _moved(case: Complaint, number: int, due_at: datetime, since: datetime) -> tuple[Deadline, ...]:
    """The limit of this round ends at another time; it is warned of anew."""
    return tuple(
        replace(d, due_at=due_at, since=since, warned=0)
        if d.limit is Limit.FEEDBACK and d.number == number
        else d
        for d in case.deadlines
    )


def _dispatch_missed(case: Complaint, _: DispatchLimitMissed) -> Complaint:
    return _stated(case, Limit.DISPATCH, 0)


def _visit_missed(case: Complaint, fact: VisitLimitMissed) -> Complaint:
    return _stated(case, Limit.VISIT, fact.visit)


def _sign_missed(case: Complaint, fact: SignLimitMissed) -> Complaint:
    return _stated(case, Limit.SIGN, fact.assignment)


def _feedback_missed(case: Complaint, fact: FeedbackLimitMissed) -> Complaint:
    return _stated(case, Limit.FEEDBACK, fact.round)


def _stated(case: Complaint, limit: Limit, number: int) -> Complaint:
    """A miss was stated: watch no longer, but remember it until the act comes.

    Where the act has come, too late, the escalation stated with the miss has to know: it finds the limit as
    the rung below its own.
    """
    kept: list[Deadline] = []
    missed = case.missed
    for deadline in case.deadlines:
        if deadline.limit is limit and deadline.number == number:
            if deadline.done_at is None:
                missed = (
                    *missed,
                    Missed(
                        limit=limit,
                        due_at=deadline.due_at,
                        unit=deadline.unit,
                        number=number,
                        level=deadline.level,
                    ),
                )
            elif limit not in HOTLINES_OWN and case.level is not Level.MUNICIPAL:
                kept.append(replace(deadline, limit=Limit.LADDER, because=limit))
        else:
            kept.append(deadline)
    return replace(case, deadlines=tuple(kept), missed=missed)


def _escalated(case: Complaint, fact: ComplaintEscalated) -> Complaint:
    kept: list[Deadline] = []
    done_at: datetime | None = None
    for deadline in case.deadlines:
        if deadline.limit is not Limit.LADDER:
            kept.append(deadline)
        elif deadline.because is fact.because:
            done_at = deadline.done_at
    next_at = fact.next_at
    if next_at is not None:
        next_at = _by_class(case, next_at, fact.escalated_at, _rung, _exchanges(case))
    if next_at is not None and (done_at is None or done_at > next_at):
        kept.append(
            Deadline(
                limit=Limit.LADDER,
                due_at=next_at,
                unit=fact.unit,
                since=fact.escalated_at,
                because=fact.because,
                done_at=done_at,
            )
        )
    return replace(case, level=fact.to_level, deadlines=tuple(kept))


def _corrected(case: Complaint, fact: LimitMissCorrected) -> Complaint:
    order = case.order
    if order is not None and fact.limit is Limit.FEEDBACK and fact.due_at == order.feedback_due_at:
        order = replace(order, miss_corrected=True)
    return replace(
        case,
        order=order,
        missed=tuple(m for m in case.missed if not (m.limit is fact.limit and m.due_at == fact.due_at)),
    )


def _warned(case: Complaint, fact: WarningGiven) -> Complaint:
    warned = _COLOURS.index(fact.colour) + 1
    return replace(
        case,
        deadlines=tuple(
            replace(d, warned=warned) if d.limit is Limit.FEEDBACK and d.number == fact.round else d
            for d in case.deadlines
        ),
    )


def _supervised(case: Complaint, fact: SupervisionOpened) -> Complaint:
    due_at = _by_class(case, fact.due_at, fact.opened_at, _supervision_limit, _exchanges(case))
    supervision = Supervision(told=fact.told, leader=fact.leader, due_at=due_at, since=fact.opened_at)
    return replace(case, supervision=supervision)


def _supervision_missed(case: Complaint, _: SupervisionMissed) -> Complaint:
    return replace(case, supervision=replace(case.supervision, missed=True)) if case.supervision else case


def _supervision_closed(case: Complaint, _: SupervisionClosed) -> Complaint:
    return replace(case, supervision=None)


def _blown(case: Complaint, fact: WhistleBlown) -> Complaint:
    return replace(
        case, whistles=(*case.whistles, Whistle(number=fact.whistle, unit=fact.unit, kind=fact.kind))
    )


def _called(case: Complaint, fact: UnitCalled) -> Complaint:
    called = Called(unit=fact.called, due_at=fact.arrive_by)
    return replace(
        case,
        whistles=tuple(
            replace(w, called=(*w.called, called)) if w.number == fact.whistle else w for w in case.whistles
        ),
    )


def _of_called(case: Complaint, whistle: int, unit: UnitId, change: Callable[[Called], Called]) -> Complaint:
    return replace(
        case,
        whistles=tuple(
            replace(w, called=tuple(change(c) if c.unit == unit else c for c in w.called))
            if w.number == whistle
            else w
            for w in case.whistles
        ),
    )


def _done(called: Called, at: datetime) -> datetime | None:
    """What is left of its limit when it came, or was let go, then: nothing, where that was in time."""
    return called.due_at if called.due_at is not None and at > called.due_at else None


def _acknowledged(case: Complaint, fact: WhistleAcknowledged) -> Complaint:
    return _of_called(
        case, fact.whistle, fact.called, lambda c: replace(c, acknowledged_at=fact.acknowledged_at)
    )


def _arrived(case: Complaint, fact: WhistleArrived) -> Complaint:
    return _of_called(
        case,
        fact.whistle,
        fact.called,
        lambda c: replace(
            c,
            acknowledged_at=c.acknowledged_at or fact.arrived_at,
            arrived_at=fact.arrived_at,
            due_at=_done(c, fact.arrived_at),
        ),
    )


def _measured(case: Complaint, fact: WhistleMeasureRecorded) -> Complaint:
    return _of_called(case, fact.whistle, fact.called, lambda c: replace(c, measure=fact.measure))


def _released(case: Complaint, fact: WhistleReleased) -> Complaint:
    return _of_called(case, fact.whistle, fact.called, lambda c: _let_go(c, fact.released_at))


def _let_go(called: Called, at: datetime) -> Called:
    if called.released_at is not None:
        return called
    return replace(
        called, released_at=at, due_at=called.due_at if called.arrived_at is not None else _done(called, at)
    )


def _unit_rated(case: Complaint, fact: WhistleRated) -> Complaint:
    by_street = any(w.number == fact.whistle and w.unit == fact.rated_by for w in case.whistles)
    if by_street:
        return _of_called(case, fact.whistle, fact.rated, lambda c: replace(c, rated=True))
    return _of_called(case, fact.whistle, fact.rated_by, lambda c: replace(c, has_rated=True))


def _not_there(case: Complaint, fact: ArrivalMissed) -> Complaint:
    def later(called: Called) -> Called:
        done_at, next_at = called.done_at, fact.next_at
        if next_at is not None and done_at is not None and done_at <= next_at:
            next_at = None
        return replace(called, level=fact.to_level, due_at=next_at)

    return _of_called(case, fact.whistle, fact.called, later)


def _settled(case: Complaint, limit: Limit, number: int, at: datetime) -> Complaint:
    """The awaited act came: drop what it met, keep as owed what it came too late for."""
    kept: list[Deadline] = []
    for deadline in case.deadlines:
        own = deadline.limit is limit and deadline.number <= number  # older: the order was replaced unsigned
        ladder = deadline.limit is Limit.LADDER and deadline.because is limit
        if (own or ladder) and deadline.done_at is None:
            if at > deadline.due_at:
                kept.append(replace(deadline, done_at=at))
        else:
            kept.append(deadline)
    missed = case.missed
    if missed:
        missed = tuple(
            m if not (m.limit is limit and m.number == number) else replace(m, done_at=at)
            for m in missed
            if not (m.limit is limit and m.number == number and at > m.due_at)
        )
    return replace(case, deadlines=tuple(kept), missed=missed)


def _visit_scheduled(case: Complaint, fact: VisitScheduled) -> Complaint:
    visit = Visit(
        visit=fact.visit,
        attempt=fact.attempt,
        round=fact.round,
        reason=fact.reason,
        visit_at=fact.visit_at,
    )
    deadlines = case.deadlines
    if fact.visit_by is not UNSET:
        limit = Deadline(
            limit=Limit.VISIT, due_at=fact.visit_by, unit=HOTLINE, since=fact.visit_at, number=fact.visit
        )
        deadlines = (*deadlines, limit)
    return replace(case, visit=visit, visits=fact.visit, visited_round=fact.round, deadlines=deadlines)


def _visit_made(case: Complaint, fact: VisitMade | VisitUnreached) -> Complaint:
    at = fact.visited_at if isinstance(fact, VisitMade) else fact.attempted_at
    return replace(_settled(case, Limit.VISIT, fact.visit, at), visit=None, judged=case.visit)


def _not_visited(case: Complaint, at: datetime) -> Complaint:
    """Nobody need ask any more: the limit for it runs no longer; what had passed before stays owed."""
    if case.visit is None:
        return case
    return replace(_settled(case, Limit.VISIT, case.visit.visit, at), visit=None)


def _reopened(case: Complaint, _: ComplaintReopened) -> Complaint:
    return replace(case, reopened=True)


def _ended(
    case: Complaint,
    fact: ComplaintAnsweredDirectly | ComplaintTurnedAway | ComplaintWithdrawn | ComplaintClosed,
) -> Complaint:
    at: datetime = getattr(fact, fact.TIME)
    outcome = fact.outcome if isinstance(fact, ComplaintClosed) else None
    ended = Ended(how=type(fact).__name__, at=at, outcome=outcome)
    if isinstance(fact, ComplaintTurnedAway):
        if fact.how is TurnedAway.RECORDED_TWICE:
            ended = replace(ended, twice=True)
        else:
            ended = replace(ended, turned_away=fact.how, to=fact.to, reason=fact.reason)
    elif isinstance(fact, ComplaintAnsweredDirectly):
        case = replace(case, article_id=fact.article_id, article_version=fact.article_version)
    deadlines: tuple[Deadline, ...] = ()
    if case.deadlines:
        deadlines = tuple(
            d if d.done_at is not None else replace(d, done_at=at)
            for d in case.deadlines
            if d.done_at is not None or d.due_at < at
        )
    return replace(
        case,
        ended=ended,
        deadlines=deadlines,
        missed=tuple(
            m if m.done_at is not None else replace(m, done_at=at)
            for m in case.missed
            if m.done_at is not None or at <= m.due_at
        ),
        visit=None,
        whistles=tuple(
            replace(w, called=tuple(_let_go(called, at) for called in w.called)) for w in case.whistles
        ),
    )


_STEPS: Final[dict[type[Fact], Callable[[Complaint, Any], Complaint]]] = {
    IntakeRefused: _refused,
    IdentityProtected: _protected,
    MatterLinked: _linked,
    RetaliationReported: _accused,
    RatingGiven: _rated,
    ComplaintClassified: _classified,
    RequestCorrected: _request_corrected,
    RequestSupplemented: _supplemented,
    RequestRepeated: _repeated,
    ComplaintDispatched: _dispatched,
    OrderSigned: _signed,
    OrderAnswered: _answered,
    CitizenContacted: _contacted,
    ContactFailed: _contact_failed,
    ProgressReported: _progress,
    AnswerSentBack: _sent_back,
    ReturnRequested: _return_requested,
    ReturnApproved: _return_approved,
    ReturnRejected: _return_rejected,
    OrderAssigned: _assigned,
    OrderMoved: _order_moved,
    OrderAmended: _order_amended,
    ExtensionRequested: _extension_requested,
    ExtensionApproved: _extended,
    ExtensionRejected: _extension_rejected,
    PauseRequested: _pause_requested,
    PauseApproved: _paused,
    PauseRejected: _pause_rejected,
    PauseEnded: _pause_ended,
    TerminationRequested: _termination_requested,
    TerminationApproved: _terminated,
    TerminationRejected: _termination_rejected,
    DisputeRaised: _disputed,
    CouncilDecided: _council_decided,
    CoUnitAdded: _co_unit_added,
    CoUnitReported: _co_unit_reported,
    ComplaintReclassified: _reclassified,
    CalendarAmended: _amended,
    ExclusionRequested: _exclusion_requested,
    ExclusionApproved: _exclusion_reviewed,
    ExclusionRejected: _exclusion_reviewed,
    DispatchLimitMissed: _dispatch_missed,
    VisitLimitMissed: _visit_missed,
    SignLimitMissed: _sign_missed,
    FeedbackLimitMissed: _feedback_missed,
    ComplaintEscalated: _escalated,
    LimitMissCorrected: _corrected,
    WarningGiven: _warned,
    SupervisionOpened: _supervised,
    SupervisionMissed: _supervision_missed,
    SupervisionClosed: _supervision_closed,
    WhistleBlown: _blown,
    UnitCalled: _called,
    WhistleAcknowledged: _acknowledged,
    WhistleArrived: _arrived,
    WhistleMeasureRecorded: _measured,
    WhistleReleased: _released,
    WhistleRated: _unit_rated,
    ArrivalMissed: _not_there,
    VisitScheduled: _visit_scheduled,
    VisitMade: _visit_made,
    VisitUnreached: _visit_made,
    ComplaintReopened: _reopened,
    **dict.fromkeys(ENDS, _ended),
}
