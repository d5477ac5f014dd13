"""Each fact as a page tells it: its title, who stated it, and the fields that a reader needs. A table, no sentences.

English here, Chinese in the catalogue: a title and labels translate where a sentence with holes would not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from hotline.web.pages.catalogues import N_
from shared import events as e
from shared.events import Fact


class FactWords(NamedTuple):
    """How a fact of one kind is told."""

    title: str
    who: str
    """The field that names who did it; else one of `WHO`, in brackets."""
    fields: tuple[str, ...] = ()
    """The fields that are shown, in this order; those that say nothing are left out."""
    weight: str = "plain"
    """plain, good, missed, refused or ended; the style and a word go by it."""
    milestone: bool = False
    """Whether it stands among the few that tell the life in short."""


CITIZEN, AGENT, DISPATCH, CLOCK, HOTLINE, REVIEW = (
    "[citizen]",
    "[agent]",
    "[dispatch]",
    "[clock]",
    "[hotline]",
    "[council]",
)
WHO: Final[Mapping[str, str]] = {
    CITIZEN: N_("citizen"),
    AGENT: N_("agent"),
    DISPATCH: N_("dispatch"),
    CLOCK: N_("limit clock"),
    HOTLINE: N_("hotline"),
    REVIEW: N_("council"),
}
LABELS: Final[Mapping[str, str]] = {
    "article_id": N_("article"),
    "approved": N_("decision"),
    "address": N_("address"),
    "confidential": N_("confidential"),
    "accused": N_("accused"),
    "about": N_("about"),
    "arrive_by": N_("be there by"),
    "asked": N_("asked for"),
    "because": N_("because of the limit"),
    "calendar": N_("calendar"),
    "called": N_("called"),
    "cause": N_("cause"),
    "channel": N_("channel"),
    "citizen_due_at": N_("answer by"),
    "citizen_told": N_("citizen told"),
    "claims_solved": N_("claims it is solved"),
    "co_units": N_("helping units"),
    "co_unit": N_("helping unit"),
    "colour": N_("colour"),
    "comment": N_("comment"),
    "content": N_("content"),
    "days": N_("days"),
    "decision": N_("decision"),
    "district": N_("district"),
    "done_at": N_("acted at"),
    "due_at": N_("by"),
    "evidence": N_("evidence"),
    "ground": N_("ground"),
    "heat": N_("times brought up"),
    "how": N_("how"),
    "kind": N_("kind"),
    "lead": N_("leads"),
    "leader": N_("leader"),
    "level": N_("level"),
    "limit": N_("limit"),
    "matter_of": N_("with"),
    "measure": N_("measure"),
    "names": N_("catalogue names"),
    "new_due_at": N_("answer by"),
    "next_at": N_("next level at"),
    "note": N_("note"),
    "old_due_at": N_("instead of"),
    "outcome": N_("outcome"),
    "participants": N_("those who met"),
    "persons": N_("persons"),
    "rated": N_("rated"),
    "reason": N_("reason"),
    "request_type": N_("kind of request"),
    "result": N_("result"),
    "round": N_("round"),
    "satisfied": N_("satisfied"),
    "scene": N_("place"),
    "sign_due_at": N_("sign by"),
    "solved": N_("solved"),
    "stage_feedback": N_("result of a stage"),
    "stars": N_("stars"),
    "street": N_("street"),
    "subject": N_("subject"),
    "suggested_unit": N_("suggested unit"),
    "text": N_("text"),
    "title": N_("title"),
    "to": N_("to"),
    "to_level": N_("level"),
    "to_unit": N_("to"),
    "told": N_("told"),
    "unit": N_("unit"),
    "unit_due_at": N_("answer by"),
    "until": N_("until"),
    "urgency": N_("urgency"),
    "visit_at": N_("not before"),
    "visit_by": N_("at the latest"),
    "attempt": N_("attempt"),
    "whistle": N_("whistle"),
}
"""Labels of fields, for facts and for the forms that ask for them."""

FACT_WORDS: Final[Mapping[type[Fact], FactWords]] = {
    e.ComplaintReceived: FactWords(N_("Taken on record"), "channel", ("title",), milestone=True),
    e.ComplaintClassified: FactWords(
        N_("Classified"), "classified_by", ("request_type", "subject", "urgency")
    ),
    e.ComplaintAnsweredDirectly: FactWords(
        N_("Answered on the spot"), AGENT, ("article_id",), "ended", milestone=True
    ),
    e.IdentityProtected: FactWords(N_("Wants to stay unknown"), CITIZEN),
    e.MatterLinked: FactWords(N_("Linked as the same matter"), "linked_by", ("matter_of",)),
    e.RetaliationReported: FactWords(N_("Reports retaliation"), CITIZEN, ("accused", "about"), "missed"),
    e.ComplaintTurnedAway: FactWords(
        N_("Not taken on"), AGENT, ("how", "to", "reason"), "ended", milestone=True
    ),
    e.RequestCorrected: FactWords(N_("Record corrected"), "corrected_by"),
    e.RequestSupplemented: FactWords(N_("Citizen adds"), CITIZEN, ("text",)),
    e.RequestRepeated: FactWords(N_("Brought up again"), CITIZEN, ("heat", "note")),
    e.ComplaintWithdrawn: FactWords(N_("Withdrawn"), CITIZEN, ("reason",), "ended", milestone=True),
    e.RatingGiven: FactWords(N_("Rated"), CITIZEN, ("satisfied", "comment")),
    e.IntakeRefused: FactWords(N_("Refused"), HOTLINE, ("asked", "reason"), "refused"),
    e.ComplaintDispatched: FactWords(
        N_("Dispatched"),
        DISPATCH,
        ("unit", "round", "sign_due_at", "citizen_due_at", "unit_due_at"),
        milestone=True,
    ),
    e.OrderSigned: FactWords(N_("Signed"), "unit", milestone=True),
    e.OrderAnswered: FactWords(N_("Answered"), "unit", ("claims_solved", "result"), milestone=True),
    e.ReturnRequested: FactWords(N_("Asks to return it"), "unit", ("reason", "evidence", "suggested_unit")),
    e.ReturnApproved: FactWords(N_("Return approved"), "reviewer", milestone=True),
    e.ReturnRejected: FactWords(N_("Return rejected"), "reviewer", ("reason",)),
    e.OrderAssigned: FactWords(N_("Given on"), "unit", ("to_unit", "reason"), milestone=True),
    e.OrderMoved: FactWords(N_("Moved by the corrected record"), DISPATCH, ("to_unit",), milestone=True),
    e.OrderAmended: FactWords(N_("Order amended"), DISPATCH, ("subject", "district", "street", "names")),
    e.TerminationRequested: FactWords(N_("Asks to end it unanswered"), "unit", ("ground", "evidence")),
    e.TerminationApproved: FactWords(
        N_("Ended unanswered"), "reviewer", ("ground", "reason"), "ended", milestone=True
    ),
    e.TerminationRejected: FactWords(N_("Must be answered after all"), "reviewer", ("reason",)),
    e.DisputeRaised: FactWords(N_("Disputes whose it is"), "unit", ("reason", "evidence")),
    e.CouncilDecided: FactWords(N_("Council decided"), REVIEW, ("to_unit", "participants", "reason")),
    e.CoUnitAdded: FactWords(N_("Helping unit added"), "added_by", ("co_unit", "reason")),
    e.CoUnitReported: FactWords(N_("Helping unit reports"), "co_unit", ("result",)),
    e.ConfidentialityRequired: FactWords(N_("Must be kept confidential"), DISPATCH, ("unit",)),
    e.ExclusionRequested: FactWords(N_("Asks to leave it out of the score"), "unit", ("ground", "evidence")),
    e.ExclusionApproved: FactWords(N_("Left out of the score"), "reviewer", ("ground", "reason")),
    e.ExclusionRejected: FactWords(N_("Counts in the score"), "reviewer", ("reason",)),
    e.CitizenContacted: FactWords(N_("First contact made"), "unit", ("channel",)),
    e.ContactFailed: FactWords(N_("Citizen not reached"), "unit", ("channel", "cause")),
    e.ProgressReported: FactWords(N_("Progress told"), "unit", ("stage_feedback", "text")),
    e.AnswerSentBack: FactWords(N_("Answer sent back"), "reviewer", ("reason",), "missed", milestone=True),
    e.ReplyRefused: FactWords(N_("Refused"), "unit", ("asked", "reason"), "refused"),
    e.ExtensionRequested: FactWords(N_("Asks for more days"), "unit", ("days", "reason", "citizen_told")),
    e.ExtensionApproved: FactWords(N_("More days granted"), "reviewer", ("new_due_at", "old_due_at")),
    e.ExtensionRejected: FactWords(N_("More days refused"), "reviewer", ("reason",)),
    e.PauseRequested: FactWords(N_("Asks for a pause"), "unit", ("ground", "days", "evidence")),
    e.PauseApproved: FactWords(
        N_("Clock stands still"), "reviewer", ("until", "ground", "new_due_at", "old_due_at")
    ),
    e.PauseRejected: FactWords(N_("Pause refused"), "reviewer", ("reason",)),
    e.PauseEnded: FactWords(N_("Clock runs again"), "unit", ("new_due_at", "reason")),
    e.ComplaintReclassified: FactWords(
        N_("Urgency changed"), "reclassified_by", ("urgency", "new_due_at", "old_due_at", "reason")
    ),
    e.CalendarAmended: FactWords(
        N_("Calendar amended"), "amended_by", ("calendar", "new_due_at", "old_due_at", "reason")
    ),
    e.WhistleBlown: FactWords(N_("Whistled"), "unit", ("whistle", "kind", "lead", "scene", "reason")),
    e.UnitCalled: FactWords(N_("Unit called"), "unit", ("called", "arrive_by")),
    e.WhistleAcknowledged: FactWords(N_("Comes"), "called", ("whistle",)),
    e.WhistleArrived: FactWords(N_("Is there"), "called", ("whistle", "persons")),
    e.WhistleMeasureRecorded: FactWords(N_("Measure"), "called", ("measure",)),
    e.WhistleReleased: FactWords(N_("Let go"), "unit", ("called", "reason")),
    e.WhistleRated: FactWords(N_("Rates"), "rated_by", ("rated", "stars", "comment")),
    e.SignLimitMissed: FactWords(N_("Not signed in time"), "unit", ("due_at",), "missed", milestone=True),
    e.DispatchLimitMissed: FactWords(N_("Not dispatched in time"), CLOCK, ("due_at", "told"), "missed"),
    e.VisitLimitMissed: FactWords(N_("Citizen not asked in time"), CLOCK, ("due_at", "told"), "missed"),
    e.AnswerLimitMissed: FactWords(N_("Not answered in time"), "unit", ("due_at",), "missed", milestone=True),
    e.ComplaintEscalated: FactWords(
        N_("Next level told"), CLOCK, ("to_level", "told", "because", "next_at"), "missed"
    ),
    e.LimitMissCorrected: FactWords(N_("Limit counts as kept"), CLOCK, ("limit", "unit", "done_at"), "good"),
    e.WarningGiven: FactWords(N_("Warning"), CLOCK, ("colour", "due_at")),
    e.SupervisionOpened: FactWords(
        N_("Supervision opened"), "leader", ("because", "due_at"), "missed", milestone=True
    ),
    e.SupervisionMissed: FactWords(N_("Supervision's limit missed"), "leader", ("due_at",), "missed"),
    e.SupervisionClosed: FactWords(N_("Supervision closed"), "leader", ("how", "outcome")),
    e.ArrivalMissed: FactWords(
        N_("Not there in time"), "called", ("whistle", "due_at", "to_level", "told"), "missed"
    ),
    e.VisitScheduled: FactWords(
        N_("Visit scheduled"), HOTLINE, ("attempt", "channel", "visit_at", "visit_by", "reason")
    ),
    e.VisitMade: FactWords(N_("Citizen asked"), CITIZEN, ("solved", "satisfied", "reason"), milestone=True),
    e.VisitUnreached: FactWords(
        N_("Visit did not reach the citizen"), HOTLINE, ("attempt", "channel", "cause")
    ),
    e.ComplaintReopened: FactWords(
        N_("Reopened"), HOTLINE, ("unit", "round", "reason"), "missed", milestone=True
    ),
    e.ComplaintClosed: FactWords(N_("Closed"), HOTLINE, ("outcome", "reason"), "ended", milestone=True),
    e.SupervisionDecided: FactWords(N_("Supervision decided"), "decided_by", ("level", "decision")),
    e.VisitAnswerRefused: FactWords(N_("Refused"), HOTLINE, ("asked", "reason"), "refused"),
}
"""A new fact is a line here; a test compares them with all there are."""
