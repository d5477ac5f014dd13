"""Every topic: its messages, its speaker, its hearers. Topics, AsyncAPI and tests are made from this.

Messages are CloudEvents in binary mode. On a topic of the relay, `carries` names the facts that leave the log
on it. On a door it names the inputs that are taken in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import msgspec

from shared import events, roles
from shared.events import SPEAKERS, Fact
from shared.inputs import Input, exceptions, inputs_of, replies, requests, reviews, telephony, visits

LOG: Final = "complaints.log"
UNIT: Final = "{unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One line of the table; a name with `{unit}` stands for a topic of each unit."""

    name: str
    key: str
    """The content of a message's key; messages of one key keep their order."""
    partitions: int
    retention: timedelta
    speaker: str
    """The relay, or a role: who speaks at this door."""
    hearers: tuple[str, ...]
    """Desks, and roles of `shared.roles`."""
    carries: tuple[type[Fact], ...] | tuple[type[Input], ...]
    purpose: str
    withholds: tuple[str, ...] = ()
    """Fields of facts that are empty on this topic: they name somebody whom its hearers have no need to know."""
    results: str = ""
    """Of a door, the line on which its speaker hears what came of its word: its refusals and its parkings."""

    def tells(self, body: bytes) -> bytes:
        """A fact's body as this topic tells it; `ValueError` and its like where nobody can read the body."""
        if not self.withholds or not any(f'"{field}"'.encode() in body for field in self.withholds):
            return body
        told = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        for field in self.withholds:
            if field in told:
                told[field] = msgspec.Raw(b'""')
        return msgspec.json.encode(told)

    @property
    def inputs(self) -> tuple[type[Input], ...]:
        """The inputs that are taken in here; none on a topic that the relay speaks on."""
        return tuple(kind for kind in self.carries if issubclass(kind, Input))

    @property
    def is_door(self) -> bool:
        """Whether somebody who is no part of the system speaks here."""
        return self.speaker != roles.RELAY

    @property
    def per_unit(self) -> bool:
        """Whether each unit has a topic of its own by this line."""
        return UNIT in self.name

    def of(self, unit: str) -> str:
        """The topic of this unit."""
        return self.name.replace(UNIT, unit)


_WEEK: Final = timedelta(days=7)
_MONTH: Final = timedelta(days=30)

TELEPHONY_CALLS: Final = Topic(
    name="telephony.calls",
    key="call id",
    partitions=4,
    retention=_WEEK,
    speaker=roles.TELEPHONY,
    hearers=("intake",),
    carries=inputs_of(telephony),
    purpose="Calls as the telephone system sees them.",
    results="telephony.results",
)
INTAKE_REQUESTS: Final = Topic(
    name="intake.requests",
    key="request id; the complaint id where the sender knows no other",
    partitions=4,
    retention=_WEEK,
    speaker=roles.AGENTS,
    hearers=("intake",),
    carries=inputs_of(requests),
    purpose="What citizens ask for, add, bring up again, rate and take back, and what was recorded wrongly.",
    results="intake.results",
)
COMPLAINTS_LOG: Final = Topic(
    name=LOG,
    key="complaint id",
    partitions=4,
    retention=_MONTH,
    speaker=roles.RELAY,
    hearers=("dispatch", "feedback", roles.READERS),
    carries=tuple(SPEAKERS),
    purpose="Every fact of every complaint, in order per complaint.",
)
COMPLAINTS_ANCHORS: Final = Topic(
    name="complaints.anchors",
    key="anchor number",
    partitions=1,
    retention=timedelta(days=3650),
    speaker=roles.RELAY,
    hearers=(roles.AUDITORS,),
    carries=(),
    purpose="The root over the hashes of each stretch of the log, chained to the one before: what the log held when.",
)
DISPATCH_ORDERS: Final = Topic(
    name="dispatch.orders.{unit}",
    key="complaint id; of a notice of a programme the programme's id",
    partitions=1,
    retention=_MONTH,
    speaker=roles.RELAY,
    hearers=(roles.UNIT,),
    carries=(
        events.ComplaintDispatched,
        events.ReturnApproved,
        events.ReturnRejected,
        events.OrderAssigned,
        events.OrderMoved,
        events.OrderAmended,
        events.ExtensionApproved,
        events.ExtensionRejected,
        events.PauseApproved,
        events.PauseRejected,
        events.PauseEnded,
        events.TerminationApproved,
        events.TerminationRejected,
        events.CouncilDecided,
        events.CoUnitAdded,
        events.CoUnitReported,
        events.ComplaintReclassified,
        events.CalendarAmended,
        events.ConfidentialityRequired,
        events.RequestCorrected,
        events.RequestSupplemented,
        events.RequestRepeated,
        events.WarningGiven,
        events.SupervisionOpened,
        events.SupervisionDecided,
        events.UnitCalled,
        events.WhistleAcknowledged,
        events.WhistleArrived,
        events.WhistleMeasureRecorded,
        events.WhistleReleased,
        events.WhistleRated,
        events.ArrivalMissed,
        events.ComplaintWithdrawn,
        events.ComplaintClosed,
        events.LimitMissCorrected,
        events.ExclusionApproved,
        events.ExclusionRejected,
        events.AnswerSentBack,
        events.ReplyRefused,
    ),
    purpose="A unit's own orders, what it must help with, what changed about them, how they ended and were judged, "
    "and which of its replies were refused or parked. Beside them, and no orders, what happened to its tasks in "
    "programmes.",
)
DISPATCH_REPLIES: Final = Topic(
    name="dispatch.replies.{unit}",
    key="complaint id",
    partitions=1,
    retention=_WEEK,
    speaker=roles.UNIT,
    hearers=("dispatch",),
    carries=inputs_of(replies),
    purpose="What a unit says to its orders; the topic, not the body, says which unit speaks.",
    results="dispatch.orders.{unit}",
)
DISPATCH_REVIEW_REQUESTS: Final = Topic(
    name="dispatch.review-requests",
    key="complaint id",
    partitions=1,
    retention=_MONTH,
    speaker=roles.RELAY,
    hearers=(roles.REVIEWERS,),
    carries=(
        events.ReturnRequested,
        events.ExtensionRequested,
        events.PauseRequested,
        events.TerminationRequested,
        events.DisputeRaised,
        events.ExclusionRequested,
    ),
    purpose="What waits for a reviewer or a council: returns, extensions, pauses, terminations, disputes, exclusions.",
)
DISPATCH_REVIEWS: Final = Topic(
    name="dispatch.reviews",
    key="complaint id",
    partitions=1,
    retention=_WEEK,
    speaker=roles.REVIEWERS,
    hearers=("dispatch",),
    carries=inputs_of(reviews),
    purpose="What reviewers and councils decided.",
    results="dispatch.results",
)
FEEDBACK_VISITS: Final = Topic(
    name="feedback.visits",
    key="complaint id",
    partitions=4,
    retention=_MONTH,
    speaker=roles.RELAY,
    hearers=(roles.DIALLER,),
    carries=(events.VisitScheduled, events.AnswerSentBack),
    purpose="Whom to ask, and not before when; and what need not be asked any more, the answer was sent back.",
)
FEEDBACK_VISIT_RESULTS: Final = Topic(
    name="feedback.visit-results",
    key="complaint id",
    partitions=4,
    retention=_WEEK,
    speaker=roles.DIALLER,
    hearers=("feedback",),
    carries=inputs_of(visits),
    purpose="What the citizen said, or that nobody answered.",
    results="feedback.results",
)
FEEDBACK_EXCEPTIONS: Final = Topic(
    name="feedback.exceptions",
    key="complaint id",
    partitions=1,
    retention=_WEEK,
    speaker=roles.SUPERVISION,
    hearers=("feedback",),
    carries=inputs_of(exceptions),
    purpose="What supervisors decide: what a unit must do, and approved exceptions, closing without a visit's outcome. "
    "Apart from the answers, for whoever may write those must not be able to approve.",
    results="feedback.exception-results",
)
CITIZEN_NOTICES: Final = Topic(
    name="citizen.notices",
    key="complaint id",
    partitions=1,
    retention=_MONTH,
    speaker=roles.RELAY,
    hearers=(roles.SMS_GATEWAY, roles.AGENTS),
    carries=(events.ProgressReported, events.ExtensionApproved, events.PauseApproved, events.PauseEnded),
    purpose="What a citizen is told while it is handled (R7): how far it is, and that it takes longer. What he is "
    "asked stands in feedback.visits; nobody is named here, only the complaint: `reviewer` is empty.",
    withholds=("reviewer",),
)
ESCALATION_NOTICES: Final = Topic(
    name="escalation.notices",
    key="complaint id",
    partitions=1,
    retention=_MONTH,
    speaker=roles.RELAY,
    hearers=(roles.SUPERVISION, roles.DISTRICTS),
    carries=(
        events.ComplaintEscalated,
        events.SupervisionOpened,
        events.SupervisionDecided,
        events.SupervisionMissed,
        events.SupervisionClosed,
        events.ArrivalMissed,
        events.DispatchLimitMissed,
        events.VisitLimitMissed,
        events.LimitMissCorrected,
    ),
    purpose="Whose desk a late complaint now lies on, who supervises it and what they decide, who did not come when a "
    "street whistled, what the hotline itself dispatched or asked too late, and which miss proved to be none.",
)
SUPERVISION_REPORTS: Final = Topic(
    name="supervision.reports",
    key="complaint id",
    partitions=1,
    retention=_MONTH,
    speaker=roles.RELAY,
    hearers=(roles.SUPERVISION,),
    carries=(events.RetaliationReported,),
    purpose="Which unit is said to retaliate, and for which complaint (R9). Apart from escalation.notices, which the "
    "districts hear too.",
)

TELEPHONY_RESULTS: Final = Topic(
    name="telephony.results",
    key="place of the message",
    partitions=1,
    retention=_MONTH,
    speaker=roles.RELAY,
    hearers=(roles.TELEPHONY,),
    carries=(),
    purpose="Which events of telephony were parked, and why.",
)
INTAKE_RESULTS: Final = Topic(
    name="intake.results",
    key="complaint id, else the place of the message",
    partitions=1,
    retention=_MONTH,
    speaker=roles.RELAY,
    hearers=(roles.AGENTS,),
    carries=(events.IntakeRefused,),
    purpose="Which requests of the agents' desk, web or app were refused or parked, and why.",
)
DISPATCH_RESULTS: Final = Topic(
    name="dispatch.results",
    key="complaint id, else the place of the message",
    partitions=1,
    retention=_MONTH,
    speaker=roles.RELAY,
    hearers=(roles.REVIEWERS,),
    carries=(events.ReplyRefused,),
    purpose="Which decisions of reviewers and councils were refused or parked, and why.",
)
FEEDBACK_RESULTS: Final = Topic(
    name="feedback.results",
    key="complaint id, else the place of the message",
    partitions=1,
    retention=_MONTH,
    speaker=roles.RELAY,
    hearers=(roles.DIALLER,),
    carries=(events.VisitAnswerRefused,),
    purpose="Which of the dialler's visit results were refused or parked, and why.",
)
FEEDBACK_EXCEPTION_RESULTS: Final = Topic(
    name="feedback.exception-results",
    key="complaint id, else the place of the message",
    partitions=1,
    retention=_MONTH,
    speaker=roles.RELAY,
    hearers=(roles.SUPERVISION,),
    carries=(events.VisitAnswerRefused,),
    purpose="Which of the supervisors' exceptions were refused or parked, and why.",
)

TOPICS: Final[tuple[Topic, ...]] = (
    TELEPHONY_CALLS,
    INTAKE_REQUESTS,
    COMPLAINTS_LOG,
    COMPLAINTS_ANCHORS,
    DISPATCH_ORDERS,
    DISPATCH_REPLIES,
    DISPATCH_REVIEW_REQUESTS,
    DISPATCH_REVIEWS,
    FEEDBACK_VISITS,
    FEEDBACK_VISIT_RESULTS,
    FEEDBACK_EXCEPTIONS,
    CITIZEN_NOTICES,
    ESCALATION_NOTICES,
    SUPERVISION_REPORTS,
    TELEPHONY_RESULTS,
    INTAKE_RESULTS,
    DISPATCH_RESULTS,
    FEEDBACK_RESULTS,
    FEEDBACK_EXCEPTION_RESULTS,
)

RESULTS: Final[frozenset[str]] = frozenset(topic.results for topic in TOPICS if topic.results)
"""The names of the lines on which speakers hear what came of their word."""


def hearer_of(kind: type[Input]) -> str:
    """The desk that takes this input in."""
    (desk,) = (topic.hearers[0] for topic in TOPICS if kind in topic.carries)
    return desk
