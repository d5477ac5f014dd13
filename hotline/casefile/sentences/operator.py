"""The sentence an operator reads of each fact: who, what, and how it weighs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from hotline.casefile import refusals
from shared import events as e
from shared.text import quoted

_REASONS: Final = {
    e.VisitReason.ANSWERED: "the unit answered",
    e.VisitReason.EXPIRED: "the limit expired",
}

_GROUNDS: Final = {
    e.TerminationGround.INFORMATION_REFUSED: "the citizen will not say what it must know",
    e.TerminationGround.UNLAWFUL_OR_IMPOSSIBLE: "against law, policy or morals",
}

_PAUSES: Final = {
    e.PauseGround.AWAITS_CITIZEN: "the citizen must act first",
    e.PauseGround.AWAITS_AUTHORITY: "somebody else must decide first",
    e.PauseGround.SEASON: "season or weather does not let it be done",
}

_TURNED_AWAY: Final = {
    e.TurnedAway.REJECTED: "not accepted",
    e.TurnedAway.REDIRECTED: "pointed",
    e.TurnedAway.EMERGENCY: "handed as an emergency",
    e.TurnedAway.RECORDED_TWICE: "recorded twice, left",
}


def _with(fact: Any) -> str:
    """The attachments that came with it (R6)."""
    sent = fact.attachments or ()
    return f" [with {', '.join(f'{one.uri} ({one.media_type})' for one in sent)}]" if sent else ""


def _unlisted(fact: Any) -> str:
    """Said of an order whose subject or place the catalogue does not know."""
    return f"; to be corrected, not in the catalogue: {', '.join(fact.unlisted)}" if fact.unlisted else ""


def _unsure(fact: Any) -> str:
    """Said of a limit that may still move (T16)."""
    return " (provisional: its year's days are not announced yet)" if fact.provisional is True else ""


FOR_OPERATOR: Final[dict[type[e.Fact], Callable[[Any, Callable[[datetime], str]], tuple[str, str, str]]]] = {
    e.ComplaintReceived: lambda f, _: (f.channel, f"received: {f.title}{_with(f)}", "plain"),
    e.ComplaintClassified: lambda f, _: (
        f.classified_by,
        f"classified as {f.request_type}, {f.subject}, {f.urgency}",
        "plain",
    ),
    e.ComplaintAnsweredDirectly: lambda f, _: (
        "agent",
        f"answered on the spot from article {f.article_id} v{f.article_version}",
        "ended",
    ),
    e.IdentityProtected: lambda f, _: (
        "citizen",
        "wants to be known to nobody" if f.anonymous else "wants to be known to the hotline alone",
        "plain",
    ),
    e.MatterLinked: lambda f, _: (
        f.linked_by,
        f"{'of the same call' if f.same_call is True else 'the same matter'} as complaint {f.matter_of}",
        "plain",
    ),
    e.ComplaintTurnedAway: lambda f, _: (
        "agent",
        f"{_TURNED_AWAY[f.how]}{f' to {f.to}' if f.to else ''}" + (f": {f.reason}" if f.reason else ""),
        "ended",
    ),
    e.RetaliationReported: lambda f, _: (
        "citizen",
        f"reports that {f.accused} retaliates" + (f" for complaint {f.about}" if f.about else ""),
        "plain",
    ),
    e.RatingGiven: lambda f, _: (
        "citizen",
        f"rates it on {f.channel}: {'satisfied' if f.satisfied else 'not satisfied'}"
        + (f", {f.comment}" if f.comment else ""),
        "plain",
    ),
    e.RequestCorrected: lambda f, _: (
        f.corrected_by,
        "corrected: "
        + "; ".join(f"{c.field} was {quoted(c.old)}, is {quoted(c.new)}" for c in f.corrections),
        "plain",
    ),
    e.RequestSupplemented: lambda f, _: ("citizen", f"adds: {f.text}{_with(f)}", "plain"),
    e.RequestRepeated: lambda f, _: (
        "another citizen" if f.by else "citizen",
        f"brings it up again, {f.heat} times by now ({f.by or f.repeat_id})"
        + (f": {f.note}" if f.note else ""),
        "plain",
    ),
    e.CalendarAmended: lambda f, t: (
        f.amended_by,
        f"goes by calendar {f.calendar} now, was {f.old_calendar}: {f.reason}; answer by {t(f.new_due_at)}"
        + (f" instead of {t(f.old_due_at)}" if f.new_due_at != f.old_due_at else ", as before")
        + _unsure(f),
        "plain",
    ),
    e.ConfidentialityRequired: lambda f, _: ("dispatch", f"{f.unit} must keep it confidential", "plain"),
    e.ComplaintWithdrawn: lambda f, _: ("citizen", f"withdrawn: {f.reason or 'no reason given'}", "ended"),
    e.IntakeRefused: lambda f, _: (*refusals.worded(f), "refused"),
    e.ComplaintDispatched: lambda f, t: (
        "dispatch",
        f"order {f.assignment} to {f.unit} (round {f.round}; {f.rule}); "
        + (f"sign by {t(f.sign_due_at)}, " if f.sign_due_at else "")
        + f"answer by {t(f.citizen_due_at if f.round == 1 else f.unit_due_at)}{_unsure(f)}{_unlisted(f)}",
        "plain",
    ),
    e.OrderSigned: lambda f, _: (f.unit, f"signed order {f.assignment}", "plain"),
    e.OrderAnswered: lambda f, _: (
        f.unit,
        f"answered{', claims it is solved' if f.claims_solved else ''}: {f.result}",
        "plain",
    ),
    e.ReturnRequested: lambda f, _: (
        f.unit,
        f"wants to return order {f.assignment}: {f.reason} ({f.evidence})"
        + (f", suggests {f.suggested_unit}" if f.suggested_unit else ""),
        "plain",
    ),
    e.ReturnApproved: lambda f, _: (f.reviewer, f"return of order {f.assignment} approved", "plain"),
    e.ReturnRejected: lambda f, _: (f.reviewer, f"return rejected: {f.reason or 'no reason given'}", "plain"),
    e.OrderAssigned: lambda f, _: (f.unit, f"gave order {f.assignment} to {f.to_unit}: {f.reason}", "plain"),
    e.OrderMoved: lambda f, _: (
        "dispatch",
        f"order {f.assignment} moves from {f.unit} to {f.to_unit}, by the corrected record",
        "plain",
    ),
    e.OrderAmended: lambda f, _: (
        "dispatch",
        f"order {f.assignment} of {f.unit} says now: {f.subject}, {f.district}{f.street or ''}{_unlisted(f)}"
        + (f"; the catalogue names {f.names}" if f.names else ""),
        "plain",
    ),
    e.ExtensionRequested: lambda f, _: (
        f.unit,
        f"wants {f.days} days more: {f.reason}" + ("" if f.citizen_told else " (the citizen is not told)"),
        "plain",
    ),
    e.ExtensionApproved: lambda f, t: (
        f.reviewer,
        f"extension approved: answer by {t(f.new_due_at)} instead of {t(f.old_due_at)}{_unsure(f)}",
        "plain",
    ),
    e.ExtensionRejected: lambda f, _: (
        f.reviewer,
        f"extension rejected: {f.reason or 'no reason given'}",
        "plain",
    ),
    e.PauseRequested: lambda f, _: (
        f.unit,
        f"wants its clock to stand still for {f.days} days, {_PAUSES[f.ground]}: {f.evidence}",
        "plain",
    ),
    e.PauseApproved: lambda f, t: (
        f.reviewer,
        f"the clock stands still until {t(f.until)}, {_PAUSES[f.ground]}: answer by {t(f.new_due_at)} instead of "
        + t(f.old_due_at)
        + _unsure(f),
        "plain",
    ),
    e.PauseRejected: lambda f, _: (
        f.reviewer,
        f"the clock runs on: {f.reason or 'no reason given'}",
        "plain",
    ),
    e.PauseEnded: lambda f, t: (
        f.unit,
        f"the clock runs again, {f.reason}: answer by {t(f.new_due_at)} instead of {t(f.old_due_at)}{_unsure(f)}",
        "plain",
    ),
    e.TerminationRequested: lambda f, _: (
        f.unit,
        f"wants to end order {f.assignment} unanswered, {_GROUNDS[f.ground]}: {f.evidence}",
        "plain",
    ),
    e.TerminationApproved: lambda f, _: (
        f.reviewer,
        f"order {f.assignment} ended unanswered, {_GROUNDS[f.ground]}"
        + (f": {f.reason}" if f.reason else ""),
        "plain",
    ),
    e.TerminationRejected: lambda f, _: (
        f.reviewer,
        f"termination rejected: {f.reason or 'no reason given'}",
        "plain",
    ),
    e.DisputeRaised: lambda f, _: (
        f.unit,
        f"disputes that order {f.assignment} is its own: {f.reason} ({f.evidence})",
        "plain",
    ),
    e.CouncilDecided: lambda f, _: (
        "council",
        f"{', '.join(f.participants)} met: it is {f.to_unit}'s, {f.reason}",
        "plain",
    ),
    e.CoUnitAdded: lambda f, _: (f.added_by, f"{f.co_unit} must help {f.unit}: {f.reason}", "plain"),
    e.CoUnitReported: lambda f, _: (f.co_unit, f"reported to {f.unit}: {f.result}", "plain"),
    e.ComplaintReclassified: lambda f, t: (
        f.reclassified_by,
        f"is {f.urgency} now, was {f.old_urgency}: {f.reason}; answer by {t(f.due_at)} instead of "
        + t(f.old_due_at)
        + _unsure(f),
        "plain",
    ),
    e.ExclusionRequested: lambda f, _: (
        f.unit,
        f"wants it left out of its score, {f.ground.lower().replace('_', ' ')}: {f.evidence}",
        "plain",
    ),
    e.ExclusionApproved: lambda f, _: (
        f.reviewer,
        f"left out of the score of {f.unit}, {f.ground.lower().replace('_', ' ')}"
        + (f": {f.reason}" if f.reason else ""),
        "plain",
    ),
    e.ExclusionRejected: lambda f, _: (
        f.reviewer,
        f"it counts for {f.unit}: {f.reason or 'no reason given'}",
        "plain",
    ),
    e.CitizenContacted: lambda f, _: (
        f.unit,
        f"spoke to the citizen for the first time ({f.channel})",
        "plain",
    ),
    e.ContactFailed: lambda f, _: (
        f.unit,
        f"could not reach the citizen for the first contact ({f.channel}, {f.cause})",
        "plain",
    ),
    e.ProgressReported: lambda f, _: (
        f.unit,
        f"tells the citizen {'the result of a stage' if f.stage_feedback else 'how far it is'}: {f.text}",
        "plain",
    ),
    e.AnswerSentBack: lambda f, _: (
        f.reviewer,
        f"sent the answer of {f.unit} back, the citizen is not asked about it: {f.reason}",
        "missed",
    ),
    e.ReplyRefused: lambda f, _: (*refusals.worded(f), "refused"),
    e.DispatchLimitMissed: lambda f, t: (
        "escalation",
        f"not dispatched by {t(f.due_at)}, {f.told} is told",
        "missed",
    ),
    e.VisitLimitMissed: lambda f, t: (
        "escalation",
        f"nobody had asked the citizen by {t(f.due_at)} (visit {f.visit}), {f.told} is told",
        "missed",
    ),
    e.SignLimitMissed: lambda f, t: (f.unit, f"did not sign by {t(f.due_at)}", "missed"),
    e.AnswerLimitMissed: lambda f, t: (f.unit, f"did not answer by {t(f.due_at)}", "missed"),
    e.ComplaintEscalated: lambda f, t: (
        "escalation",
        f"{f.to_level.lower()} level told ({f.told}): {f.unit} missed its {f.because.lower()} limit"
        + (f"; the next level at {t(f.next_at)}" if f.next_at else ""),
        "missed",
    ),
    e.WarningGiven: lambda f, t: (
        "escalation",
        f"{f.colour.lower()} warning: {f.unit} must answer by {t(f.due_at)}",
        "plain",
    ),
    e.SupervisionOpened: lambda f, t: (
        f.leader,
        f"supervision opened ({f.told}) by the {f.because.lower()} limit {f.unit} missed, until {t(f.due_at)}",
        "missed",
    ),
    e.SupervisionMissed: lambda f, t: (
        f.leader,
        f"supervision did not bring it to an end by {t(f.due_at)}",
        "missed",
    ),
    e.SupervisionClosed: lambda f, _: (
        f.leader,
        f"supervision closed with {f.outcome.lower() if f.outcome else f.how}",
        "plain",
    ),
    e.ArrivalMissed: lambda f, t: (
        f.called,
        f"was not there by {t(f.due_at)} (whistle {f.whistle}); {f.to_level.lower()} level told ({f.told})",
        "missed",
    ),
    e.WhistleBlown: lambda f, _: (
        f.unit,
        f"whistle {f.whistle}, {f.kind}, {f.lead} leads: {f.reason} ({f.scene})",
        "plain",
    ),
    e.UnitCalled: lambda f, t: (
        f.unit,
        f"calls {f.called}" + (f", to be there by {t(f.arrive_by)}" if f.arrive_by else ""),
        "plain",
    ),
    e.WhistleAcknowledged: lambda f, _: (f.called, f"comes (whistle {f.whistle})", "plain"),
    e.WhistleArrived: lambda f, _: (f.called, f"is there with {f.persons} (whistle {f.whistle})", "plain"),
    e.WhistleMeasureRecorded: lambda f, _: (f.called, f"does: {f.measure}", "plain"),
    e.WhistleReleased: lambda f, _: (
        f.unit,
        f"lets {f.called} go (whistle {f.whistle})" + (f": {f.reason}" if f.reason else ""),
        "plain",
    ),
    e.WhistleRated: lambda f, _: (
        f.rated_by,
        f"rates {f.rated} {f.stars} of 5" + (f": {f.comment}" if f.comment else ""),
        "plain",
    ),
    e.LimitMissCorrected: lambda f, t: (
        "escalation",
        f"the {f.limit.lower()} limit counts as kept: {f.unit or 'the hotline'} acted at {t(f.done_at)}",
        "plain",
    ),
    e.VisitScheduled: lambda f, t: (
        "feedback",
        f"visit {f.visit} attempt {f.attempt} asked for"
        + (f" by {f.channel}" if f.channel else "")
        + f", not before {t(f.visit_at)} ({_REASONS[f.reason]})",
        "plain",
    ),
    e.VisitMade: lambda f, _: (
        "citizen",
        f"{'solved' if f.solved else 'not solved'}, {'satisfied' if f.satisfied else 'not satisfied'}"
        + (f": {f.reason}" if f.reason else ""),
        "plain",
    ),
    e.VisitUnreached: lambda f, _: (
        "dialler",
        f"attempt {f.attempt} did not reach the citizen ({f.cause})",
        "plain",
    ),
    e.ComplaintReopened: lambda f, _: ("feedback", f"reopened, round {f.round} to {f.unit}", "missed"),
    e.ComplaintClosed: lambda f, _: (
        f.approved_by or "feedback",
        f"closed: {f.outcome.lower()}" + (f", by exception: {f.reason}" if f.approved_by else ""),
        "ended",
    ),
    e.SupervisionDecided: lambda f, _: (
        f.decided_by,
        f"decided as supervision, {f.level.lower()} level: {f.decision}",
        "plain",
    ),
    e.VisitAnswerRefused: lambda f, _: (*refusals.worded(f), "refused"),
}
"""For each fact: who, what, and how it weighs on a reader."""
