"""The words for codes that pages show: roles, stages, states. English here, Chinese in the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hotline.readside import unit_list
from hotline.web.pages.catalogues import N_
from shared import roles
from shared.events import base as e
from shared.policy.catalogue import Catalogue, To

NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "role": {
        roles.AGENTS: N_("Agent"),
        roles.UNIT: N_("Unit"),
        roles.REVIEWERS: N_("Reviewer"),
        roles.DIALLER: N_("Visits"),
        roles.SUPERVISION: N_("Supervision"),
    },
    "desk": {
        "intake": N_("intake"),
        "dispatch": N_("dispatch"),
        "escalation": N_("escalation"),
        "feedback": N_("feedback"),
    },
    "parked_act": {"OPENED": N_("looked at"), "RELEASED": N_("released"), "DROPPED": N_("dropped")},
    "mark_standing": {
        "PROPOSED": N_("to be decided"),
        "IN_FORCE": N_("in force"),
        "OBJECTED": N_("in force, the caller objects"),
        "REFUSED": N_("refused"),
        "LIFTED": N_("lifted"),
        "EXPIRED": N_("expired"),
    },
    "mark_act": {
        "PROPOSED": N_("put forward"),
        "APPROVED": N_("approved"),
        "REFUSED": N_("refused"),
        "OBJECTED": N_("the caller objects"),
        "UPHELD": N_("kept"),
        "LIFTED": N_("lifted"),
    },
    "mark_decision": {
        "APPROVED": N_("Approve"),
        "REFUSED": N_("Refuse"),
        "UPHELD": N_("Keep it in force"),
        "LIFTED": N_("Lift it"),
    },
    "stage": {
        "RECEIVED": N_("received"),
        "TO_DISPATCH": N_("to be dispatched"),
        "AT_UNIT": N_("to sign"),
        "SIGNED": N_("in work"),
        "IN_REVIEW": N_("in review"),
        "TERMINATED": N_("ended unanswered"),
        "ANSWERED": N_("answered"),
        "ASKING": N_("citizen is asked"),
        "ENDED": N_("ended"),
    },
    "why": {
        "overdue": N_("overdue"),
        "refused twice": N_("refused twice"),
        "slow": N_("slow to dispatch"),
        "parked": N_("a message was parked"),
    },
    "standing": {
        "new": N_("to sign"),
        "signed": N_("in work"),
        "in review": N_("in review"),
        "disputed": N_("in dispute"),
        "answered": N_("answered"),
        "paused": N_("paused"),
    },
    "part": {
        "lead": N_("leads"),
        "help": N_("helps"),
        "called": N_("whistled for"),
        "arrived": N_("on the spot"),
    },
    "list": {
        "advanced": N_("advanced"),
        "improved": N_("improved"),
        "rectification": N_("to rectify"),
        "governance": N_("to govern"),
    },
    "standing_of_value": {
        "law": N_("law"),
        "draft": N_("draft"),
        "configuration": N_("configuration"),
    },
    "answers_for": {
        To.STREET: N_("the street or town it happened in"),
        To.DISTRICT: N_("the district it happened in"),
    },
    "outcome": {
        "ANSWERED": N_("calls answered"),
        "ABANDONED": N_("given up while waiting"),
        "BUSY": N_("met a busy line"),
        "TIMEOUT": N_("not answered in time"),
        "SYSTEM_FAIL": N_("failed in the system"),
    },
    "Urgency": {
        e.Urgency.CRITICAL_2H: N_("within 2 hours"),
        e.Urgency.TIMELY_24H: N_("within 24 hours"),
        e.Urgency.GENERAL_7D: N_("within 7 days"),
        e.Urgency.COMPLEX_15D: N_("within 15 days"),
    },
    "RequestType": {
        e.RequestType.CONSULT: N_("question"),
        e.RequestType.HELP: N_("call for help"),
        e.RequestType.COMPLAINT: N_("complaint"),
        e.RequestType.REPORT: N_("report"),
        e.RequestType.SUGGEST: N_("suggestion"),
        e.RequestType.PRAISE: N_("praise"),
    },
    "Level": {
        e.Level.UNIT: N_("unit itself"),
        e.Level.DISTRICT: N_("district level"),
        e.Level.MUNICIPAL: N_("municipal level"),
    },
    "Limit": {
        e.Limit.SIGN: N_("signing"),
        e.Limit.ANSWER: N_("answering"),
        e.Limit.DISPATCH: N_("dispatching"),
        e.Limit.LADDER: N_("next level"),
        e.Limit.SUPERVISION: N_("supervision"),
        e.Limit.ARRIVAL: N_("being there"),
        e.Limit.VISIT: N_("asking the citizen"),
        e.Limit.WARNING: N_("warning"),
    },
    "TurnedAway": {
        e.TurnedAway.REJECTED: N_("not accepted"),
        e.TurnedAway.REDIRECTED: N_("pointed elsewhere"),
        e.TurnedAway.EMERGENCY: N_("handed as an emergency"),
        e.TurnedAway.RECORDED_TWICE: N_("recorded twice"),
    },
    "TerminationGround": {
        e.TerminationGround.INFORMATION_REFUSED: N_("the citizen will not say what must be known"),
        e.TerminationGround.UNLAWFUL_OR_IMPOSSIBLE: N_("against law, policy or morals"),
    },
    "PauseGround": {
        e.PauseGround.AWAITS_CITIZEN: N_("the citizen must act first"),
        e.PauseGround.AWAITS_AUTHORITY: N_("another authority must decide first"),
        e.PauseGround.SEASON: N_("season or weather"),
    },
    "WhistleKind": {
        e.WhistleKind.KEY_WORK: N_("key work"),
        e.WhistleKind.JOINT_ENFORCEMENT: N_("joint enforcement"),
        e.WhistleKind.EMERGENCY: N_("emergency"),
    },
    "Colour": {e.Colour.YELLOW: N_("yellow"), e.Colour.RED: N_("red")},
    "ExclusionGround": {
        e.ExclusionGround.INVALID: N_("invalid or harassing"),
        e.ExclusionGround.FORCE_MAJEURE: N_("force majeure"),
        e.ExclusionGround.POLICY_IMPOSSIBLE: N_("nobody may or can do it"),
        e.ExclusionGround.DUPLICATE: N_("told twice"),
    },
    "VisitReason": {
        e.VisitReason.ANSWERED: N_("the unit answered"),
        e.VisitReason.EXPIRED: N_("the limit expired"),
    },
    "Outcome": {
        e.Outcome.SOLVED: N_("solved"),
        e.Outcome.UNSOLVED: N_("not solved"),
        e.Outcome.UNREACHED: N_("citizen not reached"),
        e.Outcome.EXCEPTION: N_("by exception"),
    },
    "question": {
        "return": N_("return"),
        "dispute": N_("whose it is"),
        "extension": N_("more days"),
        "pause": N_("pause"),
        "termination": N_("end unanswered"),
        "exclusion": N_("left out of the score"),
    },
    "watched": {
        "supervised": N_("supervised"),
        "district": N_("district level"),
        "top": N_("municipal level"),
        "unasked": N_("nobody to ask"),
    },
    "cause": {
        "no_answer": N_("no answer"),
        "busy": N_("engaged"),
        "refused": N_("would not talk"),
        "wrong_number": N_("wrong number"),
    },
    "contact_standing": {
        "STRANGER": N_("Your unit does not have this order now, so it sees no contact."),
        "ACCUSED": N_("Your unit is accused in this matter, so it sees no contact."),
        "OVER": N_("The life has ended, so nobody sees the contact any more."),
    },
    "phase": {
        "hotline": N_("with the hotline"),
        "to-sign": N_("to sign"),
        "in-work": N_("in work"),
        "review": N_("in review"),
        "asked": N_("citizen is asked"),
    },
    "awaited": {
        "reviewers": N_("reviewers"),
        "dialler": N_("those who visit"),
        "supervisors": N_("supervision"),
        "intake": N_("the hotline itself"),
        "dispatch": N_("the hotline itself"),
        "escalation": N_("the hotline itself"),
        "feedback": N_("the hotline itself"),
    },
    "channel": {
        "phone": N_("phone"),
        "sms": N_("sms"),
        "visit": N_("on site"),
        "web": N_("website"),
        "app": N_("app"),
        "wechat": N_("WeChat"),
        "weibo": N_("Weibo"),
    },
    "due_within": {
        "4h": N_("4 hours"),
        "24h": N_("24 hours"),
        "3d": N_("3 days"),
        "7d": N_("7 days"),
    },
    "tab": {
        unit_list.TO_SIGN: N_("To sign"),
        unit_list.IN_WORK: N_("In work"),
        unit_list.DUE_TODAY: N_("Due today"),
        unit_list.OVERDUE: N_("Overdue"),
        unit_list.IN_REVIEW: N_("In review"),
        unit_list.AGAIN: N_("Once more"),
        unit_list.HELPING: N_("Helping"),
        unit_list.WHISTLED: N_("Whistled for"),
        unit_list.ALL: N_("All"),
    },
}
"""By kind and code."""


def unit_name(catalogue: Catalogue, code: str) -> str:
    """The name of a unit; any other text as it is."""
    unit = catalogue.units.get(code)  # type: ignore[call-overload]  # a text that may be a unit's id
    return code if unit is None else str(unit.name)
