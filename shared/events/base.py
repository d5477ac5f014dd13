"""The common base of every fact, and the words facts use."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

import msgspec

from shared.ids import ComplaintId

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""An aware point in time; stored in UTC."""


Provisional = Literal[True] | msgspec.UnsetType
"""True where a limit rests on days of a year that is not announced yet and may move (T16); left out where not."""


class Attachment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A picture, recording, video or paper (R6): where it is kept and what its bytes were, never the bytes."""

    uri: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9+.-]{1,20}:[^\s\x00-\x1f\x7f-\x9f]{1,400}$")]
    """Where it is kept; whoever may read it there decides that store."""
    media_type: Annotated[
        str, msgspec.Meta(pattern=r"^(audio|image|video|text|application)/[A-Za-z0-9.+-]{1,80}$")
    ]
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$", max_length=64)]
    """Over the bytes, in hex: an exchanged one shows."""

    def __post_init__(self) -> None:
        """Refuse a line break at the end, which the patterns' `$` lets through."""
        for name in ("uri", "media_type"):
            if getattr(self, name).endswith("\n"):
                raise ValueError(f"{name}: ends with a line break, expected none")


Attachments = tuple[Attachment, ...] | msgspec.UnsetType
"""As a fact has them: left out where there are none."""


class DeskName(StrEnum):
    """The four desks, in order of life."""

    INTAKE = "intake"
    DISPATCH = "dispatch"
    ESCALATION = "escalation"
    FEEDBACK = "feedback"


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to one complaint; field names and types are the stored shape.

    A stored shape is never edited: a new optional field keeps its version, anything else gets a
    new `SCHEMA` number and an upcaster in `shared.log.codec`.
    """

    TIME: ClassVar[str]
    """The field that says when it happened (city time)."""
    SCHEMA: ClassVar[int] = 1
    """The version of this stored shape."""

    SPEAKER: ClassVar[DeskName]
    """The one desk that may state it."""
    TELLS: ClassVar[tuple[str, ...]] = ("unit",)
    """The fields that name the units who hear of it on their topic, where such a topic carries it."""

    complaint_id: ComplaintId
    typed: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    """Of names that came in another form than they are recorded in, how they were typed, by the input's field."""
    actorid: str | msgspec.UnsetType = msgspec.UNSET
    """The person whose word it follows from, by the id that the sender gave in `ce_actorid`; never a name."""

    @property
    def own_cause(self) -> str | None:
        """The cause that the fact has by itself, whenever it is stated; its id is derived from this.

        None where it follows from what its desk was told.
        """
        return None


class IntakeFact(Fact, frozen=True, kw_only=True):
    """A fact that only intake may state."""

    SPEAKER = DeskName.INTAKE


class DispatchFact(Fact, frozen=True, kw_only=True):
    """A fact that only dispatch may state."""

    SPEAKER = DeskName.DISPATCH


class EscalationFact(Fact, frozen=True, kw_only=True):
    """A fact that only escalation may state."""

    SPEAKER = DeskName.ESCALATION


class FeedbackFact(Fact, frozen=True, kw_only=True):
    """A fact that only feedback may state."""

    SPEAKER = DeskName.FEEDBACK


class RequestType(StrEnum):
    """诉求类型, what the citizen came for (R2; praise as in S24)."""

    CONSULT = "CONSULT"
    HELP = "HELP"
    COMPLAINT = "COMPLAINT"
    REPORT = "REPORT"
    SUGGEST = "SUGGEST"
    PRAISE = "PRAISE"


class Urgency(StrEnum):
    """The four classes of §5.1, each with its own limits."""

    CRITICAL_2H = "CRITICAL_2H"
    TIMELY_24H = "TIMELY_24H"
    GENERAL_7D = "GENERAL_7D"
    COMPLEX_15D = "COMPLEX_15D"


class Level(StrEnum):
    """The level that watches over a complaint: the unit itself, its district, the municipality."""

    UNIT = "UNIT"
    DISTRICT = "DISTRICT"
    MUNICIPAL = "MUNICIPAL"


class Limit(StrEnum):
    """Which limit was set, kept or missed."""

    SIGN = "SIGN"
    ANSWER = "ANSWER"
    DISPATCH = "DISPATCH"
    """Not a limit of the unit: from acceptance to the first dispatch, the hotline's own (C1)."""
    LADDER = "LADDER"
    """Not a limit of the unit: the time a level has before the next one is told."""
    WARNING = "WARNING"
    """Not a limit: the time at which one that is near is warned of."""
    SUPERVISION = "SUPERVISION"
    """Until supervision must have brought it to an end."""
    VISIT = "VISIT"
    """Not a limit of the unit: until the citizen must have been asked, the hotline's own (invariant 4)."""
    ARRIVAL = "ARRIVAL"
    """Until a unit a street whistled for must be there."""


class TurnedAway(StrEnum):
    """Why a request becomes no work order and has no article for an answer."""

    REJECTED = "REJECTED"
    """Not accepted (不予受理): outside the scope (R5), unlawful, against public morals (R10)."""
    REDIRECTED = "REDIRECTED"
    """Pointed to another channel (引导): a court, a market or social one, another hotline (R10)."""
    EMERGENCY = "EMERGENCY"
    """Handed to 110, 119, 120 or 122 (R4, B3)."""
    RECORDED_TWICE = "RECORDED_TWICE"
    """Another record of the same call asks for the same (T7): that one goes on, this one ends. Said by intake alone."""


class TerminationGround(StrEnum):
    """Why an order may end unanswered (终止, D5; the grounds are another city's, S17)."""

    INFORMATION_REFUSED = "INFORMATION_REFUSED"
    """The citizen will not say what the unit must know."""
    UNLAWFUL_OR_IMPOSSIBLE = "UNLAWFUL_OR_IMPOSSIBLE"
    """Against law, policy or morals; it was explained, and the citizen still wants it."""


class PauseGround(StrEnum):
    """The thing a unit waits for while its clock stands still (暂停; no norm's, ours)."""

    AWAITS_CITIZEN = "AWAITS_CITIZEN"
    """The citizen must bring, decide or let in something first."""
    AWAITS_AUTHORITY = "AWAITS_AUTHORITY"
    """A court, another authority or an expert must decide first."""
    SEASON = "SEASON"
    """Weather or season does not let it be done."""


class WhistleKind(StrEnum):
    """The three cases in which a street whistles (吹哨, G1)."""

    KEY_WORK = "KEY_WORK"
    """A matter that many bring up and the street cannot solve alone: parking, old estates, lifts."""
    JOINT_ENFORCEMENT = "JOINT_ENFORCEMENT"
    """It lacks the power to enforce."""
    EMERGENCY = "EMERGENCY"
    """A burst pipe, subsidence, an outage."""


class Colour(StrEnum):
    """How near a limit is."""

    YELLOW = "YELLOW"
    RED = "RED"


class ExclusionGround(StrEnum):
    """Why a complaint is left out of a unit's score by a review (剔除, F3; the grounds are no norm's we know)."""

    INVALID = "INVALID"
    """Invalid or harassing: there is no such matter."""
    FORCE_MAJEURE = "FORCE_MAJEURE"
    POLICY_IMPOSSIBLE = "POLICY_IMPOSSIBLE"
    """No unit may or can do what is asked for."""
    DUPLICATE = "DUPLICATE"
    """The same matter of the same citizen counts elsewhere."""


class VisitReason(StrEnum):
    """Why a citizen is asked: the unit answered, or its limit expired (R8), whichever came first."""

    ANSWERED = "ANSWERED"
    EXPIRED = "EXPIRED"


class Outcome(StrEnum):
    """How a life ended."""

    SOLVED = "SOLVED"
    UNSOLVED = "UNSOLVED"
    """The citizen said no in the last round the rule set allows."""
    UNREACHED = "UNREACHED"
    """Answered, and the citizen could not be reached in all attempts."""
    EXCEPTION = "EXCEPTION"
    """Closed without a visit's outcome by an approved exception (E3)."""
