"""The sentence a unit reads of each fact on its topic; a new order is shown as a line of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from hotline.casefile import refusals
from shared import events as e
from shared.ids import UnitId
from shared.text import quoted

FOR_UNIT: Final[dict[type[e.Fact], Callable[[Any, UnitId, Callable[[datetime], str]], str]]] = {
    e.ComplaintWithdrawn: lambda _, __, ___: "the citizen took it back; nothing more to do",
    e.ComplaintClosed: lambda f, _, __: f"closed, {f.outcome.lower()}; nothing more to do",
    e.ReplyRefused: lambda f, _, __: refusals.answer(f),
    e.ReturnApproved: lambda _, __, ___: "your return was approved; it goes to another unit",
    e.ReturnRejected: lambda _, __, ___: "your return was rejected; it stays with you",
    e.OrderAssigned: lambda f, _, __: f"you gave it to {f.to_unit}",
    e.OrderMoved: lambda f, _, __: f"the record was corrected: it goes to {f.to_unit}; nothing more to do",
    e.OrderAmended: lambda f, _, __: (
        f"amended: it is about {f.subject} in {f.district}{f.street or ''}"
        + (f"; the catalogue names {f.names}: return it if it is not yours" if f.names else "")
    ),
    e.ExtensionApproved: lambda f, _, t: f"extended: your limit is {t(f.new_due_at)} now",
    e.ExtensionRejected: lambda f, _, __: f"not extended, the limit stays: {f.reason}",
    e.PauseApproved: lambda f, _, t: (
        f"your clock stands still until {t(f.until)}, your limit is {t(f.new_due_at)} then"
    ),
    e.PauseRejected: lambda f, _, __: f"not paused, the clock runs on: {f.reason}",
    e.PauseEnded: lambda f, _, t: f"the clock runs again: your limit is {t(f.new_due_at)} now",
    e.TerminationApproved: lambda _, __, ___: "terminated; nothing more to do",
    e.TerminationRejected: lambda f, _, __: f"not terminated, it stays with you: {f.reason}",
    e.CouncilDecided: lambda f, u, _: (
        "a council leaves it with you" if f.to_unit == u else f"a council gave it to {f.to_unit}"
    ),
    e.CoUnitAdded: lambda f, u, _: (
        f"help {f.unit} with {f.subject}: {f.title} ({f.reason}), then `hotline unit report`"
        if f.co_unit == u
        else f"{f.co_unit} must help you: {f.reason}"
    ),
    e.CoUnitReported: lambda f, _, __: f"{f.co_unit} reports: {f.result}",
    e.ComplaintReclassified: lambda f, _, t: f"it is {f.urgency} now: your limit is {t(f.due_at)}",
    e.CalendarAmended: lambda f, _, t: f"by the amended calendar your limit is {t(f.new_due_at)}",
    e.ConfidentialityRequired: lambda _, __, ___: (
        "it is confidential: nobody may learn whose complaint it is"
    ),
    e.RequestCorrected: lambda f, _, __: (
        "corrected: " + "; ".join(f"{c.field} is {quoted(c.new)}" for c in f.corrections)
    ),
    e.RequestSupplemented: lambda f, _, __: f"the citizen adds: {f.text}",
    e.RequestRepeated: lambda f, _, __: f"brought up again, {f.heat} times by now: {f.note}",
    e.WarningGiven: lambda f, _, t: f"{f.colour.lower()} warning: answer by {t(f.due_at)}",
    e.SupervisionOpened: lambda f, _, t: f"{f.leader} supervises it now, until {t(f.due_at)}",
    e.SupervisionDecided: lambda f, _, __: f"{f.decided_by} decides ({f.level.lower()} level): {f.decision}",
    e.UnitCalled: lambda f, _, t: (
        f"{f.unit} whistles for you (whistle {f.whistle}, {f.kind}): {f.reason}, {f.scene}"
        + (f"; be there by {t(f.arrive_by)}" if f.arrive_by else "")
    ),
    e.WhistleAcknowledged: lambda f, _, __: f"{f.called} comes (whistle {f.whistle})",
    e.WhistleArrived: lambda f, _, __: f"{f.called} is there with {f.persons} (whistle {f.whistle})",
    e.WhistleMeasureRecorded: lambda f, _, __: f"{f.called} does: {f.measure}",
    e.WhistleReleased: lambda f, _, __: f"{f.unit} lets you go (whistle {f.whistle})",
    e.WhistleRated: lambda f, _, __: f"{f.rated_by} rates you {f.stars} of 5: {f.comment}",
    e.ArrivalMissed: lambda f, _, t: f"you were not there by {t(f.due_at)}; {f.told} is told",
    e.ExclusionApproved: lambda _, __, ___: "left out of your score",
    e.ExclusionRejected: lambda f, _, __: f"it counts in your score: {f.reason}",
    e.AnswerSentBack: lambda f, _, __: (
        f"your answer was sent back: {f.reason}; answer again, the limit runs on"
    ),
    e.LimitMissCorrected: lambda _, __, ___: "your reply had come in time after all; the miss does not count",
}
"""By the type of the fact."""
