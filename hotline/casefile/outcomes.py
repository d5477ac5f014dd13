"""The outcome of a unit's reply, in a sentence for that unit."""

from __future__ import annotations

from typing import Final

from hotline.casefile import refusals
from shared import events as e
from shared.events import Fact

NOTHING_NEW: Final = "It was so already; nothing changed."
OF_REPLIES: Final[dict[type[Fact], str]] = {
    e.OrderSigned: "Signed: the order is yours.",
    e.OrderAnswered: "Answered: now the citizen is asked.",
    e.ReturnRequested: "Return requested: a reviewer decides; the limit runs on.",
    e.OrderAssigned: "Given on: the street has it now.",
    e.ExtensionRequested: "Extension requested: a reviewer decides; the limit runs on.",
    e.PauseRequested: "Pause requested: a reviewer decides; the limit runs on.",
    e.PauseEnded: "Ended: your clock runs again.",
    e.TerminationRequested: "Termination requested: a reviewer decides; the limit runs on.",
    e.DisputeRaised: "Disputed: a council decides whose it is; the limit runs on.",
    e.ExclusionRequested: "Asked for: a reviewer decides; until then it counts.",
    e.CoUnitReported: "Reported: the unit that leads is told.",
    e.WhistleBlown: "Whistled: the units you called are told.",
    e.WhistleAcknowledged: "Acknowledged: the street knows that you come.",
    e.WhistleArrived: "You are there: the street knows.",
    e.WhistleMeasureRecorded: "Recorded: the street is told.",
    e.WhistleReleased: "Released.",
    e.WhistleRated: "Rated.",
    e.CitizenContacted: "On record: you have spoken to the citizen.",
    e.ContactFailed: "On record: you have tried; try again.",
    e.ProgressReported: "The citizen is told; the limit runs on.",
}


def of_reply(facts: list[Fact]) -> str:
    """The first fact that a unit is told something of, in a sentence; `NOTHING_NEW` where there is none."""
    for fact in facts:
        if isinstance(fact, e.ReplyRefused):
            return refusals.answer(fact)
        if type(fact) in OF_REPLIES:
            return OF_REPLIES[type(fact)]
    return NOTHING_NEW
